#include "tests/unit/support/vectors.h"

#include "tests/unit/support/check.h"

#include <stdlib.h>
#include <string.h>

yyjson_doc *vectors_load(const char *path)
{
    yyjson_read_err error;
    yyjson_doc *doc = yyjson_read_file(path, YYJSON_READ_NOFLAG, NULL, &error);
    if (!doc)
        fail_msg("%s: %s", path, error.msg);
    return doc;
}

yyjson_val *vectors_list(yyjson_doc *doc, const char *name)
{
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), name);
    if (yyjson_arr_size(list) == 0)
        fail_msg("no vectors in \"%s\"", name);
    return list;
}

struct feed_str vector_text(yyjson_val *vector, const char *member)
{
    yyjson_val *value = yyjson_obj_get(vector, member);
    return (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
}

struct feed_str exact_copy(struct feed_str s)
{
    char *copy = malloc(s.len > 0 ? s.len : 1);
    assert_non_null(copy);
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    return (struct feed_str){copy, s.len};
}

void free_copy(struct feed_str s)
{
    free((void *)s.data);
}

static struct feed_str unhex(yyjson_val *value)
{
    assert_true(yyjson_is_str(value));
    size_t len = yyjson_get_len(value) / 2;
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    assert_non_null(bytes);
    struct feed_str text = {yyjson_get_str(value), yyjson_get_len(value)};
    assert_int_equal(feed_unhex(text, bytes, len), FEED_OK);
    return (struct feed_str){(char *)bytes, len};
}

struct feed_str vector_bytes(yyjson_val *vector, const char *member)
{
    return unhex(yyjson_obj_get(vector, member));
}

struct feed_str vector_value(yyjson_val *value)
{
    if (yyjson_is_str(value))
        return exact_copy((struct feed_str){yyjson_get_str(value), yyjson_get_len(value)});
    if (yyjson_obj_get(value, "hex"))
        return vector_bytes(value, "hex");
    struct feed_str part = vector_text(value, "repeat");
    size_t times = (size_t)yyjson_get_uint(yyjson_obj_get(value, "times"));
    assert_true(part.len > 0 && times > 0);
    char *text = malloc(part.len * times);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * part.len, part.data, part.len);
    return (struct feed_str){text, part.len * times};
}

const char *vector_name(yyjson_val *vector)
{
    const char *name = yyjson_get_str(yyjson_obj_get(vector, "name"));
    return name ? name : "without a name";
}
