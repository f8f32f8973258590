#include "feedctl/await.h"

#include "feedctl/commands.h"
#include "shared/base/assert.h"
#include "shared/kafka/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 250, REPORT_MS = 1000 };

/* How many records of the topic are not finished: those before `ends`, which *ends gets at the first call. */
static enum feed_error waiting(const struct ctl_options *options, const struct ctl_await *await, int64_t **ends,
                               uint64_t *left, char *problem, size_t problem_size)
{
    struct feed_kafka_settings kafka = {
        .brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties};
    struct feed_kafka_partition_lag *rows = NULL;
    size_t count = 0;
    enum feed_error error = feed_kafka_lag(&kafka, await->topic, await->group, (unsigned)options->timeout_ms, &rows,
                                           &count, problem, problem_size);
    if (error != FEED_OK) {
        return error;
    }
    bool first = !*ends;
    if (first) {
        *ends = calloc(count ? count : 1, sizeof **ends);
        feed_assert(*ends);
    }
    *left = 0;
    for (size_t i = 0; i < count; i++) {
        if (first) {
            (*ends)[i] = rows[i].end;
        }
        int64_t done = rows[i].committed > rows[i].begin ? rows[i].committed : rows[i].begin;
        if (done < (*ends)[i]) {
            *left += (uint64_t)((*ends)[i] - done);
        }
    }
    free(rows);
    return FEED_OK;
}

static void report(const struct ctl_await *await, uint64_t left, int64_t *since_report_ms)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%llu %s wait \033[K", (unsigned long long)left, await->what);
    } else if (await->reports_always && *since_report_ms >= REPORT_MS) {
        fprintf(stderr, "%llu %s wait\n", (unsigned long long)left, await->what);
        *since_report_ms = 0;
    }
}

int ctl_await(const struct ctl_options *options, const struct ctl_await *await)
{
    char problem[256];
    int64_t *ends = NULL;
    uint64_t left = 0, least = UINT64_MAX;
    int64_t still_ms = 0, since_report_ms = REPORT_MS;
    enum feed_error error;
    while ((error = waiting(options, await, &ends, &left, problem, sizeof problem)) == FEED_OK &&
           left > await->at_most) {
        report(await, left, &since_report_ms);
        still_ms = left < least ? 0 : still_ms + LOOK_MS;
        least = left < least ? left : least;
        if (still_ms >= options->timeout_ms) {
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
        since_report_ms += LOOK_MS;
    }
    free(ends);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
    }
    if (error != FEED_OK) {
        fprintf(stderr, "feedctl: the %s were sent, but not whether they were worked off: %s\n", await->what, problem);
        return CTL_EXIT_FAILED;
    }
    if (left > await->at_most) {
        fprintf(stderr, "feedctl: %llu %s still wait, and nothing moves; is the fan-out running?\n",
                (unsigned long long)left, await->what);
        return CTL_EXIT_FAILED;
    }
    return CTL_EXIT_OK;
}
