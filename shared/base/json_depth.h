/* Looks over JSON text before a parser sees it: how deep it nests. */
#ifndef FEED_BASE_JSON_DEPTH_H
#define FEED_BASE_JSON_DEPTH_H

#include "shared/base/str.h"

/* FEED_E_TOO_LARGE when more than depth_max arrays and objects stand inside each other (FEED_JSON_DEPTH_MAX is the
 * limit for what comes from outside). Whether the text is JSON at all is the parser's business. */
enum feed_error feed_json_check_depth(struct feed_str json, unsigned depth_max) FEED_MUST_USE;

#endif
