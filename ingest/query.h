/* Query: the parameters behind the "?" of a request, decoded. */
#ifndef INGEST_QUERY_H
#define INGEST_QUERY_H

#include "shared/base/str.h"

/* The value of a parameter; data NULL when it is not there. FEED_E_INVALID: it is there twice, or not UTF-8. */
enum feed_error ing_query_find(struct feed_str query, struct feed_str name, struct feed_str *value) FEED_MUST_USE;

#endif
