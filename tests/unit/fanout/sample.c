#include "sample.h"

#include <stdio.h>
#include <string.h>

void sample_id(unsigned number, char out[FEED_ID_TEXT + 1])
{
    snprintf(out, FEED_ID_TEXT + 1, "%08x-0000-4000-8000-000000000000", number);
}

static const char *kind_of(const char *verb)
{
    static const char *const rows[][2] = {
        {"follow", "user"}, {"unfollow", "user"}, {"mute", "user"},     {"unmute", "user"},
        {"block", "user"},  {"unblock", "user"},  {"undo", "activity"}, {"filter", "feed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(verb, rows[i][0]) == 0)
            return rows[i][1];
    }
    return "note";
}

void sample_make(const struct sample *sample, struct sample_record *out)
{
    bool undo = strcmp(sample->verb, "undo") == 0;
    char object[FEED_ID_TEXT + 1], published[64] = "";
    snprintf(object, sizeof object, "%s", sample->object ? sample->object : "");
    if (undo) {
        sample_id(sample->undone, object);
        if (sample->undone_ms) {
            char time[FEED_TIME_TEXT + 1];
            feed_time_format(sample->undone_ms, time);
            snprintf(published, sizeof published, ",\"published\":\"%s\"", time);
        }
    }
    char owner[160] = "", to[1024] = "", data[256] = "";
    if (sample->owner)
        snprintf(owner, sizeof owner, ",\"owner\":\"%s\"", sample->owner);
    if (sample->to)
        snprintf(to, sizeof to, ",\"to\":%s", sample->to);
    if (sample->data)
        snprintf(data, sizeof data, ",\"data\":%s", sample->data);
    const char *tenant = sample->tenant ? sample->tenant : "demo";
    snprintf(out->key, sizeof out->key, "%s/%s", tenant, sample->actor);
    snprintf(out->value, sizeof out->value,
             "{\"actor\":\"%s\",\"verb\":\"%s\",\"object\":{\"type\":\"%s\",\"id\":\"%s\"%s%s}%s%s}", sample->actor,
             sample->verb, kind_of(sample->verb), object, owner, published, to, data);
    sample_id(sample->id, out->id);
    feed_time_format(sample->published_ms, out->time);
    out->record = (struct fan_record){
        .partition = sample->partition,
        .offset = sample->offset,
        .key = feed_str_of(out->key),
        .value = feed_str_of(out->value),
        .headers = {{"ce_id", feed_str_of(out->id)},
                    {"ce_tenant", feed_str_of(tenant)},
                    {"ce_time", feed_str_of(out->time)},
                    {"content-type", FEED_STR("application/json")}},
        .header_count = 4,
    };
    if (sample->imported)
        out->record.headers[out->record.header_count++] =
            (struct feed_record_header){"ce_type", FEED_STR(FEED_IMPORT_TYPE)};
}
