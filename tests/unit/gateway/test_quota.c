/* Who may have how many connections here. */
#include "gateway/quota.h"

#include "tests/unit/support/check.h"

#include <stdio.h>

struct fixture {
    struct feed_tiers_file *tiers;
    struct gw_quota quota;
};

/* All tenants have this tier. */
static void start(struct fixture *fixture, int64_t connections, int64_t user_connections, int64_t address_connections)
{
    char problem[100];
    struct feed_tier tier = feed_tier_unlimited();
    tier.connections = connections;
    tier.user_connections = user_connections;
    tier.feeds = 3;
    assert_int_equal(feed_tiers_file_open("", &tier, NULL, &fixture->tiers, problem, sizeof problem), FEED_OK);
    fixture->quota = (struct gw_quota){.tiers = fixture->tiers, .address_connections = address_connections};
}

static void stop(struct fixture *fixture)
{
    assert_null(fixture->quota.tenants.rows); /* everything was given back */
    assert_null(fixture->quota.users.rows);
    assert_null(fixture->quota.addresses.rows);
    gw_quota_fini(&fixture->quota);
    feed_tiers_file_close(fixture->tiers);
}

static enum gw_close hold(struct fixture *fixture, struct gw_holding *holding, const char *tenant, const char *user,
                          int64_t *limit)
{
    struct feed_token_claims claims = {.tenant = ""};
    snprintf(claims.tenant, sizeof claims.tenant, "%s", tenant);
    snprintf(claims.subject, sizeof claims.subject, "%s", user);
    *holding = (struct gw_holding){.address = NULL};
    return gw_quota_hold(&fixture->quota, holding, &claims, limit);
}

static void test_tenants_and_users(void **state)
{
    (void)state;
    struct fixture fixture;
    struct gw_holding one, two, three, refused;
    int64_t limit = 0;
    start(&fixture, 3, 2, 0);
    assert_int_equal(hold(&fixture, &one, "acme", "ann", &limit), GW_CLOSE_NONE);
    assert_int_equal(hold(&fixture, &two, "acme", "ann", &limit), GW_CLOSE_NONE);
    assert_str_equal(gw_holding_tenant(&two), "acme");
    assert_int_equal(hold(&fixture, &refused, "acme", "ann", &limit), GW_CLOSE_USER_FULL);
    assert_int_equal(limit, 2);
    assert_null(refused.tenant); /* what is refused holds nothing, from that moment */
    assert_str_equal(gw_holding_tenant(&refused), "");
    assert_int_equal(hold(&fixture, &three, "acme", "bob", &limit), GW_CLOSE_NONE);
    assert_int_equal(hold(&fixture, &refused, "acme", "cy", &limit), GW_CLOSE_TENANT_FULL);
    assert_int_equal(limit, 3);
    gw_quota_release(&fixture.quota, &three);
    assert_int_equal(hold(&fixture, &three, "other", "ann", &limit), GW_CLOSE_NONE); /* the same name elsewhere */
    gw_quota_release(&fixture.quota, &one);
    gw_quota_release(&fixture.quota, &two);
    gw_quota_release(&fixture.quota, &three);
    gw_quota_release(&fixture.quota, &three); /* it holds nothing any more */
    assert_int_equal(gw_quota_feeds(&fixture.quota, FEED_STR("acme")), 3);
    stop(&fixture);
}

static void test_addresses(void **state)
{
    (void)state;
    struct fixture fixture;
    struct gw_holding one = {.address = NULL};
    struct feed_address v6, same_network, v4;
    assert_true(feed_address_parse(FEED_STR("2001:db8::1"), &v6));
    assert_true(feed_address_parse(FEED_STR("2001:db8::2"), &same_network));
    assert_true(feed_address_parse(FEED_STR("192.0.2.1"), &v4));
    start(&fixture, 0, 0, 1);
    assert_true(gw_quota_address_free(&fixture.quota, &v6));
    gw_quota_hold_address(&fixture.quota, &one, &v6);
    assert_false(gw_quota_address_free(&fixture.quota, &v6));
    assert_false(gw_quota_address_free(&fixture.quota, &same_network));
    assert_true(gw_quota_address_free(&fixture.quota, &v4));
    gw_quota_release(&fixture.quota, &one);
    assert_true(gw_quota_address_free(&fixture.quota, &v6));
    stop(&fixture);
    start(&fixture, 0, 0, 0); /* no limit: nothing is counted */
    gw_quota_hold_address(&fixture.quota, &one, &v4);
    assert_null(one.address);
    assert_true(gw_quota_address_free(&fixture.quota, &v4));
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tenants_and_users), cmocka_unit_test(test_addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
