/* The four rules on which it rests that redelivery and replay change nothing, each by itself: records in any order, any
 * of them more than once, worked off one after the other. What comes of them must depend on nothing but the set.
 *
 * - adding is by id;
 * - an edge counts for an activity only if the follow is not younger;
 * - removing leaves a mark, which a late add cannot pass;
 * - edges and settings take the newest event by time.
 *
 * A failure prints the seed; SEED=n runs that one alone, and SEEDS=n runs so many. */
#include "redis_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SET_MAX = 24, ORDER_MAX = 3 * SET_MAX };

struct run {
    struct world world;
    struct model model;
    struct sample set[SET_MAX];
    size_t count;
    int64_t offset;
    char
        relation[sizeof((struct world_relation *)0)->text]; /* the newest record about ann and bob in the topic graph */
};

/* ---- sets and orders ---- */

static uint64_t pick(struct run *run, uint64_t max)
{
    return world_random(&run->world, max);
}

static struct sample *put(struct run *run, const char *actor, const char *verb, const char *object, int64_t ms)
{
    struct sample *sample = &run->set[run->count++];
    *sample =
        (struct sample){.id = (unsigned)run->count, .published_ms = ms, .actor = actor, .verb = verb, .object = object};
    return sample;
}

static void work_off(struct run *run, const struct sample *sample)
{
    struct sample next = *sample;
    next.offset = run->offset++;
    world_record(&run->world, &next);
    while (run->world.first) {
        model_execute(&run->model, run->world.first);
        struct fan_answer answer = run->world.first->answer;
        world_answer(&run->world, &answer);
        if (run->world.relation_count) {
            if (strncmp(run->world.relations[0].text, "demo/follow/ann/bob ", 20) == 0)
                memcpy(run->relation, run->world.relations[0].text, sizeof run->relation);
            world_relation_done(&run->world, FEED_OK);
        }
    }
    if (run->world.letter_count || fan_engine_records(run->world.engine))
        fail_msg("record %u was not finished", sample->id);
}

/* An order of chance, with each of the set one to three times. Returns how many. */
static size_t make_order(struct run *run, size_t order[ORDER_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        for (size_t n = 1 + pick(run, 3); n > 0; n--)
            order[count++] = i;
    }
    for (size_t i = count; i > 1; i--) {
        size_t j = pick(run, i), swap = order[j];
        order[j] = order[i - 1];
        order[i - 1] = swap;
    }
    return count;
}

static void work_off_in_any_order(struct run *run)
{
    size_t order[ORDER_MAX], count = make_order(run, order);
    for (size_t i = 0; i < count; i++)
        work_off(run, &run->set[order[i]]);
}

/* ---- what came of them ---- */

