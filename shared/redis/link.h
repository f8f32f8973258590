/* hiredis as a guest of the libuv loop. What is sent in one turn leaves in one write at the end of the turn, without
 * asking epoll first; POLLOUT is armed only while connecting and after the socket was full. (hiredis' own adapter arms
 * and disarms POLLOUT for each write: two epoll_ctl calls more.) */
#ifndef FEED_REDIS_LINK_H
#define FEED_REDIS_LINK_H

struct feed_loop;
struct redisAsyncContext;

/* Attaches the context, whose socket exists. The link is freed by hiredis' cleanup hook, when the context is. */
void feed_redis_link_attach(struct feed_loop *loop, struct redisAsyncContext *context);

#endif
