/* A hash table with chains through the feeds themselves, so that adding cannot fail: when there is no memory for a
 * larger table the chains just become longer. */
#include "gateway/feed_map.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_BUCKETS = 64 };

enum feed_error gw_feed_map_init(struct gw_feed_map *map, uint64_t seed)
{
    *map = (struct gw_feed_map){.bucket_count = FIRST_BUCKETS, .seed = seed};
    map->buckets = calloc(map->bucket_count, sizeof(struct gw_feed *));
    return map->buckets ? FEED_OK : FEED_E_MEMORY;
}

void gw_feed_map_fini(struct gw_feed_map *map)
{
    free(map->buckets);
    *map = (struct gw_feed_map){0};
}

static struct gw_feed **bucket(const struct gw_feed_map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

struct gw_feed *gw_feed_map_find(const struct gw_feed_map *map, struct feed_str key)
{
    uint64_t hash = XXH3_64bits_withSeed(key.data, key.len, map->seed);
    for (struct gw_feed *feed = *bucket(map, hash); feed; feed = feed->hash_next) {
        if (feed->hash == hash && feed_str_eq(gw_feed_key(feed), key))
            return feed;
    }
    return NULL;
}

static void put(struct gw_feed_map *map, struct gw_feed *feed)
{
    struct gw_feed **head = bucket(map, feed->hash);
    feed->hash_next = *head;
    *head = feed;
}

static void grow(struct gw_feed_map *map)
{
    struct gw_feed_map bigger = *map;
    bigger.bucket_count *= 2;
    bigger.buckets = calloc(bigger.bucket_count, sizeof(struct gw_feed *));
    if (!bigger.buckets)
        return;
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct gw_feed *feed = map->buckets[i], *next; feed; feed = next) {
            next = feed->hash_next;
            put(&bigger, feed);
        }
    }
    free(map->buckets);
    *map = bigger;
}

void gw_feed_map_add(struct gw_feed_map *map, struct gw_feed *feed)
{
    if (map->count >= map->bucket_count)
        grow(map);
    feed->hash = XXH3_64bits_withSeed(feed->key, feed->key_len, map->seed);
    put(map, feed);
    map->count++;
}

void gw_feed_map_remove(struct gw_feed_map *map, struct gw_feed *feed)
{
    struct gw_feed **at = bucket(map, feed->hash);
    while (*at != feed) {
        feed_assert(*at);
        at = &(*at)->hash_next;
    }
    *at = feed->hash_next;
    feed->hash_next = NULL;
    map->count--;
}
