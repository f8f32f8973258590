/* feedwire-fanout: options and log, then the service. */
#include "fanout/service.h"
#include "shared/http/admin_access.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <unistd.h>

static int print(FILE *file, const struct feed_buf *message)
{
    fwrite(message->data, 1, message->len, file);
    return file == stdout ? 0 : 2;
}

static int run(const struct fan_options *options)
{
    enum feed_log_level level;
    if (feed_log_level_from_name(feed_str_of(options->log_level), &level) != FEED_OK) {
        fprintf(stderr, "feedwire-fanout: log.level must be debug, info, warn or error\n");
        return 2;
    }
    const char *problem = feed_admin_problem(options->admin_address, options->admin_token);
    if (problem) {
        fprintf(stderr, "feedwire-fanout: %s\n", problem);
        return 2;
    }
    struct feed_log *log = feed_log_new("fanout", level, NULL, NULL, NULL);
    int code = fan_service_run(options, log);
    feed_log_free(log);
    return code;
}

int main(int argc, char **argv)
{
    struct fan_options options = {0};
    struct feed_buf message;
    feed_buf_init(&message, (size_t)1024 * 1024);
    const struct feed_options_input input = {.program = "feedwire-fanout",
                                             .version = FEEDWIRE_VERSION,
                                             .summary = fan_summary,
                                             .argc = argc,
                                             .argv = argv,
                                             .environment = environ};
    int code;
    switch (feed_options_parse(fan_option_table, &input, &options, &message, NULL)) {
    case FEED_OPTIONS_RUN:
        code = run(&options);
        break;
    case FEED_OPTIONS_EXIT_OK:
        code = print(stdout, &message);
        break;
    default:
        code = print(stderr, &message);
        break;
    }
    feed_options_free(fan_option_table, &options, NULL);
    feed_buf_fini(&message);
    return code;
}
