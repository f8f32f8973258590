/* import: reads edges from a file or a topic and produces each as a record of its own, in the order in which they come.
 *
 * A feed is not filled for an edge but once for a follower, when all edges are there. So the first edge of each
 * follower is noted in a temporary file, and sent once more at the end, with the word that fills: to repeat an edge
 * changes nothing, and with the same key it comes behind the others. */
#include "feedctl/await.h"
#include "feedctl/commands.h"
#include "feedctl/import.h"
#include "shared/base/assert.h"
#include "shared/kafka/inspect.h"
#include "shared/kafka/producer.h"
#include "shared/kafka/reader.h"
#include "shared/loop/loop.h"
#include "shared/model/names.h"
#include "shared/observe/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    QUEUE_MAX = 100000,
    QUEUE_KBYTES_MAX = 64 * 1024,
    LINGER_MS = 20,
    FLUSH_MS = 50,
    PART_BYTES = 64 * 1024,
    REPORT_MS = 1000,
    IDLE_LOOK_MS = 250,
    TOLD_MAX = 100, /* bad lines that are told one by one */
    READER_KBYTES = 16 * 1024,
    TEXT_SHOWN_MAX = 160
};

struct importing {
    const struct ctl_options *options;
    struct feed_loop *loop;
    struct feed_log *log;
    struct feed_kafka_producer *producer;
    struct ctl_import core;
    struct ctl_seen seen;
    struct feed_buf value;
    FILE *noted; /* an edge of each follower */
    uint64_t followers;
    uint64_t sent, acknowledged;
    uint64_t read, total; /* bytes or records; total 0: not known */
    int64_t begun_ms, report_at_ms;
    uint64_t reported; /* edges, at the last report */
    bool failed;       /* Kafka did not take something, or what was to be read could not be */
    char problem[400];
};

static struct feed_kafka_settings kafka_of(const struct ctl_options *options)
{
    return (struct feed_kafka_settings){
        .brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties};
}

static int64_t mono_ms(void)
{
    return (int64_t)(feed_clock_mono_us() / 1000);
}

static void fail(struct importing *importing, const char *what, const char *reason)
{
    if (!importing->failed)
        snprintf(importing->problem, sizeof importing->problem, "%s: %s", what, reason);
    importing->failed = true;
}

/* ---- progress ---- */

static void report_now(struct importing *importing, int64_t now_ms)
{
    uint64_t edges = importing->core.edges, rate = edges - importing->reported;
    int64_t since_ms = now_ms - importing->report_at_ms + REPORT_MS;
    char share[16] = "";
    if (importing->total > 0)
        snprintf(share, sizeof share, ", %llu%%", (unsigned long long)(importing->read * 100 / importing->total));
    fprintf(stderr, "%s%llu follows, %llu/s%s, %llu bad lines%s", isatty(STDERR_FILENO) ? "\r" : "",
            (unsigned long long)edges, (unsigned long long)(rate * 1000 / (uint64_t)(since_ms > 0 ? since_ms : 1)),
            share, (unsigned long long)importing->core.bad, isatty(STDERR_FILENO) ? "\033[K" : "\n");
    importing->reported = edges;
    importing->report_at_ms = now_ms + REPORT_MS;
}

static void report(struct importing *importing)
{
    int64_t now_ms = mono_ms();
    if (now_ms >= importing->report_at_ms)
        report_now(importing, now_ms);
}

/* ---- out ---- */

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct importing *importing = arg;
    if (delivery->error == FEED_OK)
        importing->acknowledged++;
    else
        fail(importing, "Kafka did not take a follow", delivery->reason);
}

/* Waits for room as long as Kafka takes anything. */
static enum feed_error produce(struct importing *importing, const struct feed_record *record)
{
    struct feed_kafka_header headers[sizeof record->headers / sizeof record->headers[0]];
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct feed_kafka_header){record->headers[i].name, record->headers[i].value};
    uint64_t acknowledged = importing->acknowledged;
    int64_t give_up_at_ms = mono_ms() + importing->options->timeout_ms;
    for (;;) {
        enum feed_error error =
            feed_kafka_produce(importing->producer, importing->options->kafka_topic, record->key, record->value,
                               headers, record->header_count, on_delivery, importing);
        if (error != FEED_E_FULL || mono_ms() > give_up_at_ms || importing->failed)
            return error;
        feed_kafka_producer_flush(importing->producer, FLUSH_MS);
        if (importing->acknowledged > acknowledged)
            give_up_at_ms = mono_ms() + importing->options->timeout_ms;
        acknowledged = importing->acknowledged;
        report(importing);
    }
}

