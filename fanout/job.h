/* Job: one record on its way through fan-out. What a job does is a row of steps; job.c drives a step, steps.c says what
 * the steps are.
 *
 *                        an activity            a follow                    an unfollow      a bad record
 *                             |                     |                            |                |
 *                             |                  FOLLOW --(edge ended later)--.  UNFOLLOW     BAD_RECORD
 *                             |                     |                         |         |         |
 *                             |               FOLLOWEE_ADD                    |         |         |
 *                             |                     |                         |         |         |
 *                             |               BACKFILL_READ                   |  FOLLOWEE_REMOVE  |
 *                             |                     |                         |       |           |
 *                             |               BACKFILL_WRITE                  |       |           |
 *                             |                     |                         |       |           |
 *                             '----> OUTBOX <-------+-------------------------'       |           |
 *                                      |      \                                       |           |
 *                                    NOTIFY    (it was undone)                        |           |
 *                                      |                \                             |           |
 *                                  FOLLOWERS <---.       |                            |           |
 *                                      |         | (a full page: there may be more)   |           |
 *                                     HOME ------'       |                            |           |
 *                                      |                 |                            |           |
 *                                      |---(a follow)----|---> GRAPH <----------------'           |
 *                                      |                 |       |                                |
 *                                      '-----------------+-----> DONE <---------------------------'
 *
 *   an unfollow that is older than the newest follow: from FOLLOWEE_REMOVE on to FOLLOWEE_ADD, for the edge of that
 *                     follow, and after the backfill to GRAPH
 *   a mute, unmute:   SETTLE_OWN - GRAPH_SETTINGS - DONE; an end of a mute has BACKFILL_READ before, for what was
 *                     missed since
 *   a block, unblock: SETTLE_OWN - SETTLE_OTHER - SEVER_OTHER - SEVER_OWN - GRAPH_OTHER - GRAPH_SETTINGS - GRAPH -
 *                     DONE; an unblock has SETTLE_OWN - SETTLE_OTHER - GRAPH_SETTINGS - DONE
 *   a filter:         FILTER - GRAPH_FILTER - DONE
 *   an unfollow:      has GRAPH_SETTINGS before GRAPH where something of the followee is or was kept
 *   an import:        IMPORT - FOLLOWEE_ADD - IMPORT_AUTHOR - DONE, with SOURCE when the followed is a broadcast
 *                     author; the last one of its follower goes on to IMPORT_FILL, and to the brackets of a wake if
 *                     there is a feed to fill
 *   a wake:           WAKE_MAKE - (WAKE_SOURCES - WAKE_READ - WAKE_WRITE) for some sources at a time - WAKE_READY -
 *                     DONE; a rebuild has only what is in brackets
 *   a purge:          PURGE - DONE; the port does it (purge_port.c)
 *   an unfollow that keeps what came: UNFOLLOW - KEEP_SINCE - BACKFILL_READ - BACKFILL_WRITE - FOLLOWEE_REMOVE, when
 * the followee is a broadcast author, of whom there are no copies to keep an undo: UNDO_FIND - UNDO_NOTIFY -
 * UNDO_OUTBOX - UNDO_FOLLOWERS - UNDO_HOME - UNDO_ENDED - UNDO_KEPT - DONE, with pages of followers, and then of ended
 * edges, as above
 *
 * The order between two jobs that run at the same time, in this process or in another, rests on one rule: each side
 * writes first and reads then. An activity stands in the author's outbox before the followers are read; an edge
 * stands in the graph before the outbox is read. Whatever the interleaving, one of the two sees the other. An undo
 * keeps to it: its mark stands in the outbox before the followers are read, and a backfill carries marks like entries.
 * And an unfollow writes no entry anywhere: to leave is a private act.
 *
 * Of a broadcast author nothing is copied to followers: OUTBOX or UNDO_OUTBOX says so, and the steps behind it that
 * walk them are left out; a follow goes from BACKFILL_READ to SOURCE. When a record has moved an author over the
 * threshold, its job carries out the crossing, last of all (steps_broadcast.c):
 *
 *   .. - CROSS_COUNT - CROSS --(nothing to do)--> DONE
 *           ^             |
 *           |             |--(up)-----------------> CROSS_FOLLOWERS - CROSS_MERGE - .. - CROSS_END --.
 *           |             '--(down)- CROSS_OUTBOX - CROSS_FOLLOWERS - CROSS_COPY --- .. - CROSS_END --|
 *           '-----------------------------------------------------------------------------------------'
 *
 * Within a step, commands are sent up to a window, and are answered in any order, because they go to several shards of
 * Redis. The step is done in passes: what was not answered when a connection broke, was refused for a passing reason,
 * or belongs to a shard that is away, is sent in the next pass, and nothing else: every command may be repeated. */
