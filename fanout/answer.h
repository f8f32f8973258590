/* Answer: what came back for one Redis command, freed of the client library's types. */
#ifndef FANOUT_ANSWER_H
#define FANOUT_ANSWER_H

#include "shared/base/str.h"

enum fan_answer_kind {
    FAN_ANSWER_INTEGER,
    FAN_ANSWER_LIST,
    FAN_ANSWER_ERROR, /* Redis refused; text says why */
    FAN_ANSWER_LOST,  /* no answer: the connection broke, and nobody knows whether the command was done */
    FAN_ANSWER_OTHER  /* a kind that none of our commands gives */
};

struct fan_value {
    struct feed_str text; /* empty for an integer */
    int64_t number;       /* of an integer, or of a text of digits; else 0 */
};

/* Everything is borrowed for the length of the call that hands it over. */
struct fan_answer {
    enum fan_answer_kind kind;
    int64_t integer;
    struct feed_str text;
    const struct fan_value *items;
    size_t count;
};

#endif
