/* Reads the golden vectors of schemas/vectors. A file that is missing or has another form fails the test. Bytes are
 * given in memory of exactly their length, so that AddressSanitizer sees a read beyond them. */
#ifndef TESTS_UNIT_SUPPORT_VECTORS_H
#define TESTS_UNIT_SUPPORT_VECTORS_H

#include "shared/base/str.h"

#include <yyjson.h>

/* The file's path is from the top of the source tree. Free with yyjson_doc_free. */
yyjson_doc *vectors_load(const char *path);
/* The array root[name], not empty. */
yyjson_val *vectors_list(yyjson_doc *doc, const char *name);
/* The text of a member; data NULL when there is none. */
struct feed_str vector_text(yyjson_val *vector, const char *member);
/* The bytes that a member tells in hex, to be freed by the caller; there must be such a member. */
struct feed_str vector_bytes(yyjson_val *vector, const char *member);
/* A value that is text, {"hex": ..} or {"repeat": .., "times": ..}; to be freed by the caller. */
struct feed_str vector_value(yyjson_val *value);
/* A copy in memory of its own, of exactly this length. */
struct feed_str exact_copy(struct feed_str s);
void free_copy(struct feed_str s);

/* Fails the test, and says which case of the vectors it was, unless condition holds. */
#define vector_check(vector, condition)                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("case \"%s\": %s", vector_name(vector), #condition);                                              \
    } while (0)
const char *vector_name(yyjson_val *vector);

#endif