#ifndef FANOUT_JOB_H
#define FANOUT_JOB_H

#include "fanout/answer.h"
#include "fanout/lanes.h"
#include "fanout/letter.h"
#include "fanout/page.h"
#include "fanout/place.h"
#include "fanout/purges.h"
#include "fanout/record.h"
#include "fanout/split.h"
#include "fanout/todo.h"
#include "fanout/trouble.h"
#include "fanout/walk.h"
#include "shared/model/command.h"
#include "shared/model/keys.h"
#include "shared/model/relation.h"

struct fan_engine;
struct fan_partition;
struct fan_port;

enum fan_step {
    FAN_STEP_FOLLOW,          /* the edge into g:; how it stands, and since when */
    FAN_STEP_FOLLOWEE_ADD,    /* the same edge into h:, in the slot of the follower's feed */
    FAN_STEP_BACKFILL_READ,   /* the followee's outbox -> page */
    FAN_STEP_BACKFILL_WRITE,  /* page -> the follower's home feed */
    FAN_STEP_UNFOLLOW,        /* the edge out of g: */
    FAN_STEP_FOLLOWEE_REMOVE, /* and out of h:; from here on nothing of the followee gets into the home feed */
    FAN_STEP_FOLLOW_REFUSED,  /* one of the two has blocked the other: the edge out of g: again */
    FAN_STEP_OUTBOX,
    FAN_STEP_NOTIFY,          /* the notifications of those whom it concerns, and the actor's own home feed */
    FAN_STEP_FOLLOWERS,       /* the next page of followers -> page */
    FAN_STEP_HOME,            /* page -> the followers' home feeds */
    FAN_STEP_UNDO_FIND,       /* what the outbox knows of the activity that is to be removed */
    FAN_STEP_UNDO_NOTIFY,     /* out of the notifications of those who got it */
    FAN_STEP_UNDO_OUTBOX,     /* out of the outbox: from here on nobody gets it any more */
    FAN_STEP_UNDO_FOLLOWERS,  /* the next page of followers -> page */
    FAN_STEP_UNDO_HOME,       /* out of the home feeds of the page */
    FAN_STEP_UNDO_ENDED,      /* the next page of those who once followed -> page */
    FAN_STEP_UNDO_KEPT,       /* out of theirs, where it was kept */
    FAN_STEP_SETTLE_OWN,      /* mute, block and their ends: in the slot of whose act it is */
    FAN_STEP_SETTLE_OTHER,    /* a block, too in that of the other */
    FAN_STEP_SEVER_OTHER,     /* no edge to the other any more, */
    FAN_STEP_SEVER_OWN,       /* nor back */
    FAN_STEP_FILTER,          /* verbs that are left out */
    FAN_STEP_SPLIT,           /* the page that the edge came into has grown too large; a command at a time */
    FAN_STEP_GRAPH_OTHER,     /* after a block, when the edge from the other was ended last, */
    FAN_STEP_GRAPH_SETTINGS,  /* and what was settled about the other, and kept, as it stands now -> the topic graph */
    FAN_STEP_GRAPH_FILTER,    /* the verbs that are left out now -> the topic graph */
    FAN_STEP_GRAPH,           /* how the edge stands now -> the topic graph */
    FAN_STEP_KEEP_SINCE,      /* since when a broadcast author is followed who is left now */
    FAN_STEP_SOURCE,          /* a broadcast author into b: of the follower; one who was, out of it */
    FAN_STEP_CROSS_COUNT,     /* how many follow the author */
    FAN_STEP_CROSS,           /* whether it is time for a crossing, and whether it is for us to carry it out */
    FAN_STEP_CROSS_OUTBOX,    /* the author's outbox, for all followers */
    FAN_STEP_CROSS_FOLLOWERS, /* the next page of followers -> page */
    FAN_STEP_CROSS_MERGE,     /* up: the author into b: of the page's followers */
    FAN_STEP_CROSS_COPY,      /* down: the outbox into their home feeds, the author out of their b: */
    FAN_STEP_CROSS_END,       /* all followers have it */
    FAN_STEP_WAKE_MAKE,       /* the home feed, as one that is being built */
    FAN_STEP_WAKE_SOURCES,    /* the next of those whose activities belong into it -> sources */
    FAN_STEP_WAKE_READ,       /* their outboxes -> page */
    FAN_STEP_WAKE_WRITE,      /* page -> the home feed */
    FAN_STEP_WAKE_READY,      /* from here on it is there for readers */
    FAN_STEP_IMPORT,          /* the edge of an import into g:, and how it stands now */
    FAN_STEP_IMPORT_AUTHOR,   /* whether the followed is a broadcast author */
    FAN_STEP_IMPORT_FILL,     /* whether the follower has a home feed that is to be filled */
    FAN_STEP_PURGE,           /* the port erases the user */
    FAN_STEP_BAD_RECORD,
    FAN_STEP_DONE,
    FAN_STEP_COUNT
};

