/* Sessions, feeds and the hub together: what a client hears in which order, and how connections end. */
#include "gateway/encode.h"
#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHECK_MS = 5000 };

/* What a client heard: one message a line. */
struct ear {
    struct feed_buf heard;
};

static void listen_to(void *arg, struct feed_str json)
{
    struct ear *ear = arg;
    feed_buf_str(&ear->heard, json);
    feed_buf_char(&ear->heard, '\n');
}

static const char *heard(struct ear *ear)
{
    feed_buf_char(&ear->heard, '\0');
    ear->heard.len--;
    return ear->heard.data;
}

static struct feed_ws *open_ear(struct world *world, struct ear *ear, const char *authorization)
{
    feed_buf_init(&ear->heard, 1 << 24);
    return world_connect(world, listen_to, ear, authorization);
}

static void say_hello(struct world *world, struct feed_ws *ws, const char *rest)
{
    struct feed_buf token;
    char hello[FEED_CLIENT_MESSAGE_MAX];
    world_token(world, "ann", 1000, &token);
    snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"id\":\"h\",\"token\":\"%s\",%s}", token.data, rest);
    world_say(ws, hello);
    feed_buf_fini(&token);
}

static int setup(void **state)
{
    struct world *world = malloc(sizeof *world);
    world_init(world, 5, 65536, CHECK_MS);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static struct model_client ann(void)
{
    struct model_client client;
    model_client_init(&client, "ann");
    client.feeds[0].wanted = true;
    return client;
}

static double metric(const struct world *world, enum gw_metric which, unsigned label)
{
    return feed_metrics_get(world->metrics, which, label);
}

/* ---- hello ---- */

static void hello_gets_welcome_and_slices(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    (void)world_publish(world, &world->timelines[0], INT64_C(1700000000123));
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"},{\"feed\":\"notifications\"}]");
    world_settle(world);
    char session[GW_SESSION_ID_TEXT + 1], expected[2048], position[FEED_POSITION_TEXT_MAX + 1];
    const char *at = strstr(heard(&ear), "\"session\":\"");
    assert_non_null(at);
    snprintf(session, sizeof session, "%s", at + strlen("\"session\":\""));
    feed_position_format(&world->timelines[0].position, position);
    snprintf(expected, sizeof expected,
             "{\"type\":\"welcome\",\"id\":\"h\",\"session\":\"%s\",\"tenant\":\"demo\",\"user\":\"ann\","
             "\"heartbeat_ms\":25000,\"expires\":\"2026-09-21T14:30:00.000Z\",\"features\":[]}\n"
             "{\"type\":\"slice\",\"feed\":\"home\",\"outcome\":\"new\",\"reset\":true,\"entries\":[{"
             "\"id\":\"00000000-0000-0000-0000-000000000001\",\"actor\":\"cy\",\"verb\":\"like\","
             "\"object\":{\"type\":\"post\",\"id\":\"7\"},\"published\":\"2023-11-14T22:13:20.123Z\"}],"
             "\"position\":\"%s\",\"more\":false}\n"
             "{\"type\":\"slice\",\"feed\":\"notifications\",\"outcome\":\"new\",\"reset\":true,\"entries\":[],"
             "\"position\":\"v1.0000000000000000.0\",\"more\":false}\n",
             session, position);
    assert_string_equal(heard(&ear), expected);
    gw_hub_measure(&world->hub);
    assert_int_equal(metric(world, GW_M_SESSIONS, feed_metrics_tenant(world->metrics, FEED_STR("demo"))), 1);
    assert_int_equal(metric(world, GW_M_FEEDS, GW_FEED_LIVE), 2);
    feed_buf_fini(&ear.heard);
}

