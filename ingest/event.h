/* CloudEvents 1.0 that carry an activity: structured (a JSON object with attributes and data) or binary (attributes in
 * headers, the body is the data). The event's id, source and time are those of the activity. */
#ifndef INGEST_EVENT_H
#define INGEST_EVENT_H

#include "shared/http/server.h"
#include "shared/model/activity.h"

/* Whether the headers are those of an event in binary mode. */
bool ing_event_binary(const struct feed_http_request *http);
/* Read an event; errors and problems are as those of feed_activity_from_yyjson, with the names of attributes, headers,
 * and members of data. `event` is an object. */
enum feed_error ing_event_read(struct yyjson_val *event, struct feed_activity *out,
                               struct feed_activity_problem *problem) FEED_MUST_USE;
enum feed_error ing_event_read_binary(const struct feed_http_request *http, struct yyjson_val *data,
                                      struct feed_activity *out, struct feed_activity_problem *problem) FEED_MUST_USE;

#endif
