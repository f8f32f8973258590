/* Reads the file of tiers. Everything is a row of a table: a name, a range, and where the number goes. */
#include "shared/tenant/tiers.h"

#include "shared/base/assert.h"
#include "shared/base/json_depth.h"
#include "shared/model/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum { DEPTH_MAX = 8, PATH_MAX_BYTES = 200, PATH_PART_MAX = 40 /* of a name that is not known */ };

struct place {
    char tenant[FEED_TENANT_MAX + 1];
    uint16_t tier;
};

struct feed_tiers {
    struct feed_tier list[FEED_TIERS_MAX];
    size_t count, fallback; /* fallback: the index of the default */
    struct place *places;   /* ascending by tenant */
    size_t place_count;
};

static const struct number {
    const char *name;
    size_t offset;
    int64_t min, max;
} numbers[] = {
    {"connections", offsetof(struct feed_tier, connections), 0, FEED_QUOTA_MAX},
    {"user_connections", offsetof(struct feed_tier, user_connections), 0, FEED_QUOTA_MAX},
    {"feeds", offsetof(struct feed_tier, feeds), 1, FEED_CLIENT_FEEDS_MAX},
    {"data_bytes", offsetof(struct feed_tier, data_bytes), 0, FEED_DATA_MAX},
    {"in_flight_percent", offsetof(struct feed_tier, in_flight_percent), 1, 100},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

/* What one reading needs; the first problem ends it. */
struct reading {
    struct feed_tiers *tiers;
    const struct feed_tier *base;
    char *problem;
    size_t problem_size;
};

static enum feed_error fault(struct reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));

static enum feed_error fault(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->problem, reading->problem_size, format, arguments);
    va_end(arguments);
    return FEED_E_INVALID;
}

static void join(char out[PATH_MAX_BYTES], const char *path, yyjson_val *key)
{
    const char *name = yyjson_get_str(key);
    struct feed_str parts[] = {feed_str_of(path), FEED_STR("."), {name, strnlen(name, PATH_PART_MAX)}};
    size_t len = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        feed_assert(parts[i].len < PATH_MAX_BYTES - len);
        memcpy(out + len, parts[i].data, parts[i].len);
        len += parts[i].len;
    }
    out[len] = '\0';
}

/* ---- one tier ---- */

static enum feed_error read_number(struct reading *reading, const char *path, yyjson_val *value, int64_t min,
                                   int64_t max, int64_t *out)
{
    /* What does not fit into 64 bits with a sign is a real number or unsigned and too large. */
    if (!yyjson_is_int(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) > (uint64_t)max) ||
        yyjson_get_sint(value) < min)
        return fault(reading, "%s must be an integer from %lld to %lld", path, (long long)min, (long long)max);
    *out = yyjson_get_sint(value);
    return FEED_OK;
}

static enum feed_error read_rate(struct reading *reading, const char *path, yyjson_val *value, struct feed_rate *out)
{
    char inner[PATH_MAX_BYTES];
    yyjson_obj_iter iter;
    yyjson_val *key;
    bool burst = false, rate = false;
    if (!yyjson_is_obj(value))
        return fault(reading, "%s must be an object with per_s and burst", path);
    *out = (struct feed_rate){0, 0};
    yyjson_obj_iter_init(value, &iter);
    while ((key = yyjson_obj_iter_next(&iter))) {
        enum feed_error error;
        join(inner, path, key);
        if (yyjson_equals_str(key, "per_s") && !rate) {
            rate = true;
            error = read_number(reading, inner, yyjson_obj_iter_get_val(key), 0, FEED_RATE_PER_S_MAX, &out->per_s);
        } else if (yyjson_equals_str(key, "burst") && !burst) {
            burst = true;
            error = read_number(reading, inner, yyjson_obj_iter_get_val(key), 1, FEED_RATE_BURST_MAX, &out->burst);
        } else {
            error = fault(reading, "%s is not known, or is there twice", inner);
        }
        if (error != FEED_OK)
            return error;
    }
    if (!rate)
        return fault(reading, "%s.per_s is missing", path);
    if (!burst)
        out->burst = out->per_s > 0 ? out->per_s : 1;
    return FEED_OK;
}

static enum feed_error read_rates(struct reading *reading, const char *path, yyjson_val *value, struct feed_tier *tier)
{
    char inner[PATH_MAX_BYTES];
    yyjson_obj_iter iter;
    yyjson_val *key;
    unsigned seen = 0;
    if (!yyjson_is_obj(value))
        return fault(reading, "%s must be an object", path);
    yyjson_obj_iter_init(value, &iter);
    while ((key = yyjson_obj_iter_next(&iter))) {
        int kind = 0;
        while (kind < FEED_RATE_KINDS && !yyjson_equals_str(key, feed_rate_names[kind]))
            kind++;
        join(inner, path, key);
        if (kind == FEED_RATE_KINDS || (seen & 1U << kind))
            return fault(reading, "%s is not known, or is there twice", inner);
        seen |= 1U << kind;
        enum feed_error error = read_rate(reading, inner, yyjson_obj_iter_get_val(key), &tier->rates[kind]);
        if (error != FEED_OK)
            return error;
    }
    return FEED_OK;
}