static void send(struct importing *importing, const struct feed_edge *edge, bool fill)
{
    struct feed_activity activity;
    struct feed_record_parts parts;
    char id[FEED_ID_TEXT + 1];
    feed_activity_init(&activity);
    feed_edge_activity(edge, fill, &activity);
    activity.tenant = feed_str_of(importing->options->tenant);
    activity.source = FEED_STR(FEED_SOURCE_DEFAULT);
    activity.published_ms = edge->since_ms;
    feed_edge_id(activity.tenant, edge, id);
    activity.id = feed_str_of(id);
    feed_buf_reset(&importing->value);
    feed_activity_encode_value(&activity, &importing->value);
    feed_assert(importing->value.error == FEED_OK);
    feed_activity_make_record(&activity, (struct feed_str){NULL, 0}, feed_buf_view(&importing->value), &parts);
    enum feed_error error = produce(importing, &parts.record);
    if (error != FEED_OK)
        fail(importing, "Kafka does not take follows", feed_error_name(error));
    else
        importing->sent++;
    feed_activity_fini(&activity);
}

static void note(struct importing *importing, const struct feed_edge *edge)
{
    if (!ctl_seen_add(&importing->seen, edge->actor))
        return;
    importing->followers++;
    char since[FEED_TIME_TEXT + 1];
    feed_time_format(edge->since_ms, since);
    if (fprintf(importing->noted, "%.*s,%.*s,%s\n", (int)edge->actor.len, edge->actor.data, (int)edge->object.len,
                edge->object.data, since) < 0)
        fail(importing, "the temporary file could not be written", "is the disk full?");
}

/* ---- in ---- */

static void tell(const struct importing *importing, const char *where)
{
    const struct feed_activity_problem *problem = &importing->core.problem;
    if (importing->core.bad > TOLD_MAX)
        return;
    fprintf(stderr, "%sfeedctl: %s: %s%s%.*s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", where, problem->field,
            problem->field[0] ? " " : "", TEXT_SHOWN_MAX, problem->text);
    if (importing->core.bad == TOLD_MAX)
        fprintf(stderr, "feedctl: further bad lines are counted, and not told\n");
}

/* False when nothing more is to be read. */
static bool take(struct importing *importing, const struct ctl_line *line, const char *where)
{
    struct feed_edge edge;
    switch (ctl_import_take(&importing->core, line, &edge)) {
    case CTL_IMPORT_EDGE:
        note(importing, &edge);
        send(importing, &edge, false);
        break;
    case CTL_IMPORT_BAD:
        tell(importing, where);
        break;
    default:
        break;
    }
    report(importing);
    return !importing->failed && !ctl_import_stops(&importing->core);
}

static bool take_line(struct importing *importing, const struct ctl_lines *lines, const struct ctl_line *line)
{
    char where[40];
    snprintf(where, sizeof where, "line %llu", (unsigned long long)lines->number);
    return take(importing, line, where);
}

/* What there is, without waiting for more: a pipe may be slow. */
static ssize_t read_some(int file, char *part)
{
    ssize_t len;
    do
        len = read(file, part, PART_BYTES);
    while (len < 0 && errno == EINTR);
    return len;
}

static void read_lines(struct importing *importing, int file)
{
    char *part = malloc(PART_BYTES);
    feed_assert(part);
    struct ctl_lines lines;
    struct ctl_line line;
    ctl_lines_init(&lines, FEED_EDGE_LINE_MAX);
    bool goes_on = true;
    ssize_t len = 1;
    while (goes_on && (len = read_some(file, part)) > 0) {
        struct feed_str rest = {part, (size_t)len};
        while (goes_on && ctl_lines_next(&lines, &rest, &line))
            goes_on = take_line(importing, &lines, &line);
        importing->read += (size_t)len - rest.len;
    }
    if (len < 0)
        fail(importing, "the file could not be read", strerror(errno));
    else if (goes_on && ctl_lines_last(&lines, &line))
        (void)take_line(importing, &lines, &line);
    ctl_lines_fini(&lines);
    free(part);
}

static void read_file(struct importing *importing, const char *name)
{
    bool is_stdin = strcmp(name, "-") == 0;
    int file = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (file < 0 || fstat(file, &facts) != 0)
        fail(importing, name, strerror(errno));
    else if (S_ISDIR(facts.st_mode))
        fail(importing, name, "is a directory");
    else if (S_ISREG(facts.st_mode))
        importing->total = (uint64_t)facts.st_size;
    if (!importing->failed)
        read_lines(importing, file);
    if (!is_stdin && file >= 0)
        close(file);
}

/* ---- in, from a topic ---- */

struct topic_reading {
    struct importing *importing;
    struct feed_kafka_reader *reader;
    int64_t heard_at_ms;
};

