/* The inside of the service, shared by its files: service.c (start to end), redis_port.c, kafka_port.c,
 * life_port.c and witness_port.c (whether Redis still has what was written), graph_port.c (the topic graph),
 * commands_port.c (the topic of commands), purges_port.c (who was erased),
 * purge_port.c (erasing). */
#ifndef FANOUT_SERVICE_STATE_H
#define FANOUT_SERVICE_STATE_H

#include "fanout/budget.h"
#include "fanout/engine.h"
#include "fanout/life.h"
#include "fanout/link.h"
#include "fanout/marks.h"
#include "fanout/metrics.h"
#include "fanout/note.h"
#include "fanout/options.h"
#include "fanout/partitions.h"
#include "fanout/progress.h"
#include "fanout/replay.h"
#include "fanout/starts.h"
#include "shared/http/admin.h"
#include "shared/kafka/consumer.h"
#include "shared/loop/loop.h"
#include "shared/observe/health.h"
#include "shared/observe/log.h"
#include "shared/observe/metrics.h"
#include "shared/redis/client.h"
#include "shared/tenant/tiers_file.h"

struct fan_graph_load;
struct fan_purge_port;
struct fan_purges_port;

/* Whether the topic graph keeps what it must. */
enum fan_graph_topic { FAN_GRAPH_TOPIC_UNKNOWN, FAN_GRAPH_TOPIC_GOOD, FAN_GRAPH_TOPIC_BAD };

struct fan_service {
    const struct fan_options *options;
    struct feed_log *log;
    struct feed_loop *loop;
    struct fan_engine *engine;

    struct feed_redis *redis;
    struct fan_link links[FEED_SHARDS_MAX]; /* by shard; of those that are not there, DOWN */
    struct fan_budget budgets[FEED_SHARDS_MAX];
    uint64_t connects;     /* attempts to connect to Redis */
    unsigned shards_ready; /* links that are READY */
    int64_t ready_ms;      /* when the first one was; 0: none yet */
    struct fan_witness witness;
    bool witness_asked[FEED_SHARDS_MAX]; /* a question is under way */
    struct fan_mark marks[FEED_SHARDS_MAX];
    bool marks_unchosen;      /* which slots have the marks is to be found out */
    uint64_t checks;          /* of life, marks and replication, that have begun */
    uint64_t alive_check;     /* the newest that found the life unchanged */
    uint64_t round_check;     /* with which the witness' round began */
    uint64_t whole_check;     /* the one whose result the engine waits for; 0: none */
    struct fan_value *values; /* owned; the items of the answer that is being handed over */
    size_t values_capacity;

    struct fan_life life;
    struct fan_starts starts;
    char life_begun[FAN_LIFE_TEXT + 1];   /* the life in which the engine's partitions are read; "" none yet */
    char loader_token[FAN_LIFE_TEXT + 1]; /* ours, for the lease */
    struct fan_graph_load *load;          /* the graph is being loaded; else NULL */
    struct fan_purges_port *purges;
    struct fan_purge_port *purge;
    bool purges_known;        /* who was erased */
    int64_t ask_at_ms;        /* when committed positions may be asked for again */
    int64_t rewind_at_ms;     /* when partitions may be rewound again */
    unsigned rewind_failures; /* in a row */
    uint64_t edges_loaded, recoveries, rewinds, replays;

    struct feed_kafka_consumer *consumer;
    struct feed_kafka_producer *producer;
    size_t partitions;
    struct feed_kafka_consumer *commands; /* of the topic of commands; its partitions count from FAN_COMMANDS_BASE */
    size_t command_partitions;
    bool engine_consumes; /* whether the engine wants records */

    struct feed_health health;
    unsigned redis_condition, kafka_condition, graph_condition, graph_topic_condition;
    enum fan_graph_topic graph_topic;
    struct feed_kafka_topic_question *graph_topic_question; /* NULL: none is under way */
    bool graph_topic_noted;                                 /* that nobody tells */
    int64_t graph_topic_at_ms;                              /* when it may be asked for next */
    struct feed_metrics *metrics;
    struct feed_tiers_file *tiers;
    struct fan_counts reported; /* what the counters in metrics have got already */
    struct feed_admin admin;
    struct feed_server *server;

    struct feed_timer *tick_timer, *commit_timer, *log_timer, *progress_timer, *tiers_timer;
    uint64_t progress_done;
    int64_t progress_ms, started_ms;
    bool stopping;
    int64_t stop_deadline_ms;
};

/* redis_port.c. problem: static text. */
enum feed_error fan_redis_port_open(struct fan_service *service, const char **problem) FEED_MUST_USE;
void fan_redis_port_tick(struct fan_service *service);
/* What a reply says, for the core; valid as long as the reply, until the next call. */
struct fan_answer fan_redis_port_answer(struct fan_service *service, enum feed_error error,
                                        const struct feed_reply *reply);
enum fan_sent fan_redis_port_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_seat *seat,
                                  bool again);
