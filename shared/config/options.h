/* Options, declared once a daemon as a table of rows, of which parsing, --help and the documentation page are made.
 * Sources, the later ones win: the row's default, a file given by --config=FILE ("name = value" lines, # comments), the
 * environment (FEEDWIRE_KAFKA_BROKERS for kafka.brokers), the command line (--kafka.brokers=VALUE). Secrets are never
 * values: an option of type FEED_OPTION_SECRET_FILE names a file, whose content (without trailing newlines) becomes the
 * value. A URL with a password in it is refused on the command line, where every user of the machine can read it, with
 * a sentence that says so. */
#ifndef FEED_CONFIG_OPTIONS_H
#define FEED_CONFIG_OPTIONS_H

#include "shared/base/str.h"

enum feed_option_type {
    FEED_OPTION_TEXT,        /* char * */
    FEED_OPTION_URL,         /* char *; may hold a password */
    FEED_OPTION_INTEGER,     /* int64_t */
    FEED_OPTION_BOOLEAN,     /* bool; true or false */
    FEED_OPTION_SECRET_FILE, /* char *; the file's content */
};

struct feed_option {
    const char *name; /* "kafka.brokers" */
    enum feed_option_type type;
    size_t offset;             /* of the field in the options struct: offsetof(struct gw_options, kafka_brokers) */
    const char *unit;          /* "ms", "bytes", "" */
    const char *default_value; /* as it would be written; NULL: required (or, for SECRET_FILE, absent) */
    int64_t min, max;          /* integers: value range; texts: length range, 0 and 0 = any */
    const char *text;          /* one sentence: what it is for, and what happens at the ends */
};

/* Rows that several daemons share are put into their tables by macros of the daemons' choice; a table ends with a row
 * whose name is NULL. */

enum feed_options_outcome {
    FEED_OPTIONS_RUN,     /* all options are set */
    FEED_OPTIONS_EXIT_OK, /* --help, --help=markdown or --version was asked for: print `message` to stdout and exit 0 */
    FEED_OPTIONS_EXIT_BAD /* print `message` to stderr and exit 2; it names the option, the value's fault and where it
                             came from */
};

struct feed_options_input {
    const char *program; /* "feedwire-gateway" */
    const char *version;
    const char *summary; /* one sentence for --help */
    int argc;
    char **argv;        /* argv[0] is skipped; arguments that do not begin with -- go to `rest` */
    char **environment; /* environ */
};

/* Fills the struct at `options` (zeroed by the caller) by the table. Strings are owned by it until feed_options_free.
 * `message` gets the text for the two EXIT outcomes. rest may be NULL (then operands are an error); else *rest gets the
 * operands (borrowed argv pointers, owned array, NULL-terminated). */
enum feed_options_outcome feed_options_parse(const struct feed_option *table, const struct feed_options_input *input,
                                             void *options, struct feed_buf *message, char ***rest) FEED_MUST_USE;
void feed_options_free(const struct feed_option *table, void *options, char **rest);

#endif
