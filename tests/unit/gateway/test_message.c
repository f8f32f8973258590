/* What clients may say, and what they hear when they say something else. */
#include "gateway/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum gw_fault parse(const char *json, size_t len, struct gw_message *message, char text[160])
{
    char *copy = malloc(len ? len : 1); /* of the exact size, for the sanitizer */
    memcpy(copy, json, len);
    text[0] = '\0';
    enum gw_fault fault = gw_message_parse((struct feed_str){copy, len}, message, text, 160);
    free(copy); /* nothing may point into the input */
    return fault;
}

static bool is(struct feed_str s, const char *text)
{
    return feed_str_eq(s, feed_str_of(text));
}

static void reads_a_full_hello(void **state)
{
    (void)state;
    static const char json[] =
        "{\"type\":\"hello\",\"id\":\"a\\n\\u00e9\",\"token\":\"T\",\"later\":[1],\"feeds\":["
        "{\"feed\":\"home\",\"position\":\"v1.00\",\"limit\":100,\"verbs\":[\"like\"]},{\"feed\":\"notifications\"}]}";
    struct gw_message message;
    char text[160];
    assert_int_equal(parse(json, strlen(json), &message, text), GW_FAULT_NONE);
    assert_true(is(feed_buf_view(&message.id), "\"a\\n\xc3\xa9\""));
    assert_true(is(message.token, "T"));
    assert_int_equal(message.feed_count, 2);
    assert_int_equal(message.feeds[0].timeline, FEED_TIMELINE_HOME);
    assert_true(is(message.feeds[0].position, "v1.00"));
    assert_int_equal(message.feeds[0].limit, 100);
    assert_int_equal(message.feeds[1].timeline, FEED_TIMELINE_NOTIFICATIONS);
    assert_null(message.feeds[1].position.data);
    assert_int_equal(message.feeds[1].limit, FEED_SLICE);
    gw_message_fini(&message);
}

static void reads_a_page(void **state)
{
    (void)state;
    static const char json[] =
        "{\"type\":\"page\",\"id\":4,\"feed\":\"notifications\",\"limit\":7,\"before\":{\"published\":"
        "\"2026-01-02T03:04:05.678Z\",\"id\":\"00000000-0000-0000-0000-00000000ABCD\"}}";
    struct gw_message message;
    char text[160];
    assert_int_equal(parse(json, strlen(json), &message, text), GW_FAULT_NONE);
    assert_int_equal(message.type, GW_MESSAGE_PAGE);
    assert_int_equal(message.page.timeline, FEED_TIMELINE_NOTIFICATIONS);
    assert_int_equal(message.page.limit, 7);
    assert_int_equal(message.page.before_ms, INT64_C(1767323045678));
    assert_int_equal(message.page.before_id.bytes[14], 0xab);
    gw_message_fini(&message);
}

