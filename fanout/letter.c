/* Writes the headers of a dead letter. */
#include "fanout/letter.h"

#include <stdio.h>
#include <string.h>

static const char own_prefix[] = "dlq_";

static void add(struct fan_letter_headers *out, const char *name, struct feed_str value)
{
    out->list[out->count++] = (struct feed_record_header){.name = name, .value = value};
}

void fan_letter_headers(const struct fan_letter *letter, const struct fan_record *record, const char *topic,
                        int64_t wall_ms, struct fan_letter_headers *out)
{
    static const char *const cut_text[] = {"", " (value left out: too large)",
                                           " (value and headers left out: too large)"};
    out->count = 0;
    snprintf(out->source, sizeof out->source, "%s/%d/%lld", topic, (int)record->partition, (long long)record->offset);
    snprintf(out->attempts, sizeof out->attempts, "%u", letter->attempts);
    snprintf(out->detail, sizeof out->detail, "%s%s", letter->detail, cut_text[letter->cut]);
    feed_time_format(wall_ms, out->time);
    add(out, "dlq_reason", feed_str_of(letter->reason));
    add(out, "dlq_detail", feed_str_of(out->detail));
    add(out, "dlq_source", feed_str_of(out->source));
    add(out, "dlq_attempts", feed_str_of(out->attempts));
    add(out, "dlq_time", feed_str_of(out->time));
    if (letter->cut == FAN_LETTER_BARE)
        return;
    for (size_t i = 0; i < record->header_count; i++) {
        if (strncmp(record->headers[i].name, own_prefix, sizeof own_prefix - 1) != 0)
            out->list[out->count++] = record->headers[i];
    }
}
