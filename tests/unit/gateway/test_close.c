/* The table of closes against the one that clients read. */
#include "gateway/close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <yyjson.h>

#include <cmocka.h>

static yyjson_val *row_named(yyjson_val *rows, const char *name)
{
    yyjson_val *row;
    size_t i, n;
    yyjson_arr_foreach(rows, i, n, row)
    {
        if (yyjson_equals_str(yyjson_obj_get(row, "name"), name))
            return row;
    }
    return NULL;
}

static void close_codes_are_those_of_the_schema(void **state)
{
    (void)state;
    yyjson_doc *doc = yyjson_read_file("schemas/close-codes.json", 0, NULL, NULL);
    assert_non_null(doc);
    yyjson_val *rows = yyjson_obj_get(yyjson_doc_get_root(doc), "codes");
    for (unsigned i = 0; i < GW_CLOSE_COUNT; i++) {
        const struct gw_close_row *row = gw_close_row((enum gw_close)i);
        yyjson_val *published = row_named(rows, row->name);
        if (!published)
            fail_msg("%s is not in schemas/close-codes.json", row->name);
        assert_int_equal(yyjson_get_uint(yyjson_obj_get(published, "code")), row->code);
        assert_int_equal(yyjson_get_bool(yyjson_obj_get(published, "come_back")), row->come_back);
        assert_string_equal(gw_close_names[i], row->name);
        if (row->code >= 4000) /* so that old clients obey new codes */
            assert_int_equal(row->come_back, row->code < 4500);
    }
    /* All of them, but the one that only proxies send. */
    assert_int_equal(yyjson_arr_size(rows), GW_CLOSE_COUNT + 1);
    assert_non_null(row_named(rows, "going_away"));
    assert_null(gw_close_names[GW_CLOSE_COUNT]);
    yyjson_doc_free(doc);
}

static void closes_of_the_peer_have_reasons(void **state)
{
    (void)state;
    assert_int_equal(gw_close_of_peer(1006), GW_CLOSE_LOST);
    assert_int_equal(gw_close_of_peer(1009), GW_CLOSE_TOO_LARGE);
    assert_int_equal(gw_close_of_peer(1002), GW_CLOSE_PROTOCOL);
    assert_int_equal(gw_close_of_peer(1007), GW_CLOSE_PROTOCOL);
    assert_int_equal(gw_close_of_peer(1000), GW_CLOSE_CLIENT);
    assert_int_equal(gw_close_of_peer(1001), GW_CLOSE_CLIENT);
    assert_int_equal(gw_close_of_peer(4001), GW_CLOSE_CLIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_codes_are_those_of_the_schema),
        cmocka_unit_test(closes_of_the_peer_have_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
