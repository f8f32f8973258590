/* What a server says of its replication, and rounds over all shards. */
#include "fanout/replication.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- the text ---- */

static const char master_info[] = "# Replication\r\nrole:master\r\nconnected_slaves:3\r\n"
                                  "slave0:ip=10.0.0.1,port=6379,state=online,offset=900,lag=1\r\n"
                                  "slave1:ip=10.0.0.2,port=6379,state=online,offset=950,lag=0,io-thread=0\r\n"
                                  "slave2:ip=10.0.0.3,port=6379,state=send_bulk,offset=999,lag=0\r\n"
                                  "master_failover_state:no-failover\r\n"
                                  "master_replid:0123456789abcdef0123456789abcdef01234567\r\n"
                                  "master_replid2:0000000000000000000000000000000000000000\r\n"
                                  "master_repl_offset:1000\r\nsecond_repl_offset:-1\r\n";

static void a_master_tells_its_id_and_what_replicas_have(void **state)
{
    (void)state;
    struct fan_replication said;
    assert_true(fan_replication_parse(feed_str_of(master_info), &said));
    assert_true(said.master);
    assert_string_equal(said.id, "0123456789abcdef");
    assert_int_equal(said.offset, 1000);
    assert_int_equal(said.replicas, 2); /* the third one has not got the data yet */
    assert_int_equal(said.seen, 950);
}

static void a_replica_is_told_apart(void **state)
{
    (void)state;
    struct fan_replication said;
    assert_true(fan_replication_parse(FEED_STR("role:slave\r\nslave_repl_offset:10\r\nslave_priority:100\r\n"
                                               "master_replid:0123456789abcdef0123456789abcdef01234567\r\n"
                                               "master_repl_offset:10\r\n"),
                                      &said));
    assert_false(said.master);
    assert_int_equal(said.replicas, 0);
    assert_int_equal(said.seen, -1);
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "role:master",
        "role:master\r\nmaster_replid:0123456789abcdef\r\n",
        "role:master\r\nmaster_repl_offset:1\r\n",
        "role:master\r\nmaster_replid:0123456789abcde\r\nmaster_repl_offset:1\r\n",
        "role:master\r\nmaster_replid:0123456789abcde 23\r\nmaster_repl_offset:1\r\n",
        "role:master\r\nmaster_replid:0123456789abcdef\r\nmaster_repl_offset:-1\r\n",
        "role:master\r\nmaster_replid:0123456789abcdef\r\nmaster_repl_offset:99999999999999999999\r\n",
        "master_replid:0123456789abcdef\r\nmaster_repl_offset:1\r\n"};
    struct fan_replication said;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(fan_replication_parse(feed_str_of(texts[i]), &said));
}

/* ---- rounds ---- */

static const char first_id[] = "aaaaaaaaaaaaaaaa", second_id[] = "bbbbbbbbbbbbbbbb";

static struct fan_replication master(const char *id, int64_t offset, unsigned replicas, int64_t seen)
{
    struct fan_replication said = {.master = true, .offset = offset, .replicas = replicas, .seen = seen};
    memcpy(said.id, id, sizeof said.id);
    return said;
}

static enum fan_witness_said take(struct fan_witness *witness, struct fan_replication said, int64_t now_ms)
{
    return fan_witness_took(witness, 0, &said, witness->round, now_ms);
}

static struct fan_witness introduced(unsigned replicas)
{
    struct fan_witness witness;
    fan_witness_init(&witness, 1000);
    assert_false(fan_witness_knows(&witness, 0));
    assert_int_equal(take(&witness, master(first_id, 0, replicas, -1), 1), FAN_WITNESS_STRANGE);
    assert_true(fan_witness_knows(&witness, 0));
    fan_witness_begin(&witness, 10);
    return witness;
}

static void without_replicas_the_first_answer_is_enough(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(0);
    assert_false(fan_witness_through(&witness, 0));
    assert_int_equal(take(&witness, master(first_id, 50, 0, -1), 11), FAN_WITNESS_SAME);
    assert_true(fan_witness_through(&witness, 0));
    fan_witness_drop(&witness);
    assert_false(fan_witness_through(&witness, 0));
}

