/* What a body is, by its headers. */
#ifndef INGEST_MEDIA_H
#define INGEST_MEDIA_H

#include "shared/base/str.h"

enum ing_media {
    ING_MEDIA_JSON,   /* application/json: one activity or a list of them */
    ING_MEDIA_NDJSON, /* application/x-ndjson: one activity a line */
    ING_MEDIA_EVENT,  /* application/cloudevents+json: one event with an activity */
    ING_MEDIA_EVENTS, /* application/cloudevents-batch+json: a list of them */
    ING_MEDIA_OTHER
};

/* The value of Content-Type. A charset parameter must be utf-8; any other parameter makes it ING_MEDIA_OTHER, since it
 * may change the meaning in a way that nobody here knows. */
enum ing_media ing_media_of(struct feed_str content_type);
/* Whether the value of Content-Encoding (absent: empty) leaves the body as it is. */
bool ing_encoding_is_identity(struct feed_str content_encoding);

#endif