/* Where a job stands: always in the engine's queue of that name. */
enum fan_job_place {
    FAN_JOB_LANES,   /* waits for records before it */
    FAN_JOB_LOOK,    /* something has changed for it: to be looked at in this turn */
    FAN_JOB_RUN,     /* has something to send */
    FAN_JOB_PAGES,   /* waits for a free page */
    FAN_JOB_ANSWERS, /* waits for answers, or for what went to Kafka to be acknowledged */
    FAN_JOB_DELAYED, /* a command failed; again at retry_at_ms */
    FAN_JOB_SHARDS,  /* all that is left belongs to shards that are away */
    FAN_JOB_PLACES
};

enum {
    FAN_RECIPIENTS_MAX = FEED_TO_MAX + 2, /* to, object.owner, the followed */
    FAN_FOLLOWERS_PAGE = 500,             /* read at a time */
    /* Commands of one job under way at a time, and before the next one gets its turn: enough to keep Redis at work, and
     * no more, because each step of every other job waits behind them (docs/performance-fanout.md). */
    FAN_TURN_COMMANDS = 100,
    FAN_BACKFILL_CHUNK = 40, /* entries in one call: a quarter of a millisecond of Redis' time */
    FAN_FILL_CHUNK = 16,     /* entries in one call of a wake, which has five arguments for each */
    FAN_SOURCES_MAX = 32,    /* outboxes that a wake reads at a time */
    FAN_CALL_ARGS_MAX = 20 + 4 * FAN_SPLIT_PART
};

/* How an author stands who is, becomes or ceases to be a broadcast one: the words of a:. */
enum fan_broadcast { FAN_BROADCAST_NOT, FAN_BROADCAST_UP, FAN_BROADCAST_ON, FAN_BROADCAST_DOWN };

/* What a job knows and does about a broadcast author: the actor of an activity, the followee of a follow or unfollow.
 */
struct fan_crossing {
    enum fan_broadcast state;
    bool known;                  /* the state was read */
    int64_t number;              /* of the author's last crossing; 0: there was none */
    uint64_t above, below;       /* the thresholds: more followers than this, fewer than that */
    uint64_t followers;          /* as they were counted last; 0: not known */
    struct feed_id cause;        /* of the crossing: this record */
    bool uncounted;              /* nobody could say */
    bool ours, walked, complete; /* it is for us to carry out; the outbox was read; all followers have it */
    size_t parts_read;           /* of the pages of followers that are read at once */
    struct feed_buf outbox;      /* down: its times and members, packed */
};

/* A command's place in its job: what travels through the client libraries and comes back with the answer. */
struct fan_seat {
    uint16_t number; /* of the command in its step */
};

struct fan_job {
    uint32_t tag; /* its seats travel as void * through the client libraries */
    enum fan_job_place place;
    struct fan_engine *engine;
    struct fan_job *before, *after; /* in the queue of its place */
    struct fan_lane_ticket lane;
    bool in_lanes;             /* all but bad records */
    uint32_t share, share_max; /* of its tenant; and how many commands may be under way for that */

    struct fan_partition *partition; /* NULL: it was revoked meanwhile; nothing more is sent, nothing committed */
    unsigned partition_life;         /* of the partition's log, when the record came */
    uint64_t ticket;                 /* in the partition's offsets */
    struct fan_record record;
    struct feed_buf record_memory;
    size_t bytes; /* what it holds, as counted by the engine */