static void on_message(void *arg, const struct feed_kafka_message *message)
{
    struct topic_reading *reading = arg;
    struct importing *importing = reading->importing;
    struct ctl_line line = {.text = message->value, .too_long = message->value.len > FEED_EDGE_LINE_MAX};
    char where[320];
    reading->heard_at_ms = mono_ms();
    importing->read++;
    snprintf(where, sizeof where, "record %s/%d/%lld", importing->options->topic, (int)message->partition,
             (long long)message->offset);
    if (!take(importing, &line, where)) {
        feed_kafka_reader_pause(reading->reader);
        feed_loop_stop(importing->loop);
    }
}

static void on_done(void *arg, enum feed_error error, const char *reason)
{
    struct topic_reading *reading = arg;
    if (error != FEED_OK)
        fail(reading->importing, "the topic cannot be read", reason);
    feed_loop_stop(reading->importing->loop);
}

static void on_idle_look(void *arg)
{
    struct topic_reading *reading = arg;
    report(reading->importing);
    if (mono_ms() - reading->heard_at_ms < reading->importing->options->timeout_ms)
        return;
    fail(reading->importing, "the topic cannot be read", "Kafka gave nothing in time");
    feed_loop_stop(reading->importing->loop);
}

static void count_records(struct importing *importing)
{
    const struct ctl_options *options = importing->options;
    struct feed_kafka_settings kafka = kafka_of(options);
    struct feed_kafka_partition_lag *rows = NULL;
    size_t count = 0;
    char problem[256];
    if (feed_kafka_lag(&kafka, options->topic, "feedctl-import", (unsigned)options->timeout_ms, &rows, &count, problem,
                       sizeof problem) != FEED_OK) {
        fail(importing, "the topic cannot be read", problem);
        return;
    }
    for (size_t i = 0; i < count; i++)
        importing->total += (uint64_t)(rows[i].end - rows[i].begin);
    free(rows);
}

static void read_topic(struct importing *importing)
{
    const struct ctl_options *options = importing->options;
    const struct feed_kafka_reader_settings settings = {.kafka = kafka_of(options),
                                                        .topic = options->topic,
                                                        .group = "feedctl-import",
                                                        .ask_timeout_ms = (unsigned)options->timeout_ms,
                                                        .queued_kbytes_max = READER_KBYTES};
    static const struct feed_kafka_reader_events events = {.message_fn = on_message, .done_fn = on_done};
    struct topic_reading reading = {.importing = importing, .heard_at_ms = mono_ms()};
    count_records(importing);
    if (importing->failed)
        return;
    char problem[256];
    if (feed_kafka_reader_new(importing->loop, importing->log, &settings, &events, &reading, &reading.reader, problem,
                              sizeof problem) != FEED_OK) {
        fail(importing, "the topic cannot be read", problem);
        return;
    }
    struct feed_timer *timer = feed_timer_new(importing->loop, on_idle_look, &reading);
    feed_timer_start(timer, IDLE_LOOK_MS, IDLE_LOOK_MS);
    feed_loop_run(importing->loop);
    feed_timer_free(timer);
    feed_kafka_reader_free(reading.reader);
}

/* ---- feeds ---- */

/* The noted edges once more, each of which fills its follower's feed. */
static void send_fills(struct importing *importing)
{
    char line[FEED_EDGE_LINE_MAX];
    struct feed_activity_problem problem;
    struct feed_edge edge;
    rewind(importing->noted);
    while (!importing->failed && fgets(line, sizeof line, importing->noted)) {
        struct feed_str text = {line, strcspn(line, "\n")};
        if (feed_edge_from_csv(text, INT64_MAX - FEED_EDGE_FUTURE_MS, &edge, &problem) == FEED_OK)
            send(importing, &edge, true);
        else
            fail(importing, "the temporary file is damaged", problem.text);
    }
    if (ferror(importing->noted))
        fail(importing, "the temporary file could not be read", "an input or output error");
}

/* ---- the command ---- */

/* Until Kafka has all of it, as long as it takes anything. */
static void flush(struct importing *importing)
{
    int64_t give_up_at_ms = mono_ms() + importing->options->timeout_ms;
    uint64_t acknowledged = importing->acknowledged;
    while (!importing->failed && importing->acknowledged < importing->sent && mono_ms() <= give_up_at_ms) {
        feed_kafka_producer_flush(importing->producer, FLUSH_MS);
        if (importing->acknowledged > acknowledged)
            give_up_at_ms = mono_ms() + importing->options->timeout_ms;
        acknowledged = importing->acknowledged;
    }
    if (importing->acknowledged < importing->sent)
        fail(importing, "Kafka did not take all follows", "it did not answer in time");
}

