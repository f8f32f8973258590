/* The rows of the table of steps, for the files that fill it: steps_timeline.c (entries), steps_graph.c (edges),
 * steps_import.c (edges of an import), steps_undo.c (removals), steps_settings.c (mutes, blocks, filters),
 * steps_relation.c (edges to Kafka). */
#ifndef FANOUT_STEPS_H
#define FANOUT_STEPS_H

#include "fanout/job.h"

struct fan_step_row {
    const char *name;
    size_t window; /* commands that may be under way at once */
    bool needs_page;
    size_t (*commands)(const struct fan_job *job); /* NULL: one */
    void (*build)(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call);
    bool (*take)(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);
    enum fan_step then;                         /* the step after this one, */
    enum fan_step (*next)(struct fan_job *job); /* unless this is set and says another */
};

extern const struct fan_step_row fan_row_outbox, fan_row_notify, fan_row_followers, fan_row_home, fan_row_backfill_read,
    fan_row_backfill_write;
extern const struct fan_step_row fan_row_follow, fan_row_followee_add, fan_row_follow_refused, fan_row_unfollow,
    fan_row_followee_remove;

extern const struct fan_step_row fan_row_undo_find, fan_row_undo_notify, fan_row_undo_outbox, fan_row_undo_followers,
    fan_row_undo_home, fan_row_undo_ended, fan_row_undo_kept;
extern const struct fan_step_row fan_row_settle_own, fan_row_settle_other, fan_row_sever_other, fan_row_sever_own,
    fan_row_filter;

/* Steps that are alike. The next part of the open pages of a set of the graph, by feedwire_v1_followers, those whose
 * score is not above `time`: */
size_t fan_users_reads(const struct fan_job *job); /* a command for each open page */
void fan_users_build(const struct fan_job *job, struct feed_str author, struct feed_key key, const char *time, size_t i,
                     struct fan_call *call);
bool fan_users_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);
/* and a command for each of them, and for each recipient. */
size_t fan_users_commands(const struct fan_job *job);
size_t fan_recipients_commands(const struct fan_job *job);
/* The timeline of command i of those: the last one may be the actor's own home feed. */
enum feed_timeline fan_recipient_timeline(const struct fan_job *job, size_t i);
struct feed_str fan_recipient(const struct fan_job *job, size_t i);
/* Times and members of an outbox, as a list answers them, into the page as home feeds have them. */
bool fan_members_take(struct fan_job *job, const struct fan_answer *answer, size_t from, int64_t until_ms);
/* After a part: whether there may be another. Empties it. */
bool fan_users_more(struct fan_job *job);

/* About one edge: keys and arguments by the place of the job, and whether its answer sent us on, so that the same step
 * comes once more. A split of the page, where the answer asks for one, is due at the end. */
void fan_edge_build(const struct fan_job *job, const struct fan_step_texts *texts, const char *function,
                    struct feed_str followed, struct feed_str follower, struct fan_call *call);
/* {state, edge time, end, followers, todo, level} into the job, when the edge was there. */
bool fan_edge_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);

/* Broadcast authors (steps_broadcast.c). */
extern const struct fan_step_row fan_row_keep_since, fan_row_source, fan_row_cross_count, fan_row_cross,
    fan_row_cross_outbox, fan_row_cross_followers, fan_row_cross_merge, fan_row_cross_copy, fan_row_cross_end;
/* Takes the word for the author's state, as functions give it; false: it is none. */
bool fan_crossing_read(struct fan_crossing *crossing, struct feed_str state);
/* The answer of a write to the outbox, which may have the state of its author behind it. False: it is none. */
bool fan_author_take(struct fan_job *job, const struct fan_answer *answer, int64_t *result);
/* What comes after everything else of the record: CROSS_COUNT or CROSS when there may be a crossing, else DONE. */
enum fan_step fan_crossing_begin(const struct fan_job *job);
/* Whether the followers need not be walked: nothing is copied, or was. */
bool fan_crossing_is_on(const struct fan_job *job);
extern const struct fan_step_row fan_row_wake_make, fan_row_wake_sources, fan_row_wake_read, fan_row_wake_write,
    fan_row_wake_ready;

/* What a write answered, counted. False: it is no such answer. */
enum { FAN_ANSWER_ASLEEP = -4 };
bool fan_count_write(int64_t answer, struct fan_writes *writes);
bool fan_take_add(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);
/* A member of an outbox as a home feed has it, behind its time and, if its data is not NULL, `before`: marks as they
 * are, entries without the users that they are addressed to. What is neither is left out. False: no room. */
bool fan_page_add_member(struct fan_page *page, struct feed_str before, struct feed_str time,
                         struct feed_str member) FEED_MUST_USE;

extern const struct fan_step_row fan_row_import, fan_row_import_author, fan_row_import_fill;
/* What comes when both sides of an imported edge are done. */
enum fan_step fan_import_after_edge(const struct fan_job *job);

extern const struct fan_step_row fan_row_graph, fan_row_graph_other, fan_row_graph_settings, fan_row_graph_filter,
    fan_row_split;
/* The step that reads the next of what the record has changed for the topic graph; DONE: there is no more. */
enum fan_step fan_relation_next(struct fan_job *job);
/* The edge, as it was read, waits for Kafka from here on. */
void fan_job_relate(struct fan_job *job, int64_t since_ms, int64_t ended_ms, int64_t latest_ms);
/* Whether these can be what Redis says of an edge after a follow or an unfollow. */
bool fan_relation_plausible(int64_t since_ms, int64_t ended_ms, int64_t latest_ms);

/* Building blocks of a command. */
void fan_call_arg(struct fan_call *call, struct feed_str arg);
void fan_call_key(struct fan_call *call, struct feed_key key); /* copied into the call */
void fan_call_number(struct fan_call *call, int64_t number);   /* as text, up to three a call */
void fan_call_function(struct fan_call *call, const char *command, const char *function, const char *keys);

#endif
