/* Reports as text and JSON. The difficulty: object ids and dead letters hold whatever somebody sent, and an operator's
 * terminal obeys control characters, so no foreign byte reaches the text unescaped. */
#include "feedctl/report.h"

#include "shared/base/json_out.h"
#include "shared/base/time_text.h"

#include <inttypes.h>
#include <stdio.h>

static void foreign(struct feed_buf *out, struct feed_str text)
{
    bool utf8 = feed_str_utf8(text);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        /* C1 control characters are two bytes in UTF-8: 0xc2 0x80..0x9f. */
        bool c1 = c == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || c1 || (c >= 0x80 && !utf8)) {
            feed_buf_printf(out, "\\x%02x", c);
        } else {
            feed_buf_char(out, (char)c);
        }
    }
}

static void time_of(struct feed_buf *out, int64_t ms)
{
    char text[FEED_TIME_TEXT + 1] = "-";
    if (ms >= FEED_TIME_MIN_MS && ms <= FEED_TIME_MAX_MS) {
        feed_time_format(ms, text);
    }
    feed_buf_text(out, text);
}

void ctl_feed_open(struct ctl_feed_report *report, const struct ctl_feed *feed)
{
    struct feed_buf *out = report->out;
    char position[FEED_POSITION_TEXT_MAX + 1];
    feed_position_format(&feed->position, position);
    report->shown = 0;
    if (report->json) {
        struct feed_json_out json;
        feed_json_out_init(&json, out);
        feed_json_open(&json);
        feed_json_member(&json, "tenant", feed->tenant);
        feed_json_member(&json, "user", feed->user);
        feed_json_member(&json, "feed", feed->feed);
        feed_json_member(&json, "position", feed_str_of(position));
        feed_json_key(&json, "entries");
        feed_buf_char(out, '[');
        return;
    }
    foreign(out, feed->feed);
    feed_buf_text(out, " of ");
    foreign(out, feed->user);
    feed_buf_text(out, " (tenant ");
    foreign(out, feed->tenant);
    if (feed->position.seq == 0) {
        feed_buf_text(out, "): does not exist yet\n");
    } else {
        feed_buf_printf(out, "), position %s\n", position);
    }
}

void ctl_feed_entry(struct ctl_feed_report *report, struct feed_str bytes, int64_t published_ms)
{
    struct feed_buf *out = report->out;
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX]; /* of an outbox; who was notified stands in their timelines */
    size_t to_count;
    enum feed_error error = feed_entry_decode_outbox(bytes, &entry, to, &to_count);
    if (report->json) {
        struct feed_json_out json;
        feed_json_out_init(&json, out);
        if (report->shown++ > 0) {
            feed_buf_char(out, ',');
        }
        if (error == FEED_OK) {
            feed_entry_to_json(&entry, published_ms, &json);
        } else {
            feed_json_open(&json);
            feed_json_member(&json, "undecodable", feed_str_of(feed_error_name(error)));
            feed_json_close(&json);
        }
        return;
    }
    report->shown++;
    time_of(out, published_ms);
    if (error != FEED_OK) {
        feed_buf_printf(out, "  (an entry of %zu bytes that cannot be decoded: %s)\n", bytes.len,
                        feed_error_name(error));
        return;
    }
    char id[FEED_ID_TEXT + 1];
    feed_id_format(&entry.id, id);
    feed_buf_printf(out, "  %s  ", id);
    foreign(out, entry.actor);
    feed_buf_char(out, ' ');
    foreign(out, entry.verb);
    feed_buf_char(out, ' ');
    foreign(out, entry.object_type);
    feed_buf_char(out, ':');
    foreign(out, entry.object_id);
    if (entry.target_type.data) {
        feed_buf_text(out, " -> ");
        foreign(out, entry.target_type);
        feed_buf_char(out, ':');
        foreign(out, entry.target_id);
    }
    feed_buf_char(out, '\n');
}

void ctl_feed_close(struct ctl_feed_report *report)
{
    if (report->json) {
        feed_buf_text(report->out, "]}\n");
    } else {
        feed_buf_printf(report->out, "%zu entries\n", report->shown);
    }
}

