/* Options: each source alone, the order among them, what is refused and with which words, and secrets, which must never
 * be repeated. */
#include "shared/config/options.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
    char *brokers, *url, *secret, *name;
    int64_t port, any;
    bool json;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct feed_option table[] = {
    {"kafka.brokers", FEED_OPTION_TEXT, FIELD(brokers), "", "localhost:9092", 1, 20, "Where Kafka is."},
    {"redis.url", FEED_OPTION_URL, FIELD(url), "", "redis://localhost", 0, 0, "Where Redis is."},
    {"redis.password_file", FEED_OPTION_SECRET_FILE, FIELD(secret), "", NULL, 4, 10, "A password."},
    {"http.port", FEED_OPTION_INTEGER, FIELD(port), "", "8080", 0, 65535, "A port."},
    {"any", FEED_OPTION_INTEGER, FIELD(any), "", "-9223372036854775808", 0, 0, "Any number."},
    {"json", FEED_OPTION_BOOLEAN, FIELD(json), "", "false", 0, 0, "JSON."},
    {.name = NULL},
};
static const struct feed_option table_required[] = {
    {"service.name", FEED_OPTION_TEXT, FIELD(name), "", NULL, 0, 0, "Required."}, {.name = NULL}};

struct fixture {
    struct settings settings;
    struct feed_buf message;
    char *arguments[16], *environment[16];
    int argc, envc;
    char folder[64], path[96];
    char **rest;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    feed_buf_init(&f->message, 1 << 16);
    static char program[] = "program";
    f->arguments[f->argc++] = program;
    snprintf(f->folder, sizeof(f->folder), "/tmp/feedwire-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    feed_options_free(table, &f->settings, f->rest);
    feed_buf_fini(&f->message);
    unlink(f->path);
    rmdir(f->folder);
    free(f);
    return 0;
}

static void argument(struct fixture *f, const char *text)
{
    f->arguments[f->argc++] = (char *)text;
}

static void environment(struct fixture *f, const char *text)
{
    f->environment[f->envc++] = (char *)text;
}

static void file(struct fixture *f, struct feed_str content)
{
    FILE *out = fopen(f->path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(content.data, 1, content.len, out), content.len);
    fclose(out);
}

/* An argument or a variable that names the file of the fixture. */
static void with_path(struct fixture *f, const char *format, bool in_environment)
{
    static char text[200];
    int n = snprintf(text, sizeof(text), "%s%s", format, f->path);
    assert_true(n > 0 && n < (int)sizeof(text));
    if (in_environment) {
        environment(f, text);
    } else {
        argument(f, text);
    }
}

static enum feed_options_outcome parse_table(struct fixture *f, const struct feed_option *rows, char ***rest)
{
    struct feed_options_input input = {.program = "program",
                                       .version = "1.2.3",
                                       .summary = "does something.",
                                       .argc = f->argc,
                                       .argv = f->arguments,
                                       .environment = f->environment};
    enum feed_options_outcome outcome = feed_options_parse(rows, &input, &f->settings, &f->message, rest);
    feed_buf_char(&f->message, '\0');
    assert_int_equal(f->message.error, FEED_OK);
    return outcome;
}

static void runs(struct fixture *f)
{
    assert_int_equal(parse_table(f, table, NULL), FEED_OPTIONS_RUN);
    assert_string_equal(f->message.data, "");
}

/* It is refused, and the message has both parts. */
static void refused(struct fixture *f, const char *first, const char *second)
{
    assert_int_equal(parse_table(f, table, NULL), FEED_OPTIONS_EXIT_BAD);
    if (!strstr(f->message.data, first) || !strstr(f->message.data, second)) {
        fail_msg("message: %s", f->message.data);
    }
    assert_int_equal(f->message.data[f->message.len - 2], '\n');
}

static void test_defaults(void **state)
{
    struct fixture *f = *state;
    runs(f);
    assert_string_equal(f->settings.brokers, "localhost:9092");
    assert_int_equal(f->settings.port, 8080);
    assert_false(f->settings.json);
    assert_null(f->settings.secret);
}

static void test_command_line(void **state)
{
    struct fixture *f = *state;
    argument(f, "--kafka.brokers=a:1,b:2");
    argument(f, "--http.port=1");
    argument(f, "--http.port=65535");
    argument(f, "--json");
    argument(f, "--redis.url=redis://host:6379/0?a=b");
    runs(f);
    assert_string_equal(f->settings.brokers, "a:1,b:2");
    assert_string_equal(f->settings.url, "redis://host:6379/0?a=b");
    assert_int_equal(f->settings.port, 65535);
    assert_true(f->settings.json);
}

static void test_environment(void **state)
{
    struct fixture *f = *state;
    environment(f, "FEEDWIRE_KAFKA_BROKERS=c:3");
    environment(f, "FEEDWIRE_JSON=true");
    environment(f, "FEEDWIRE_KAFKA_BROKERS_MORE=x");
    environment(f, "FEEDWIRE_REDIS_PASSWORD_FILE=");
    environment(f, "FEEDWIRE_REDIS_URL=redis://:secret@host");
    runs(f);
    assert_string_equal(f->settings.brokers, "c:3");
    assert_string_equal(f->settings.url, "redis://:secret@host");
    assert_true(f->settings.json);
    assert_null(f->settings.secret);
}

static void test_file(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("# a comment = no option\n\n  http.port\t=  99 \r\nkafka.brokers = a#b=c\njson=true"));
    with_path(f, "--config=", false);
    runs(f);
    assert_int_equal(f->settings.port, 99);
    assert_string_equal(f->settings.brokers, "a#b=c");
    assert_true(f->settings.json);
}

