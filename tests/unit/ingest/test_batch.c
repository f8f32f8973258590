/* A batch is complete exactly when every item is acknowledged or failed, in whatever order the reports come. */
#include "ingest/batch.h"

#include "tests/unit/support/check.h"

static const struct feed_kafka_delivery acknowledged = {.partition = 3, .offset = 42};
static const struct feed_kafka_delivery timed_out = {.error = FEED_E_TIMEOUT, .reason = "late"};

static struct ing_batch *batch_of(size_t count, size_t produced)
{
    struct ing_batch *batch = ing_batch_new(count, NULL);
    for (size_t i = 0; i < count; i++) {
        ing_batch_set(batch, i, FEED_STR("some id"), 5);
    }
    for (size_t i = 0; i < produced; i++) {
        ing_batch_produced(batch, i, 1000);
    }
    return batch;
}

static void test_complete_after_the_last(void **state)
{
    (void)state;
    const size_t order[] = {2, 0, 1};
    struct ing_batch *batch = batch_of(3, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_false(ing_batch_complete(batch));
        ing_batch_delivered(&batch->items[order[i]], &acknowledged);
    }
    assert_true(ing_batch_complete(batch));
    assert_int_equal(batch->acknowledged, 3);
    assert_int_equal(batch->failed, 0);
    assert_int_equal(batch->items[1].partition, 3);
    assert_int_equal(batch->items[1].offset, 42);
    ing_batch_free(batch);
}

static void test_failures_count(void **state)
{
    (void)state;
    struct ing_batch *batch = batch_of(2, 2);
    ing_batch_delivered(&batch->items[0], &timed_out);
    assert_false(ing_batch_complete(batch));
    ing_batch_delivered(&batch->items[1], &acknowledged);
    assert_true(ing_batch_complete(batch));
    assert_int_equal(batch->failed, 1);
    assert_int_equal(batch->items[0].error, FEED_E_TIMEOUT);
    ing_batch_free(batch);
}

static void test_stopped_in_the_middle(void **state)
{
    (void)state;
    struct ing_batch *batch = batch_of(5, 2);
    ing_batch_stop(batch, 2, FEED_E_FULL);
    assert_int_equal(batch->failed, 3);
    assert_int_equal(batch->pending, 2);
    assert_false(ing_batch_complete(batch));
    ing_batch_delivered(&batch->items[1], &acknowledged);
    ing_batch_delivered(&batch->items[0], &acknowledged);
    assert_true(ing_batch_complete(batch));
    assert_int_equal(batch->items[4].error, FEED_E_FULL);
    ing_batch_free(batch);
}

static void test_stopped_at_once(void **state)
{
    (void)state;
    struct ing_batch *batch = batch_of(2, 0);
    ing_batch_stop(batch, 0, FEED_E_UNAVAILABLE);
    assert_true(ing_batch_complete(batch));
    assert_int_equal(batch->pending, 0);
    ing_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_after_the_last),
        cmocka_unit_test(test_failures_count),
        cmocka_unit_test(test_stopped_in_the_middle),
        cmocka_unit_test(test_stopped_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
