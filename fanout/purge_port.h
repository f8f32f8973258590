/* The purges that this member carries out. */
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
/* Another life has begun: what is under way begins anew. */
void fan_purge_port_another_life(struct fan_service *service);
/* Keys have moved between shards, or a replica has taken over: all are looked at again. */
void fan_purge_port_moved(struct fan_service *service);
void fan_purge_port_tick(struct fan_service *service);
/* Purges in hand. */
unsigned fan_purge_port_jobs(const struct fan_service *service);
/* The engine's port. */
void fan_purge_port_purge(void *arg, struct fan_job *job);
void fan_purge_port_drop(void *arg, struct fan_job *job);

#endif