/* A member of a tier; *seen has a bit for each that was there. */
static enum feed_error read_member(struct reading *reading, const char *path, yyjson_val *key, struct feed_tier *tier,
                                   unsigned *seen)
{
    unsigned n = 0;
    while (n < NUMBERS && !yyjson_equals_str(key, numbers[n].name))
        n++;
    bool rates = yyjson_equals_str(key, "rates");
    if ((n == NUMBERS && !rates) || (*seen & 1U << n))
        return fault(reading, "%s is not known, or is there twice", path);
    *seen |= 1U << n;
    yyjson_val *value = yyjson_obj_iter_get_val(key);
    if (rates)
        return read_rates(reading, path, value, tier);
    int64_t *field = (int64_t *)(void *)((char *)tier + numbers[n].offset);
    return read_number(reading, path, value, numbers[n].min, numbers[n].max, field);
}

static bool name_valid(struct feed_str name)
{
    return feed_tenant_valid(name); /* the same letters will do */
}

static size_t find_tier(const struct feed_tiers *tiers, yyjson_val *name)
{
    size_t i = 0;
    while (i < tiers->count && !yyjson_equals_str(name, tiers->list[i].name))
        i++;
    return i;
}

static enum feed_error read_tier(struct reading *reading, yyjson_val *key, yyjson_val *value)
{
    struct feed_tiers *tiers = reading->tiers;
    struct feed_str name = {yyjson_get_str(key), yyjson_get_len(key)};
    char at[PATH_MAX_BYTES], path[PATH_MAX_BYTES];
    unsigned seen = 0;
    if (!name_valid(name))
        return fault(reading, "tiers: a name is 1-32 of a-z, 0-9 and -");
    if (find_tier(tiers, key) < tiers->count)
        return fault(reading, "tiers.%s is there twice", name.data);
    if (tiers->count == FEED_TIERS_MAX)
        return fault(reading, "tiers has more than %d", FEED_TIERS_MAX);
    if (!yyjson_is_obj(value))
        return fault(reading, "tiers.%s must be an object", name.data);
    struct feed_tier *tier = &tiers->list[tiers->count++];
    *tier = *reading->base;
    snprintf(tier->name, sizeof tier->name, "%s", name.data);
    yyjson_obj_iter iter;
    yyjson_val *member;
    join(at, "tiers", key);
    yyjson_obj_iter_init(value, &iter);
    while ((member = yyjson_obj_iter_next(&iter))) {
        join(path, at, member);
        enum feed_error error = read_member(reading, path, member, tier, &seen);
        if (error != FEED_OK)
            return error;
    }
    return FEED_OK;
}

/* ---- the whole ---- */

static enum feed_error read_tiers(struct reading *reading, yyjson_val *value)
{
    yyjson_obj_iter iter;
    yyjson_val *key;
    if (!yyjson_is_obj(value))
        return fault(reading, "tiers must be an object");
    yyjson_obj_iter_init(value, &iter);
    while ((key = yyjson_obj_iter_next(&iter))) {
        enum feed_error error = read_tier(reading, key, yyjson_obj_iter_get_val(key));
        if (error != FEED_OK)
            return error;
    }
    return FEED_OK;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    return strcmp(one->tenant, other->tenant);
}

static enum feed_error read_place(struct reading *reading, yyjson_val *key, yyjson_val *value)
{
    struct feed_tiers *tiers = reading->tiers;
    struct feed_str tenant = {yyjson_get_str(key), yyjson_get_len(key)};
    if (!feed_tenant_valid(tenant))
        return fault(reading, "tenants: a name is 1-32 of a-z, 0-9 and -");
    size_t tier = find_tier(tiers, value);
    if (tier == tiers->count)
        return fault(reading, "tenants.%s must be the name of a tier", tenant.data);
    struct place *place = &tiers->places[tiers->place_count++];
    memcpy(place->tenant, tenant.data, tenant.len + 1);
    place->tier = (uint16_t)tier;
    return FEED_OK;
}

