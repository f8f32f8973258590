/* Task: connections that nobody knows yet - they have sent nothing, or no good credential - must not take the places of
 * those who are known. Difficulty: behind a proxy all come from one address, so there the address that counts is known
 * only with the head of the first request. */
#include "shared/http/connection.h"

#include "shared/http/proxies.h"

static struct feed_strangers *of(struct feed_server *server, const struct feed_listener *listener)
{
    return &server->strangers[listener - server->listeners];
}

static bool count_address(struct feed_server *server, const struct feed_listener *listener,
                          struct feed_stranger *stranger)
{
    unsigned max = listener->strangers_address_max;
    if (max == 0)
        return true;
    stranger->by_address =
        feed_tally_take(&of(server, listener)->addresses, feed_address_bucket(&stranger->counts), 1, max);
    server->counts.refused_strangers_address += !stranger->by_address;
    return stranger->by_address;
}

bool feed_strangers_enter(struct feed_server *server, const struct feed_listener *listener,
                          const struct feed_address *peer, struct feed_stranger *out)
{
    struct feed_strangers *strangers = of(server, listener);
    *out = (struct feed_stranger){.counts = *peer};
    if (listener->strangers_max > 0 && strangers->count >= listener->strangers_max) {
        server->counts.refused_strangers++;
        return false;
    }
    bool proxy = listener->proxies && feed_proxies_trusts(listener->proxies, peer);
    if (!proxy && !count_address(server, listener, out))
        return false;
    strangers->count++;
    out->in = true;
    return true;
}

bool feed_strangers_forwarded(struct feed_conn *conn, const struct feed_address *client)
{
    if (!conn->stranger.in || conn->stranger.by_address)
        return true;
    conn->stranger.counts = *client;
    return count_address(conn->server, conn->listener, &conn->stranger);
}

void feed_strangers_leave(struct feed_server *server, const struct feed_listener *listener,
                          struct feed_stranger *stranger)
{
    struct feed_strangers *strangers = of(server, listener);
    if (stranger->by_address)
        feed_tally_give(&strangers->addresses, feed_address_bucket(&stranger->counts), 1);
    if (stranger->in)
        strangers->count--;
    stranger->by_address = stranger->in = false;
}
