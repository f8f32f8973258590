#include "ingest/limiter.h"

#include "ingest/metrics.h"
#include "ingest/redis_side.h"
#include "ingest/service_state.h"
#include "shared/loop/loop.h"

#include <stdio.h>
#include <stdlib.h>

static void answer(struct ing_limiter *limiter, const struct ing_limit_verdict *verdict)
{
    ing_takes_fini(&limiter->takes);
    limiter->fn(limiter->arg, verdict);
}

static void ask_here(struct ing_limiter *limiter)
{
    struct ing_service *service = limiter->service;
    feed_metrics_add(service->metrics, ING_METRIC_RATE_LOCAL, 0, 1);
    struct ing_limit_verdict verdict =
        ing_buckets_take(service->buckets, limiter->tier, service->options->limit_instances, &limiter->takes,
                         (int64_t)feed_clock_mono_us());
    answer(limiter, &verdict);
}

static bool send_take(struct ing_limiter *limiter);

/* 0, or the number of the bucket that was short, us to wait, activities that remain. */
static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct ing_limiter *limiter = arg;
    if (ing_redis_lacks_function(limiter->service, error, reply) && !limiter->repeated) {
        limiter->repeated = true;
        if (!send_take(limiter))
            ask_here(limiter);
        return;
    }
    bool sense = error == FEED_OK && feed_reply_type(reply) == FEED_REPLY_ARRAY && feed_reply_count(reply) == 3;
    int64_t which = sense ? feed_reply_int(feed_reply_at(reply, 0)) : -1;
    if (which < 0 || which > (int64_t)limiter->takes.count) {
        ask_here(limiter);
        return;
    }
    struct ing_limit_verdict verdict = {.limited = which > 0};
    if (verdict.limited) {
        verdict.kind = limiter->takes.list[which - 1].kind;
        verdict.limit = limiter->tier->rates[verdict.kind];
        verdict.wait_us = feed_reply_int(feed_reply_at(reply, 1));
        verdict.remaining = feed_reply_int(feed_reply_at(reply, 2));
    }
    answer(limiter, &verdict);
}

/* FCALL feedwire_ingest_v1_take count KEY.. (us-for-one burst cost).. */
static bool send_take(struct ing_limiter *limiter)
{
    const struct ing_takes *takes = &limiter->takes;
    enum { NUMBERS = 3, NUMBER_TEXT = 24 };
    size_t argc = 3 + takes->count * (1 + NUMBERS);
    struct feed_str *argv = calloc(argc, sizeof *argv);
    char(*numbers)[NUMBER_TEXT] = calloc(1 + takes->count * NUMBERS, sizeof *numbers);
    bool sent = false;
    if (argv && numbers) {
        snprintf(numbers[0], NUMBER_TEXT, "%zu", takes->count);
        argv[0] = FEED_STR("FCALL");
        argv[1] = FEED_STR("feedwire_ingest_v1_take");
        argv[2] = feed_str_of(numbers[0]);
        for (size_t i = 0; i < takes->count; i++) {
            const struct feed_rate *limit = &limiter->tier->rates[takes->list[i].kind];
            char(*three)[NUMBER_TEXT] = &numbers[1 + i * NUMBERS];
            snprintf(three[0], NUMBER_TEXT, "%.6f", 1e6 / (double)limit->per_s);
            snprintf(three[1], NUMBER_TEXT, "%lld", (long long)limit->burst);
            snprintf(three[2], NUMBER_TEXT, "%u", takes->list[i].cost);
            argv[3 + i] = feed_str_of(takes->list[i].key);
            for (size_t n = 0; n < NUMBERS; n++)
                argv[3 + takes->count + i * NUMBERS + n] = feed_str_of(three[n]);
        }
        sent = ing_redis_call(limiter->service, argv, argc, on_answer, limiter) == FEED_OK;
    }
    free(argv);
    free(numbers);
    return sent;
}

void ing_limiter_ask(struct ing_limiter *limiter, struct ing_service *service, const struct feed_tier *tier,
                     struct ing_takes *takes, ing_limiter_fn *fn, void *arg)
{
    *limiter = (struct ing_limiter){.service = service, .tier = tier, .takes = *takes, .fn = fn, .arg = arg};
    *takes = (struct ing_takes){.list = NULL};
    if (!send_take(limiter))
        ask_here(limiter);
}
