/* How a purged user is remembered: a name that is a hash, other users have others. */
#include "shared/model/purged.h"

#include "tests/unit/support/check.h"

#include <string.h>

static struct feed_id id_of(const char *tenant, const char *user)
{
    return feed_purged_id(feed_str_of(tenant), feed_str_of(user));
}

static void differs(const char *tenant, const char *user, const char *other_tenant, const char *other_user)
{
    struct feed_id a = id_of(tenant, user), b = id_of(other_tenant, other_user);
    assert_int_not_equal(feed_id_cmp(&a, &b), 0);
}

static void each_user_of_each_tenant_has_another(void **state)
{
    static const char uuid[] = "01890a5d-ac96-774b-bcce-b302099a8057";
    (void)state;
    differs("demo", "ann", "demo", "bob");
    differs("demo", "ann", "shop", "ann");
    differs("demo", uuid, "shop", uuid); /* ids that are UUIDs stand for themselves, users do not */
}

/* It stands in Kafka for good. Computed with Python's hashlib: sha256(b"purge demo\0user ann"). */
static void it_stays_the_same(void **state)
{
    (void)state;
    char name[FEED_PURGED_NAME + 1], key[FEED_PURGE_REPORT_KEY_MAX + 1];
    struct feed_id id = id_of("demo", "ann"), read;
    feed_purged_name(&id, name);
    assert_string_equal(name, "56b78feb93dfbbca4e31acb4735c5c4d");
    feed_purge_report_key(&id, key);
    assert_string_equal(key, "x:{feedwire}/56b78feb93dfbbca4e31acb4735c5c4d");
    assert_int_equal(feed_purged_parse(feed_str_of(name), &read), FEED_OK);
    assert_int_equal(feed_id_cmp(&id, &read), 0);
}

static void what_is_no_such_name_is_refused(void **state)
{
    static const char *const names[] = {"",
                                        "00",
                                        "00112233445566778899aabbccddeef",
                                        "00112233445566778899aabbccddeeff0",
                                        "00112233445566778899AABBCCDDEEFF",
                                        "0011223344556677-899aabbccddeeff"};
    (void)state;
    struct feed_id id;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(feed_purged_parse(feed_str_of(names[i]), &id), FEED_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_user_of_each_tenant_has_another),
        cmocka_unit_test(it_stays_the_same),
        cmocka_unit_test(what_is_no_such_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
