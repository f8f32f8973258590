/* What a request takes, and the buckets of this process. */
#include "ingest/limit.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct feed_token_claims claims = {.tenant = "demo", .subject = "service:x", .may_publish = true};
static const struct feed_tier all = {
    .rates = {[FEED_RATE_TENANT] = {100, 10}, [FEED_RATE_SUBJECT] = {50, 10}, [FEED_RATE_ACTOR] = {1, 3}}};
static const struct feed_tier actors_only = {.rates = {[FEED_RATE_ACTOR] = {1, 3}}};

static struct ing_takes takes_of(const struct feed_tier *tier, const char *const *actors, size_t count)
{
    struct feed_buf body;
    struct ing_submission submission;
    struct ing_takes takes;
    feed_buf_init(&body, 1 << 20);
    for (size_t i = 0; i < count; i++)
        feed_buf_printf(&body, "{\"actor\":\"%s\",\"verb\":\"like\",\"object\":{\"type\":\"post\",\"id\":\"7\"}}\n",
                        actors[i]);
    const struct ing_submission_input input = {.media = ING_MEDIA_NDJSON,
                                               .body = feed_buf_view(&body),
                                               .claims = &claims,
                                               .data_max = FEED_DATA_MAX,
                                               .now_ms = 1};
    ing_submission_read(&submission, &input);
    assert_int_equal(submission.status, 0);
    assert_int_equal(ing_takes_init(&takes, tier, FEED_RATE_PUBLISH, &claims, &submission), FEED_OK);
    ing_submission_fini(&submission);
    feed_buf_fini(&body);
    return takes;
}

static void test_takes(void **state)
{
    (void)state;
    const char *const actors[] = {"bob", "ann", "bob", "bo", "bob"};
    struct ing_takes takes = takes_of(&all, actors, 5);
    const struct {
        const char *key;
        unsigned cost;
    } rows[] = {{"r:{demo}", 5},
                {"r:{demo}/s/service:x", 5},
                {"r:{demo}/a/ann", 1},
                {"r:{demo}/a/bo", 1},
                {"r:{demo}/a/bob", 3}};
    assert_int_equal(takes.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(takes.list[i].key, rows[i].key);
        assert_int_equal(takes.list[i].cost, rows[i].cost);
    }
    ing_takes_fini(&takes);
    takes = takes_of(&actors_only, actors, 2);
    assert_int_equal(takes.count, 2);
    assert_string_equal(takes.list[0].key, "r:{demo}/a/ann");
    ing_takes_fini(&takes);
}

/* An API key and an endpoint have buckets of their own; a token has no key. */
static void test_key_and_endpoint(void **state)
{
    (void)state;
    const struct feed_tier tier = {
        .rates = {[FEED_RATE_KEY] = {1, 1}, [FEED_RATE_UNDO] = {1, 1}, [FEED_RATE_RELATE] = {1, 1}}};
    struct ing_element elements[2] = {{.activity = {.actor = FEED_STR("ann")}},
                                      {.activity = {.actor = FEED_STR("bob")}}};
    const struct ing_submission submission = {.elements = elements, .count = 2};
    struct feed_token_claims key = claims;
    struct ing_takes takes;
    strcpy(key.credential, "0123456789abcdef");
    assert_int_equal(ing_takes_init(&takes, &tier, FEED_RATE_UNDO, &key, &submission), FEED_OK);
    assert_int_equal(takes.count, 2);
    assert_string_equal(takes.list[0].key, "r:{demo}/k/0123456789abcdef");
    assert_string_equal(takes.list[1].key, "r:{demo}/e/undo");
    assert_int_equal(takes.list[1].kind, FEED_RATE_UNDO);
    assert_int_equal(takes.list[1].cost, 2);
    ing_takes_fini(&takes);
    assert_int_equal(ing_takes_init(&takes, &tier, FEED_RATE_PUBLISH, &claims, &submission), FEED_OK);
    assert_int_equal(takes.count, 0);
    ing_takes_fini(&takes);
}

static int64_t instances = 1;