static void a_token_in_the_header_is_enough(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_buf token;
    char header[FEED_TOKEN_MAX];
    world_token(world, "bob", 1000, &token);
    snprintf(header, sizeof header, "Bearer %s", token.data);
    struct feed_ws *ws = open_ear(world, &ear, header);
    world_say(ws, "{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\"}]}");
    world_settle(world);
    assert_non_null(strstr(heard(&ear), "\"user\":\"bob\""));
    assert_null(strstr(heard(&ear), "\"id\"")); /* none was sent, none comes back */
    feed_buf_fini(&token);
    feed_buf_fini(&ear.heard);
}

struct refusal {
    const char *authorization, *say;
    const char *code; /* of the error */
    unsigned close_code;
};

static void bad_beginnings_are_refused(void **state)
{
    struct world *world = *state;
    static const struct refusal cases[] = {
        {NULL, "nonsense", "bad_json", 4500},
        {NULL, "[]", "bad_message", 4500},
        {NULL, "{\"type\":\"pages\"}", "unknown_type", 4500},
        {NULL, "{\"type\":\"page\"}", "bad_message", 4500},
        {NULL, "{\"type\":\"hello\",\"feeds\":[{\"feed\":\"home\"}]}", "unauthorized", 4501},
        {NULL, "{\"type\":\"hello\",\"token\":\"\",\"feeds\":[{\"feed\":\"home\"}]}", "unauthorized", 4501},
        {NULL, "{\"type\":\"hello\",\"token\":\"a.b.c\",\"feeds\":[{\"feed\":\"home\"}]}", "unauthorized", 4501},
        {NULL, "{\"type\":\"hello\",\"token\":\"a.b.c\",\"feeds\":[{\"feed\":\"x\"}]}", "unknown_feed", 4500},
        {"Basic abc", NULL, "unauthorized", 4501},
        {"Bearer abc", NULL, "unauthorized", 4501},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ear ear;
        char code[64];
        struct feed_ws *ws = open_ear(world, &ear, cases[i].authorization);
        if (cases[i].say)
            world_say(ws, cases[i].say);
        world_settle(world);
        snprintf(code, sizeof code, "\"code\":\"%s\"", cases[i].code);
        if (!strstr(heard(&ear), code) || ws->close_code != cases[i].close_code)
            fail_msg("case %zu: %s, closed with %u", i, heard(&ear), ws->close_code);
        assert_null(strstr(heard(&ear), "welcome"));
        world_disconnect(ws, ws->close_code);
        feed_buf_fini(&ear.heard);
    }
    assert_int_equal(world->hub.session_count, 0);
    assert_int_equal(metric(world, GW_M_CLOSES, GW_CLOSE_BAD_MESSAGE), 5);
    assert_int_equal(metric(world, GW_M_CLOSES, GW_CLOSE_UNAUTHORIZED), 5);
}

static void a_binary_message_is_refused(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    gw_session_message(ws->session, FEED_STR("\x01\x02"), true);
    world_settle(world);
    assert_non_null(strstr(heard(&ear), "bad_message"));
    assert_int_equal(ws->close_code, 4500);
    feed_buf_fini(&ear.heard);
}

static void silence_is_closed(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    world_pass(world, GW_HELLO_TIMEOUT_MS - 1000);
    assert_int_equal(ws->close_code, 0);
    world_pass(world, 2000 + GW_TICK_MS);
    assert_int_equal(ws->close_code, 4008);
    feed_buf_fini(&ear.heard);
}

static void hello_comes_once(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    assert_non_null(strstr(heard(&ear), "hello comes once"));
    assert_int_equal(ws->close_code, 4500);
    feed_buf_fini(&ear.heard);
}

static void unknown_messages_are_answered_sixteen_times(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    for (unsigned i = 0; i < GW_ERRORS_MAX; i++)
        world_say(ws, "{\"type\":\"dance\",\"id\":77}");
    world_settle(world);
    assert_int_equal(ws->close_code, 0);
    assert_non_null(strstr(heard(&ear), "\"code\":\"unknown_type\",\"message\":\"there is no message of this type\","
                                        "\"retryable\":false,\"id\":77}"));
    world_say(ws, "{\"type\":\"dance\"}");
    world_settle(world);
    assert_int_equal(ws->close_code, 4500);
    feed_buf_fini(&ear.heard);
}

