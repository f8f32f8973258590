/* The help is made of the rows: every option is in it, lines stay narrow and the columns are straight. */
#include "shared/config/options.h"

#include "tests/unit/support/check.h"

#include <string.h>

#define LONG_TEXT                                                                                                      \
    "A sentence that is long enough to be wrapped at least twice when it is written beside the name of its option, "   \
    "because nobody reads lines of two hundred characters in a terminal."

static const struct feed_option table[] = {
    {"http.port", FEED_OPTION_INTEGER, 0, "", "8080", 0, 65535, LONG_TEXT},
    {"an.option.whose.name.is.longer.than.its.column", FEED_OPTION_TEXT, 8, "", NULL, 1, 9, "Short."},
    {"timeout_ms", FEED_OPTION_INTEGER, 16, "ms", "10", 1, 20, "A|B."},
    {"password_file", FEED_OPTION_SECRET_FILE, 24, "", NULL, 0, 0, "Secret."},
    {.name = NULL},
};

static char text[1 << 16];

static const char *ask(const char *what)
{
    char program[] = "program", *arguments[] = {program, (char *)what, NULL};
    char *environment[] = {NULL};
    char unused[64] = {0};
    struct feed_buf message;
    struct feed_options_input input = {.program = "program",
                                       .version = "1.2.3",
                                       .summary = "does something.",
                                       .argc = 2,
                                       .argv = arguments,
                                       .environment = environment};
    feed_buf_init(&message, sizeof(text) - 1);
    assert_int_equal(feed_options_parse(table, &input, unused, &message, NULL), FEED_OPTIONS_EXIT_OK);
    memcpy(text, message.data, message.len);
    text[message.len] = '\0';
    feed_buf_fini(&message);
    return text;
}

static void test_version(void **state)
{
    (void)state;
    assert_string_equal(ask("--version"), "program 1.2.3\n");
}

static void test_help(void **state)
{
    (void)state;
    const char *help = ask("--help");
    assert_non_null(strstr(help, "program: does something."));
    assert_non_null(strstr(help, "  --http.port=N                     A sentence that"));
    assert_non_null(strstr(help, "                                    Default: 8080; 0..65535\n"));
    assert_non_null(strstr(help, "  --an.option.whose.name.is.longer.than.its.column=TEXT\n"
                                 "                                    Short.\n"
                                 "                                    Required\n"));
    assert_non_null(strstr(help, "Default: 10 ms; 1..20\n"));
    assert_non_null(strstr(help, "--password_file=FILE"));
    assert_non_null(strstr(help, "--config=FILE"));
}

static void test_lines_are_narrow(void **state)
{
    (void)state;
    size_t lines = 0;
    for (const char *line = ask("--help"); *line; lines++) {
        size_t len = strcspn(line, "\n");
        assert_true(len <= 100);
        assert_int_equal(line[len], '\n');
        if (len > 0 && strncmp(line, "      ", 6) == 0) {
            assert_int_equal(strspn(line, " "), 36); /* the second column */
        }
        line += len + 1;
    }
    assert_true(lines > 12);
}

static void test_markdown(void **state)
{
    (void)state;
    const char *page = ask("--help=markdown");
    assert_int_equal(strncmp(page, "# Options of program\n", 21), 0);
    assert_non_null(strstr(page, "| `http.port` | `FEEDWIRE_HTTP_PORT` | N | `8080` | 0..65535 | " LONG_TEXT " |\n"));
    assert_non_null(strstr(page, "| TEXT | **required** | 1..9 bytes | Short. |\n"));
    assert_non_null(strstr(page, "| N | `10` | 1..20 ms | A\\|B. |\n"));
    assert_non_null(strstr(page, "| FILE | none |  | Secret. |\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_lines_are_narrow),
        cmocka_unit_test(test_markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
