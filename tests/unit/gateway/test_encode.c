/* Messages to clients, by the golden vectors: what a notice becomes. */
#include "gateway/encode.h"

#include "shared/codec/entry.h"
#include "tests/unit/support/check.h"

#include "tests/unit/support/vectors.h"
#include <string.h>

static void a_removal_is_told_as_the_vectors_say(void **state)
{
    (void)state;
    yyjson_doc *vectors = vectors_load("schemas/vectors/notice.json");
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(vectors, "removed"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_notice notice;
        vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_OK);
        struct feed_position position = {.seq = notice.seq};
        memcpy(position.epoch, notice.epoch, FEED_EPOCH_BYTES);
        struct gw_item item = {notice.published_ms, notice.entry};
        struct feed_buf out;
        feed_buf_init(&out, 4096);
        gw_encode_remove(&out, FEED_TIMELINE_HOME, &item, 1, feed_mark_is(notice.entry), &position);
        yyjson_doc *message = yyjson_read(out.data, out.len, YYJSON_READ_NOFLAG);
        vector_check(vector, message);
        vector_check(vector, yyjson_equals(yyjson_doc_get_root(message), yyjson_obj_get(vector, "message")));
        yyjson_doc_free(message);
        feed_buf_fini(&out);
        free_copy(bytes);
    }
    yyjson_doc_free(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_removal_is_told_as_the_vectors_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