void ctl_followers(bool json_form, struct feed_str tenant, struct feed_str user, struct feed_str broadcast,
                   const struct ctl_follower *followers, size_t count, uint64_t total, struct feed_buf *out)
{
    if (!json_form) {
        for (size_t i = 0; i < count; i++) {
            time_of(out, followers[i].since_ms);
            feed_buf_text(out, "  ");
            foreign(out, followers[i].user);
            feed_buf_char(out, '\n');
        }
        feed_buf_printf(out, "%" PRIu64 " followers of ", total);
        foreign(out, user);
        feed_buf_printf(out, ", %zu shown\n", count);
        if (broadcast.len) {
            feed_buf_text(out, "broadcast author: ");
            foreign(out, broadcast);
            feed_buf_char(out, '\n');
        }
        return;
    }
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "tenant", tenant);
    feed_json_member(&json, "user", user);
    feed_json_key(&json, "total");
    feed_json_u64(&json, total);
    if (broadcast.len) {
        feed_json_member(&json, "broadcast", broadcast);
    }
    feed_json_key(&json, "followers");
    feed_json_open_list(&json);
    for (size_t i = 0; i < count; i++) {
        char since[FEED_TIME_TEXT + 1] = "";
        if (followers[i].since_ms >= FEED_TIME_MIN_MS && followers[i].since_ms <= FEED_TIME_MAX_MS) {
            feed_time_format(followers[i].since_ms, since);
        }
        feed_json_open(&json);
        feed_json_member(&json, "user", followers[i].user);
        feed_json_member(&json, "since", feed_str_of(since));
        feed_json_close(&json);
    }
    feed_json_close_list(&json);
    feed_json_close(&json);
    feed_buf_char(out, '\n');
}

int64_t ctl_partition_lag(const struct ctl_partition *partition)
{
    /* Retention may have deleted what was committed long ago; what is gone is not waiting. */
    int64_t from = partition->committed > partition->begin ? partition->committed : partition->begin;
    return partition->end > from ? partition->end - from : 0;
}

static void lag_text(const struct ctl_partition *partitions, size_t count, int64_t total, struct feed_buf *out)
{
    feed_buf_printf(out, "%9s %14s %14s %12s\n", "partition", "committed", "end", "waiting");
    for (size_t i = 0; i < count; i++) {
        const struct ctl_partition *p = &partitions[i];
        char committed[24] = "-";
        if (p->committed >= 0) {
            snprintf(committed, sizeof committed, "%" PRId64, p->committed);
        }
        feed_buf_printf(out, "%9" PRId32 " %14s %14" PRId64 " %12" PRId64 "\n", p->partition, committed, p->end,
                        ctl_partition_lag(p));
    }
    feed_buf_printf(out, "%" PRId64 " records waiting\n", total);
}

void ctl_lag(bool json_form, struct feed_str topic, struct feed_str group, const struct ctl_partition *partitions,
             size_t count, struct feed_buf *out)
{
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += ctl_partition_lag(&partitions[i]);
    }
    if (!json_form) {
        lag_text(partitions, count, total, out);
        return;
    }
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "topic", topic);
    feed_json_member(&json, "group", group);
    feed_json_key(&json, "waiting");
    feed_json_i64(&json, total);
    feed_json_key(&json, "partitions");
    feed_json_open_list(&json);
    for (size_t i = 0; i < count; i++) {
        const struct ctl_partition *p = &partitions[i];
        feed_json_open(&json);
        feed_json_key(&json, "partition");
        feed_json_i64(&json, p->partition);
        feed_json_key(&json, "begin");
        feed_json_i64(&json, p->begin);
        feed_json_key(&json, "committed");
        if (p->committed >= 0) {
            feed_json_i64(&json, p->committed);
        } else {
            feed_json_null(&json);
        }
        feed_json_key(&json, "end");
        feed_json_i64(&json, p->end);
        feed_json_key(&json, "waiting");
        feed_json_i64(&json, ctl_partition_lag(p));
        feed_json_close(&json);
    }
    feed_json_close_list(&json);
    feed_json_close(&json);
    feed_buf_char(out, '\n');
}

void ctl_dead_letter(bool json_form, const struct ctl_dead_letter *letter, struct feed_buf *out)
{
    if (!json_form) {
        foreign(out, letter->time.len ? letter->time : FEED_STR("-"));
        feed_buf_text(out, "  ");
        foreign(out, letter->source.len ? letter->source : FEED_STR("(unknown source)"));
        feed_buf_text(out, "  ");
        foreign(out, letter->reason.len ? letter->reason : FEED_STR("(no reason)"));
        feed_buf_text(out, ": ");
        foreign(out, letter->detail);
        feed_buf_text(out, "  key ");
        foreign(out, letter->key);
        feed_buf_printf(out, ", %zu bytes\n", letter->value_bytes);
        return;
    }
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_key(&json, "partition");
    feed_json_i64(&json, letter->partition);
    feed_json_key(&json, "offset");
    feed_json_i64(&json, letter->offset);
    feed_json_member(&json, "source", letter->source);
    feed_json_member(&json, "reason", letter->reason);
    feed_json_member(&json, "detail", letter->detail);
    feed_json_member(&json, "attempts", letter->attempts);
    feed_json_member(&json, "time", letter->time);
    feed_json_member(&json, "key", letter->key);
    feed_json_key(&json, "value_bytes");
    feed_json_u64(&json, letter->value_bytes);
    feed_json_close(&json);
    feed_buf_char(out, '\n');
}
