/* Budget: how many commands may be sent to one shard of Redis once more. Backoff spreads repetitions over time, but
 * does not bound them: where every tenth command fails, or a connection breaks each time that the window is full, they
 * would be the larger part of what a shard in trouble gets.
 *
 * Each command that is sent for the first time adds a share of one repetition; each repetition takes one. Besides, a
 * few come in with time, so that the last record in hand is repeated too, and a full budget is a whole window, so that
 * a connection that breaks once is made good at once. So in any time:
 *
 *     repetitions <= percent of the first sendings + FAN_BUDGET_PER_S a second + burst */
#ifndef FANOUT_BUDGET_H
#define FANOUT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum { FAN_BUDGET_PER_S = 100 };

struct fan_budget {
    unsigned percent, burst; /* burst: commands */
    int64_t left;            /* in hundredths of a command */
    int64_t at_ms;           /* until when time was counted */
    uint64_t sent, held;     /* repetitions: done, and put off */
};

/* Full. now_ms of all calls is monotonic. */
void fan_budget_init(struct fan_budget *budget, unsigned percent, unsigned burst, int64_t now_ms);
/* Whether a command may be sent again now; what it takes is taken by fan_budget_sent. */
bool fan_budget_allows(struct fan_budget *budget, int64_t now_ms);
/* A command was sent; again: not for the first time. */
void fan_budget_sent(struct fan_budget *budget, bool again);

#endif
