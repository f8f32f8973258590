/* Where values come from: the command line, the environment, a file. Collected as text for each row first, the later
 * source winning, and turned into values only then. */
#ifndef FEED_CONFIG_SOURCES_H
#define FEED_CONFIG_SOURCES_H

#include "shared/config/options.h"

enum { FEED_CONFIG_FILE_MAX = 1024 * 1024 };

enum feed_source { FEED_SOURCE_DEFAULT, FEED_SOURCE_FILE, FEED_SOURCE_ENVIRONMENT, FEED_SOURCE_COMMAND_LINE };

/* What one row is to be. */
struct feed_choice {
    const char *text; /* NULL: nobody said anything */
    enum feed_source source;
    unsigned line; /* in the file */
};

enum feed_want { FEED_WANT_VALUES, FEED_WANT_HELP, FEED_WANT_MARKDOWN, FEED_WANT_VERSION };

struct feed_sources {
    const struct feed_option *table;
    size_t count;
    struct feed_choice *choices; /* one a row */
    const char *config_path;     /* NULL: none */
    char *config_text;           /* the file, cut into lines; the choices point into it */
    enum feed_want want;
    size_t rest_count;
    char **rest; /* operands; NULL-terminated */
};

void feed_sources_init(struct feed_sources *sources, const struct feed_option *table, int argc);
void feed_sources_fini(struct feed_sources *sources);
/* Reads all sources. FEED_E_INVALID with a sentence in fault. */
enum feed_error feed_sources_read(struct feed_sources *sources, const struct feed_options_input *input,
                                  struct feed_buf *fault) FEED_MUST_USE;
/* How the row is written in that place: --http.port, FEEDWIRE_HTTP_PORT, or file:12: http.port. */
void feed_sources_place(const struct feed_sources *sources, size_t row, struct feed_buf *out);
/* FEEDWIRE_HTTP_PORT for http.port. */
void feed_option_variable(const char *name, struct feed_buf *out);

#endif