static void test_file_named_by_environment(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.port=99\n"));
    with_path(f, "FEEDWIRE_CONFIG=", true);
    runs(f);
    assert_int_equal(f->settings.port, 99);
}

static void test_order_of_sources(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.port=1\nkafka.brokers=file\nredis.url=file\n"));
    environment(f, "FEEDWIRE_HTTP_PORT=2");
    environment(f, "FEEDWIRE_KAFKA_BROKERS=environment");
    argument(f, "--http.port=3");
    with_path(f, "--config=", false);
    runs(f);
    assert_int_equal(f->settings.port, 3);
    assert_string_equal(f->settings.brokers, "environment");
    assert_string_equal(f->settings.url, "file");
}

static void test_integers_refused(void **state)
{
    struct fixture *f = *state;
    const char *const bad[] = {"--http.port=",
                               "--http.port=x",
                               "--http.port=1x",
                               "--http.port= 1",
                               "--http.port=+1",
                               "--http.port=-1",
                               "--http.port=-",
                               "--http.port=65536",
                               "--http.port=0x10",
                               "--http.port=1e3",
                               "--http.port=99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->argc = 1;
        feed_options_free(table, &f->settings, NULL);
        feed_buf_reset(&f->message);
        argument(f, bad[i]);
        refused(f, "--http.port = \"", "integer from 0 to 65535");
    }
}

static void test_integers_of_any_size(void **state)
{
    struct fixture *f = *state;
    runs(f);
    assert_true(f->settings.any == INT64_MIN);
    feed_options_free(table, &f->settings, NULL);
    feed_buf_reset(&f->message);
    argument(f, "--any=9223372036854775808"); /* would be cut to the largest one */
    refused(f, "--any = \"9223372036854775808\"", "must be an integer;");
}

static void test_place_is_named(void **state)
{
    struct fixture *f = *state;
    environment(f, "FEEDWIRE_HTTP_PORT=tcp://10.0.0.1");
    refused(f, "program: FEEDWIRE_HTTP_PORT (environment) = \"tcp://10.0.0.1\"", "see program --help");
}

static void test_line_is_named(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("\nhttp.port=x\n"));
    with_path(f, "--config=", false);
    refused(f, "/file:2: http.port", "must be an integer");
}

static void test_file_unknown_name(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.prot=1\n"));
    with_path(f, "--config=", false);
    refused(f, "/file:1: unknown option http.prot", "did you mean http.port?");
}

static void test_file_name_twice(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.port=1\nhttp.port=2\n"));
    with_path(f, "--config=", false);
    refused(f, "/file:2: http.port", "line 1 already");
}

static void test_file_without_equals(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.port\n"));
    with_path(f, "--config=", false);
    refused(f, "/file:1: ", "name = value");
}

static void test_file_binary(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("http.port=1\n\0"));
    with_path(f, "--config=", false);
    refused(f, "is not text", "--config");
}

static void test_file_missing(void **state)
{
    struct fixture *f = *state;
    argument(f, "--config=/nonexistent/file");
    refused(f, "/nonexistent/file", "No such file");
}

static void test_unknown_option(void **state)
{
    struct fixture *f = *state;
    argument(f, "--http.prot=1");
    refused(f, "unknown option --http.prot", "did you mean --http.port?");
}

static void test_value_missing(void **state)
{
    struct fixture *f = *state;
    argument(f, "--http.port");
    argument(f, "80");
    refused(f, "--http.port needs a value", "--http.port=VALUE");
}

static void test_boolean_refused(void **state)
{
    struct fixture *f = *state;
    argument(f, "--json=yes");
    refused(f, "--json = \"yes\"", "must be true or false");
}

