/* Todo: which commands of a step are not done. */
#ifndef FANOUT_TODO_H
#define FANOUT_TODO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAN_TODO_MAX = 512, FAN_TODO_WORDS = FAN_TODO_MAX / 64 };

struct fan_todo {
    uint64_t words[FAN_TODO_WORDS];
};

/* Commands 0 .. count - 1. */
void fan_todo_fill(struct fan_todo *todo, size_t count);
void fan_todo_done(struct fan_todo *todo, size_t i);
bool fan_todo_has(const struct fan_todo *todo, size_t i);
/* The first one from `from` on; count when there is none below count. */
size_t fan_todo_next(const struct fan_todo *todo, size_t from, size_t count);

#endif
