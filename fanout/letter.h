/* Dead letter: what goes to the DLQ topic when a record, or one recipient of it, can never be served. See
 * schemas/kafka.md. */
#ifndef FANOUT_LETTER_H
#define FANOUT_LETTER_H

#include "fanout/record.h"
#include "shared/base/time_text.h"

struct fan_job;

enum { FAN_LETTER_OWN_HEADERS = 5, FAN_LETTER_HEADERS_MAX = FAN_LETTER_OWN_HEADERS + FAN_HEADERS_MAX };

/* How much of the record the letter carries. A record that was just small enough for Kafka may be too large with the
 * headers of a letter; then it goes without its value, and as a last resort without its headers. dlq_source still finds
 * it. */
enum fan_letter_cut { FAN_LETTER_WHOLE, FAN_LETTER_NO_VALUE, FAN_LETTER_BARE };

struct fan_letter {
    struct fan_job *job; /* whose record it carries; it stays until the letter is acknowledged */
    const char *reason;  /* "malformed", "invalid", "unsupported", "wrong_type", "failed" */
    char detail[256];
    unsigned attempts;
    enum fan_letter_cut cut;
    struct fan_letter *next; /* in the engine's list of letters that must be sent again */
};

struct fan_letter_headers {
    struct feed_record_header list[FAN_LETTER_HEADERS_MAX];
    size_t count;
    char source[FAN_SOURCE_TEXT_MAX + 1], attempts[12], time[FEED_TIME_TEXT + 1], detail[320];
};

/* The headers of the letter, pointing into out and record. The letter's own come first, because readers may look at a
 * bounded number; headers of the record that pretend to be ours (dlq_..) are left out. */
void fan_letter_headers(const struct fan_letter *letter, const struct fan_record *record, const char *topic,
                        int64_t wall_ms, struct fan_letter_headers *out);

#endif
