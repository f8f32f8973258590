/* The merge of a home feed with outboxes, against everything in one heap, sorted, and looked at entry by entry. */
#include "shared/model/merge.h"

#include "shared/codec/entry.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"

#include <stdlib.h>
#include <string.h>

enum { SOURCES = 4, MEMBERS = FEED_CAP, ROUNDS = 3000, BYTES = 128 };

struct made {
    char bytes[BYTES];
    bool mark, post;
};

/* Timelines of at most MEMBERS, newest first; 0 is the home feed. */
struct case_of {
    struct made made[1 + SOURCES][MEMBERS];
    struct feed_member members[1 + SOURCES][MEMBERS];
    size_t counts[1 + SOURCES];
    struct feed_merge_source sources[SOURCES];
    struct feed_verb_rule verb;
    struct feed_merge_rules rules;
};

static void put(struct case_of *c, size_t timeline, int64_t published_ms, uint32_t number, bool mark, bool post)
{
    size_t at = c->counts[timeline]++;
    struct made *made = &c->made[timeline][at];
    *made = (struct made){.mark = mark, .post = post};
    struct feed_id id = {{0}};
    memcpy(id.bytes + 12, &number, 4);
    struct feed_entry entry = {.id = id,
                               .verb = post ? FEED_STR("post") : FEED_STR("like"),
                               .actor = FEED_STR("eve"),
                               .object_type = FEED_STR("t"),
                               .object_id = FEED_STR("i")};
    struct feed_buf out;
    feed_buf_init(&out, BYTES);
    if (mark)
        feed_mark_encode(&id, &out);
    else
        feed_entry_encode(&entry, &out);
    assert_int_equal(out.error, FEED_OK);
    memcpy(made->bytes, out.data, out.len);
    c->members[timeline][at] = (struct feed_member){published_ms, {made->bytes, out.len}};
    feed_buf_fini(&out);
}

/* Few times and few ids, so that all kinds of neighbours meet: copies, marks, the same time. An id belongs to one time,
 * one author and one verb, as those of activities do. */
static void make(struct test_random *random, struct case_of *c)
{
    memset(c, 0, sizeof *c);
    uint64_t range = 20 + test_random_below(random, 200);
    for (size_t t = 0; t <= SOURCES; t++) {
        uint64_t chance = test_random_below(random, 100);
        for (uint32_t number = (uint32_t)range * SOURCES; number-- > 0 && c->counts[t] < MEMBERS;) {
            bool own = t == 0 || number % SOURCES == t - 1;
            if (own && test_random_below(random, 100) < chance)
                put(c, t, 1000 + number / SOURCES, number, t > 0 && test_random_below(random, 10) == 0,
                    number / 7 % 2 == 0);
        }
    }
    for (size_t s = 0; s < SOURCES; s++) {
        int64_t since = 1000 + (int64_t)test_random_below(random, range + 50);
        int64_t from = test_random_below(random, 3) ? 0 : 1000 + (int64_t)test_random_below(random, range);
        c->sources[s] = (struct feed_merge_source){c->members[s + 1], c->counts[s + 1], since, from};
    }
    int64_t begin = 1000 + (int64_t)test_random_below(random, range);
    c->verb = (struct feed_verb_rule){FEED_STR("like"), begin, begin + (int64_t)test_random_below(random, range)};
    c->rules = (struct feed_merge_rules){&c->verb, test_random_below(random, 2)};
}

struct seen {
    int64_t published_ms;
    const char *id;
    unsigned origin;
};

static bool same_id(const char *a, const char *b)
{
    return memcmp(a, b, FEED_ID_BYTES) == 0;
}

static size_t note(struct seen *all, size_t count, const struct feed_member *member, unsigned origin)
{
    for (size_t i = 0; i < count; i++) {
        if (same_id(all[i].id, member->bytes.data)) {
            all[i].origin |= origin;
            return count;
        }
    }
    all[count] = (struct seen){member->published_ms, member->bytes.data, origin};
    return count + 1;
}

static bool marked(const struct case_of *c, const struct feed_member *member)
{
    for (size_t s = 1; s <= SOURCES; s++) {
        for (size_t i = 0; i < c->counts[s]; i++) {
            if (c->made[s][i].mark && same_id(c->made[s][i].bytes, member->bytes.data))
                return true;
        }
    }
    return false;
}

