/* A command as Redis reads it. */
#include "shared/redis/request.h"

#include "tests/unit/support/check.h"

#include <stdlib.h>
#include <string.h>

static void check_bytes(const struct feed_redis_request *request, struct feed_str expected)
{
    assert_int_equal(request->len, expected.len);
    assert_memory_equal(request->bytes, expected.data, expected.len);
}

static void a_command_is_an_array_of_strings(void **state)
{
    (void)state;
    struct feed_redis_request request = {0};
    const struct feed_str argv[] = {FEED_STR("GET"), FEED_STR("f:{demo/ann}")};
    feed_redis_request_set(&request, argv, 2);
    check_bytes(&request, FEED_STR("*2\r\n$3\r\nGET\r\n$12\r\nf:{demo/ann}\r\n"));
    feed_redis_request_fini(&request);
}

static void binary_and_empty_arguments_go_as_they_are(void **state)
{
    (void)state;
    struct feed_redis_request request = {0};
    const struct feed_str argv[] = {FEED_STR("SET"), FEED_STR("\0\r\n$1\r\n"), {NULL, 0}};
    feed_redis_request_set(&request, argv, 3);
    check_bytes(&request, FEED_STR("*3\r\n$3\r\nSET\r\n$7\r\n\0\r\n$1\r\n\r\n$0\r\n\r\n"));
    feed_redis_request_fini(&request);
}

static void a_command_replaces_the_one_before(void **state)
{
    (void)state;
    struct feed_redis_request request = {0};
    const struct feed_str words[] = {FEED_STR("ECHO"), FEED_STR("a longer text"), FEED_STR("PING")};
    feed_redis_request_set(&request, words, 2);
    feed_redis_request_set(&request, words + 2, 1);
    check_bytes(&request, FEED_STR("*1\r\n$4\r\nPING\r\n"));
    feed_redis_request_fini(&request);
}

/* 512 arguments of 300 bytes: numbers of three digits, and more memory than is kept. */
static void a_large_command_comes_whole_and_its_memory_goes(void **state)
{
    (void)state;
    enum { ARGS = 512, BYTES = 300 };
    char filler[BYTES];
    memset(filler, 'x', sizeof filler);
    struct feed_str argv[ARGS];
    for (size_t i = 0; i < ARGS; i++)
        argv[i] = (struct feed_str){filler, sizeof filler};
    struct feed_redis_request request = {0};
    feed_redis_request_set(&request, argv, ARGS);
    assert_int_equal(request.len, strlen("*512\r\n") + ARGS * (strlen("$300\r\n") + BYTES + 2));
    assert_memory_equal(request.bytes, "*512\r\n$300\r\nxxx", 15);
    assert_memory_equal(request.bytes + request.len - 5, "xxx\r\n", 5);
    assert_true(request.capacity > FEED_REDIS_REQUEST_KEPT);
    feed_redis_request_set(&request, argv, 1);
    assert_true(request.capacity <= FEED_REDIS_REQUEST_KEPT);
    feed_redis_request_fini(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_an_array_of_strings),
        cmocka_unit_test(binary_and_empty_arguments_go_as_they_are),
        cmocka_unit_test(a_command_replaces_the_one_before),
        cmocka_unit_test(a_large_command_comes_whole_and_its_memory_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
