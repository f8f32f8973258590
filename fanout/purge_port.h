/* Who was erased: this member's knowledge of it, and the purges that it carries out. */
#ifndef FANOUT_PURGE_PORT_H
#define FANOUT_PURGE_PORT_H

#include <stdbool.h>

struct fan_job;
struct fan_service;
struct fan_purge_port;

void fan_purge_port_open(struct fan_service *service);
/* Nothing is read any more; before the clients are freed. */
void fan_purge_port_stop(struct fan_service *service);
/* Answers of Redis and Kafka have come, or their clients were freed. */
void fan_purge_port_close(struct fan_service *service);
/* Redis can be worked with: the engine may as soon as it is known who was erased. */
void fan_purge_port_ready(struct fan_service *service);
/* What was known counts no more, because Redis was away. */
void fan_purge_port_gone(struct fan_service *service);
/* Another life has begun: what is under way begins anew. */
void fan_purge_port_another_life(struct fan_service *service);
/* Keys have moved between shards, or a replica has taken over: all are looked at again. */
void fan_purge_port_moved(struct fan_service *service);
void fan_purge_port_tick(struct fan_service *service);
/* Purges in hand. */
unsigned fan_purge_port_jobs(const struct fan_service *service);
/* At the end: nobody waits for this member any more. False: not yet. */
bool fan_purge_port_left(struct fan_service *service);

/* The engine's port. */
void fan_purge_port_purge(void *arg, struct fan_job *job);
void fan_purge_port_drop(void *arg, struct fan_job *job);

#endif
