/* What this member knows of who was erased, and what the others do. */
#ifndef FANOUT_PURGES_PORT_H
#define FANOUT_PURGES_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct fan_service;

void fan_purges_port_open(struct fan_service *service);
void fan_purges_port_close(struct fan_service *service); /* after the client of Redis was freed */
/* Redis can be worked with: the engine may as soon as it is known who was erased (service->purges_known). */
void fan_purges_port_ready(struct fan_service *service);
/* What was known counts no more, because Redis was away. */
void fan_purges_port_gone(struct fan_service *service);
/* Nor does any version of before. */
void fan_purges_port_another_life(struct fan_service *service);
void fan_purges_port_tick(struct fan_service *service);
/* The list has changed: asks at the next tick. */
void fan_purges_port_ask(struct fan_service *service);
/* The version of the list that all members have looked at all with that they have in hand; as of the last answer. */
uint64_t fan_purges_port_least(const struct fan_service *service);
/* At the end: nobody waits for this member any more. False: not yet. */
bool fan_purges_port_left(struct fan_service *service);

#endif
