/* feedctl: the operator's command. Reads Redis and Kafka, makes API keys, and asks the fan-out for changes. */
#include "feedctl/commands.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int usage(const char *fault)
{
    fprintf(stderr, "feedctl: %s; see feedctl --help\n", fault);
    return CTL_EXIT_USAGE;
}

static bool is(const char *word, const char *expected)
{
    return word && strcmp(word, expected) == 0;
}

static int on_user(int (*command)(const struct ctl_options *, struct feed_str), const struct ctl_options *options,
                   char **operands)
{
    if (!operands[0] || operands[1]) {
        return usage("exactly one USER is expected");
    }
    struct feed_str user = feed_str_of(operands[0]);
    if (!feed_user_valid(user)) {
        return usage("USER must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -");
    }
    return command(options, user);
}

static int on_feeds(enum feed_command_kind kind, const struct ctl_options *options, char **users)
{
    if (!users[0]) {
        return usage("a USER is expected, or - for a list on stdin");
    }
    bool list = is(users[0], "-") && !users[1];
    for (char **user = users; *user && !list; user++) {
        if (!feed_user_valid(feed_str_of(*user))) {
            return usage("USER must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -");
        }
    }
    return ctl_command_feeds(options, kind, users);
}

static int on_rebuild(const struct ctl_options *options, char **users)
{
    if (!options->from[0] && options->to[0]) {
        return usage("--to needs --from");
    }
    if (!options->from[0]) {
        return users[0] ? on_feeds(FEED_COMMAND_REBUILD, options, users) : ctl_command_rebuild_tenant(options);
    }
    for (char **user = users; *user; user++) {
        if (!feed_user_valid(feed_str_of(*user))) {
            return usage("USER must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -");
        }
    }
    return ctl_command_rebuild_span(options, users);
}

static int on_import(const struct ctl_options *options, char **operands)
{
    bool topic = options->topic[0] != '\0';
    if (operands[0] && operands[1]) {
        return usage("import takes one FILE");
    }
    if ((operands[0] != NULL) == topic) {
        return usage("import takes a FILE (- for stdin) or --topic, and not both");
    }
    if (topic && !feed_topic_valid(feed_str_of(options->topic))) {
        return usage("--topic may have letters, digits, '.', '_' and '-' only");
    }
    return ctl_command_import(options, operands[0]);
}

static int dispatch(const struct ctl_options *options, char **words)
{
    if (!feed_tenant_valid(feed_str_of(options->tenant))) {
        return usage("--tenant must be 1 to 32 characters of a-z 0-9 -");
    }
    if (is(words[0], "feed") && is(words[1], "show")) {
        return on_user(ctl_command_feed_show, options, words + 2);
    }
    if (is(words[0], "followers")) {
        return on_user(ctl_command_followers, options, words + 1);
    }
    if (is(words[0], "key") && is(words[1], "new")) {
        return on_user(ctl_command_key_new, options, words + 2);
    }
    if (is(words[0], "wake")) {
        return on_feeds(FEED_COMMAND_WAKE, options, words + 1);
    }
    if (is(words[0], "rebuild")) {
        return on_rebuild(options, words + 1);
    }
    if (is(words[0], "import")) {
        return on_import(options, words + 1);
    }
    if (is(words[0], "purge")) {
        return on_user(ctl_command_purge, options, words + 1);
    }
    if (is(words[0], "lag") && !words[1]) {
        return ctl_command_lag(options);
    }
    if (is(words[0], "dlq") && is(words[1], "list") && !words[2]) {
        return ctl_command_dlq_list(options);
    }
    return usage(words[0] ? "unknown command" : "a command is expected");
}

int main(int argc, char **argv)
{
    struct ctl_options options = {0};
    struct feed_buf message;
    feed_buf_init(&message, (size_t)1024 * 1024);
    char **words = NULL;
    struct feed_options_input input = {.program = "feedctl",
                                       .version = FEEDWIRE_VERSION,
                                       .summary = ctl_summary,
                                       .argc = argc,
                                       .argv = argv,
                                       .environment = environ};
    int code;
    switch (feed_options_parse(ctl_option_table, &input, &options, &message, &words)) {
    case FEED_OPTIONS_RUN:
        code = dispatch(&options, words);
        break;
    case FEED_OPTIONS_EXIT_OK:
        code = fwrite(message.data, 1, message.len, stdout) == message.len ? CTL_EXIT_OK : CTL_EXIT_FAILED;
        break;
    default:
        fprintf(stderr, "%.*s", (int)message.len, message.data);
        code = CTL_EXIT_USAGE;
    }
    feed_options_free(ctl_option_table, &options, words);
    feed_buf_fini(&message);
    return code;
}
