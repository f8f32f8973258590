#include "fanout/todo.h"

#include "shared/base/assert.h"

#include <string.h>

void fan_todo_fill(struct fan_todo *todo, size_t count)
{
    feed_assert(count <= FAN_TODO_MAX);
    memset(todo, 0, sizeof *todo);
    for (size_t word = 0; word < count / 64; word++)
        todo->words[word] = UINT64_MAX;
    if (count % 64)
        todo->words[count / 64] = (UINT64_C(1) << count % 64) - 1;
}

void fan_todo_done(struct fan_todo *todo, size_t i)
{
    feed_assert(i < FAN_TODO_MAX);
    todo->words[i / 64] &= ~(UINT64_C(1) << i % 64);
}

bool fan_todo_has(const struct fan_todo *todo, size_t i)
{
    feed_assert(i < FAN_TODO_MAX);
    return todo->words[i / 64] >> i % 64 & 1;
}

size_t fan_todo_next(const struct fan_todo *todo, size_t from, size_t count)
{
    for (size_t i = from; i < count; i = (i / 64 + 1) * 64) {
        uint64_t rest = todo->words[i / 64] >> i % 64;
        if (rest) {
            size_t found = i + (size_t)__builtin_ctzll(rest);
            return found < count ? found : count;
        }
    }
    return count;
}