static bool shown(const struct case_of *c, size_t s, size_t i)
{
    const struct feed_merge_source *source = &c->sources[s];
    const struct made *made = &c->made[s + 1][i];
    int64_t at = source->members[i].published_ms;
    size_t older_and_newer_than_this = 0;
    for (size_t k = 0; k < i; k++)
        older_and_newer_than_this += source->members[k].published_ms < source->since_ms;
    bool left_out = c->rules.verb_count && !made->post && at >= c->verb.from_ms && at < c->verb.until_ms;
    return !made->mark && at >= source->visible_from_ms && !left_out &&
           (at >= source->since_ms || older_and_newer_than_this < FEED_BACKFILL);
}

static int newest_first(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->published_ms != y->published_ms)
        return x->published_ms > y->published_ms ? -1 : 1;
    return memcmp(y->id, x->id, FEED_ID_BYTES);
}

static size_t expect(const struct case_of *c, struct seen *all)
{
    size_t count = 0;
    for (size_t i = 0; i < c->counts[0]; i++) {
        if (!marked(c, &c->members[0][i]))
            count = note(all, count, &c->members[0][i], FEED_ORIGIN_HOME);
    }
    for (size_t s = 0; s < SOURCES; s++) {
        for (size_t i = 0; i < c->counts[s + 1]; i++) {
            if (shown(c, s, i))
                count = note(all, count, &c->members[s + 1][i], FEED_ORIGIN_OUTBOX);
        }
    }
    qsort(all, count, sizeof all[0], newest_first);
    return count;
}

static void merging_is_the_union_by_the_rules(void **state)
{
    (void)state;
    struct test_random random = {7};
    static struct case_of c;
    static struct seen all[(1 + SOURCES) * MEMBERS];
    size_t both = 0, hidden_ones = 0, limited = 0;
    for (int round = 0; round < ROUNDS; round++) {
        make(&random, &c);
        size_t limit = 1 + test_random_below(&random, FEED_CAP);
        struct feed_merged out[FEED_CAP + 1];
        size_t hidden, expected = expect(&c, all);
        size_t count = feed_merge(c.members[0], c.counts[0], c.sources, SOURCES, &c.rules, limit, out, &hidden);
        assert_int_equal(count, expected < limit ? expected : limit);
        for (size_t i = 0; i < count; i++) {
            assert_true(same_id(out[i].member.bytes.data, all[i].id));
            assert_int_equal(out[i].member.published_ms, all[i].published_ms);
            assert_int_equal(out[i].origin, all[i].origin);
            assert_false(feed_mark_is(out[i].member.bytes));
            both += all[i].origin == (FEED_ORIGIN_HOME | FEED_ORIGIN_OUTBOX);
        }
        hidden_ones += hidden;
        limited += expected > limit;
    }
    assert_true(both > ROUNDS && hidden_ones > ROUNDS && limited > ROUNDS / 4);
}

static void without_sources_it_is_the_home_feed(void **state)
{
    (void)state;
    static struct case_of c;
    memset(&c, 0, sizeof c);
    put(&c, 0, 2000, 2, false, true);
    put(&c, 0, 1000, 1, false, true);
    struct feed_merged out[FEED_CAP];
    size_t hidden;
    assert_int_equal(feed_merge(c.members[0], 2, NULL, 0, &c.rules, FEED_CAP, out, &hidden), 2);
    assert_ptr_equal(out[1].member.bytes.data, c.members[0][1].bytes.data);
    assert_int_equal(out[0].origin, FEED_ORIGIN_HOME);
    assert_int_equal(hidden, 0);
    assert_int_equal(feed_merge(NULL, 0, NULL, 0, &c.rules, FEED_CAP, out, &hidden), 0);
}

static void a_member_is_found_by_time_and_id(void **state)
{
    (void)state;
    static struct case_of c;
    memset(&c, 0, sizeof c);
    for (uint32_t i = 50; i-- > 0;)
        put(&c, 0, 1000 + i / 3, i, false, true);
    bool found;
    for (size_t i = 0; i < 50; i++) {
        const uint8_t *id = (const uint8_t *)c.members[0][i].bytes.data;
        assert_int_equal(feed_member_find(c.members[0], 50, c.members[0][i].published_ms, id, &found), i);
        assert_true(found);
        assert_int_equal(feed_member_find(c.members[0], 50, 5000, id, &found), 0);
        assert_false(found);
        assert_int_equal(feed_member_find(c.members[0], 50, 1, id, &found), 50);
        assert_false(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_is_the_union_by_the_rules),
        cmocka_unit_test(without_sources_it_is_the_home_feed),
        cmocka_unit_test(a_member_is_found_by_time_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
