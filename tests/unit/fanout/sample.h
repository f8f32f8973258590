/* Sample records for the tests of fan-out: JSON values with CloudEvents headers. */
#ifndef TESTS_UNIT_FANOUT_SAMPLE_H
#define TESTS_UNIT_FANOUT_SAMPLE_H

#include "fanout/record.h"
#include "shared/base/time_text.h"

struct sample {
    int32_t partition;
    int64_t offset;
    unsigned id; /* becomes a UUID */
    int64_t published_ms;
    const char *actor, *verb;
    const char *object; /* a user for follow and unfollow */
    unsigned undone;    /* of an undo, instead: the number that the id of what it undoes was made of, */
    int64_t undone_ms;  /* and the time that it gives for it; 0: none */
    const char *owner;  /* NULL: none */
    const char *data;   /* JSON; NULL: none */
    const char *to;     /* the JSON of the list, e.g. "[\"ann\"]"; NULL: none */
    const char *tenant; /* NULL: demo */
    bool imported;      /* the record of an import */
};

/* The record, and the memory that its views point to. */
struct sample_record {
    struct fan_record record;
    char key[200], value[2048], id[FEED_ID_TEXT + 1], time[FEED_TIME_TEXT + 1];
};

/* The id that a sample's number becomes. */
void sample_id(unsigned number, char out[FEED_ID_TEXT + 1]);
void sample_make(const struct sample *sample, struct sample_record *out);

#endif
