/* The bounds and the order of the outbox. */
#include "gateway/outbox.h"
#include "shared/base/assert.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct feed_frame {
    unsigned refs;
    size_t len;
    char text[64];
};

static struct feed_frame *frame_ref(struct feed_frame *frame)
{
    frame->refs++;
    return frame;
}

static void frame_unref(struct feed_frame *frame)
{
    feed_assert(frame->refs > 0);
    frame->refs--;
}

static struct feed_str frame_payload(const struct feed_frame *frame)
{
    return (struct feed_str){frame->text, frame->len};
}

static const struct gw_port port = {
    .frame_ref_fn = frame_ref, .frame_unref_fn = frame_unref, .frame_payload_fn = frame_payload};

static void outbox_keeps_order_through_growth(void **state)
{
    (void)state;
    struct gw_outbox outbox;
    static struct feed_frame frames[300];
    gw_outbox_init(&outbox);
    assert_null(gw_outbox_pop(&outbox, &port));
    size_t in = 0, out = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 3; i++, in++) {
            frames[in].len = 1;
            assert_int_equal(gw_outbox_push(&outbox, &port, &frames[in], 1000, GW_OUTBOX_BOUNDED), FEED_OK);
        }
        assert_ptr_equal(gw_outbox_pop(&outbox, &port), &frames[out++]);
    }
    assert_int_equal(outbox.bytes, in - out);
    while (out < in)
        assert_ptr_equal(gw_outbox_pop(&outbox, &port), &frames[out++]);
    assert_null(gw_outbox_pop(&outbox, &port));
    assert_null(outbox.many); /* the memory went back */
    assert_int_equal(outbox.bytes, 0);
}

static void outbox_is_bounded_by_bytes(void **state)
{
    (void)state;
    struct gw_outbox outbox;
    struct feed_frame small = {.len = 40}, large = {.len = 2000};
    gw_outbox_init(&outbox);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_BOUNDED), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_BOUNDED), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_BOUNDED), FEED_E_FULL);
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_BOUNDED), FEED_E_FULL);
    assert_int_equal(small.refs, 2);
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_ALWAYS), FEED_OK);
    gw_outbox_clear(&outbox, &port);
    assert_int_equal(small.refs + large.refs, 0);
    /* One frame alone always goes. */
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_BOUNDED), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_BOUNDED), FEED_E_FULL);
    gw_outbox_clear(&outbox, &port);
}

static void outbox_is_bounded_by_count(void **state)
{
    (void)state;
    struct gw_outbox outbox;
    struct feed_frame frame = {.len = 0};
    gw_outbox_init(&outbox);
    for (unsigned i = 0; i < GW_OUTBOX_FRAMES_MAX; i++)
        assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_BOUNDED), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_BOUNDED), FEED_E_FULL);
    assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_ALWAYS), FEED_E_FULL);
    gw_outbox_clear(&outbox, &port);
    assert_int_equal(frame.refs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outbox_keeps_order_through_growth),
        cmocka_unit_test(outbox_is_bounded_by_bytes),
        cmocka_unit_test(outbox_is_bounded_by_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