    struct feed_activity activity; /* of a command: only tenant and actor, the user */
    enum feed_act act;
    bool is_command;            /* of the topic of commands */
    bool applies;               /* and an activity that is worked off once more */
    bool forgotten;             /* it names somebody who was purged since */
    bool purging;               /* the port is at it */
    int64_t purge_until_ms;     /* of a purge */
    struct fan_job *purge_next; /* for the port, while it is at it */
    uint64_t knows;             /* which version of the purges it was looked at with; 0: a purge itself */
    enum feed_command_kind command;
    struct fan_page *sources;            /* of a wake or rebuild, owned: (author, since, till) thrice as many texts */
    char source_name[FEED_USER_MAX + 1]; /* the last source; "" before the first ones */
    char source_since[24], source_till[24];
    bool more_sources; /* there may be some behind it */
    bool kept_again;   /* what was kept is being read for the second time */
    bool asleep;       /* the feed was not there */
    struct feed_buf entry;
    struct feed_buf outbox_entry; /* the copy for the outbox, when it differs; of an undo: what the outbox has */
    char published_text[24];
    bool own;                                       /* it goes into the actor's own home feed as well */
    bool own_marked;                                /* an undo: and leaves a mark there */
    struct feed_str recipients[FAN_RECIPIENTS_MAX]; /* borrowed from activity; of an undo also from outbox_entry */
    size_t recipient_count;

    enum fan_step step;
    size_t count;                    /* commands of this step */
    struct fan_todo todo;            /* those that are not done */
    struct fan_todo fresh;           /* those that were never sent */
    size_t next;                     /* the first that this pass has not looked at; count: it is through */
    size_t under_way;                /* commands without an answer */
    bool away;                       /* in this pass, one belonged to a shard that was away.. */
    unsigned away_since;             /* ..when the port's `readies` was this */
    uint8_t epoch[FEED_EPOCH_BYTES]; /* candidate for timelines that this step makes */
    struct fan_page *page;

    int64_t edge_state, edge_time_ms, ended_ms; /* of the edge in hand, and of the end before it; 0: never */
    int64_t edge_latest_ms;                     /* of an import: the newest follow, if it is not that edge; 0: it is */
    struct fan_place edge_place;                /* of the edge in hand, */
    struct fan_split split;                     /* and of its page; */
    bool split_answered;                        /* its last command was */
    struct fan_walk walk;                       /* through the pages of followers, or of ended edges */
    size_t answering;                           /* the command whose answer is being taken */
    uint64_t walked;                            /* followers in all pages */

    int64_t relation_since_ms, relation_ended_ms,
        relation_latest_ms;        /* GRAPH: the edge as it stands in Redis; 0: not */
    struct feed_buf relation_text; /* GRAPH_SETTINGS, GRAPH_FILTER: both texts, */
    size_t relation_text_len;      /* and where the first one ends */
    int64_t other_ended_ms;        /* GRAPH_OTHER */
    bool relation_due;             /* it was read, and is to be sent to Kafka, */
    uint64_t relation_check;       /* after a check that began later than this one */
    struct fan_job *relation_next; /* the one that was read after it */
    bool relation_sent;            /* and is not acknowledged yet */

    struct feed_id undone; /* of an undo: what is to be removed, */
    char undone_text[24];  /* when it was published; "": nobody knows, so no mark can be left where it is not, */
    bool undone_certain;   /* and whether it stands at that time and nowhere else, so that nobody need search */

    bool renewed;                 /* of an unfollow: the edge is one of a younger follow; */
    bool left;                    /* and the follower's side had still the one before */
    bool kept;                    /* something of the followee is or was kept */
    enum fan_broadcast own_state; /* of the actor, when the outbox was written, */
    int64_t on_since_ms;          /* and since when it is ON */
    struct fan_crossing crossing;

    bool sleeps;        /* home feeds that nobody reads do */
    bool fills;         /* an import that is the last of its follower */
    bool fills_alone;   /* and whose edge is not made */
    bool related;       /* an import: the topic graph gets what IMPORT said, and need not be read again */
    bool backfill_only; /* no more to do after a backfill: it was for the end of a mute */
    bool removed;       /* the outbox has a mark: it was undone before this came */
    bool repeat;        /* the outbox had the activity already */
    bool redone;        /* something of this job was sent twice */
    bool begun;         /* the commands of this step have been counted */
    unsigned letters;   /* dead letters not yet acknowledged */
    unsigned dead;      /* dead letters in all */
    const char *bad_reason;
    struct feed_activity_problem problem;

    unsigned attempts;        /* times that commands were sent again because one failed */
    int64_t failing_since_ms; /* in this step; 0: not failing */
    int64_t retry_at_ms;      /* the next pass does not begin before */

    struct fan_seat seats[FAN_TODO_MAX]; /* made once; the last member, so that a job is emptied without them */
};

