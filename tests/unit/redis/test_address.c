/* Redis URLs: one server, and the hosts of a cluster. */
#include "shared/redis/address.h"

#include "tests/unit/support/check.h"

#include <string.h>

static struct feed_redis_address found[FEED_REDIS_HOSTS_MAX];
static size_t count;
static const char *problem;

static enum feed_error parse(const char *url)
{
    problem = NULL;
    return feed_redis_address_parse(feed_str_of(url), found, &count, &problem);
}

static void one_server(void **state)
{
    (void)state;
    assert_int_equal(parse("redis://127.0.0.1"), FEED_OK);
    assert_int_equal(count, 1);
    assert_string_equal(found[0].host, "127.0.0.1");
    assert_int_equal(found[0].port, 6379);
    assert_int_equal(parse("redis://ann:p%40ss@db.example:7000/3"), FEED_OK);
    assert_string_equal(found[0].user, "ann");
    assert_string_equal(found[0].password, "p@ss");
    assert_string_equal(found[0].host, "db.example");
    assert_int_equal(found[0].port, 7000);
    assert_int_equal(found[0].db, 3);
}

static void several_hosts_share_the_credentials(void **state)
{
    (void)state;
    assert_int_equal(parse("redis://ann:a,b@one:7001,two,[::1]:7003"), FEED_OK);
    assert_int_equal(count, 3);
    const char *const hosts[] = {"one", "two", "::1"};
    const int ports[] = {7001, 6379, 7003};
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].host, hosts[i]);
        assert_int_equal(found[i].port, ports[i]);
        assert_string_equal(found[i].user, "ann");
        assert_string_equal(found[i].password, "a,b");
    }
}

static void wrong_urls_have_a_problem_that_does_not_repeat_them(void **state)
{
    (void)state;
    const char *const urls[] = {"",
                                "http://x",
                                "rediss://x",
                                "redis://",
                                "redis://,",
                                "redis://one,",
                                "redis://,two",
                                "redis://one,,two",
                                "redis://one:0",
                                "redis://one:99999",
                                "redis://[::1",
                                "redis://one/x",
                                "redis://one,two/1",
                                "redis://1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_int_not_equal(parse(urls[i]), FEED_OK);
        assert_non_null(problem);
    }
    assert_int_equal(parse("redis://:se%zzcret@x"), FEED_E_INVALID);
    assert_null(strstr(problem, "cret"));
    assert_int_equal(parse("redis://1,2,3,4,5,6,7,8"), FEED_OK);
    assert_int_equal(count, FEED_REDIS_HOSTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_server),
        cmocka_unit_test(several_hosts_share_the_credentials),
        cmocka_unit_test(wrong_urls_have_a_problem_that_does_not_repeat_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
