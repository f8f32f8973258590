/* The difficulty is what people have: files with a byte order mark, a head, blank lines, lines of a megabyte. Each is
 * told by its number, and no line can stop the others unless the operator wants that. */
#include "feedctl/import.h"

#include "shared/base/assert.h"
#include "shared/base/json_depth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <yyjson.h>

void ctl_import_init(struct ctl_import *import, const struct ctl_import_settings *settings)
{
    *import = (struct ctl_import){.settings = *settings};
}

void ctl_import_fini(struct ctl_import *import)
{
    yyjson_doc_free(import->document);
    import->document = NULL;
}

bool ctl_import_format_read(const char *word, enum ctl_import_format *out)
{
    static const char *const words[] = {
        [CTL_IMPORT_AUTO] = "auto", [CTL_IMPORT_NDJSON] = "ndjson", [CTL_IMPORT_CSV] = "csv"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum ctl_import_format)i;
            return true;
        }
    }
    return false;
}

bool ctl_import_stops(const struct ctl_import *import)
{
    return import->bad > import->settings.bad_max;
}

/* ---- lines ---- */

static enum ctl_import_verdict refuse(struct ctl_import *import, const char *text)
{
    import->problem.field[0] = '\0';
    snprintf(import->problem.text, sizeof import->problem.text, "%s", text);
    import->bad++;
    return CTL_IMPORT_BAD;
}

static enum ctl_import_verdict skip(struct ctl_import *import)
{
    import->skipped++;
    return CTL_IMPORT_SKIPPED;
}

static struct feed_str without_mark(struct feed_str text)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (text.len >= 3 && memcmp(text.data, mark, 3) == 0)
        return (struct feed_str){text.data + 3, text.len - 3};
    return text;
}

static bool blank(struct feed_str text)
{
    size_t i = 0;
    while (i < text.len && (text.data[i] == ' ' || text.data[i] == '\t' || text.data[i] == '\r'))
        i++;
    return i == text.len;
}

static enum feed_error read_json(struct ctl_import *import, struct feed_str text, struct feed_edge *edge)
{
    yyjson_read_err failure;
    yyjson_doc_free(import->document);
    import->document = NULL;
    if (feed_json_check_depth(text, FEED_JSON_DEPTH_MAX) != FEED_OK) {
        snprintf(import->problem.text, sizeof import->problem.text, "the JSON is nested deeper than %d",
                 FEED_JSON_DEPTH_MAX);
        return FEED_E_INVALID;
    }
    /* Without the flag for reading in place the text is not changed. */
    import->document = yyjson_read_opts((char *)text.data, text.len, YYJSON_READ_NOFLAG, NULL, &failure);
    if (!import->document) {
        feed_assert(failure.code != YYJSON_READ_ERROR_MEMORY_ALLOCATION);
        snprintf(import->problem.text, sizeof import->problem.text, "is not JSON: %s at byte %zu", failure.msg,
                 failure.pos);
        return FEED_E_INVALID;
    }
    return feed_edge_from_yyjson(yyjson_doc_get_root(import->document), import->settings.now_ms, edge,
                                 &import->problem);
}

enum ctl_import_verdict ctl_import_take(struct ctl_import *import, const struct ctl_line *line, struct feed_edge *edge)
{
    struct feed_str text = line->text;
    bool first = import->edges + import->bad + import->skipped == 0;
    if (line->too_long)
        return refuse(import, "is longer than 4096 bytes");
    if (first)
        text = without_mark(text);
    if (blank(text))
        return skip(import);
    if (import->settings.format == CTL_IMPORT_AUTO)
        import->settings.format = text.data[strspn(text.data, " \t")] == '{' ? CTL_IMPORT_NDJSON : CTL_IMPORT_CSV;
    import->problem = (struct feed_activity_problem){.field = ""};
    enum feed_error error;
    if (import->settings.format == CTL_IMPORT_NDJSON)
        error = read_json(import, text, edge);
    else if (import->edges + import->bad == 0 && feed_edge_is_csv_head(text))
        return skip(import);
    else
        error = feed_edge_from_csv(text, import->settings.now_ms, edge, &import->problem);
    if (error != FEED_OK) {
        import->bad++;
        return CTL_IMPORT_BAD;
    }
    if (edge->since_ms == 0)
        edge->since_ms = import->settings.since_ms;
    import->edges++;
    return CTL_IMPORT_EDGE;
}

/* ---- followers ---- */

enum { SEEN_FIRST = 1 << 12, SEEN_MOST = 1 << 24 };

static size_t place_of(const struct ctl_seen *seen, uint64_t hash)
{
    size_t at = hash & (seen->size - 1);
    while (seen->hashes[at] != 0 && seen->hashes[at] != hash)
        at = (at + 1) & (seen->size - 1);
    return at;
}

/* Three quarters are full: twice as large, or empty. */
static void make_room(struct ctl_seen *seen)
{
    struct ctl_seen old = *seen;
    if (old.size == SEEN_MOST) {
        memset(seen->hashes, 0, old.size * sizeof *old.hashes);
        seen->count = 0;
        return;
    }
    seen->size = old.size ? 2 * old.size : SEEN_FIRST;
    seen->hashes = calloc(seen->size, sizeof *seen->hashes);
    feed_assert(seen->hashes);
    for (size_t i = 0; i < old.size; i++) {
        if (old.hashes[i])
            seen->hashes[place_of(seen, old.hashes[i])] = old.hashes[i];
    }
    free(old.hashes);
}

bool ctl_seen_add(struct ctl_seen *seen, struct feed_str name)
{
    if (4 * (seen->count + 1) > 3 * seen->size)
        make_room(seen);
    uint64_t hash = XXH3_64bits(name.data, name.len) | 1; /* 0 is a free place */
    size_t at = place_of(seen, hash);
    if (seen->hashes[at] == hash)
        return false;
    seen->hashes[at] = hash;
    seen->count++;
    return true;
}

void ctl_seen_fini(struct ctl_seen *seen)
{
    free(seen->hashes);
    *seen = (struct ctl_seen){.size = 0};
}