static struct ing_limit_verdict take(struct ing_buckets *buckets, const struct feed_tier *tier, const char *actor,
                                     size_t times, int64_t now_us)
{
    const char *actors[20];
    for (size_t i = 0; i < times; i++)
        actors[i] = actor;
    struct ing_takes takes = takes_of(tier, actors, times);
    struct ing_limit_verdict verdict = ing_buckets_take(buckets, tier, instances, &takes, now_us);
    ing_takes_fini(&takes);
    return verdict;
}

static void test_burst_and_rate(void **state)
{
    (void)state;
    struct ing_buckets *buckets = calloc(1, sizeof(*buckets));
    const int64_t second = 1000000;
    assert_false(take(buckets, &actors_only, "ann", 2, second).limited);
    assert_false(take(buckets, &actors_only, "ann", 1, second).limited);
    struct ing_limit_verdict verdict = take(buckets, &actors_only, "ann", 1, second);
    assert_true(verdict.limited);
    assert_int_equal(verdict.kind, FEED_RATE_ACTOR);
    assert_int_equal(verdict.remaining, 0);
    assert_int_equal(verdict.wait_us, second);
    assert_false(take(buckets, &actors_only, "bob", 3, second).limited); /* another's bucket */
    assert_true(take(buckets, &actors_only, "ann", 1, second + second / 2).limited);
    assert_false(take(buckets, &actors_only, "ann", 1, 2 * second).limited); /* refusals took nothing */
    verdict = take(buckets, &actors_only, "ann", 3, 4 * second);
    assert_true(verdict.limited);
    assert_int_equal(verdict.remaining, 2);
    /* More than a burst passes when the bucket is full, and is owed. */
    assert_false(take(buckets, &actors_only, "ann", 10, 60 * second).limited);
    assert_true(take(buckets, &actors_only, "ann", 1, 67 * second).limited);
    assert_false(take(buckets, &actors_only, "ann", 1, 68 * second).limited);
    free(buckets);
}

/* One that is short keeps the request from all of them. */
static void test_all_or_nothing(void **state)
{
    (void)state;
    struct ing_buckets *buckets = calloc(1, sizeof(*buckets));
    assert_false(take(buckets, &all, "ann", 3, 1).limited);
    for (int i = 0; i < 20; i++)
        assert_int_equal(take(buckets, &all, "ann", 3, 1).kind, FEED_RATE_ACTOR);
    assert_false(take(buckets, &all, "bob", 3, 1).limited); /* 6 of the tenant's 10 */
    assert_false(take(buckets, &all, "cy", 3, 1).limited);
    struct ing_limit_verdict verdict = take(buckets, &all, "dan", 2, 1);
    assert_true(verdict.limited && verdict.kind == FEED_RATE_SUBJECT && verdict.remaining == 1); /* the slower of two */
    free(buckets);
}

static void test_shares(void **state)
{
    (void)state;
    struct ing_buckets *buckets = calloc(1, sizeof(*buckets));
    const struct feed_tier shared = {.rates = {[FEED_RATE_TENANT] = {100, 20}}};
    instances = 4;
    assert_false(take(buckets, &shared, "ann", 5, 1).limited);
    struct ing_limit_verdict verdict = take(buckets, &shared, "ann", 1, 1);
    assert_true(verdict.limited);
    assert_int_equal(verdict.wait_us, 40000); /* a 25th of a second */
    instances = 1;
    free(buckets);
}

/* However many there are, the table neither grows nor confuses them: whoever was not forgotten has what is left. */
static void test_many(void **state)
{
    (void)state;
    struct ing_buckets *buckets = calloc(1, sizeof(*buckets));
    unsigned limited = 0;
    char name[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        limited += take(buckets, &actors_only, name, 3, 1).limited;
    }
    assert_int_equal(limited, 0); /* a full bucket is never taken for another's empty one */
    free(buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_takes),          cmocka_unit_test(test_key_and_endpoint),
                                       cmocka_unit_test(test_burst_and_rate), cmocka_unit_test(test_all_or_nothing),
                                       cmocka_unit_test(test_shares),         cmocka_unit_test(test_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