static void a_replica_must_have_what_was_there_at_the_first_answer(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(1);
    take(&witness, master(first_id, 50, 1, 49), 11);
    assert_false(fan_witness_through(&witness, 0));
    take(&witness, master(first_id, 80, 1, 49), 12);
    assert_false(fan_witness_through(&witness, 0));
    take(&witness, master(first_id, 90, 1, 50), 13);
    assert_true(fan_witness_through(&witness, 0));
    assert_int_equal(fan_witness_alone(&witness), 0);
}

static void an_answer_to_an_earlier_round_does_not_count(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(0);
    uint64_t before = witness.round;
    fan_witness_begin(&witness, 20);
    struct fan_replication said = master(first_id, 50, 0, -1);
    fan_witness_took(&witness, 0, &said, before, 21);
    assert_false(fan_witness_through(&witness, 0));
    fan_witness_took(&witness, 0, &said, witness.round, 21);
    assert_true(fan_witness_through(&witness, 0));
}

static void replicas_that_have_gone_are_waited_for_once(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(1);
    assert_int_equal(take(&witness, master(first_id, 50, 0, -1), 1009), FAN_WITNESS_SAME);
    assert_false(fan_witness_through(&witness, 0));
    assert_int_equal(take(&witness, master(first_id, 60, 0, -1), 1010), FAN_WITNESS_ALONE);
    assert_true(fan_witness_through(&witness, 0));
    assert_int_equal(fan_witness_alone(&witness), 1);
    fan_witness_begin(&witness, 1100);
    assert_int_equal(take(&witness, master(first_id, 70, 1, 10), 1101), FAN_WITNESS_SAME);
    assert_true(fan_witness_through(&witness, 0)); /* and not again */
    assert_int_equal(fan_witness_alone(&witness), 1);
}

static void a_replica_that_has_caught_up_is_waited_for_again(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(1);
    take(&witness, master(first_id, 50, 1, 10), 11);
    assert_int_equal(take(&witness, master(first_id, 60, 1, 10), 1011), FAN_WITNESS_ALONE);
    fan_witness_begin(&witness, 1100);
    assert_int_equal(take(&witness, master(first_id, 70, 1, 59), 1101), FAN_WITNESS_SAME);
    fan_witness_begin(&witness, 1200);
    assert_int_equal(take(&witness, master(first_id, 80, 1, 65), 1201), FAN_WITNESS_CAUGHT);
    assert_int_equal(fan_witness_alone(&witness), 0);
    assert_false(fan_witness_through(&witness, 0));
    take(&witness, master(first_id, 90, 1, 80), 1202);
    assert_true(fan_witness_through(&witness, 0));
}

static void without_waiting_the_first_answer_is_enough(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(1);
    witness.wait_ms = 0;
    take(&witness, master(first_id, 50, 1, 10), 11);
    assert_true(fan_witness_through(&witness, 0));
}

static void an_id_is_strange_once(void **state)
{
    (void)state;
    struct fan_witness witness = introduced(1);
    struct fan_replication said = master(second_id, 5, 0, -1);
    assert_int_equal(fan_witness_took(&witness, 0, &said, witness.round, 12), FAN_WITNESS_STRANGE);
    assert_false(fan_witness_through(&witness, 0));
    fan_witness_begin(&witness, 20);
    assert_int_equal(take(&witness, said, 21), FAN_WITNESS_SAME);
    assert_true(fan_witness_through(&witness, 0)); /* under this id it never had a replica */
    /* The same server by another number, and the one of before. */
    assert_int_equal(fan_witness_took(&witness, 7, &said, 0, 22), FAN_WITNESS_SAME);
    struct fan_replication old = master(first_id, 5, 0, -1);
    assert_int_equal(fan_witness_took(&witness, 8, &old, 0, 23), FAN_WITNESS_SAME);
    fan_witness_forget(&witness, 7);
    assert_false(fan_witness_knows(&witness, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_master_tells_its_id_and_what_replicas_have),
        cmocka_unit_test(a_replica_is_told_apart),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(without_replicas_the_first_answer_is_enough),
        cmocka_unit_test(a_replica_must_have_what_was_there_at_the_first_answer),
        cmocka_unit_test(an_answer_to_an_earlier_round_does_not_count),
        cmocka_unit_test(replicas_that_have_gone_are_waited_for_once),
        cmocka_unit_test(a_replica_that_has_caught_up_is_waited_for_again),
        cmocka_unit_test(without_waiting_the_first_answer_is_enough),
        cmocka_unit_test(an_id_is_strange_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
