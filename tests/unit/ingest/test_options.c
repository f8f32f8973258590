/* The table of options: every default passes its own rules, and rows write fields of their own. */
#include "ingest/options.h"

#include "tests/unit/support/check.h"

static void test_defaults(void **state)
{
    (void)state;
    char program[] = "feedwire-ingest", *arguments[] = {program, NULL}, *environment[] = {NULL};
    struct ing_options options = {0};
    struct feed_buf message;
    struct feed_options_input input = {.program = program,
                                       .version = "1",
                                       .summary = ing_summary,
                                       .argc = 1,
                                       .argv = arguments,
                                       .environment = environment};
    feed_buf_init(&message, 1 << 16);
    assert_int_equal(feed_options_parse(ing_option_table, &input, &options, &message, NULL), FEED_OPTIONS_RUN);
    assert_string_equal(options.http_address, "127.0.0.1");
    assert_int_equal(options.http_port, 8080);
    assert_int_equal(options.admin_port, 8081);
    assert_string_equal(options.http_allowed_origins, "");
    assert_string_equal(options.kafka_topic, "activities");
    assert_string_equal(options.kafka_brokers, "127.0.0.1:9092");
    assert_int_equal(options.kafka_delivery_timeout_ms, 10000);
    assert_null(options.auth.hs256_secret);
    feed_options_free(ing_option_table, &options, NULL);
    feed_buf_fini(&message);
}

static void test_fields_do_not_overlap(void **state)
{
    (void)state;
    for (const struct feed_option *a = ing_option_table; a->name; a++) {
        assert_true(a->offset + 8 <= sizeof(struct ing_options));
        for (const struct feed_option *b = a + 1; b->name; b++) {
            assert_int_not_equal(a->offset, b->offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults), cmocka_unit_test(test_fields_do_not_overlap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
