/* Lines out of a stream, however it is cut into parts. */
#include "feedctl/lines.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <string.h>

/* The lines with '|' behind each, '!' for one that is too long; parts of so many bytes. */
static void read_all(const char *text, size_t part, char *out, size_t size)
{
    struct ctl_lines lines;
    struct ctl_line line;
    size_t len = strlen(text), used = 0;
    ctl_lines_init(&lines, 5);
    out[0] = '\0';
    for (size_t at = 0; at < len; at += part) {
        struct feed_str rest = {text + at, len - at < part ? len - at : part};
        while (ctl_lines_next(&lines, &rest, &line))
            used += (size_t)snprintf(out + used, size - used, "%.*s%s|", (int)line.text.len, line.text.data,
                                     line.too_long ? "!" : "");
    }
    if (ctl_lines_last(&lines, &line))
        used += (size_t)snprintf(out + used, size - used, "%.*s%s|", (int)line.text.len, line.text.data,
                                 line.too_long ? "!" : "");
    snprintf(out + used, size - used, "%llu", (unsigned long long)lines.number);
    ctl_lines_fini(&lines);
}

static void lines_do_not_depend_on_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *lines;
    } rows[] = {
        {"", "0"},
        {"\n", "|1"},
        {"a\nbc\r\n\nd", "a|bc||d|4"},
        {"12345\n123456\nx\n", "12345|!|x|3"},
        {"12345\r\n123456\r\n", "12345|!|2"},
        {"a\n1234567890123456789012345678901234567890\nb\n12345678", "a|!|b|!|4"},
        {"\r", "|1"},
        {"a\r", "a|1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t part = 1; part < 50; part++) {
            char out[200];
            read_all(rows[i].text, part, out, sizeof out);
            assert_string_equal(out, rows[i].lines);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_do_not_depend_on_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