/* Whether the shard that owns the command's key can be worked with. */
bool fan_redis_port_ready(const struct fan_service *service, const struct feed_str *argv, size_t argc);
bool fan_redis_port_halted(void *arg, enum fan_trouble trouble, struct feed_str text);
/* The same for a shard that was ready, whatever it has answered. */
void fan_redis_port_halt(struct fan_service *service, int shard, enum fan_trouble trouble, struct feed_str text);
/* The shard has said what its replication id is, which the witness knows now; or not, for this reason. */
void fan_redis_port_introduced(struct fan_service *service, int shard, bool good, const char *reason);
/* Health and the log name shards as host:port; the single server is the one of the options. */
void fan_redis_port_name(const struct fan_service *service, int shard, char *out, size_t size);

/* witness_port.c: replication. */
/* Asks a shard that has just been connected to; fan_redis_port_introduced comes later. False: it cannot be asked now.
 */
bool fan_witness_port_introduce(struct fan_service *service, int shard);
/* Every shard that has slots has been introduced, or has had its time for it. */
bool fan_witness_port_settled(const struct fan_service *service);
/* A check begins: all shards are asked. */
void fan_witness_port_ask(struct fan_service *service);
/* The life is unchanged since the last call of fan_witness_port_ask. */
void fan_witness_port_alive(struct fan_service *service);
/* Confirms what has been answered by all. */
void fan_witness_port_settle(struct fan_service *service);
/* From where a partition is read, by what was committed; tells the engine as well. */
int64_t fan_witness_port_start(struct fan_service *service, const struct feed_kafka_committed *row);
/* The ids of all shards, with commas between. */
void fan_witness_port_seen(const struct fan_service *service, char out[FAN_NOTE_MAX + 1]);

/* life_port.c */
void fan_life_port_open(struct fan_service *service);
/* Redis, or one more shard of it, can be worked with; nothing of it can any more. */
void fan_life_port_up(struct fan_service *service, int shard);
void fan_life_port_gone(struct fan_service *service);
void fan_life_port_tick(struct fan_service *service);
/* The load of the graph has ended. */
void fan_life_port_loaded(struct fan_service *service, bool good);
/* Redis has refused a command of ours. */
void fan_life_port_refused(struct fan_service *service, struct feed_str text);
/* Sees to partitions of which it is not settled from where they are read. */
void fan_life_port_settle(struct fan_service *service);
void fan_life_port_asked(void *arg, enum feed_error error, const char *reason, const struct feed_kafka_committed *rows,
                         size_t count);
/* Nothing is finished that a check has not confirmed, or no check can. */
bool fan_life_port_quiet(const struct fan_service *service);

/* marks_port.c: whether each shard still holds what was written into it. */
void fan_marks_port_open(struct fan_service *service);
void fan_marks_port_ask(struct fan_service *service);
/* Another life has begun. */
void fan_marks_port_forget(struct fan_service *service);
/* All do, as of that check. */
bool fan_marks_port_good(const struct fan_service *service, uint64_t check);

/* graph_port.c */
enum feed_error fan_graph_port_relate(void *arg, struct fan_job *job);
/* Gives up what is under way, and begins anew; fan_life_port_loaded comes later, unless it is given up. */
void fan_graph_port_load(struct fan_service *service);
void fan_graph_port_give_up(struct fan_service *service);
void fan_graph_port_tick(struct fan_service *service);
/* What has been loaded so far, for log and health. */
uint64_t fan_graph_port_loaded_records(const struct fan_service *service);

/* graph_topic_port.c: whether the topic is compacted. */
void fan_graph_topic_port_open(struct fan_service *service);
void fan_graph_topic_port_tick(struct fan_service *service);
void fan_graph_topic_port_close(struct fan_service *service);

/* commands_port.c. problem: as for fan_kafka_port_open. */
enum feed_error fan_commands_port_open(struct fan_service *service, const struct feed_kafka_consumer_settings *like,
                                       char *problem, size_t problem_size) FEED_MUST_USE;

/* kafka_port.c */
/* Gives the record to the engine, as one of that partition. */
void fan_kafka_port_message(struct fan_service *service, int32_t partition, const struct feed_kafka_message *message);
/* Hands out records, or not, by what the engine wants and what is settled. */
void fan_kafka_port_gate(struct fan_service *service);
enum feed_error fan_kafka_port_open(struct fan_service *service, char *problem, size_t problem_size) FEED_MUST_USE;
enum feed_error fan_kafka_port_post(void *arg, const struct fan_letter *letter, const struct fan_record *record);
void fan_kafka_port_consume(void *arg, bool on);
/* Commits what is finished; wait: before it returns. */
void fan_kafka_port_commit(struct fan_service *service, bool wait);
uint64_t fan_kafka_port_lag(const struct fan_service *service);

/* progress_port.c: says to everybody how far the partitions are. Every second, and when a replay begins, however short
 * it will be. */
void fan_progress_port_publish(struct fan_service *service);
/* How long ago Kafka got the newest record of which, and of everything before it, the feeds have all: of the partition
 * that is furthest behind, in seconds. 0 where nothing waits. */
double fan_progress_port_lag_s(const struct fan_service *service);

#endif
