/* Writes the help: option and kind of value in the first column, what it is for in the second, wrapped, and the default
 * with the range below it. Names longer than the column get a line of their own. */
#include "shared/config/help.h"

#include "shared/config/sources.h"
#include "shared/config/value.h"

#include <string.h>

enum { COLUMN = 36, WIDTH = 100 };

static const char *placeholder(const struct feed_option *row)
{
    switch (row->type) {
    case FEED_OPTION_URL:
        return "URL";
    case FEED_OPTION_INTEGER:
        return "N";
    case FEED_OPTION_BOOLEAN:
        return "true|false";
    case FEED_OPTION_SECRET_FILE:
        return "FILE";
    default:
        return "TEXT";
    }
}

static void pad(struct feed_buf *out, size_t from, size_t to)
{
    for (; from < to; from++) {
        feed_buf_char(out, ' ');
    }
}

/* Writes the words of text from column `at`, breaking lines at WIDTH; further lines begin at COLUMN. */
static void put_wrapped(struct feed_buf *out, const char *text)
{
    size_t at = COLUMN;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (at > COLUMN && at + 1 + word > WIDTH) {
            feed_buf_char(out, '\n');
            pad(out, 0, COLUMN);
            at = COLUMN;
        } else if (at > COLUMN) {
            feed_buf_char(out, ' ');
            at++;
        }
        feed_buf_append(out, text, word);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    feed_buf_char(out, '\n');
}

static void put_row(struct feed_buf *out, struct feed_str left, const char *text)
{
    feed_buf_text(out, "  ");
    feed_buf_str(out, left);
    if (left.len + 4 > COLUMN) {
        feed_buf_char(out, '\n');
        pad(out, 0, COLUMN);
    } else {
        pad(out, left.len + 2, COLUMN);
    }
    put_wrapped(out, text);
}

/* "Default: 8080; 0..65535" on a line of its own, where the eye finds it. */
static void put_default(struct feed_buf *out, const struct feed_option *row)
{
    pad(out, 0, COLUMN);
    if (row->default_value && *row->default_value) {
        feed_buf_printf(out, "Default: %s", row->default_value);
    } else if (!row->default_value && row->type != FEED_OPTION_SECRET_FILE) {
        feed_buf_text(out, "Required");
    } else {
        feed_buf_text(out, "Default: none");
    }
    if (row->unit && *row->unit) {
        feed_buf_printf(out, " %s", row->unit);
    }
    if (row->type == FEED_OPTION_INTEGER && (row->min != 0 || row->max != 0)) {
        feed_buf_text(out, "; ");
        feed_option_range(row, out);
    }
    feed_buf_char(out, '\n');
}

static void put_option(struct feed_buf *out, const struct feed_option *row)
{
    struct feed_buf left;
    feed_buf_init(&left, 256);
    feed_buf_printf(&left, "--%s=%s", row->name, placeholder(row));
    put_row(out, feed_buf_view(&left), row->text);
    put_default(out, row);
    feed_buf_fini(&left);
}

void feed_help_text(const struct feed_option *table, const struct feed_options_input *input, bool operands,
                    struct feed_buf *out)
{
    feed_buf_printf(out, "Usage: %s [OPTION..]%s\n%s: %s\n\n", input->program, operands ? " [ARGUMENT..]" : "",
                    input->program, input->summary);
    feed_buf_text(out,
                  "An option --some.name=VALUE can also be given as FEEDWIRE_SOME_NAME in the environment, or as a "
                  "line\n`some.name = VALUE` in the file that --config names. The command line wins over the "
                  "environment,\nand the environment over the file.\n\n");
    for (const struct feed_option *row = table; row->name; row++) {
        put_option(out, row);
    }
    put_row(out, FEED_STR("--config=FILE"), "Read options from this file; a line that begins with # is a comment.");
    put_row(out, FEED_STR("--help[=markdown]"), "Print this text (or the same as a page of the manual), and end.");
    put_row(out, FEED_STR("--version"), "Print the version, and end.");
}

/* In a cell of a table a bar would end the cell. */
static void put_cell(struct feed_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|') {
            feed_buf_char(out, '\\');
        }
        feed_buf_char(out, *text);
    }
}

static void put_markdown_row(struct feed_buf *out, const struct feed_option *row)
{
    feed_buf_printf(out, "| `%s` | `", row->name);
    feed_option_variable(row->name, out);
    feed_buf_printf(out, "` | ");
    put_cell(out, placeholder(row));
    feed_buf_text(out, " | ");
    if (row->default_value && *row->default_value) {
        feed_buf_char(out, '`');
        put_cell(out, row->default_value);
        feed_buf_char(out, '`');
    } else {
        feed_buf_text(out, row->default_value || row->type == FEED_OPTION_SECRET_FILE ? "none" : "**required**");
    }
    feed_buf_text(out, " | ");
    feed_option_range(row, out);
    if (row->unit && *row->unit) {
        feed_buf_printf(out, " %s", row->unit);
    }
    feed_buf_text(out, " | ");
    put_cell(out, row->text);
    feed_buf_text(out, " |\n");
}

void feed_help_markdown(const struct feed_option *table, const struct feed_options_input *input, struct feed_buf *out)
{
    feed_buf_printf(out, "# Options of %s\n\n%s: %s\n\n", input->program, input->program, input->summary);
    feed_buf_printf(out,
                    "Made by `%s --help=markdown`. An option is given as `--name=value`, as the variable of the "
                    "environment, or as a line `name = value` in the file that `--config=FILE` names; the command line "
                    "wins over the environment, and the environment over the file.\n\n",
                    input->program);
    feed_buf_text(out, "| option | variable | value | default | range | what it is for |\n|---|---|---|---|---|---|\n");
    for (const struct feed_option *row = table; row->name; row++) {
        put_markdown_row(out, row);
    }
}