/* One Redis command under construction. */
struct fan_call {
    struct feed_str argv[FAN_CALL_ARGS_MAX];
    size_t argc;
    struct feed_key keys[5];
    size_t key_count;
    char numbers[6][24];
    size_t number_count;
};

/* What the steps must know from outside. */
struct fan_step_texts {
    char cap[12], slack[12], backfill[12], page_followers[12], sources[12];
    char ttl[24]; /* of a home feed that nobody reads, in ms; "0": feeds do not sleep, and the first write makes them */
    bool sleeps;
};

struct fan_writes {
    uint64_t added, present, beyond_cap, removed, left_out, asleep;
    uint64_t crossed_up, crossed_down; /* authors, over the threshold of broadcasting and back */
};

/* ---- the table of steps (steps.c) ---- */

const char *fan_step_name(enum fan_step step);
/* How many commands this step has, now that the one before is through; at most FAN_TODO_MAX. */
size_t fan_step_commands(const struct fan_job *job);
bool fan_step_needs_page(enum fan_step step);
/* The crossing of an author; it takes long, and nothing else need wait for it. */
bool fan_step_crosses(enum fan_step step);
/* Commands of the step that may be on the way at once. */
size_t fan_step_window(enum fan_step step);
/* Builds command i; views borrowed from job, texts and call. */
void fan_step_build(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call);
/* Takes an answer that is not an error; adds to writes. False: it is not an answer to this command (another library
 * under our name, or a key that somebody else wrote). */
bool fan_step_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);
/* The step after this one; may reset the page. */
enum fan_step fan_step_next(struct fan_job *job);

/* ---- beginnings (job_begin.c) ---- */

/* Reads the record (copied into the job before) and prepares the first step. home_own: whether what somebody does
 * belongs into their own home feed. Of a purged user nothing is left to do. */
void fan_job_prepare(struct fan_job *job, bool home_own, const struct fan_purges *purges);
/* The same for a record of the topic of commands. */
void fan_job_prepare_command(struct fan_job *job, bool home_own, const struct fan_purges *purges);
/* One recipient more, unless it is among them. */
void fan_job_add_recipient(struct fan_job *job, struct feed_str user);

/* ---- the driver (job.c) ---- */

/* How long a command that fails for no known reason is tried again before its recipient gets a dead letter; the spans
 * of time of which a random part passes before each try, and before a command that was held back is looked at again. */
enum { FAN_FAILING_MS = 5000, FAN_RETRY_FIRST_MS = 100, FAN_RETRY_MAX_MS = 1600, FAN_HELD_MS = 1000 };

/* What a job can do next. */
enum fan_job_next {
    FAN_JOB_CAN_SEND,
    FAN_JOB_WAITS, /* for answers, or for letters or its relation to be acknowledged */
    FAN_JOB_WANTS_PAGE,
    FAN_JOB_WANTS_DELAY, /* until retry_at_ms */
    FAN_JOB_WANTS_SHARD, /* until one becomes ready */
    FAN_JOB_FINISHED
};

/* What an answer means for others than its job. */
struct fan_effects {
    struct fan_writes writes;
    bool lost;    /* the connection broke before the answer */
    bool refused; /* by Redis, with `text`, for the reason `trouble` */
    enum fan_trouble trouble;
    struct feed_str text;
    struct fan_letter *letter; /* given to the caller, who posts it; NULL: none */
};

/* The letter of a bad record; given to the caller. */
struct fan_letter *fan_job_bad_letter(struct fan_job *job);
/* Goes on to the next step where the present one is through, and says what can be done now. */
enum fan_job_next fan_job_advance(struct fan_job *job, const struct fan_port *port, int64_t now_ms);
/* Sends up to budget commands of the present step; *refused when the port takes no more. Returns how many were sent. */
size_t fan_job_send(struct fan_job *job, const struct fan_port *port, size_t budget, int64_t now_ms, bool *refused);
/* Kafka has not taken the relation: it is read and sent again at retry_at_ms. Read again, because what was read may
 * have been overtaken by a younger state, and the topic keeps what came last. */
void fan_job_relate_again(struct fan_job *job, int64_t retry_at_ms);
/* The relation of a follow or unfollow, for Kafka; borrowed from the job. */
struct feed_relation fan_job_relation(const struct fan_job *job);
/* Takes the answer to command i of the present step. */
void fan_job_take(struct fan_job *job, const struct fan_port *port, size_t i, const struct fan_answer *answer,
                  int64_t now_ms, struct fan_effects *effects);
/* The job in which this is a seat. */
struct fan_job *fan_job_of(struct fan_seat *seat);

#endif
