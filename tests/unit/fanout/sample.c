#include "sample.h"

#include <stdio.h>
#include <string.h>

void sample_make(const struct sample *sample, struct sample_record *out)
{
    bool edge = strcmp(sample->verb, "follow") == 0 || strcmp(sample->verb, "unfollow") == 0;
    char owner[160] = "", to[1024] = "";
    if (sample->owner)
        snprintf(owner, sizeof owner, ",\"owner\":\"%s\"", sample->owner);
    if (sample->to)
        snprintf(to, sizeof to, ",\"to\":%s", sample->to);
    const char *tenant = sample->tenant ? sample->tenant : "demo";
    snprintf(out->key, sizeof out->key, "%s/%s", tenant, sample->actor);
    snprintf(out->value, sizeof out->value,
             "{\"actor\":\"%s\",\"verb\":\"%s\",\"object\":{\"type\":\"%s\",\"id\":\"%s\"%s}%s}", sample->actor,
             sample->verb, edge ? "user" : "note", sample->object, owner, to);
    snprintf(out->id, sizeof out->id, "%08x-0000-4000-8000-000000000000", sample->id);
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
}