static void a_client_that_never_stops_talking_is_closed(void **state)
{
    struct world *world = *state;
    static const char page[] =
        "{\"type\":\"page\",\"feed\":\"home\",\"before\":{\"published\":\"2026-01-01T00:00:00Z\","
        "\"id\":\"00000000-0000-0000-0000-000000000001\"}}";
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    client.feeds[0].paging = true;
    for (unsigned i = 1; i < GW_MESSAGES_BURST; i++) { /* hello was the first */
        world_say(client.ws, page);
        world_settle(world);
        client.feeds[0].paging = true;
    }
    assert_int_equal(client.ws->close_code, 0);
    world_pass(world, 1000);
    for (unsigned i = 0; i < GW_MESSAGES_PER_S; i++) {
        world_say(client.ws, page);
        world_settle(world);
        client.feeds[0].paging = true;
    }
    assert_int_equal(client.ws->close_code, 0);
    world_say(client.ws, page);
    world_settle(world);
    assert_int_equal(client.ws->close_code, 4031);
    model_client_disconnect(&client, 4031);
    model_client_fini(&client);
}

static void what_comes_after_the_end_is_ignored(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    world_say(ws, "nonsense");
    size_t len = ear.heard.len;
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    assert_null(strstr(heard(&ear) + len, "welcome"));
    feed_buf_fini(&ear.heard);
}

/* ---- time ---- */

static void an_expired_token_ends_the_session(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    client.ws->session->expires_s = world->wall_ms / 1000 + 10;
    world_pass(world, 8000);
    assert_int_equal(client.ws->close_code, 0);
    world_pass(world, 4000);
    assert_int_equal(client.ws->close_code, 4401);
    model_client_disconnect(&client, 4401);
    model_client_fini(&client);
}

static void a_token_lives_to_its_end_and_the_leeway(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    int64_t now_s = world->wall_ms / 1000;
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    assert_int_equal(ws->session->expires_s, now_s + 1000 + FEED_TOKEN_LEEWAY_S);
    feed_buf_fini(&ear.heard);
}

static void say_refresh(struct world *world, struct feed_ws *ws, const char *user, int64_t ends_in_s)
{
    struct feed_buf token;
    char json[FEED_CLIENT_MESSAGE_MAX];
    world_token(world, user, ends_in_s, &token);
    snprintf(json, sizeof json, "{\"type\":\"refresh\",\"id\":5,\"token\":\"%s\"}", token.data);
    world_say(ws, json);
    world_settle(world);
    feed_buf_fini(&token);
}

static void a_new_token_lengthens_the_session(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    int64_t now_s = world->wall_ms / 1000;
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    say_refresh(world, ws, "ann", 5000);
    assert_non_null(strstr(heard(&ear), "{\"type\":\"refreshed\",\"id\":5,\"expires\":\""));
    assert_int_equal(ws->session->expires_s, now_s + 5000 + FEED_TOKEN_LEEWAY_S);
    assert_int_equal(ws->close_code, 0);
    feed_buf_fini(&ear.heard);
}

static void a_bad_new_token_changes_nothing(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    int64_t now_s = world->wall_ms / 1000;
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    say_refresh(world, ws, "bob", 5000);
    assert_non_null(strstr(heard(&ear), "\"code\":\"forbidden\",\"message\":\"the token is of another user\""));
    ear.heard.len = 0;
    say_refresh(world, ws, "ann", -1000);
    assert_non_null(
        strstr(heard(&ear), "\"code\":\"unauthorized\",\"message\":\"the token is not accepted (expired)\""));
    assert_null(strstr(heard(&ear), "refreshed"));
    assert_int_equal(ws->session->expires_s, now_s + 1000 + FEED_TOKEN_LEEWAY_S);
    assert_int_equal(ws->close_code, 0);
    feed_buf_fini(&ear.heard);
}

