/* Names and keys, by the golden vectors. */
#include "shared/model/names.h"

#include "shared/model/keys.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

#include <string.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/names.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static const struct {
    const char *name;
    bool (*valid)(struct feed_str);
} grammars[] = {
    {"tenant", feed_tenant_valid},
    {"user", feed_user_valid},
    {"verb", feed_verb_valid},
    {"object_id", feed_object_id_valid},
    {"activity_id", feed_activity_id_valid},
    {"source", feed_source_valid},
    {"topic", feed_topic_valid},
};

static void check_all(yyjson_val *names, bool valid(struct feed_str), bool expected, const char *grammar)
{
    size_t i, max;
    yyjson_val *value;
    assert_true(yyjson_arr_size(names) > 0);
    yyjson_arr_foreach(names, i, max, value)
    {
        struct feed_str name = vector_value(value);
        if (valid(name) != expected)
            fail_msg("%s: \"%.*s\" should be %s", grammar, (int)name.len, name.data, expected ? "valid" : "refused");
        free_copy(name);
    }
}

static void grammars_are_those_of_the_vectors(void **state)
{
    for (size_t i = 0; i < sizeof(grammars) / sizeof(grammars[0]); i++) {
        yyjson_val *vectors = yyjson_obj_get(yyjson_doc_get_root(*state), grammars[i].name);
        check_all(yyjson_obj_get(vectors, "valid"), grammars[i].valid, true, grammars[i].name);
        check_all(yyjson_obj_get(vectors, "invalid"), grammars[i].valid, false, grammars[i].name);
        assert_false(grammars[i].valid((struct feed_str){NULL, 0}));
    }
}

/* Every byte alone, so that no character is forgotten in either direction. */
static void single_characters_are_exactly_those_of_the_grammar(void **state)
{
    (void)state;
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz", digits[] = "0123456789";
    static const char user[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.:@|+=~-";
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        struct feed_str name = {&byte, 1};
        bool is_lower = c && strchr(lower, c), is_digit = c && strchr(digits, c);
        assert_int_equal(feed_tenant_valid(name), is_lower || is_digit || c == '-');
        assert_int_equal(feed_user_valid(name), is_lower || is_digit || (c && strchr(user, c)));
        assert_int_equal(feed_verb_valid(name), is_lower);
        assert_int_equal(feed_object_id_valid(name), c >= 0x20 && c < 0x7f);
    }
}

static struct feed_key make(const char *kind, struct feed_str tenant, struct feed_str user, unsigned page)
{
    if (strcmp(kind, "followers") == 0)
        return feed_key_followers(tenant, user, page);
    if (strcmp(kind, "ended") == 0)
        return feed_key_ended(tenant, user, page);
    if (strcmp(kind, "latest") == 0)
        return feed_key_latest(tenant, user, page);
    if (strcmp(kind, "settings") == 0)
        return feed_key_settings(tenant, user);
    if (strcmp(kind, "followees") == 0)
        return feed_key_followees(tenant, user);
    for (int t = FEED_TIMELINE_HOME; t <= FEED_TIMELINE_OUTBOX; t++) {
        if (strcmp(kind, feed_timeline_name((enum feed_timeline)t)) == 0)
            return feed_key_timeline((enum feed_timeline)t, tenant, user);
    }
    fail_msg("unknown kind of key: %s", kind);
    return (struct feed_key){.len = 0};
}

static void keys_are_those_of_the_vectors(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "keys"), i, max, vector)
    {
        struct feed_str expected = vector_text(vector, "key");
        struct feed_key key =
            make(vector_text(vector, "kind").data, vector_text(vector, "tenant"), vector_text(vector, "user"),
                 (unsigned)yyjson_get_uint(yyjson_obj_get(vector, "page")));
        if (!feed_str_eq(feed_key_str(&key), expected))
            fail_msg("%s instead of %s", key.text, expected.data);
        assert_int_equal(key.text[key.len], '\0');
    }
}

static void clients_name_two_feeds(void **state)
{
    (void)state;
    enum feed_timeline timeline;
    assert_int_equal(feed_timeline_from_name(FEED_STR("home"), &timeline), FEED_OK);
    assert_int_equal(timeline, FEED_TIMELINE_HOME);
    assert_int_equal(feed_timeline_from_name(FEED_STR("notifications"), &timeline), FEED_OK);
    assert_int_equal(timeline, FEED_TIMELINE_NOTIFICATIONS);
    static const char *const bad[] = {"", "outbox", "Home", "home ", "hom", "f:{demo/ana}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(feed_timeline_from_name(feed_str_of(bad[i]), &timeline), FEED_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammars_are_those_of_the_vectors),
        cmocka_unit_test(single_characters_are_exactly_those_of_the_grammar),
        cmocka_unit_test(keys_are_those_of_the_vectors),
        cmocka_unit_test(clients_name_two_feeds),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