static void test_text_too_long(void **state)
{
    struct fixture *f = *state;
    argument(f, "--kafka.brokers=123456789012345678901");
    refused(f, "--kafka.brokers ", "1 to 20 bytes long, but has 21");
}

static void test_required(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(parse_table(f, table_required, NULL), FEED_OPTIONS_EXIT_BAD);
    assert_non_null(strstr(f->message.data, "--service.name is required"));
    assert_non_null(strstr(f->message.data, "FEEDWIRE_SERVICE_NAME"));
}

static void test_operands(void **state)
{
    struct fixture *f = *state;
    argument(f, "feed");
    argument(f, "--json");
    argument(f, "-x");
    argument(f, "--");
    argument(f, "--http.port=1");
    assert_int_equal(parse_table(f, table, &f->rest), FEED_OPTIONS_RUN);
    assert_string_equal(f->rest[0], "feed");
    assert_string_equal(f->rest[1], "-x");
    assert_string_equal(f->rest[2], "--http.port=1");
    assert_null(f->rest[3]);
    assert_true(f->settings.json);
    assert_int_equal(f->settings.port, 8080);
}

static void test_operands_refused(void **state)
{
    struct fixture *f = *state;
    argument(f, "feed");
    refused(f, "unexpected argument \"feed\"", "--help");
}

static void test_secret(void **state)
{
    struct fixture *f = *state;
    file(f, FEED_STR("s3cr\xff t\n\r\n"));
    with_path(f, "--redis.password_file=", false);
    runs(f);
    assert_string_equal(f->settings.secret, "s3cr\xff t");
}

static void test_secret_refused(void **state)
{
    struct fixture *f = *state;
    const struct {
        struct feed_str content;
        const char *fault;
    } rows[] = {{FEED_STR("abc\n"), "4 to 10 bytes long, but has 3"},
                {FEED_STR("hunter2hunter2"), "4 to 10 bytes long, but has 14"},
                {FEED_STR("\n"), "is empty"},
                {FEED_STR(""), "is empty"},
                {FEED_STR("ab\0cd"), "NUL"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->argc = 1;
        feed_buf_reset(&f->message);
        feed_options_free(table, &f->settings, NULL);
        file(f, rows[i].content);
        with_path(f, "--redis.password_file=", false);
        refused(f, "--redis.password_file names the file /tmp/", rows[i].fault);
        assert_null(strstr(f->message.data, "hunter"));
    }
}

static void test_secret_file_missing(void **state)
{
    struct fixture *f = *state;
    argument(f, "--redis.password_file=/nonexistent/secret");
    refused(f, "/nonexistent/secret", "No such file");
}

/* On the command line every user of the machine can read it; and the message must not repeat it. */
static void test_passwords_on_the_command_line(void **state)
{
    struct fixture *f = *state;
    const char *const bad[] = {"--redis.url=redis://:hunter2@host", "--redis.url=redis://user:hunter2@host:1/0",
                               "--redis.url=redis://user:hun/ter2@host", "--kafka.brokers=sasl.password=hunter2",
                               "--kafka.brokers=x=y;ssl.key.PASSWORD=hunter2"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->argc = 1;
        feed_buf_reset(&f->message);
        argument(f, bad[i]);
        refused(f, "has a password in it", "FEEDWIRE_");
        assert_null(strstr(f->message.data, "hun"));
    }
}

/* Wherever a text comes from, a fault does not repeat it. */
static void test_texts_are_not_repeated(void **state)
{
    struct fixture *f = *state;
    environment(f, "FEEDWIRE_KAFKA_BROKERS=hunter2hunter2hunter2hunter2");
    refused(f, "FEEDWIRE_KAFKA_BROKERS (environment)", "1 to 20 bytes");
    assert_null(strstr(f->message.data, "hunter"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_defaults),
        CASE(test_command_line),
        CASE(test_environment),
        CASE(test_file),
        CASE(test_file_named_by_environment),
        CASE(test_order_of_sources),
        CASE(test_integers_refused),
        CASE(test_integers_of_any_size),
        CASE(test_place_is_named),
        CASE(test_line_is_named),
        CASE(test_file_unknown_name),
        CASE(test_file_name_twice),
        CASE(test_file_without_equals),
        CASE(test_file_binary),
        CASE(test_file_missing),
        CASE(test_unknown_option),
        CASE(test_value_missing),
        CASE(test_boolean_refused),
        CASE(test_text_too_long),
        CASE(test_required),
        CASE(test_operands),
        CASE(test_operands_refused),
        CASE(test_secret),
        CASE(test_secret_refused),
        CASE(test_secret_file_missing),
        CASE(test_passwords_on_the_command_line),
        CASE(test_texts_are_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
