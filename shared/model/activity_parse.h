/* The parser and the rules of activities, for shared/model alone. */
#ifndef FEED_MODEL_ACTIVITY_PARSE_H
#define FEED_MODEL_ACTIVITY_PARSE_H

#include "shared/model/activity.h"
#include "shared/model/input.h"

/* What stands outside of the value, in headers, and wins over it; data NULL where there is nothing. source and tenant
 * have been checked. */
struct feed_activity_outside {
    struct feed_str id, published, source, tenant;
};

#define FEED_USER_RULE "must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -"
#define FEED_WORD_RULE "must be 1 to 32 characters of a-z 0-9 _ - and begin with a letter"
#define FEED_OBJECT_ID_RULE "must be 1 to 256 bytes of UTF-8 without control characters"
#define FEED_ACTIVITY_ID_RULE "must be 1 to 128 bytes of UTF-8 without control characters"
#define FEED_TIME_RULE "must be an RFC 3339 time like 2026-01-02T03:04:05Z, between the years 1970 and 9999"

/* Members that only activities with some verbs have; of FEED_INPUT_ABSENT where there are none. */
struct feed_act_input {
    const struct feed_input *object_published, *data;
};

/* The rules of the draft's verb; may fill in what only such activities have. */
enum feed_error feed_act_check(const struct feed_act_input *input, struct feed_activity *draft,
                               struct feed_activity_problem *problem) FEED_MUST_USE;

/* On success everything is copied into out->memory; on an error *out is empty. */
enum feed_error feed_activity_parse(const struct feed_input *root, const struct feed_activity_outside *outside,
                                    struct feed_activity *out, struct feed_activity_problem *problem) FEED_MUST_USE;

/* The same for JSON text of any origin. `whole` is the field that a problem of the whole text names. */
enum feed_error feed_activity_parse_json(struct feed_str json, const char *whole,
                                         const struct feed_activity_outside *outside, struct feed_activity *out,
                                         struct feed_activity_problem *problem) FEED_MUST_USE;

/* Empties it; the memory is kept. */
void feed_activity_clear(struct feed_activity *activity);

/* Fills in the problem and returns the error. */
enum feed_error feed_activity_refuse(struct feed_activity_problem *problem, enum feed_error error, const char *field,
                                     const char *text);

#endif
