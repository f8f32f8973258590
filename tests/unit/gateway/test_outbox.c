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
            assert_int_equal(gw_outbox_push(&outbox, &port, &frames[in], 1000, GW_OUTBOX_CHANGE), FEED_OK);
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
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_CHANGE), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_CHANGE), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_CHANGE), FEED_E_FULL);
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_CHANGE), FEED_E_FULL);
    assert_int_equal(small.refs, 2);
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_FIRST), FEED_OK);
    gw_outbox_clear(&outbox, &port);
    assert_int_equal(small.refs + large.refs, 0);
    /* One frame alone always goes. */
    assert_int_equal(gw_outbox_push(&outbox, &port, &large, 100, GW_OUTBOX_CHANGE), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &small, 100, GW_OUTBOX_CHANGE), FEED_E_FULL);
    gw_outbox_clear(&outbox, &port);
}

static void outbox_is_bounded_by_count(void **state)
{
    (void)state;
    struct gw_outbox outbox;
    struct feed_frame frame = {.len = 0};
    gw_outbox_init(&outbox);
    for (unsigned i = 0; i < GW_OUTBOX_FRAMES_MAX; i++)
        assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_CHANGE), FEED_OK);
    assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_CHANGE), FEED_E_FULL);
    assert_int_equal(gw_outbox_push(&outbox, &port, &frame, 100, GW_OUTBOX_FIRST), FEED_E_FULL);
    gw_outbox_clear(&outbox, &port);
    assert_int_equal(frame.refs, 0);
}

static void outbox_drops_feeds_and_keeps_answers(void **state)
{
    (void)state;
    static const size_t many[] = {3, 40};
    for (size_t m = 0; m < 2; m++) {
        struct gw_outbox outbox;
        static struct feed_frame change, answers[2];
        change.len = 10;
        answers[0].len = answers[1].len = 7;
        gw_outbox_init(&outbox);
        for (size_t i = 0; i < many[m]; i++) {
            bool answer = i == 1 || i == 2;
            enum feed_error error = gw_outbox_push(&outbox, &port, answer ? &answers[i - 1] : &change, 1000,
                                                   answer ? GW_OUTBOX_ANSWER : GW_OUTBOX_CHANGE);
            assert_int_equal(error, FEED_OK);
        }
        assert_ptr_equal(gw_outbox_pop(&outbox, &port), &change);
        frame_unref(&change);
        gw_outbox_drop_feeds(&outbox, &port);
        assert_int_equal(change.refs, 0);
        assert_int_equal(outbox.count, 2);
        assert_int_equal(outbox.bytes, 14);
        for (unsigned i = 0; i < 2; i++) {
            assert_ptr_equal(gw_outbox_pop(&outbox, &port), &answers[i]);
            frame_unref(&answers[i]);
        }
        assert_int_equal(gw_outbox_push(&outbox, &port, &change, 1000, GW_OUTBOX_FIRST), FEED_OK);
        gw_outbox_drop_feeds(&outbox, &port);
        assert_int_equal(change.refs + outbox.count + outbox.bytes, 0);
        assert_null(outbox.many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outbox_keeps_order_through_growth),
        cmocka_unit_test(outbox_is_bounded_by_bytes),
        cmocka_unit_test(outbox_is_bounded_by_count),
        cmocka_unit_test(outbox_drops_feeds_and_keeps_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
