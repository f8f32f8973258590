/* The texts of --help, --help=markdown and --version, made of the rows. */
#ifndef FEED_CONFIG_HELP_H
#define FEED_CONFIG_HELP_H

#include "shared/config/options.h"

void feed_help_text(const struct feed_option *table, const struct feed_options_input *input, bool operands,
                    struct feed_buf *out);
void feed_help_markdown(const struct feed_option *table, const struct feed_options_input *input, struct feed_buf *out);

#endif
