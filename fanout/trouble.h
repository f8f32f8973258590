/* Trouble: what an error answer of Redis means for the work. */
#ifndef FANOUT_TROUBLE_H
#define FANOUT_TROUBLE_H

#include "shared/base/str.h"

enum fan_trouble {
    FAN_TROUBLE_WRONG_TYPE,  /* this key is not what it should be: will not heal by itself; the recipient's dead letter
                              */
    FAN_TROUBLE_NO_FUNCTION, /* the library is not there (flushed, failed over, restored): load it, then again */
    FAN_TROUBLE_AWAY,        /* Redis cannot work for anybody now: nobody's fault; hold everything, try later */
    FAN_TROUBLE_MOVING,      /* the key is on its way to another shard: this command later, as often as it takes */
    FAN_TROUBLE_OTHER        /* unknown: this command again for some seconds, then the recipient's dead letter */
};

/* Of the text of an error answer, e.g. "WRONGTYPE Operation against a key holding the wrong kind of value". */
enum fan_trouble fan_trouble_of(struct feed_str text);

#endif
