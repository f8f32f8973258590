/* Redis' errors begin with a word in capitals; those of ours that come from inside a function keep it. */
#include "fanout/trouble.h"

#include <string.h>

struct trouble_row {
    const char *prefix;
    enum fan_trouble trouble;
};

static const struct trouble_row rows[] = {
    {"WRONGTYPE ", FAN_TROUBLE_WRONG_TYPE},
    {"ERR Function not found", FAN_TROUBLE_NO_FUNCTION},
    {"LOADING ", FAN_TROUBLE_AWAY},     /* reads its dump after a start */
    {"READONLY ", FAN_TROUBLE_AWAY},    /* became a replica */
    {"OOM ", FAN_TROUBLE_AWAY},         /* maxmemory reached */
    {"BUSY ", FAN_TROUBLE_AWAY},        /* a script runs too long */
    {"MISCONF ", FAN_TROUBLE_AWAY},     /* cannot save, refuses writes */
    {"MASTERDOWN ", FAN_TROUBLE_AWAY},  /* a replica without its master */
    {"NOREPLICAS ", FAN_TROUBLE_AWAY},  /* too few replicas to accept writes */
    {"CLUSTERDOWN ", FAN_TROUBLE_AWAY}, /* slots without a master */
    {"TRYAGAIN ", FAN_TROUBLE_MOVING},  /* a slot moves, and of two keys one is there already */
    {"MOVED ", FAN_TROUBLE_MOVING},     /* followed too often */
    {"ASK ", FAN_TROUBLE_MOVING},       /* the same */
    {"NOAUTH ", FAN_TROUBLE_AWAY},      /* the password was changed */
    {"NOPERM ", FAN_TROUBLE_AWAY},      /* the user's rights were changed */
};

enum fan_trouble fan_trouble_of(struct feed_str text)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].prefix);
        if (text.len >= len && memcmp(text.data, rows[i].prefix, len) == 0)
            return rows[i].trouble;
    }
    return FAN_TROUBLE_OTHER;
}
