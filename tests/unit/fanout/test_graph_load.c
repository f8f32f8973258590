/* Putting the graph back: which commands a record becomes, in which order, and how many at a time. */
#include "fanout/graph_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EDGE_LOAD "FCALL feedwire_v1_edge_load 4 g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} q:{demo/bob/0} "

#define FOLLOWEE_LOAD "FCALL feedwire_v1_followee_load 2 h:{demo/ann} m:{demo/ann} "

static struct fan_load *load_new(void)
{
    struct fan_load *load = malloc(sizeof *load);
    fan_load_init(load, 10000);
    return load;
}

static void load_free(struct fan_load *load)
{
    fan_load_fini(load);
    free(load);
}

static void record(struct fan_load *load, const char *key, int64_t since_ms, int64_t ended_ms)
{
    struct feed_relation relation = {.since_ms = since_ms, .ended_ms = ended_ms};
    struct feed_buf value;
    feed_buf_init(&value, FEED_RELATION_VALUE_MAX);
    feed_relation_value(&relation, &value);
    fan_load_record(load, feed_str_of(key), feed_buf_view(&value));
    feed_buf_fini(&value);
}

/* Sends the next command, which must be this one, and says which slot it is of. */
static unsigned sent(struct fan_load *load, const char *expected)
{
    struct fan_call call;
    unsigned slot = 0;
    char text[400] = "";
    size_t used = 0;
    assert_true(fan_load_next(load, &call, &slot));
    for (size_t i = 0; i < call.argc; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", (int)call.argv[i].len,
                                 call.argv[i].data);
    assert_string_equal(text, expected);
    fan_load_sent(load);
    return slot;
}

static bool answer(struct fan_load *load, unsigned slot, int64_t integer)
{
    return fan_load_answer(load, slot, &(struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = integer});
}

/* The edge stands since then, in page 0, and was ended before. */
static bool answer_edge(struct fan_load *load, unsigned slot, int64_t since_ms, int64_t ended_ms)
{
    const struct fan_value items[6] = {{.number = since_ms}, {.number = ended_ms}};
    return fan_load_answer(load, slot, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = items, .count = 6});
}

static void an_edge_is_put_back_on_both_sides(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    record(load, "demo/follow/ann/bob", 10, 5);
    assert_false(fan_load_idle(load));
    unsigned slot = sent(load, EDGE_LOAD "ann 10 5 0 0 0 0 0 10000");
    struct fan_call call;
    unsigned other;
    assert_false(fan_load_next(load, &call, &other));
    assert_true(answer_edge(load, slot, 10, 5));
    slot = sent(load, FOLLOWEE_LOAD "bob 10 5");
    assert_true(answer(load, slot, 1));
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.edges, 1);
    load_free(load);
}

/* The answer decides: Redis may have had a younger state. */
static void the_followers_side_is_as_the_edge_was_decided(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    record(load, "demo/follow/ann/bob", 10, 0);
    record(load, "demo/follow/ann/bob", 0, 20);
    unsigned first = sent(load, EDGE_LOAD "ann 10 0 0 0 0 0 0 10000");
    unsigned second = sent(load, EDGE_LOAD "ann 0 20 0 0 0 0 0 10000");
    answer_edge(load, first, 0, 20);
    answer_edge(load, second, 30, 20);
    answer(load, sent(load, FOLLOWEE_LOAD "bob 0 20"), 1);
    answer(load, sent(load, FOLLOWEE_LOAD "bob 30 20"), 1);
    assert_true(fan_load_idle(load));
    load_free(load);
}

static void texts(struct fan_load *load, const char *key, enum feed_relation_kind kind, const char *first,
                  const char *second)
{
    struct feed_relation relation = {.kind = kind, .texts = {feed_str_of(first), feed_str_of(second)}};
    struct feed_buf value;
    feed_buf_init(&value, FEED_RELATION_VALUE_MAX);
    feed_relation_value(&relation, &value);
    fan_load_record(load, feed_str_of(key), feed_buf_view(&value));
    feed_buf_fini(&value);
}

static void settings_are_put_back_where_they_stood(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    texts(load, "demo/settings/ann/bob", FEED_RELATION_SETTINGS, "m7 n9 p5", "6 7");
    texts(load, "demo/filter/ann/ann", FEED_RELATION_FILTER, "8", "like 8 0 share 3 8");
    answer(load, sent(load, "FCALL feedwire_v1_settings_load 1 m:{demo/ann} bob m7 n9 p5 6 7 own"), 1);
    answer(load, sent(load, "FCALL feedwire_v1_filter_load 1 m:{demo/ann} 8 like 8 0 share 3 8"), 1);
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.settings, 2);
    assert_int_equal(load->counts.edges, 0);
    load_free(load);
}

static void a_block_is_put_back_with_both_and_has_ended_the_edge_from_the_other(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    texts(load, "demo/settings/bob/ann", FEED_RELATION_SETTINGS, "b7 e9", "");
    answer(load, sent(load, "FCALL feedwire_v1_settings_load 1 m:{demo/bob} ann b7 e9  own"), 1);
    answer(load, sent(load, "FCALL feedwire_v1_settings_load 1 m:{demo/ann} bob b7 e9  other"), 1);
    unsigned slot = sent(load, EDGE_LOAD "ann 0 9 0 0 0 0 0 10000");
    assert_true(answer_edge(load, slot, 0, 9));
    assert_true(answer(load, sent(load, FOLLOWEE_LOAD "bob 0 9"), 1));
    assert_true(fan_load_idle(load));
    load_free(load);
}