static void returns_ids_as_they_were(void **state)
{
    (void)state;
    static const char *const ids[] = {"7", "-3", "18446744073709551615", "0.5", "\"\"", NULL};
    for (size_t i = 0; ids[i]; i++) {
        char json[128], text[160];
        struct gw_message message;
        snprintf(json, sizeof json, "{\"type\":\"hello\",\"id\":%s,\"feeds\":[{\"feed\":\"home\"}]}", ids[i]);
        assert_int_equal(parse(json, strlen(json), &message, text), GW_FAULT_NONE);
        assert_true(is(feed_buf_view(&message.id), ids[i]));
        gw_message_fini(&message);
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum gw_fault fault;
        const char *names; /* part of the sentence */
    } cases[] = {
        {"", GW_FAULT_BAD_JSON, "not JSON"},
        {"nonsense", GW_FAULT_BAD_JSON, "not JSON"},
        {"{\"type\":\"hello\"", GW_FAULT_BAD_JSON, "not JSON"},
        {"{\"type\":\"hello\"} {}", GW_FAULT_BAD_JSON, "not JSON"},
        {"{\"type\":\"\xff\"}", GW_FAULT_BAD_JSON, "not JSON"},
        {"[]", GW_FAULT_BAD_MESSAGE, "object"},
        {"null", GW_FAULT_BAD_MESSAGE, "object"},
        {"{}", GW_FAULT_BAD_MESSAGE, "type"},
        {"{\"type\":1}", GW_FAULT_BAD_MESSAGE, "type"},
        {"{\"type\":\"helloo\"}", GW_FAULT_UNKNOWN_TYPE, "type"},
        {"{\"type\":\"hello\\u0000\"}", GW_FAULT_UNKNOWN_TYPE, "type"},
        {"{\"type\":\"hello\",\"id\":{}}", GW_FAULT_BAD_MESSAGE, "id "},
        {"{\"type\":\"hello\",\"id\":true}", GW_FAULT_BAD_MESSAGE, "id "},
        {"{\"type\":\"hello\"}", GW_FAULT_BAD_MESSAGE, "feeds must"},
        {"{\"type\":\"hello\",\"feeds\":[]}", GW_FAULT_BAD_MESSAGE, "feeds must"},
        {"{\"type\":\"hello\",\"feeds\":{\"feed\":\"home\"}}", GW_FAULT_BAD_MESSAGE, "feeds must"},
        {"{\"type\":\"hello\",\"feeds\":[1,2,3,4,5,6,7,8,9]}", GW_FAULT_BAD_MESSAGE, "feeds must"},
        {"{\"type\":\"hello\",\"feeds\":[\"home\"]}", GW_FAULT_BAD_MESSAGE, "feeds[0] "},
        {"{\"type\":\"hello\",\"feeds\":[{}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].feed "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":3}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].feed "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"outbox\"}]}", GW_FAULT_UNKNOWN_FEED, "feeds[0].feed "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\"},{\"feed\":\"home\"}]}", GW_FAULT_BAD_MESSAGE,
         "feeds[1].feed "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"limit\":0}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].limit "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"limit\":101}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].limit "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"limit\":-1}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].limit "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"limit\":1.5}]}", GW_FAULT_BAD_MESSAGE, "feeds[0].limit "},
        {"{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\",\"position\":5}]}", GW_FAULT_BAD_MESSAGE,
         "feeds[0].position "},
        {"{\"type\":\"refresh\"}", GW_FAULT_BAD_MESSAGE, "token must"},
        {"{\"type\":\"refresh\",\"token\":7}", GW_FAULT_BAD_MESSAGE, "token must"},
        {"{\"type\":\"page\"}", GW_FAULT_BAD_MESSAGE, "feed must"},
        {"{\"type\":\"page\",\"feed\":\"outbox\"}", GW_FAULT_UNKNOWN_FEED, "feed must"},
        {"{\"type\":\"page\",\"feed\":\"home\"}", GW_FAULT_BAD_MESSAGE, "before must"},
        {"{\"type\":\"page\",\"feed\":\"home\",\"limit\":0}", GW_FAULT_BAD_MESSAGE, "limit must"},
        {"{\"type\":\"page\",\"feed\":\"home\",\"before\":\"x\"}", GW_FAULT_BAD_MESSAGE, "before must"},
        {"{\"type\":\"page\",\"feed\":\"home\",\"before\":{\"published\":\"2026-01-02T03:04:05Z\"}}",
         GW_FAULT_BAD_MESSAGE, "before must"},
        {"{\"type\":\"page\",\"feed\":\"home\",\"before\":{\"published\":\"yesterday\",\"id\":"
         "\"00000000-0000-0000-0000-000000000001\"}}",
         GW_FAULT_BAD_MESSAGE, "before must"},
        {"{\"type\":\"hello\",\"token\":5,\"feeds\":[{\"feed\":\"home\"}]}", GW_FAULT_BAD_MESSAGE, "token "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gw_message message;
        char text[160];
        enum gw_fault fault = parse(cases[i].json, strlen(cases[i].json), &message, text);
        if (fault != cases[i].fault || !strstr(text, cases[i].names))
            fail_msg("%s: %s, %s", cases[i].json, gw_fault_name(fault), text);
        gw_message_fini(&message);
    }
}

static void survives_being_cut_anywhere(void **state)
{
    (void)state;
    static const char json[] =
        "{\"type\":\"hello\",\"id\":1,\"token\":\"T\",\"feeds\":[{\"feed\":\"home\",\"limit\":5}]}";
    for (size_t len = 0; len < strlen(json); len++) {
        struct gw_message message;
        char text[160];
        assert_int_equal(parse(json, len, &message, text), GW_FAULT_BAD_JSON);
        gw_message_fini(&message);
    }
}

static void survives_depth(void **state)
{
    (void)state;
    char json[FEED_CLIENT_MESSAGE_MAX], text[160];
    memset(json, '[', sizeof json);
    struct gw_message message;
    assert_int_equal(parse(json, sizeof json, &message, text), GW_FAULT_BAD_JSON);
    gw_message_fini(&message);
}

static void refuses_long_ids_and_positions(void **state)
{
    (void)state;
    char json[1024], text[160], filler[400];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    struct gw_message message;
    snprintf(json, sizeof json, "{\"type\":\"hello\",\"id\":\"%s\",\"feeds\":[{\"feed\":\"home\"}]}", filler);
    assert_int_equal(parse(json, strlen(json), &message, text), GW_FAULT_BAD_MESSAGE);
    assert_int_equal(message.id.len, 0);
    gw_message_fini(&message);
    snprintf(json, sizeof json, "{\"type\":\"hello\",\"id\":1,\"feeds\":[{\"feed\":\"home\",\"position\":\"%s\"}]}",
             filler);
    assert_int_equal(parse(json, strlen(json), &message, text), GW_FAULT_BAD_MESSAGE);
    assert_true(is(feed_buf_view(&message.id), "1"));
    gw_message_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_full_hello),
        cmocka_unit_test(reads_a_page),
        cmocka_unit_test(returns_ids_as_they_were),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(survives_being_cut_anywhere),
        cmocka_unit_test(survives_depth),
        cmocka_unit_test(refuses_long_ids_and_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