static size_t times_in(const struct run *run, const char *key, const struct sample *act)
{
    const struct model_zset *zset = model_find(&run->model, key);
    size_t found = 0;
    for (size_t i = 0; zset && i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        const uint8_t *b = (const uint8_t *)m->bytes;
        unsigned id = (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
        found += id == act->id && !feed_mark_is((struct feed_str){m->bytes, m->len});
    }
    return found;
}

static void expect_in(const struct run *run, const char *key, const struct sample *act, bool expected)
{
    size_t found = times_in(run, key, act);
    if (found != (expected ? 1 : 0))
        fail_msg("%s of act %u is there %zu times in %s", act->verb, act->id, found, key);
}

static bool has_member(const struct run *run, const char *key, const char *user)
{
    const struct model_zset *zset = model_find(&run->model, key);
    for (size_t i = 0; zset && i < zset->count; i++) {
        if (feed_str_eq((struct feed_str){zset->members[i].bytes, zset->members[i].len}, feed_str_of(user)))
            return true;
    }
    return false;
}

static bool is(const struct sample *sample, const char *verb)
{
    return strcmp(sample->verb, verb) == 0;
}

/* The newest time of a verb in the set; 0: none. */
static int64_t newest(const struct run *run, const char *verb)
{
    int64_t ms = 0;
    for (size_t i = 0; i < run->count; i++) {
        if (is(&run->set[i], verb) && run->set[i].published_ms > ms)
            ms = run->set[i].published_ms;
    }
    return ms;
}

/* ---- the rules ---- */

static void adding(struct run *run)
{
    put(run, "ann", "follow", "bob", 1);
    size_t posts = 1 + pick(run, 12);
    for (size_t i = 0; i < posts; i++)
        put(run, "bob", "post", "n", 10 + (int64_t)pick(run, 4))->to = "[\"cy\"]";
    work_off_in_any_order(run);
    for (size_t i = 1; i < run->count; i++) {
        expect_in(run, "o:{demo/bob}", &run->set[i], true);
        expect_in(run, "f:{demo/ann}", &run->set[i], true);
        expect_in(run, "n:{demo/cy}", &run->set[i], true);
    }
    assert_int_equal(model_find(&run->model, "f:{demo/ann}")->seq, posts);
    assert_int_equal(model_find(&run->model, "n:{demo/cy}")->seq, posts);
}

static void edges_count_from_their_time_on(struct run *run)
{
    int64_t follow_ms = 10 + (int64_t)pick(run, 10);
    put(run, "ann", "follow", "bob", follow_ms);
    for (size_t i = 1 + pick(run, 12); i > 0; i--)
        put(run, "bob", "post", "n", 5 + (int64_t)pick(run, 20));
    work_off_in_any_order(run);
    for (size_t i = 1; i < run->count; i++)
        expect_in(run, "f:{demo/ann}", &run->set[i], run->set[i].published_ms >= follow_ms);
}

static void removing(struct run *run)
{
    static const char *const timelines[] = {"o:{demo/bob}", "f:{demo/ann}", "n:{demo/cy}"};
    put(run, "ann", "follow", "bob", 1);
    size_t posts = 1 + pick(run, 8);
    for (size_t i = 0; i < posts; i++)
        put(run, "bob", "post", "n", 10 + (int64_t)pick(run, 4))->to = "[\"cy\"]";
    bool undone[SET_MAX + 1] = {false};
    for (size_t i = 1; i <= posts; i++) {
        if (pick(run, 2))
            continue;
        undone[i] = true;
        struct sample *undo = put(run, "bob", "undo", NULL, 50);
        undo->undone = run->set[i].id;
        undo->undone_ms = run->set[i].published_ms;
        undo->to = "[\"cy\"]";
    }
    work_off_in_any_order(run);
    for (size_t i = 1; i <= posts; i++) {
        for (size_t t = 0; t < sizeof timelines / sizeof timelines[0]; t++)
            expect_in(run, timelines[t], &run->set[i], !undone[i]);
    }
}

/* Each at a time of its own. */
static void put_events(struct run *run, const char *on, const char *off, const char *object)
{
    for (size_t i = 0, n = 2 + pick(run, 6); i < n; i++)
        put(run, "ann", pick(run, 2) ? on : off, object, 10 + (int64_t)(i * 10) + (int64_t)pick(run, 5));
}

static void the_newest_event_of_an_edge_decides(struct run *run)
{
    put_events(run, "follow", "unfollow", "bob");
    work_off_in_any_order(run);
    bool follows = newest(run, "follow") > newest(run, "unfollow");
    if (has_member(run, "g:{demo/bob/0}", "ann") != follows || has_member(run, "h:{demo/ann}", "bob") != follows)
        fail_msg("the edge is not what its newest event says");
    struct sample *probe = put(run, "bob", "post", "n", 1000);
    work_off(run, probe);
    expect_in(run, "f:{demo/ann}", probe, follows);
}

/* However late an end comes: the edge is the same on both sides, and the feed has what it promises, no more and no
 * less. It begins with the oldest follow after the newest end; or with a later one, if others stood between: of those
 * who follow again while following, the oldest and the newest follow are kept. */
static void an_end_takes_with_it_what_was_before(struct run *run)
{
    put_events(run, "follow", "unfollow", "bob");
    size_t events = run->count;
    for (size_t i = 1 + pick(run, 10); i > 0; i--)
        put(run, "bob", "post", "n", 5 + (int64_t)pick(run, 90));
    work_off_in_any_order(run);
    int64_t first = 0, last = 0, ended = newest(run, "unfollow");
    for (size_t i = 0; i < events; i++) {
        int64_t ms = run->set[i].published_ms;
        if (!is(&run->set[i], "follow") || ms <= ended)
            continue;
        first = !first || ms < first ? ms : first;
        last = ms > last ? ms : last;
    }
    int64_t since = model_edge(&run->model, FEED_STR("bob"), FEED_STR("ann")).since;
    const struct model_zset *followees = model_find(&run->model, "h:{demo/ann}");
    if (since < first || since > last || since != (followees && followees->count ? followees->members[0].score : 0))
        fail_msg("the edge is since %lld, not %lld", (long long)since, (long long)first);
    for (size_t i = events; i < run->count; i++)
        expect_in(run, "f:{demo/ann}", &run->set[i], since && run->set[i].published_ms >= since);
}

static int64_t followee_since(const struct run *run)
{
    const struct model_zset *followees = model_find(&run->model, "h:{demo/ann}");
    return followees && followees->count ? followees->members[0].score : 0;
}

static void run_begin(struct run *run);
static void run_end(struct run *run);

/* Whether a follow was imported makes no difference to the edge, on either side and in the topic graph, whatever was
 * ended and blocked between, in the same order. */
static void an_imported_follow_is_a_follow(struct run *run)
{
    static struct run other;
    size_t order[ORDER_MAX];
    memset(&other, 0, sizeof other);
    run_begin(&other);
    for (size_t i = 0, n = 2 + pick(run, 8); i < n; i++) {
        static const char *const verbs[] = {"follow", "follow", "unfollow", "block", "unblock"};
        size_t verb = pick(run, 5);
        put(run, verb < 3 ? "ann" : "bob", verbs[verb], verb < 3 ? "bob" : "ann", 10 + (int64_t)pick(run, 20));
        run->set[i].data = verb == 2 && pick(run, 2) ? "{\"entries\":\"keep\"}" : NULL;
    }
    size_t count = make_order(run, order);
    for (size_t i = 0; i < count; i++) {
        struct sample sample = run->set[order[i]];
        work_off(run, &sample);
        sample.imported = is(&sample, "follow") && pick(run, 2);
        work_off(&other, &sample);
        struct model_edge one = model_edge(&run->model, FEED_STR("bob"), FEED_STR("ann"));
        struct model_edge two = model_edge(&other.model, FEED_STR("bob"), FEED_STR("ann"));
        if (one.since != two.since || one.ended != two.ended || one.latest != two.latest ||
            followee_since(run) != followee_since(&other) || strcmp(run->relation, other.relation) != 0)
            fail_msg("after %s: since %lld and %lld, ended %lld and %lld, topic %s and %s", sample.verb,
                     (long long)one.since, (long long)two.since, (long long)one.ended, (long long)two.ended,
                     run->relation, other.relation);
    }
    run_end(&other);
}

static void the_newest_setting_decides(struct run *run)
{
    static const char *const pairs[][2] = {{"mute", "unmute"}, {"block", "unblock"}};
    size_t pair = pick(run, 2);
    put_events(run, pairs[pair][0], pairs[pair][1], "bob");
    work_off_in_any_order(run);
    bool on = newest(run, pairs[pair][0]) > newest(run, pairs[pair][1]);
    struct sample *probe = put(run, "bob", "post", "n", 1000), *back = put(run, "ann", "post", "n", 1001);
    probe->to = "[\"ann\"]";
    back->to = "[\"bob\"]";
    work_off(run, probe);
    work_off(run, back);
    expect_in(run, "n:{demo/ann}", probe, !on);
    expect_in(run, "n:{demo/bob}", back, !(on && pair == 1));
}

static void the_newest_list_of_verbs_decides(struct run *run)
{
    static const char *const lists[] = {"{\"exclude\":[]}", "{\"exclude\":[\"post\"]}",
                                        "{\"exclude\":[\"share\",\"post\"]}", "{\"exclude\":[\"share\"]}"};
    static const bool posts[] = {true, false, false, true}, shares[] = {true, true, false, false};
    size_t last = 0;
    put(run, "ann", "follow", "bob", 1);
    for (size_t i = 0, n = 1 + pick(run, 6); i < n; i++) {
        last = pick(run, 4);
        put(run, "ann", "filter", "home", 10 + (int64_t)i)->data = lists[last];
    }
    work_off_in_any_order(run);
    struct sample *post = put(run, "bob", "post", "n", 1000), *share = put(run, "bob", "share", "n", 1001);
    work_off(run, post);
    work_off(run, share);
    expect_in(run, "f:{demo/ann}", post, posts[last]);
    expect_in(run, "f:{demo/ann}", share, shares[last]);
}

/* ---- runs ---- */

static void run_begin(struct run *run)
{
    static const struct fan_settings settings = {
        .records_max = 8, .bytes_max = 1 << 20, .commands_max = 16, .cap = 100, .backfill = 0};
    world_init(&run->world, &settings);
    model_init(&run->model);
    world_start(&run->world, &(int32_t){0}, 1);
}

static void run_end(struct run *run)
{
    model_fini(&run->model);
    world_fini(&run->world);
}

static void run_seeds(void (*rule)(struct run *run))
{
    const char *one = getenv("SEED"), *many = getenv("SEEDS");
    uint64_t first = one ? strtoull(one, NULL, 10) : 0;
    uint64_t count = one ? 1 : many ? strtoull(many, NULL, 10) : 2000;
    for (uint64_t seed = first; seed < first + count; seed++) {
        static char seed_text[32];
        static struct run run;
        snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
        setenv("SEED_RUNNING", seed_text, 1);
        memset(&run, 0, sizeof run);
        run_begin(&run);
        run.world.random = (seed + 1) * 0x9E3779B97F4A7C15u;
        rule(&run);
        run_end(&run);
    }
}

static void adding_is_by_id(void **state)
{
    (void)state;
    run_seeds(adding);
}

static void an_edge_counts_only_if_it_is_not_younger(void **state)
{
    (void)state;
    run_seeds(edges_count_from_their_time_on);
}

static void removing_leaves_a_mark(void **state)
{
    (void)state;
    run_seeds(removing);
}

static void edges_take_the_newest_event(void **state)
{
    (void)state;
    run_seeds(the_newest_event_of_an_edge_decides);
    run_seeds(an_end_takes_with_it_what_was_before);
}

static void imports_are_follows(void **state)
{
    (void)state;
    run_seeds(an_imported_follow_is_a_follow);
}

static void settings_take_the_newest_event(void **state)
{
    (void)state;
    run_seeds(the_newest_setting_decides);
    run_seeds(the_newest_list_of_verbs_decides);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adding_is_by_id),        cmocka_unit_test(an_edge_counts_only_if_it_is_not_younger),
        cmocka_unit_test(removing_leaves_a_mark), cmocka_unit_test(edges_take_the_newest_event),
        cmocka_unit_test(imports_are_follows),    cmocka_unit_test(settings_take_the_newest_event),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        fprintf(stderr, "the last seed was %s\n", getenv("SEED_RUNNING"));
    return failed;
}
