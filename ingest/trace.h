/* W3C Trace Context: the traceparent that goes with the records. */
#ifndef INGEST_TRACE_H
#define INGEST_TRACE_H

#include "shared/base/str.h"

enum { ING_TRACEPARENT_TEXT = 55, ING_TRACE_RANDOM = 24 };

/* Writes the caller's traceparent if it is valid (one of a later version is cut to what version 00 has), else a new
 * one, not sampled, of the random bytes. Terminated. */
void ing_traceparent(struct feed_str received, const uint8_t random[ING_TRACE_RANDOM],
                     char out[ING_TRACEPARENT_TEXT + 1]);

#endif
