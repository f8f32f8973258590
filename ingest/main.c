/* feedwire-ingest: options and log, then the service. */
#include "ingest/service.h"
#include "shared/http/admin_access.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <unistd.h>

static int print(FILE *file, const struct feed_buf *message, int code)
{
    bool written = fwrite(message->data, 1, message->len, file) == message->len && fflush(file) == 0;
    return written ? code : 1;
}

static int run(const struct ing_options *options)
{
    enum feed_log_level level;
    if (feed_log_level_from_name(feed_str_of(options->log_level), &level) != FEED_OK) {
        fprintf(stderr, "feedwire-ingest: log.level must be debug, info, warn or error; see feedwire-ingest --help\n");
        return 2;
    }
    const char *problem = feed_admin_problem(options->admin_address, options->admin_token);
    if (problem) {
        fprintf(stderr, "feedwire-ingest: %s\n", problem);
        return 2;
    }
    struct feed_log *log = feed_log_new("ingest", level, NULL, NULL, NULL);
    int code = ing_service_run(options, log);
    feed_log_free(log);
    return code;
}

int main(int argc, char **argv)
{
    struct ing_options options = {0};
    struct feed_buf message;
    feed_buf_init(&message, (size_t)1024 * 1024);
    const struct feed_options_input input = {.program = "feedwire-ingest",
                                             .version = FEEDWIRE_VERSION,
                                             .summary = ing_summary,
                                             .argc = argc,
                                             .argv = argv,
                                             .environment = environ};
    int code;
    switch (feed_options_parse(ing_option_table, &input, &options, &message, NULL)) {
    case FEED_OPTIONS_RUN:
        code = run(&options);
        break;
    case FEED_OPTIONS_EXIT_OK:
        code = print(stdout, &message, 0);
        break;
    default:
        code = print(stderr, &message, 2);
        break;
    }
    feed_options_free(ing_option_table, &options, NULL);
    feed_buf_fini(&message);
    return code;
}
