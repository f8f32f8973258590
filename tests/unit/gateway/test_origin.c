/* Which origins pass; the refused ones are the tricks that are tried against lists like this. */
#include "gateway/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void origins_match_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *allowed, *origin;
        bool ok;
    } cases[] = {
        {"https://app.example", "https://app.example", true},
        {"http://a:1, https://app.example ,http://b", "https://app.example", true},
        {"http://a:1,http://b", "http://b", true},
        {"", NULL, true},
        {"https://app.example", NULL, true},
        {"", "https://app.example", false},
        {"", "", false},
        {",", "", false},
        {"https://app.example", "", false},
        {"https://app.example", "null", false},
        {"https://app.example", "https://evil-app.example", false},
        {"https://app.example", "https://app.example.evil", false},
        {"https://app.example", "https://sub.app.example", false},
        {"https://app.example", "http://app.example", false},
        {"https://app.example", "https://app.example:443", false},
        {"https://app.example", "https://app.example/", false},
        {"https://app.example", "https://app.example.", false},
        {"https://app.example", "HTTPS://APP.EXAMPLE", false},
        {"https://app.example", "https://app.exampl", false},
        {"*", "https://app.example", false},
        {"https://a,https://b", "https://a,https://b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed_str origin = {cases[i].origin, cases[i].origin ? strlen(cases[i].origin) : 0};
        if (gw_origin_allowed(feed_str_of(cases[i].allowed), origin) != cases[i].ok)
            fail_msg("%s in %s", cases[i].origin, cases[i].allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(origins_match_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
