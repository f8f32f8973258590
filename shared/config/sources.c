/* Collects what the command line, the environment and the file say. Arguments are read first, because they name the
 * file; the file and the environment then fill only what is still open, which gives the order of precedence. */
#include "shared/config/sources.h"

#include "shared/base/assert.h"
#include "shared/config/nearest.h"
#include "shared/config/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_sources_init(struct feed_sources *sources, const struct feed_option *table, int argc)
{
    memset(sources, 0, sizeof(*sources));
    sources->table = table;
    while (table[sources->count].name) {
        sources->count++;
    }
    sources->choices = calloc(sources->count + 1, sizeof(*sources->choices));
    sources->rest = calloc((size_t)argc + 1, sizeof(*sources->rest));
    feed_assert(sources->choices && sources->rest);
}

void feed_sources_fini(struct feed_sources *sources)
{
    if (sources->config_text) {
        explicit_bzero(sources->config_text, FEED_CONFIG_FILE_MAX + 2); /* it may hold a URL with a password */
    }
    free(sources->config_text);
    free(sources->choices);
    free(sources->rest);
}

void feed_option_variable(const char *name, struct feed_buf *out)
{
    feed_buf_text(out, "FEEDWIRE_");
    for (; *name; name++) {
        feed_buf_char(out, isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '_');
    }
}

void feed_sources_place(const struct feed_sources *sources, size_t row, struct feed_buf *out)
{
    const struct feed_choice *choice = &sources->choices[row];
    const char *name = sources->table[row].name;
    switch (choice->source) {
    case FEED_SOURCE_FILE:
        feed_buf_printf(out, "%s:%u: %s", sources->config_path, choice->line, name);
        break;
    case FEED_SOURCE_ENVIRONMENT:
        feed_option_variable(name, out);
        feed_buf_text(out, " (environment)");
        break;
    default:
        feed_buf_printf(out, "--%s", name);
    }
}

/* The index of the row, or count. */
static size_t find(const struct feed_sources *sources, struct feed_str name)
{
    size_t row = 0;
    while (row < sources->count && !feed_str_eq(name, feed_str_of(sources->table[row].name))) {
        row++;
    }
    return row;
}

/* dashes: what stands before names in that source. */
static enum feed_error unknown(const struct feed_sources *sources, const char *dashes, struct feed_str name,
                               struct feed_buf *fault)
{
    feed_buf_printf(fault, "unknown option %s%.*s", dashes, (int)(name.len < 80 ? name.len : 80), name.data);
    const char *nearest = feed_option_nearest(sources->table, name);
    if (nearest) {
        feed_buf_printf(fault, "; did you mean %s%s?", dashes, nearest);
    }
    return FEED_E_INVALID;
}

/* --config, --help and --version are every program's. *taken tells whether it was one of them. */
static enum feed_error read_common(struct feed_sources *sources, struct feed_str name, const char *value, bool *taken,
                                   struct feed_buf *fault)
{
    *taken = true;
    if (feed_str_eq(name, FEED_STR("config"))) {
        if (!value || !*value) {
            feed_buf_text(fault, "--config needs a file: --config=FILE");
            return FEED_E_INVALID;
        }
        sources->config_path = value;
    } else if (feed_str_eq(name, FEED_STR("version"))) {
        sources->want = FEED_WANT_VERSION;
    } else if (feed_str_eq(name, FEED_STR("help"))) {
        if (value && strcmp(value, "markdown") != 0) {
            feed_buf_text(fault, "--help takes no value, or markdown");
            return FEED_E_INVALID;
        }
        sources->want = value ? FEED_WANT_MARKDOWN : FEED_WANT_HELP;
    } else {
        *taken = false;
    }
    return FEED_OK;
}

static enum feed_error read_argument(struct feed_sources *sources, const char *argument, struct feed_buf *fault)
{
    const char *name_end = strchrnul(argument, '=');
    const char *value = *name_end ? name_end + 1 : NULL;
    struct feed_str name = {argument + 2, (size_t)(name_end - argument - 2)};
    bool taken;
    enum feed_error error = read_common(sources, name, value, &taken, fault);
    if (error != FEED_OK || taken) {
        return error;
    }
    size_t row = find(sources, name);
    if (row == sources->count) {
        return unknown(sources, "--", name, fault);
    }
    const struct feed_option *option = &sources->table[row];
    if (!value && option->type != FEED_OPTION_BOOLEAN) {
        feed_buf_printf(fault, "--%s needs a value: --%s=VALUE", option->name, option->name);
        return FEED_E_INVALID;
    }
    if (value && feed_option_shows_password(option, value)) {
        feed_buf_printf(fault,
                        "--%s has a password in it, which every user of this machine could read from the command "
                        "line; give it by a file or by the environment: ",
                        option->name);
        feed_option_variable(option->name, fault);
        return FEED_E_INVALID;
    }
    sources->choices[row] = (struct feed_choice){.text = value ? value : "true", .source = FEED_SOURCE_COMMAND_LINE};
    return FEED_OK;
}

