/* Every length, count and depth that input from outside is compared with, in one place. schemas/limits.json
 * repeats the figures that callers must know; tests/unit/base compares the two. */
#ifndef FEED_BASE_LIMITS_H
#define FEED_BASE_LIMITS_H

enum {
    /* Names. They become parts of Redis keys and Kafka keys. */
    FEED_TENANT_MAX = 32,
    FEED_USER_MAX = 128,

    /* Parts of an activity, in bytes of UTF-8. */
    FEED_VERB_MAX = 32,
    FEED_TYPE_MAX = 32,
    FEED_OBJECT_ID_MAX = 256,
    FEED_ACTIVITY_ID_MAX = 128, /* as text; a UUID has 36 */
    FEED_SOURCE_MAX = 256,
    FEED_TO_MAX = 100,     /* recipients named by one activity */
    FEED_EXCLUDE_MAX = 32, /* verbs of one filter */
    FEED_DATA_MAX = 1024,  /* encoded as msgpack */
    FEED_DATA_DEPTH_MAX = 8,

    /* One activity as a Kafka record's value; above any that passes the limits above:
     * 100 recipients x 130 bytes + 1 KiB data + names. */
    FEED_RECORD_MAX = 32 * 1024,
    FEED_ENTRY_MAX = 2560, /* 16 id bytes + all fields at their longest */
    /* An entry with the users that it is addressed to: 3 bytes and up to 130 for each of them. */
    FEED_OUTBOX_ENTRY_MAX = FEED_ENTRY_MAX + 3 + FEED_TO_MAX * (2 + FEED_USER_MAX),
    FEED_NOTICE_MAX = FEED_OUTBOX_ENTRY_MAX + 64,

    /* Request bodies (ingest). */
    FEED_BODY_MAX = 1024 * 1024,
    FEED_BATCH_MAX = 1000, /* activities in one request */
    FEED_JSON_DEPTH_MAX = 32,
    FEED_IDEMPOTENCY_KEY_MAX = 128,

    /* Credentials. */
    FEED_TOKEN_MAX = 4096,
    FEED_SECRET_MIN = 32, /* bytes of an HS256 key (RFC 7518, 3.2) */
    FEED_SECRET_MAX = 1024,
    FEED_KEY_ID_MAX = 128,   /* `kid` of a JWK */
    FEED_JWKS_KEYS_MAX = 64, /* an issuer has two or three; more only makes reading slow */
    FEED_JWKS_BYTES_MAX = 256 * 1024,
    FEED_RSA_BITS_MIN = 2048, /* RFC 7518, 3.3 */
    FEED_RSA_BITS_MAX =
        4096, /* the work that a stranger can cause grows with it: 67 us for one signature, 21 us with 2048 */
    FEED_API_KEYS_MAX = 10000,
    FEED_API_KEYS_BYTES_MAX = 4 * 1024 * 1024,
    FEED_API_KEYS_LINE_MAX = 1024,

    /* WebSocket messages from clients. */
    FEED_CLIENT_MESSAGE_MAX = 8192,
    FEED_CLIENT_FEEDS_MAX = 8, /* feeds in one hello */

    /* Timelines. */
    FEED_CAP = 100,
    FEED_TRIM_SLACK = 20, /* trimmed when more than cap + slack */
    FEED_SLICE = 50,
    FEED_BACKFILL = 20,
    FEED_SOURCES_MAX = 1000,   /* outboxes of broadcast authors merged into one home feed, the newest follows first */
    FEED_VERB_RULES_MAX = 256, /* verbs that somebody ever left out of it */
    FEED_EPOCH_BYTES = 8,

    /* Pages of followers: 2^level at most. */
    FEED_PAGE_LEVEL_MAX = 14,
    FEED_PAGES_MAX = 1 << FEED_PAGE_LEVEL_MAX,
    FEED_PAGE_FOLLOWERS = 10000, /* a page with more is split */

    /* Redis keys: prefix, braces, tenant, slash, user, slash, page number. */
    FEED_KEY_MAX = 2 + 2 + FEED_TENANT_MAX + 1 + FEED_USER_MAX + 1 + 10 + 1,
    FEED_TOPIC_MAX = 249,                           /* Kafka's limit */
    FEED_PROGRESS_KEY_MAX = 2 + 2 + FEED_TOPIC_MAX, /* prefix, braces, topic */

    /* Records of the topic `graph`: tenant, kind, user, subject with slashes between; and the largest value, that of a
     * filter with FEED_VERB_RULES_MAX verbs of 32 bytes and two times each, with room for what later versions add. */
    FEED_RELATION_KEY_MAX = FEED_TENANT_MAX + 1 + FEED_VERB_MAX + 1 + FEED_USER_MAX + 1 + FEED_USER_MAX,
    FEED_RELATION_VALUE_MAX = 16 * 1024,
    FEED_RELATION_EDGE_MAX = 1024, /* of an edge, which has three numbers */

    /* Records of the topic `feed.commands`: tenant and user with a slash between; room for what later versions add. */
    FEED_COMMAND_KEY_MAX = FEED_TENANT_MAX + 1 + FEED_USER_MAX,
    FEED_COMMAND_VALUE_MAX = 1024
};

/* Published times: 1 ms after the epoch of Unix .. end of year 9999, so that a score is > 0 and RFC 3339 can write it.
 */
#define FEED_TIME_MIN_MS INT64_C(1)
#define FEED_TIME_MAX_MS INT64_C(253402300799999)

#endif