static void heartbeats_tell_the_positions(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"},{\"feed\":\"notifications\"}]");
    world_settle(world);
    (void)world_publish(world, &world->timelines[0], world->wall_ms);
    ear.heard.len = 0;
    world_pass(world, 27000);
    char expected[256], position[FEED_POSITION_TEXT_MAX + 1];
    feed_position_format(&world->timelines[0].position, position);
    snprintf(expected, sizeof expected,
             "{\"type\":\"heartbeat\",\"positions\":{\"home\":\"%s\",\"notifications\":\"v1.0000000000000000.0\"}}\n",
             position);
    assert_non_null(strstr(heard(&ear), expected));
    feed_buf_fini(&ear.heard);
}

static void without_redis_hello_ends_in_unavailable(void **state)
{
    struct world *world = *state;
    struct ear ear;
    world_redis_down(world);
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_pass(world, GW_READ_TIMEOUT_MS + 1200);
    assert_non_null(strstr(heard(&ear), "\"code\":\"unavailable\""));
    assert_non_null(strstr(heard(&ear), "\"retryable\":true"));
    assert_int_equal(ws->close_code, 4002);
    feed_buf_fini(&ear.heard);
}

static void failed_reads_are_tried_again(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    gw_hub_turn(&world->hub);
    assert_true(world_deliver_event(world)); /* confirmed */
    gw_hub_turn(&world->hub);
    world_fail_reads(world);
    gw_hub_turn(&world->hub);
    assert_int_equal(world->read_count, 0); /* not at once */
    world_pass(world, GW_READ_RETRY_MS + GW_TICK_MS);
    assert_int_equal(client.slices, 1);
    assert_int_equal(metric(world, GW_M_READ_FAILURES, 0), 1);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

/* ---- deliveries ---- */

static void one_read_serves_all_who_wait(void **state)
{
    struct world *world = *state;
    struct model_client clients[5];
    for (unsigned i = 0; i < 5; i++) {
        clients[i] = ann();
        model_client_connect(&clients[i], world);
    }
    world_settle(world);
    assert_int_equal(metric(world, GW_M_WINDOWS_READ, 0), 1);
    for (unsigned i = 0; i < 5; i++) {
        model_client_check(&clients[i], 0, world, &world->timelines[0]);
        model_client_disconnect(&clients[i], 1000);
        model_client_fini(&clients[i]);
    }
}

static void entries_of_one_turn_leave_as_one_message(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    for (unsigned i = 0; i < 10; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms + i);
    while (world_deliver_event(world))
        continue;
    assert_int_equal(client.pushes, 0);
    gw_hub_turn(&world->hub);
    assert_int_equal(client.pushes, 1);
    assert_int_equal(client.pushed_entries, 10);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void removals_are_told_in_their_place(void **state)
{
    struct world *world = *state;
    struct timeline *timeline = &world->timelines[0];
    struct model_client client = ann();
    model_client_connect(&client, world);
    for (unsigned i = 0; i < 3; i++)
        (void)world_publish(world, timeline, world->wall_ms + i);
    world_settle(world);
    client.pushes = client.pushed_entries = 0;
    world_remove(world, timeline, 0, true);
    world_remove(world, timeline, 1, true);
    (void)world_publish(world, timeline, world->wall_ms + 10);
    world_remove(world, timeline, 0, true);
    world_remove(world, timeline, 3, false);
    while (world_deliver_event(world))
        continue;
    gw_hub_turn(&world->hub);
    /* Two for good, one new, it too for good, one not for good: each run is a message. */
    assert_int_equal(client.pushes, 1);
    assert_int_equal(client.removals, 3);
    assert_int_equal(client.removed_entries, 4);
    model_client_check(&client, 0, world, timeline);
    assert_int_equal(client.feeds[0].count, 0);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void who_resumes_gets_a_window_without_what_was_removed(void **state)
{
    struct world *world = *state;
    struct timeline *timeline = &world->timelines[0];
    struct model_client client = ann();
    for (unsigned i = 0; i < 3; i++)
        (void)world_publish(world, timeline, world->wall_ms + i);
    model_client_connect(&client, world);
    world_settle(world);
    model_client_disconnect(&client, 1006);
    world_remove(world, timeline, 1, true);
    model_client_connect(&client, world);
    world_settle(world);
    assert_string_equal(client.feeds[0].last_outcome, "window");
    assert_int_equal(client.feeds[0].count, 2);
    model_client_check(&client, 0, world, timeline);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void entries_below_the_slice_are_not_pushed(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    client.feeds[0].limit = 10;
    for (unsigned i = 0; i < 30; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms - 1000 * (int64_t)i);
    model_client_connect(&client, world);
    world_settle(world);
    assert_true(client.feeds[0].more);
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 20500); /* older than the 10th */
    world_settle(world);
    assert_int_equal(client.pushes, 1); /* for the position */
    assert_int_equal(client.pushed_entries, 0);
    model_client_check(&client, 0, world, &world->timelines[0]);
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 20600);
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 500);
    world_settle(world);
    assert_int_equal(client.pushed_entries, 1);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void whoever_is_current_costs_no_entries(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    for (unsigned i = 0; i < 60; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms + i);
    model_client_connect(&client, world);
    world_settle(world);
    model_client_disconnect(&client, 1006);
    model_client_connect(&client, world);
    gw_hub_turn(&world->hub);
    assert_int_equal(world->read_count, 1);
    assert_true(world->reads[0]->has_known);
    world_settle(world);
    assert_string_equal(client.feeds[0].last_outcome, "current");
    model_client_check(&client, 0, world, &world->timelines[0]);
    (void)world_publish(world, &world->timelines[0], world->wall_ms + 100);
    model_client_disconnect(&client, 1006);
    model_client_connect(&client, world);
    world_settle(world);
    assert_string_equal(client.feeds[0].last_outcome, "window");
    assert_int_equal(client.feeds[0].count, 61);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void different_positions_still_need_one_read(void **state)
{
    struct world *world = *state;
    struct model_client one = ann(), two = ann();
    (void)world_publish(world, &world->timelines[0], world->wall_ms);
    model_client_connect(&one, world);
    world_settle(world);
    model_client_disconnect(&one, 1006);
    (void)world_publish(world, &world->timelines[0], world->wall_ms + 1);
    model_client_connect(&two, world);
    world_settle(world);
    model_client_disconnect(&two, 1006);
    double before = metric(world, GW_M_WINDOWS_READ, 0);
    model_client_connect(&one, world);
    model_client_connect(&two, world); /* only the last one is current */
    world_settle(world);
    assert_string_equal(one.feeds[0].last_outcome, "window");
    assert_string_equal(two.feeds[0].last_outcome, "current");
    assert_int_equal(metric(world, GW_M_WINDOWS_READ, 0), before + 1);
    model_client_disconnect(&one, 1000);
    model_client_disconnect(&two, 1000);
    model_client_fini(&one);
    model_client_fini(&two);
}

static void an_unreadable_position_is_reset(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\",\"position\":\"v2.from.the.future\"}]");
    world_settle(world);
    assert_non_null(strstr(heard(&ear), "\"outcome\":\"future\",\"reset\":true"));
    feed_buf_fini(&ear.heard);
}

static void a_lost_notice_is_found_by_the_check(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    (void)world_publish(world, &world->timelines[0], world->wall_ms);
    world_drop_event(world);
    world_pass(world, CHECK_MS + GW_DOUBT_GRACE_MS + 2 * GW_TICK_MS);
    assert_string_equal(client.feeds[0].last_outcome, "window");
    model_client_check(&client, 0, world, &world->timelines[0]);
    assert_int_equal(metric(world, GW_M_SEQ_GAPS, 0), 1);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void quiet_feeds_are_checked_and_left_alone(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_pass(world, 4 * CHECK_MS);
    assert_int_equal(client.slices, 1);
    assert_true(metric(world, GW_M_CHECKS, 0) >= 3);
    assert_int_equal(metric(world, GW_M_SEQ_GAPS, 0), 0);
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void a_notice_of_a_later_version_makes_it_read(void **state)
{
    struct world *world = *state;
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    (void)world_publish(world, &world->timelines[0], world->wall_ms);
    world_drop_event(world);
    gw_hub_notice(&world->hub, feed_key_str(&world->timelines[0].key),
                  FEED_STR("\x95\x07\xa8"
                           "abcdefgh\x01\x01\xa1x"));
    world_settle(world);
    model_client_check(&client, 0, world, &world->timelines[0]);
    gw_hub_notice(&world->hub, feed_key_str(&world->timelines[0].key), FEED_STR("garbage"));
    world_settle(world);
    assert_true(metric(world, GW_M_ENTRIES_UNREADABLE, 0) >= 1);
    assert_int_equal(client.slices, 2); /* nothing had changed the second time */
    model_client_disconnect(&client, 1000);
    model_client_fini(&client);
}

static void after_redis_was_away_clients_get_what_differs(void **state)
{
    struct world *world = *state;
    struct model_client one = ann(), two = ann();
    two.feeds[0].wanted = false;
    two.feeds[1].wanted = true;
    model_client_connect(&one, world);
    model_client_connect(&two, world);
    world_settle(world);
    world_redis_down(world);
    gw_hub_measure(&world->hub);
    assert_int_equal(metric(world, GW_M_FEEDS, GW_FEED_SUBSCRIBING), 2);
    (void)world_publish(world, &world->timelines[0], world->wall_ms);
    world_pass(world, 20000);
    assert_int_equal(one.ws->close_code, 0); /* sockets stay */
    world_redis_up(world);
    world_settle(world);
    assert_int_equal(one.slices, 2);
    assert_int_equal(two.slices, 1);
    model_client_check(&one, 0, world, &world->timelines[0]);
    model_client_disconnect(&one, 1000);
    model_client_disconnect(&two, 1000);
    model_client_fini(&one);
    model_client_fini(&two);
}

/* ---- ends ---- */

static void a_slow_client_falls_behind_and_gets_a_window(void **state)
{
    struct world *world = *state;
    struct model_client slow = ann(), quick = ann();
    model_client_connect(&slow, world);
    model_client_connect(&quick, world);
    world_settle(world);
    slow.ws->stalled = true;
    unsigned heard = slow.pushes;
    for (unsigned i = 0; i < 1000; i++) {
        (void)world_publish(world, &world->timelines[0], world->wall_ms + i);
        world_settle(world);
        gw_hub_measure(&world->hub);
        assert_true(metric(world, GW_M_QUEUE_BYTES, 0) <= 65536);
    }
    assert_int_equal(metric(world, GW_M_FELL_BEHIND, 0), 1);
    assert_int_equal(slow.ws->close_code, 0);
    assert_int_equal(slow.ws->session->outbox.bytes, 0);
    model_client_check(&quick, 0, world, &world->timelines[0]);
    world_pass(world, 60000); /* heartbeats would tell of positions that it does not have */
    unsigned slices = slow.slices;
    world_resume_reading(slow.ws);
    world_settle(world);
    assert_int_equal(slow.slices, slices + 1);
    assert_int_equal(slow.pushes, heard);
    model_client_check(&slow, 0, world, &world->timelines[0]);
    (void)world_publish(world, &world->timelines[0], world->wall_ms + 5000);
    world_settle(world);
    assert_int_equal(slow.pushes, heard + 1);
    model_client_check(&slow, 0, world, &world->timelines[0]);
    model_client_disconnect(&slow, 1000);
    model_client_disconnect(&quick, 1000);
    model_client_fini(&slow);
    model_client_fini(&quick);
}

static void whoever_fell_behind_with_the_last_change_gets_a_window_too(void **state)
{
    struct world *world = *state;
    struct model_client slow = ann();
    model_client_connect(&slow, world);
    world_settle(world);
    slow.ws->stalled = true;
    while (metric(world, GW_M_FELL_BEHIND, 0) == 0) {
        (void)world_publish(world, &world->timelines[0], world->wall_ms++);
        world_settle(world);
    }
    world_resume_reading(slow.ws); /* its position is the feed's, but nobody has sent what leads there */
    world_settle(world);
    model_client_check(&slow, 0, world, &world->timelines[0]);
    assert_int_equal(slow.feeds[0].count, FEED_CAP);
    model_client_disconnect(&slow, 1000);
    model_client_fini(&slow);
}

static void answers_are_not_dropped_and_too_many_end_it(void **state)
{
    struct world *world = *state;
    struct ear ear;
    world->hub.settings.queue_bytes_max = 2000;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    say_hello(world, ws, "\"feeds\":[{\"feed\":\"home\"}]");
    world_settle(world);
    ws->stalled = true;
    world_say(ws, "{\"type\":\"dance\",\"id\":77}");
    for (unsigned i = 0; i < 100; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms + i);
    world_settle(world);
    assert_int_equal(metric(world, GW_M_FELL_BEHIND, 0), 1);
    world_resume_reading(ws);
    world_settle(world);
    assert_non_null(strstr(heard(&ear), "\"id\":77}"));
    ws->stalled = true;
    for (unsigned i = 0; i < GW_ERRORS_MAX - 1; i++)
        world_say(
            ws,
            "{\"type\":\"dance\",\"id\":\"a name that takes some room in the queue, until there is none left in it\"}");
    world_settle(world);
    assert_int_equal(ws->close_code, 4001);
    feed_buf_fini(&ear.heard);
}

static void a_close_waits_for_the_last_message_but_not_for_ever(void **state)
{
    struct world *world = *state;
    struct ear ear;
    struct feed_ws *ws = open_ear(world, &ear, NULL);
    ws->stalled = true;
    world_say(ws, "nonsense");
    world_pass(world, GW_DRAIN_MS - 500);
    assert_int_equal(ws->close_code, 0);
    world_resume_reading(ws);
    gw_hub_turn(&world->hub);
    assert_non_null(strstr(heard(&ear), "bad_json"));
    assert_int_equal(ws->close_code, 4500);
    struct ear deaf;
    ws = open_ear(world, &deaf, NULL);
    ws->stalled = true;
    world_say(ws, "nonsense");
    world_pass(world, GW_DRAIN_MS + GW_TICK_MS);
    assert_int_equal(ws->close_code, 4500);
    assert_int_equal(deaf.heard.len, 0);
    feed_buf_fini(&ear.heard);
    feed_buf_fini(&deaf.heard);
}

static void feeds_are_released_after_a_while(void **state)
{
    struct world *world = *state;
    world->hub.settings.check_interval_ms = GW_TICK_MS; /* at which it looks for feeds to be released, too */
    struct model_client client = ann();
    model_client_connect(&client, world);
    world_settle(world);
    model_client_disconnect(&client, 1006);
    world_pass(world, CHECK_MS + GW_TICK_MS); /* the first look was set before */
    assert_false(world->timelines[0].wanted);
    model_client_connect(&client, world);
    world_pass(world, 2 * GW_LINGER_MS);
    model_client_disconnect(&client, 1006);
    world_pass(world, GW_LINGER_MS - 2 * GW_TICK_MS);
    assert_true(world->timelines[0].wanted); /* it may come back */
    world_pass(world, 4 * GW_TICK_MS);
    assert_false(world->timelines[0].wanted);
    assert_int_equal(world->hub.feeds.count, 0);
    model_client_fini(&client);
}

static long retry_of(struct ear *ear)
{
    const char *at = strstr(heard(ear), "{\"type\":\"bye\",\"reason\":\"shutdown\",\"retry_after_ms\":");
    assert_non_null(at);
    return atol(strstr(at, "_ms\":") + 5);
}

static void shutdown_says_bye_to_each_at_its_own_time(void **state)
{
    struct world *world = *state;
    enum { EARS = 8 };
    struct ear ears[EARS], late;
    struct feed_ws *sockets[EARS];
    long retries[EARS];
    unsigned different = 0;
    for (unsigned i = 0; i < EARS; i++) {
        sockets[i] = open_ear(world, &ears[i], NULL);
        if (i % 2)
            say_hello(world, sockets[i], "\"feeds\":[{\"feed\":\"home\"}]");
    }
    world_settle(world);
    gw_hub_drain(&world->hub);
    struct feed_ws *late_ws = open_ear(world, &late, NULL);
    gw_hub_turn(&world->hub);
    for (unsigned i = 0; i < EARS; i++) {
        retries[i] = retry_of(&ears[i]);
        assert_int_equal(sockets[i]->close_code, 1012);
        assert_in_range(retries[i], GW_RETRY_MIN_MS, GW_RETRY_MIN_MS + GW_RETRY_SPREAD_MS);
        different += retries[i] != retries[0];
        feed_buf_fini(&ears[i].heard);
    }
    assert_true(different >= EARS / 2);
    assert_true(retry_of(&late) > 0);
    assert_int_equal(late_ws->close_code, 1012);
    feed_buf_fini(&late.heard);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(hello_gets_welcome_and_slices),
        CASE(a_token_in_the_header_is_enough),
        CASE(bad_beginnings_are_refused),
        CASE(a_binary_message_is_refused),
        CASE(silence_is_closed),
        CASE(hello_comes_once),
        CASE(unknown_messages_are_answered_sixteen_times),
        CASE(a_client_that_never_stops_talking_is_closed),
        CASE(what_comes_after_the_end_is_ignored),
        CASE(an_expired_token_ends_the_session),
        CASE(a_token_lives_to_its_end_and_the_leeway),
        CASE(a_new_token_lengthens_the_session),
        CASE(a_bad_new_token_changes_nothing),
        CASE(heartbeats_tell_the_positions),
        CASE(without_redis_hello_ends_in_unavailable),
        CASE(failed_reads_are_tried_again),
        CASE(one_read_serves_all_who_wait),
        CASE(entries_of_one_turn_leave_as_one_message),
        CASE(entries_below_the_slice_are_not_pushed),
        CASE(removals_are_told_in_their_place),
        CASE(who_resumes_gets_a_window_without_what_was_removed),
        CASE(whoever_is_current_costs_no_entries),
        CASE(different_positions_still_need_one_read),
        CASE(an_unreadable_position_is_reset),
        CASE(a_lost_notice_is_found_by_the_check),
        CASE(quiet_feeds_are_checked_and_left_alone),
        CASE(a_notice_of_a_later_version_makes_it_read),
        CASE(after_redis_was_away_clients_get_what_differs),
        CASE(a_slow_client_falls_behind_and_gets_a_window),
        CASE(whoever_fell_behind_with_the_last_change_gets_a_window_too),
        CASE(answers_are_not_dropped_and_too_many_end_it),
        CASE(a_close_waits_for_the_last_message_but_not_for_ever),
        CASE(feeds_are_released_after_a_while),
        CASE(shutdown_says_bye_to_each_at_its_own_time),
#undef CASE
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
