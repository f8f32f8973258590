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