static enum feed_error read_places(struct reading *reading, yyjson_val *value)
{
    struct feed_tiers *tiers = reading->tiers;
    yyjson_obj_iter iter;
    yyjson_val *key;
    if (!value)
        return FEED_OK;
    if (!yyjson_is_obj(value))
        return fault(reading, "tenants must be an object");
    size_t count = yyjson_obj_size(value);
    if (count > FEED_TIERED_TENANTS_MAX) {
        (void)fault(reading, "tenants has more than %d", FEED_TIERED_TENANTS_MAX);
        return FEED_E_TOO_LARGE;
    }
    tiers->places = calloc(count ? count : 1, sizeof *tiers->places);
    if (!tiers->places) {
        (void)fault(reading, "there is not enough memory");
        return FEED_E_MEMORY;
    }
    yyjson_obj_iter_init(value, &iter);
    while ((key = yyjson_obj_iter_next(&iter))) {
        enum feed_error error = read_place(reading, key, yyjson_obj_iter_get_val(key));
        if (error != FEED_OK)
            return error;
    }
    qsort(tiers->places, tiers->place_count, sizeof *tiers->places, compare_places);
    for (size_t i = 1; i < tiers->place_count; i++) {
        if (compare_places(&tiers->places[i - 1], &tiers->places[i]) == 0)
            return fault(reading, "tenants.%s is there twice", tiers->places[i].tenant);
    }
    return FEED_OK;
}

static enum feed_error read_default(struct reading *reading, yyjson_val *value)
{
    struct feed_tiers *tiers = reading->tiers;
    if (!value)
        return fault(reading, "default is missing: the tier of tenants that are not named");
    tiers->fallback = find_tier(tiers, value);
    return tiers->fallback < tiers->count ? FEED_OK : fault(reading, "default must be the name of a tier");
}

static enum feed_error read_root(struct reading *reading, yyjson_val *root)
{
    static const char *const members[] = {"default", "tiers", "tenants", NULL};
    yyjson_obj_iter iter;
    yyjson_val *key;
    unsigned seen = 0;
    if (!yyjson_is_obj(root))
        return fault(reading, "it must be an object with default, tiers and tenants");
    yyjson_obj_iter_init(root, &iter);
    while ((key = yyjson_obj_iter_next(&iter))) {
        unsigned m = 0;
        while (members[m] && !yyjson_equals_str(key, members[m]))
            m++;
        if (!members[m] || (seen & 1U << m))
            return fault(reading, "%.40s is not known, or is there twice", yyjson_get_str(key));
        seen |= 1U << m;
    }
    enum feed_error error = read_tiers(reading, yyjson_obj_get(root, "tiers"));
    if (error == FEED_OK)
        error = read_default(reading, yyjson_obj_get(root, "default"));
    return error == FEED_OK ? read_places(reading, yyjson_obj_get(root, "tenants")) : error;
}

static enum feed_error read_text(struct reading *reading, struct feed_str json)
{
    yyjson_read_err failure;
    if (feed_json_check_depth(json, DEPTH_MAX) != FEED_OK)
        return fault(reading, "it is nested deeper than %d", DEPTH_MAX);
    /* With this flag it does not change its input. */
    yyjson_doc *doc = yyjson_read_opts((char *)json.data, json.len, YYJSON_READ_NOFLAG, NULL, &failure);
    if (!doc) {
        size_t line = 1;
        for (size_t i = 0; i < failure.pos && i < json.len; i++)
            line += json.data[i] == '\n';
        return fault(reading, "line %zu: it is not JSON (%s)", line, failure.msg);
    }
    enum feed_error error = read_root(reading, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return error;
}

enum feed_error feed_tiers_parse(struct feed_str json, const struct feed_tier *base, struct feed_tiers **out,
                                 char *problem, size_t problem_size)
{
    struct reading reading = {.base = base, .problem = problem, .problem_size = problem_size};
    *out = NULL;
    reading.tiers = calloc(1, sizeof *reading.tiers);
    if (!reading.tiers) {
        (void)fault(&reading, "there is not enough memory");
        return FEED_E_MEMORY;
    }
    enum feed_error error = read_text(&reading, json);
    if (error == FEED_OK)
        *out = reading.tiers;
    else
        feed_tiers_free(reading.tiers);
    return error;
}

struct feed_tiers *feed_tiers_new(const struct feed_tier *base)
{
    struct feed_tiers *tiers = calloc(1, sizeof *tiers);
    if (tiers) {
        tiers->list[0] = *base;
        tiers->count = 1;
    }
    return tiers;
}

void feed_tiers_free(struct feed_tiers *tiers)
{
    if (tiers)
        free(tiers->places);
    free(tiers);
}

const struct feed_tier *feed_tiers_of(const struct feed_tiers *tiers, struct feed_str tenant)
{
    size_t low = 0, high = tiers->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = feed_str_cmp(tenant, feed_str_of(tiers->places[middle].tenant));
        if (order == 0)
            return &tiers->list[tiers->places[middle].tier];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return &tiers->list[tiers->fallback];
}

size_t feed_tiers_count(const struct feed_tiers *tiers)
{
    return tiers->count;
}

size_t feed_tiers_tenants(const struct feed_tiers *tiers)
{
    return tiers->place_count;
}
