/* The file of tiers: what it says, and the sentence for everything that it may not say. */
#include "shared/tenant/tiers.h"

#include "tests/unit/support/check.h"

#include <string.h>

static struct feed_tier base(void)
{
    struct feed_tier tier = feed_tier_unlimited();
    tier.rates[FEED_RATE_TENANT] = (struct feed_rate){7, 70};
    tier.rates[FEED_RATE_ACTOR] = (struct feed_rate){1, 2};
    tier.user_connections = 9;
    return tier;
}

static const char whole[] =
    "{\"default\": \"free\",\n"
    " \"tiers\": {\"free\": {\"rates\": {\"tenant\": {\"per_s\": 100, \"burst\": 1000}, \"undo\": {\"per_s\": 5},\n"
    "                               \"actor\": {\"per_s\": 0}},\n"
    "                      \"connections\": 10, \"feeds\": 2, \"data_bytes\": 512, \"in_flight_percent\": 25},\n"
    "            \"gold\": {}},\n"
    " \"tenants\": {\"zeta\": \"gold\", \"acme\": \"gold\", \"beta\": \"free\"}}";

static void test_whole(void **state)
{
    (void)state;
    struct feed_tier from = base();
    struct feed_tiers *tiers;
    char problem[200] = "";
    assert_int_equal(feed_tiers_parse(feed_str_of(whole), &from, &tiers, problem, sizeof problem), FEED_OK);
    const struct feed_tier *free_tier = feed_tiers_of(tiers, FEED_STR("nobody"));
    assert_string_equal(free_tier->name, "free");
    assert_int_equal(free_tier->rates[FEED_RATE_TENANT].per_s, 100);
    assert_int_equal(free_tier->rates[FEED_RATE_TENANT].burst, 1000);
    assert_int_equal(free_tier->rates[FEED_RATE_UNDO].burst, 5);  /* that of one second */
    assert_int_equal(free_tier->rates[FEED_RATE_ACTOR].per_s, 0); /* takes the base's limit away */
    assert_int_equal(free_tier->rates[FEED_RATE_KEY].per_s, 0);
    assert_int_equal(free_tier->connections, 10);
    assert_int_equal(free_tier->user_connections, 9); /* the base's */
    assert_int_equal(free_tier->feeds, 2);
    assert_int_equal(free_tier->data_bytes, 512);
    assert_int_equal(feed_tier_share(free_tier, 1000), 250);
    assert_int_equal(feed_tier_share(free_tier, 2), 1);
    const char *const gold[] = {"zeta", "acme"};
    for (int i = 0; i < 2; i++) {
        const struct feed_tier *tier = feed_tiers_of(tiers, feed_str_of(gold[i]));
        assert_string_equal(tier->name, "gold");
        assert_int_equal(tier->rates[FEED_RATE_TENANT].burst, 70);
        assert_int_equal(tier->feeds, FEED_CLIENT_FEEDS_MAX);
        assert_true(feed_tier_share(tier, 1000) == INT64_MAX);
    }
    assert_ptr_equal(feed_tiers_of(tiers, FEED_STR("beta")), free_tier);
    assert_ptr_equal(feed_tiers_of(tiers, FEED_STR("acm")), free_tier); /* nobody is taken for another */
    assert_ptr_equal(feed_tiers_of(tiers, FEED_STR("acmee")), free_tier);
    assert_int_equal(feed_tiers_count(tiers), 2);
    assert_int_equal(feed_tiers_tenants(tiers), 3);
    feed_tiers_free(tiers);
    tiers = feed_tiers_new(&from);
    assert_int_equal(feed_tiers_of(tiers, FEED_STR("acme"))->rates[FEED_RATE_TENANT].per_s, 7);
    feed_tiers_free(tiers);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "line 1: it is not JSON"},
        {"{\n\"default\": \"a\",\n\"tiers\" {}}", "line 3: it is not JSON"},
        {"[]", "it must be an object"},
        {"[[[[[[[[[1]]]]]]]]]", "it is nested deeper than 8"},
        {"{}", "tiers must be an object"},
        {"{\"tiers\": {\"a\": {}}}", "default is missing"},
        {"{\"default\": \"b\", \"tiers\": {\"a\": {}}}", "default must be the name of a tier"},
        {"{\"default\": 1, \"tiers\": {\"a\": {}}}", "default must be the name of a tier"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tier\": {}}", "tier is not known"},
        {"{\"default\": \"a\", \"default\": \"a\", \"tiers\": {\"a\": {}}}", "default is not known, or is there twice"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}, \"a\": {}}}", "tiers.a is there twice"},
        {"{\"default\": \"a\", \"tiers\": {\"A\": {}}}", "tiers: a name is"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": 1}}", "tiers.a must be an object"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"conections\": 1}}}", "tiers.a.conections is not known"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"feeds\": 1, \"feeds\": 1}}}",
         "tiers.a.feeds is not known, or is there twice"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"connections\": -1}}}",
         "tiers.a.connections must be an integer from 0"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"connections\": 1.5}}}", "tiers.a.connections must be an integer"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"connections\": \"1\"}}}",
         "tiers.a.connections must be an integer"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"connections\": 18446744073709551615}}}",
         "tiers.a.connections must be"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"connections\": 1e99}}}", "tiers.a.connections must be"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"feeds\": 0}}}", "tiers.a.feeds must be an integer from 1 to 8"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"data_bytes\": 1025}}}",
         "tiers.a.data_bytes must be an integer from 0 to 1024"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"in_flight_percent\": 101}}}", "tiers.a.in_flight_percent must be"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": []}}}", "tiers.a.rates must be an object"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"tenants\": {}}}}}",
         "tiers.a.rates.tenants is not known"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"tenant\": 5}}}}",
         "tiers.a.rates.tenant must be an object"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"tenant\": {}}}}}",
         "tiers.a.rates.tenant.per_s is missing"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"key\": {\"per_s\": 1000001}}}}}",
         "tiers.a.rates.key.per_s must be an integer from 0 to 1000000"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"key\": {\"per_s\": 1, \"burst\": 0}}}}}",
         "tiers.a.rates.key.burst must be"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {\"rates\": {\"key\": {\"per_s\": 1, \"bursts\": 1}}}}}",
         "tiers.a.rates.key.bursts is not known"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tenants\": []}", "tenants must be an object"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tenants\": {\"x\": \"b\"}}",
         "tenants.x must be the name of a tier"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tenants\": {\"x\": null}}",
         "tenants.x must be the name of a tier"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tenants\": {\"x y\": \"a\"}}", "tenants: a name is"},
        {"{\"default\": \"a\", \"tiers\": {\"a\": {}}, \"tenants\": {\"x\": \"a\", \"y\": \"a\", \"x\": \"a\"}}",
         "tenants.x is there twice"},
    };
    struct feed_tier from = base();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_tiers *tiers;
        char problem[200] = "";
        assert_int_equal(feed_tiers_parse(feed_str_of(rows[i][0]), &from, &tiers, problem, sizeof problem),
                         FEED_E_INVALID);
        assert_null(tiers);
        if (strncmp(problem, rows[i][1], strlen(rows[i][1])) != 0)
            fail_msg("%s: %s", rows[i][0], problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
