/* Relation: what one user has decided, as it stands now: an edge of the follow graph, mutes and blocks of somebody
 * else, verbs that are left out. It is a record of the compacted topic `graph`, where it outlives the activities that
 * made it. The key names it (`tenant/kind/user/subject`); the value is a msgpack array. See schemas/kafka.md. */
#ifndef FEED_MODEL_RELATION_H
#define FEED_MODEL_RELATION_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum feed_relation_kind {
    FEED_RELATION_FOLLOW,   /* "follow": user follows subject */
    FEED_RELATION_PURGE,    /* "purge": user, a name of model/purged.h, was erased at since_ms; subject is "-" */
    FEED_RELATION_SETTINGS, /* "settings": what user has settled about subject */
    FEED_RELATION_FILTER,   /* "filter": verbs that user leaves out of the home feed; the subject is the user again */
    FEED_RELATION_KINDS
};

struct feed_relation {
    enum feed_relation_kind kind;
    struct feed_str tenant, user, subject; /* borrowed; valid names */
    /* Of an edge, and a purge: */
    int64_t since_ms;  /* since when it holds; 0: it does not */
    int64_t latest_ms; /* the newest follow, where it is younger than since_ms; 0: none */
    int64_t ended_ms;  /* when it was ended last; 0: never. Below since_ms when it holds again. Of settings: when the
                          edge from subject to user was ended last, where the settings say so */
    /* Of the others, borrowed, as the functions of Redis give and take them. Settings: registers, spans that were kept;
     * a filter: time of the list, verbs with their times. */
    struct feed_str texts[2];
    int64_t newest_ms; /* the newest time in them */
    bool blocks;       /* of settings: there is a block in them, or was one */
};

/* Appends the key, and the value. The names are valid and the times within the limits of base/limits.h or 0 (asserted).
 */
void feed_relation_key(const struct feed_relation *relation, struct feed_buf *out);
void feed_relation_value(const struct feed_relation *relation, struct feed_buf *out);

/* The newest of all times in it. */
int64_t feed_relation_newest_ms(const struct feed_relation *relation);

/* Reads a record; the views point into key and value. FEED_E_MISSING: the value is absent (data NULL), somebody deleted
 * the relation. FEED_E_UNSUPPORTED: a kind that this code does not know. FEED_E_INVALID for anything else that is no
 * relation. */
enum feed_error feed_relation_read(struct feed_str key, struct feed_str value, struct feed_relation *out) FEED_MUST_USE;

#endif
