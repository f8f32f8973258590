#include "fanout/budget.h"

enum { COMMAND = 100 }; /* hundredths */

static void add(struct fan_budget *budget, int64_t hundredths)
{
    int64_t full = (int64_t)budget->burst * COMMAND;
    budget->left = hundredths < full - budget->left ? budget->left + hundredths : full;
}

void fan_budget_init(struct fan_budget *budget, unsigned percent, unsigned burst, int64_t now_ms)
{
    *budget =
        (struct fan_budget){.percent = percent, .burst = burst, .left = (int64_t)burst * COMMAND, .at_ms = now_ms};
}

bool fan_budget_allows(struct fan_budget *budget, int64_t now_ms)
{
    add(budget, (now_ms - budget->at_ms) * FAN_BUDGET_PER_S * COMMAND / 1000);
    budget->at_ms = now_ms;
    bool allowed = budget->left >= COMMAND;
    budget->held += !allowed;
    return allowed;
}

void fan_budget_sent(struct fan_budget *budget, bool again)
{
    if (again) {
        budget->left -= COMMAND;
        budget->sent++;
    } else {
        add(budget, budget->percent);
    }
}
