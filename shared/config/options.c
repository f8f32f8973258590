/* Puts the parts together: collect what was said, answer --help and --version, else set every field of the struct. */
#include "shared/config/options.h"

#include "shared/config/help.h"
#include "shared/config/sources.h"
#include "shared/config/value.h"

#include <stdlib.h>

/* An integer or a boolean is repeated in the message, cut; texts are not, they may hold a secret. */
static void put_said(const struct feed_option *row, const char *text, struct feed_buf *out)
{
    if (row->type == FEED_OPTION_INTEGER || row->type == FEED_OPTION_BOOLEAN) {
        feed_buf_printf(out, " = \"%.40s\"", text);
    }
}

static enum feed_error set_row(const struct feed_sources *sources, size_t i, void *options, struct feed_buf *message)
{
    const struct feed_option *row = &sources->table[i];
    const char *text = sources->choices[i].text ? sources->choices[i].text : row->default_value;
    if (!text) {
        if (row->type == FEED_OPTION_SECRET_FILE) {
            return FEED_OK;
        }
        feed_buf_printf(message, "--%s is required; it can also be given as ", row->name);
        feed_option_variable(row->name, message);
        feed_buf_text(message, " in the environment");
        return FEED_E_MISSING;
    }
    size_t start = message->len;
    feed_sources_place(sources, i, message);
    put_said(row, text, message);
    feed_buf_char(message, ' ');
    enum feed_error error = feed_option_set(row, text, options, message);
    if (error == FEED_OK) {
        message->len = start;
    }
    return error;
}

static enum feed_error set_all(const struct feed_sources *sources, void *options, struct feed_buf *message)
{
    enum feed_error error = FEED_OK;
    for (size_t i = 0; i < sources->count && error == FEED_OK; i++) {
        error = set_row(sources, i, options, message);
    }
    return error;
}

static void show(const struct feed_sources *sources, const struct feed_options_input *input, bool operands,
                 struct feed_buf *message)
{
    switch (sources->want) {
    case FEED_WANT_HELP:
        feed_help_text(sources->table, input, operands, message);
        break;
    case FEED_WANT_MARKDOWN:
        feed_help_markdown(sources->table, input, message);
        break;
    default:
        feed_buf_printf(message, "%s %s\n", input->program, input->version);
    }
}

enum feed_options_outcome feed_options_parse(const struct feed_option *table, const struct feed_options_input *input,
                                             void *options, struct feed_buf *message, char ***rest)
{
    struct feed_sources sources;
    enum feed_options_outcome outcome = FEED_OPTIONS_RUN;
    feed_sources_init(&sources, table, input->argc);
    feed_buf_printf(message, "%s: ", input->program);
    enum feed_error error = feed_sources_read(&sources, input, message);
    if (error == FEED_OK && sources.want != FEED_WANT_VALUES) {
        feed_buf_reset(message);
        show(&sources, input, rest != NULL, message);
        outcome = FEED_OPTIONS_EXIT_OK;
    } else {
        if (error == FEED_OK && !rest && sources.rest_count > 0) {
            feed_buf_printf(message, "unexpected argument \"%.40s\"; options begin with --", sources.rest[0]);
            error = FEED_E_INVALID;
        }
        if (error == FEED_OK) {
            error = set_all(&sources, options, message);
        }
        if (error != FEED_OK) {
            feed_buf_printf(message, "; see %s --help\n", input->program);
            outcome = FEED_OPTIONS_EXIT_BAD;
        } else {
            feed_buf_reset(message);
        }
    }
    if (rest && outcome == FEED_OPTIONS_RUN) {
        *rest = sources.rest;
        sources.rest = NULL;
    }
    feed_sources_fini(&sources);
    return outcome;
}

void feed_options_free(const struct feed_option *table, void *options, char **rest)
{
    for (const struct feed_option *row = table; row->name; row++) {
        feed_option_clear(row, options);
    }
    free(rest);
}
