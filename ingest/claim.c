#include "ingest/claim.h"

#include "ingest/redis_side.h"
#include "ingest/service_state.h"
#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <stdio.h>

enum { RENEWALS_A_LEASE = 3 };

static struct feed_str number_text(int64_t number, char out[24])
{
    int len = snprintf(out, 24, "%lld", (long long)number);
    return (struct feed_str){out, (size_t)len};
}

static struct feed_str key_of(const struct ing_claim *claim)
{
    return (struct feed_str){claim->key.text, claim->key.len};
}

/* ---- the lease ---- */

static void on_renewal(void *arg)
{
    struct ing_claim *claim = arg;
    char lease[24];
    const struct feed_str argv[] = {FEED_STR("FCALL"),
                                    FEED_STR("feedwire_ingest_v1_renew"),
                                    FEED_STR("1"),
                                    key_of(claim),
                                    feed_str_of(claim->owner),
                                    number_text(claim->service->options->idempotency_lease_ms, lease)};
    /* A renewal that is lost costs no more than a lease that ends early: both who work make the same activities. */
    enum feed_error error = ing_redis_call(claim->service, argv, 6, NULL, NULL);
    (void)error;
}

static void hold(struct ing_claim *claim)
{
    uint64_t every_ms = (uint64_t)claim->service->options->idempotency_lease_ms / RENEWALS_A_LEASE;
    claim->held = true;
    claim->renewal = feed_timer_new(claim->service->loop, on_renewal, claim);
    feed_timer_start(claim->renewal, every_ms, every_ms);
}

static void let_go(struct ing_claim *claim)
{
    feed_assert(claim->held);
    claim->held = false;
    feed_timer_free(claim->renewal);
    claim->renewal = NULL;
}

/* ---- asking ---- */

static struct ing_claim_answer read_answer(const struct feed_reply *reply)
{
    struct ing_claim_answer answer = {.verdict = ING_CLAIM_AWAY};
    struct feed_str word = feed_reply_str(feed_reply_at(reply, 0));
    uint64_t first_ms = 0;
    if (feed_str_eq(word, FEED_STR("other")))
        answer.verdict = ING_CLAIM_OTHER;
    if (feed_str_eq(word, FEED_STR("running")))
        answer.verdict = ING_CLAIM_RUNNING;
    if (feed_reply_count(reply) < 2 ||
        feed_str_to_u64(feed_reply_str(feed_reply_at(reply, 1)), FEED_TIME_MAX_MS, &first_ms) != FEED_OK)
        return answer;
    answer.first_ms = (int64_t)first_ms;
    answer.again = feed_str_eq(word, FEED_STR("again"));
    if (answer.again || feed_str_eq(word, FEED_STR("run")))
        answer.verdict = ING_CLAIM_RUN;
    if (feed_str_eq(word, FEED_STR("done")) && feed_reply_count(reply) >= 3) {
        answer.verdict = ING_CLAIM_DONE;
        answer.places = feed_reply_str(feed_reply_at(reply, 2));
    }
    return answer;
}

static enum feed_error send_claim(struct ing_claim *claim);

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct ing_claim *claim = arg;
    struct ing_claim_answer answer = {.verdict = ING_CLAIM_AWAY};
    if (ing_redis_lacks_function(claim->service, error, reply) && !claim->repeated) {
        claim->repeated = true;
        if (send_claim(claim) == FEED_OK)
            return;
    } else if (error == FEED_OK && feed_reply_type(reply) == FEED_REPLY_ARRAY && feed_reply_count(reply) > 0) {
        answer = read_answer(reply);
    }
    if (answer.verdict == ING_CLAIM_RUN)
        hold(claim);
    claim->fn(claim->arg, &answer);
}

static enum feed_error send_claim(struct ing_claim *claim)
{
    char first[24], lease[24], ttl[24];
    const struct ing_options *options = claim->service->options;
    const struct feed_str argv[] = {FEED_STR("FCALL"),
                                    FEED_STR("feedwire_ingest_v1_claim"),
                                    FEED_STR("1"),
                                    key_of(claim),
                                    {(const char *)claim->fingerprint, sizeof claim->fingerprint},
                                    feed_str_of(claim->owner),
                                    number_text(claim->first_ms, first),
                                    number_text(options->idempotency_lease_ms, lease),
                                    number_text(options->idempotency_ttl_s * 1000, ttl)};
    return ing_redis_call(claim->service, argv, sizeof argv / sizeof argv[0], on_answer, claim);
}

void ing_claim_ask(struct ing_claim *claim, struct ing_service *service, const struct ing_claim_key *key,
                   const struct feed_http_request *http, int64_t now_ms, ing_claim_fn *fn, void *arg)
{
    uint8_t owner[8];
    *claim = (struct ing_claim){.service = service, .key = *key, .first_ms = now_ms, .fn = fn, .arg = arg};
    ing_fingerprint(http, claim->fingerprint);
    feed_random_bytes(owner, sizeof owner);
    feed_hex(owner, sizeof owner, claim->owner);
    if (send_claim(claim) != FEED_OK)
        fn(arg, &(struct ing_claim_answer){.verdict = ING_CLAIM_AWAY});
}

/* ---- the end ---- */

static void on_finished(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct ing_claim *claim = arg;
    (void)error;
    (void)reply;
    claim->end_fn(claim->arg);
}

void ing_claim_finish(struct ing_claim *claim, struct feed_str places, ing_claim_end_fn *end_fn)
{
    let_go(claim);
    claim->end_fn = end_fn;
    const struct feed_str argv[] = {FEED_STR("FCALL"),
                                    FEED_STR("feedwire_ingest_v1_finish"),
                                    FEED_STR("1"),
                                    key_of(claim),
                                    feed_str_of(claim->owner),
                                    places};
    if (ing_redis_call(claim->service, argv, 6, on_finished, claim) != FEED_OK)
        end_fn(claim->arg);
}

void ing_claim_release(struct ing_claim *claim)
{
    let_go(claim);
    const struct feed_str argv[] = {FEED_STR("FCALL"), FEED_STR("feedwire_ingest_v1_release"), FEED_STR("1"),
                                    key_of(claim), feed_str_of(claim->owner)};
    enum feed_error error = ing_redis_call(claim->service, argv, 5, NULL, NULL);
    (void)error; /* then it ends by itself */
}