static void what_is_no_edge_is_counted_and_left_out(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    struct feed_str value = FEED_STR("\x92\x07\x03");
    fan_load_record(load, FEED_STR("demo/follow/ann/bob"), (struct feed_str){NULL, 0});
    fan_load_record(load, FEED_STR("demo/later/ann/bob"), value);
    fan_load_record(load, FEED_STR("demo/follow/ann/b}ob"), value);
    fan_load_record(load, FEED_STR("demo/follow/ann/bob"), FEED_STR("rubbish"));
    fan_load_record(load, (struct feed_str){NULL, 0}, value);
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.records, 5);
    assert_int_equal(load->counts.unknown, 1);
    assert_int_equal(load->counts.bad, 3);
    load_free(load);
}

static void an_answer_of_another_kind_leaves_the_edge_out(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    record(load, "demo/follow/ann/bob", 10, 0);
    unsigned slot = sent(load, EDGE_LOAD "ann 10 0 0 0 0 0 0 10000");
    assert_false(fan_load_answer(load, slot, &(struct fan_answer){.kind = FAN_ANSWER_ERROR}));
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.edges, 0);
    load_free(load);
}

static void no_more_than_a_window_is_taken(void **state)
{
    (void)state;
    enum { FULL = FAN_LOAD_WINDOW - 2 }; /* the next record may be of three parts */
    struct fan_load *load = load_new();
    unsigned taken = 0;
    for (; fan_load_has_room(load); taken++)
        record(load, "demo/follow/ann/bob", 10 + taken, 0);
    assert_int_equal(taken, FULL);
    static unsigned slots[FULL];
    struct fan_call call;
    /* Round about the ring, several times, and every slot comes back. */
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < FULL; i++) {
            assert_true(fan_load_next(load, &call, &slots[i]));
            fan_load_sent(load);
        }
        for (unsigned i = 0; i < FULL; i++) {
            answer_edge(load, slots[i], 1, 0);
            unsigned slot;
            assert_true(fan_load_next(load, &call, &slot));
            assert_int_equal(slot, slots[i]);
            fan_load_sent(load);
            answer(load, slot, 1);
        }
        assert_true(fan_load_idle(load));
        for (unsigned i = 0; i < FULL; i++)
            record(load, "demo/follow/ann/bob", 10, 0);
        assert_false(fan_load_has_room(load));
    }
    assert_int_equal(load->counts.edges, 3 * FULL);
    load_free(load);
}

/* Of ann, until 10. */
static void tell_purge(struct fan_load *load, char key[100], const char **value)
{
    char name[FEED_PURGED_NAME + 1];
    struct feed_id id = feed_purged_id(FEED_STR("demo"), FEED_STR("ann"));
    feed_purged_name(&id, name);
    snprintf(key, 100, "demo/purge/%s/-", name);
    *value = "\x92\x0a";
    assert_true(fan_load_purge(load, FEED_STR("demo/follow/ann/bob"), (struct feed_str){"\x92\x05\x00", 3}));
    assert_true(fan_load_purge(load, feed_str_of(key), (struct feed_str){*value, 3}));
    fan_load_purges_known(load);
}

static void who_was_erased_is_left_out_and_stays_erased(void **state)
{
    (void)state;
    struct fan_load *load = load_new();
    char key[100];
    const char *value;
    tell_purge(load, key, &value);
    record(load, "demo/follow/ann/bob", 10, 0);
    record(load, "demo/follow/bob/ann", 0, 10);
    texts(load, "demo/settings/bob/ann", FEED_RELATION_SETTINGS, "m9 n10 v10", "");
    texts(load, "demo/filter/ann/ann", FEED_RELATION_FILTER, "10", "like 10 0");
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.erased, 4);
    texts(load, "demo/settings/bob/ann", FEED_RELATION_SETTINGS, "m9", "2 11");
    answer(load, sent(load, "FCALL feedwire_v1_settings_load 1 m:{demo/bob} ann m9 2 11 own"), 1);
    record(load, "demo/follow/ann/bob", 11, 0);
    unsigned slot = sent(load, EDGE_LOAD "ann 11 0 0 0 0 0 0 10000");
    assert_true(answer_edge(load, slot, 11, 0));
    assert_true(answer(load, sent(load, FOLLOWEE_LOAD "bob 11 0"), 1));
    fan_load_record(load, feed_str_of(key), (struct feed_str){value, 3});
    struct fan_call call;
    assert_true(fan_load_next(load, &call, &slot));
    assert_int_equal(call.argc, 6);
    assert_true(feed_str_eq(call.argv[1], FEED_STR("feedwire_v1_purge")) && feed_str_eq(call.argv[5], FEED_STR("10")));
    fan_load_sent(load);
    assert_true(answer(load, slot, 7));
    assert_true(fan_load_idle(load));
    assert_int_equal(load->counts.purges, 1);
    assert_int_equal(load->counts.edges, 1);
    load_free(load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_is_put_back_on_both_sides),
        cmocka_unit_test(the_followers_side_is_as_the_edge_was_decided),
        cmocka_unit_test(settings_are_put_back_where_they_stood),
        cmocka_unit_test(a_block_is_put_back_with_both_and_has_ended_the_edge_from_the_other),
        cmocka_unit_test(what_is_no_edge_is_counted_and_left_out),
        cmocka_unit_test(an_answer_of_another_kind_leaves_the_edge_out),
        cmocka_unit_test(who_was_erased_is_left_out_and_stays_erased),
        cmocka_unit_test(no_more_than_a_window_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
