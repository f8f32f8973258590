/* feedctl key new: makes an API key. Nothing is kept: the key is printed once, with the line that a file of keys needs
 * to know it. */
#include "feedctl/commands.h"
#include "shared/auth/api_keys.h"
#include "shared/base/json_out.h"
#include "shared/loop/loop.h"

#include <stdio.h>
#include <string.h>

enum { OUTPUT_MAX = 4096 };
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static void write_json(struct feed_str key, struct feed_str line, struct feed_buf *out)
{
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "key", key);
    feed_json_member(&json, "line", line);
    feed_json_close(&json);
    feed_buf_char(out, '\n');
}

static void write_text(struct feed_str key, struct feed_str line, struct feed_buf *out)
{
    feed_buf_text(out, "The key, for the service (it cannot be shown again):\n");
    feed_buf_str(out, key);
    feed_buf_text(out, "\n\nThe line for the file of auth.api_keys_file:\n");
    feed_buf_str(out, line);
    feed_buf_char(out, '\n');
}

static int print(const struct ctl_options *options, const char *key, struct feed_str line)
{
    struct feed_buf out;
    feed_buf_init(&out, OUTPUT_MAX);
    (options->json ? write_json : write_text)(feed_str_of(key), line, &out);
    bool written = out.error == FEED_OK && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    if (out.data)
        explicit_bzero(out.data, out.len);
    feed_buf_fini(&out);
    return written ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

int ctl_command_key_new(const struct ctl_options *options, struct feed_str subject)
{
    uint8_t random[FEED_API_KEY_RANDOM];
    char key[FEED_API_KEY_TEXT + 1];
    struct feed_buf line;
    const struct feed_api_key_grant grant = {.tenant = feed_str_of(options->tenant),
                                             .subject = subject,
                                             .scope = feed_str_of(options->scope),
                                             .expires_ms =
                                                 options->days > 0 ? feed_clock_wall_ms() + options->days * DAY_MS : 0};
    int code = CTL_EXIT_USAGE;
    feed_buf_init(&line, FEED_API_KEYS_LINE_MAX);
    feed_random_bytes(random, sizeof random);
    enum feed_error error = feed_api_key_make(random, &grant, key, &line);
    if (error == FEED_OK)
        code = print(options, key, feed_buf_view(&line));
    else if (error == FEED_E_INVALID)
        fprintf(stderr, "feedctl: --scope must be words of publish, read and admin, with commas between\n");
    else
        fprintf(stderr, "feedctl: no key was made: %s\n", feed_error_name(error));
    explicit_bzero(random, sizeof random);
    explicit_bzero(key, sizeof key);
    feed_buf_fini(&line);
    return code;
}
