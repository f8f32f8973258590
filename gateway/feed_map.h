/* Finds feeds by the key of their timeline. */
#ifndef GW_FEED_MAP_H
#define GW_FEED_MAP_H

#include "gateway/feed.h"

struct gw_feed_map {
    struct gw_feed **buckets; /* chains by hash_next; a power of two of them */
    size_t bucket_count, count;
    uint64_t seed; /* random, so that nobody can choose keys that fall into one chain */
};

enum feed_error gw_feed_map_init(struct gw_feed_map *map, uint64_t seed) FEED_MUST_USE;
void gw_feed_map_fini(struct gw_feed_map *map); /* the feeds are not its own */
struct gw_feed *gw_feed_map_find(const struct gw_feed_map *map, struct feed_str key);
/* The key is not there yet. */
void gw_feed_map_add(struct gw_feed_map *map, struct gw_feed *feed);
void gw_feed_map_remove(struct gw_feed_map *map, struct gw_feed *feed);

#endif
