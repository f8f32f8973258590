/* The offsets of one partition that are being worked on, in the order in which Kafka gave them, and from that the next
 * offset that may be committed: everything before it is finished. Offsets may have gaps (compaction, transactions).
 * Grows up to FAN_OFFSETS_MAX records behind the oldest unfinished one, 24 bytes each. */
#ifndef FANOUT_OFFSETS_H
#define FANOUT_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAN_OFFSETS_MAX = 64 * 1024 };

struct fan_offset {
    int64_t offset;
    int64_t time_ms; /* when Kafka got the record */
    bool finished;
};

struct fan_offsets {
    struct fan_offset *ring; /* owned; ticket t stands at t % capacity */
    size_t capacity;         /* a power of two; 0 before the first record */
    uint64_t first;          /* ticket of the oldest record that is not finished */
    uint64_t next;           /* ticket of the next record */
    int64_t last_seen;       /* the newest offset; -1: none yet */
    int64_t finished_ms;     /* time of the newest record before which all are finished, itself included; 0: none yet */
};

void fan_offsets_init(struct fan_offsets *offsets);
void fan_offsets_fini(struct fan_offsets *offsets);
/* No room for another record: the caller holds back until fan_offsets_finish has made some. */
bool fan_offsets_full(const struct fan_offsets *offsets);
/* A record arrived, which Kafka got at time_ms. The offset is above all before it, and there is room (both asserted).
 * Gives the record's ticket; aborts when there is no memory. */
uint64_t fan_offsets_begin(struct fan_offsets *offsets, int64_t offset, int64_t time_ms);
/* The record is finished; once for each ticket (asserted). */
void fan_offsets_finish(struct fan_offsets *offsets, uint64_t ticket);
/* When Kafka got the oldest record that is not finished; 0 when there is none. */
int64_t fan_offsets_waiting_ms(const struct fan_offsets *offsets);
/* The first offset that is not finished; -1 while no record has been seen. */
int64_t fan_offsets_committable(const struct fan_offsets *offsets);
/* Records that stand between the first unfinished one and the newest, both included. */
size_t fan_offsets_count(const struct fan_offsets *offsets);

#endif