static void sum_up(const struct importing *importing, int64_t duration_ms)
{
    const struct ctl_import *core = &importing->core;
    char since[FEED_TIME_TEXT + 1];
    feed_time_format(core->settings.since_ms, since);
    unsigned long long follows = core->edges, users = importing->followers, bad = core->bad, skipped = core->skipped;
    if (importing->options->json)
        printf("{\"follows\":%llu,\"followers\":%llu,\"bad\":%llu,\"skipped\":%llu,\"since\":\"%s\",\"duration_ms\":%"
               "lld}\n",
               follows, users, bad, skipped, since, (long long)duration_ms);
    else
        printf("%llu follows of %llu users imported, %llu bad lines, %llu without content; those without a time are "
               "since %s; %lld ms\n",
               follows, users, bad, skipped, since, (long long)duration_ms);
    fflush(stdout);
}

static int run(struct importing *importing, const char *name)
{
    const struct ctl_options *options = importing->options;
    const struct ctl_await await = {
        .topic = options->kafka_topic, .group = options->kafka_group, .what = "records", .reports_always = true};
    if (name)
        read_file(importing, name);
    else
        read_topic(importing);
    report_now(importing, mono_ms());
    if (!importing->failed)
        send_fills(importing);
    if (!importing->failed)
        flush(importing);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    bool stopped = ctl_import_stops(&importing->core);
    int code = importing->failed ? CTL_EXIT_FAILED : ctl_await(options, &await);
    if (importing->failed)
        fprintf(stderr, "feedctl: %s. What was sent so far is imported; to run the same again does no harm.\n",
                importing->problem);
    else
        sum_up(importing, mono_ms() - importing->begun_ms);
    if (stopped)
        fprintf(stderr,
                "feedctl: stopped behind bad line number %llu, more than --max_errors allows; what stands before it is "
                "imported, and to run the same again does no harm\n",
                (unsigned long long)importing->core.bad);
    return stopped ? CTL_EXIT_FAILED : code;
}

/* False, with a sentence on stderr, when an option is wrong. */
static bool read_settings(const struct ctl_options *options, struct ctl_import_settings *settings)
{
    settings->now_ms = settings->since_ms = feed_clock_wall_ms();
    settings->bad_max = (uint64_t)options->max_errors;
    if (!ctl_import_format_read(options->format, &settings->format)) {
        fprintf(stderr, "feedctl: --format must be auto, ndjson or csv\n");
        return false;
    }
    if (options->since[0] && (feed_time_parse(feed_str_of(options->since), &settings->since_ms) != FEED_OK ||
                              settings->since_ms > settings->now_ms)) {
        fprintf(stderr, "feedctl: --since must be an RFC 3339 time like 2026-01-02T03:04:05Z, and not in the future\n");
        return false;
    }
    return true;
}

static int import(struct importing *importing, const char *name)
{
    const struct ctl_options *options = importing->options;
    const struct feed_kafka_producer_settings settings = {
        .kafka = kafka_of(options),
        .queue_messages_max = QUEUE_MAX,
        .queue_kbytes_max = QUEUE_KBYTES_MAX,
        .delivery_timeout_ms = (unsigned)options->timeout_ms,
        .linger_ms = LINGER_MS,
    };
    char problem[256];
    importing->noted = tmpfile();
    if (!importing->noted) {
        fprintf(stderr, "feedctl: a temporary file could not be made\n");
        return CTL_EXIT_FAILED;
    }
    int code = CTL_EXIT_FAILED;
    if (feed_kafka_producer_new(importing->loop, importing->log, &settings, &importing->producer, problem,
                                sizeof problem) == FEED_OK) {
        code = run(importing, name);
        feed_kafka_producer_free(importing->producer, 0);
    } else {
        fprintf(stderr, "feedctl: %s\n", problem);
    }
    fclose(importing->noted);
    return code;
}

int ctl_command_import(const struct ctl_options *options, const char *name)
{
    struct ctl_import_settings settings;
    if (!read_settings(options, &settings))
        return CTL_EXIT_USAGE;
    struct importing importing = {.options = options,
                                  .loop = feed_loop_new(),
                                  .log = feed_log_new("feedctl", FEED_LOG_ERROR, NULL, NULL, NULL),
                                  .begun_ms = mono_ms(),
                                  .report_at_ms = mono_ms() + REPORT_MS};
    feed_assert(importing.loop && importing.log);
    feed_buf_init(&importing.value, FEED_RECORD_MAX);
    ctl_import_init(&importing.core, &settings);
    int code = import(&importing, name);
    ctl_import_fini(&importing.core);
    ctl_seen_fini(&importing.seen);
    feed_buf_fini(&importing.value);
    feed_log_free(importing.log);
    feed_loop_free(importing.loop);
    return code;
}