static enum feed_error read_arguments(struct feed_sources *sources, const struct feed_options_input *input,
                                      struct feed_buf *fault)
{
    bool options_end = false;
    for (int i = 1; i < input->argc; i++) {
        char *argument = input->argv[i];
        if (options_end || strncmp(argument, "--", 2) != 0) {
            sources->rest[sources->rest_count++] = argument;
        } else if (argument[2] == '\0') {
            options_end = true;
        } else {
            enum feed_error error = read_argument(sources, argument, fault);
            if (error != FEED_OK) {
                return error;
            }
        }
    }
    return FEED_OK;
}

/* The value of a variable, or NULL. */
static const char *variable(char **environment, const char *option)
{
    struct feed_buf name;
    const char *value = NULL;
    feed_buf_init(&name, 256);
    feed_option_variable(option, &name);
    feed_buf_char(&name, '=');
    feed_assert(name.error == FEED_OK);
    for (char **entry = environment; entry && *entry && !value; entry++) {
        if (strncmp(*entry, name.data, name.len) == 0) {
            value = *entry + name.len;
        }
    }
    feed_buf_fini(&name);
    return value;
}

static void read_environment(struct feed_sources *sources, char **environment)
{
    for (size_t row = 0; row < sources->count; row++) {
        const char *value = variable(environment, sources->table[row].name);
        if (value && !sources->choices[row].text) {
            sources->choices[row] = (struct feed_choice){.text = value, .source = FEED_SOURCE_ENVIRONMENT};
        }
    }
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1])) {
        text[--len] = '\0';
    }
    return text;
}

static enum feed_error read_line(struct feed_sources *sources, char *line, unsigned number, struct feed_buf *fault)
{
    char *text = trim(line);
    if (*text == '\0' || *text == '#') {
        return FEED_OK;
    }
    char *equals = strchr(text, '=');
    if (!equals) {
        feed_buf_printf(fault, "%s:%u: expected a line `name = value`", sources->config_path, number);
        return FEED_E_INVALID;
    }
    *equals = '\0';
    struct feed_str name = feed_str_of(trim(text));
    size_t row = find(sources, name);
    if (row == sources->count) {
        feed_buf_printf(fault, "%s:%u: ", sources->config_path, number);
        return unknown(sources, "", name, fault);
    }
    struct feed_choice *choice = &sources->choices[row];
    if (choice->text && choice->source == FEED_SOURCE_FILE) {
        feed_buf_printf(fault, "%s:%u: %s was given in line %u already", sources->config_path, number,
                        sources->table[row].name, choice->line);
        return FEED_E_INVALID;
    }
    if (!choice->text) {
        *choice = (struct feed_choice){.text = trim(equals + 1), .source = FEED_SOURCE_FILE, .line = number};
    }
    return FEED_OK;
}

static enum feed_error load_file(struct feed_sources *sources, struct feed_buf *fault)
{
    FILE *file = fopen(sources->config_path, "re");
    size_t len = 0;
    if (file) {
        sources->config_text = calloc(1, FEED_CONFIG_FILE_MAX + 2);
        feed_assert(sources->config_text);
        len = fread(sources->config_text, 1, FEED_CONFIG_FILE_MAX + 1, file);
    }
    int error = !file || ferror(file) ? errno : 0;
    if (file) {
        fclose(file);
    }
    if (error) {
        feed_buf_printf(fault, "the file %s of --config cannot be read: %s", sources->config_path, strerror(error));
    } else if (len > FEED_CONFIG_FILE_MAX || memchr(sources->config_text, '\0', len)) {
        feed_buf_printf(fault, "the file %s of --config %s", sources->config_path,
                        len > FEED_CONFIG_FILE_MAX ? "is larger than 1 MiB" : "is not text: it has NUL bytes");
    } else {
        return FEED_OK;
    }
    return FEED_E_INVALID;
}

static enum feed_error read_config(struct feed_sources *sources, struct feed_buf *fault)
{
    enum feed_error error = load_file(sources, fault);
    char *next = sources->config_text;
    for (unsigned number = 1; error == FEED_OK && next; number++) {
        char *line = strsep(&next, "\n");
        error = read_line(sources, line, number, fault);
    }
    return error;
}

enum feed_error feed_sources_read(struct feed_sources *sources, const struct feed_options_input *input,
                                  struct feed_buf *fault)
{
    enum feed_error error = read_arguments(sources, input, fault);
    if (error != FEED_OK || sources->want != FEED_WANT_VALUES) {
        return error;
    }
    if (!sources->config_path) {
        const char *path = variable(input->environment, "config");
        sources->config_path = path && *path ? path : NULL;
    }
    read_environment(sources, input->environment);
    return sources->config_path ? read_config(sources, fault) : FEED_OK;
}
