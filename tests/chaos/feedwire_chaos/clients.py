"""Clients that are connected over all the faults: each applies what it is told as schemas/protocol.md says, and notes whatever it must never be told.

A position is opaque to them. They ask for the whole window, so that what they hold can be compared with it entry for entry.
"""

import collections
import time

import feed_clients

LIMIT = 100
TRACED = 12  # messages of which a client remembers what they were


class Client(feed_clients.Client):
    def __init__(self, user, token):
        super().__init__(user, token)
        self.gone = {name: set() for name in self.feeds}  # removed for good, on this connection
        self.slices = 0
        self.trace = {name: collections.deque(maxlen=TRACED) for name in self.feeds}
        self.trace_of_wrong = None  # the messages up to the first one that was wrong

    def hello(self):
        return {"type": "hello", "id": 1, "token": self.token, "feeds": [{"feed": name, "limit": LIMIT} for name in self.feeds]}

    def take(self, message):
        if message["type"] in ("stale", "fresh"):
            return
        if message["type"] == "slice":
            self.slices += 1
        name = message.get("feed")
        if name:
            self.trace[name].append(f"{time.strftime('%H:%M:%S')} {message['type']} {message.get('outcome', '')} of {len(message.get('entries', message.get('ids', ())))} at {message['position']}")
        super().take(message)
        if name:
            self._let_go(self.feeds[name])
        if self.wrong and name and not self.trace_of_wrong:
            self.trace_of_wrong = list(self.trace[name])

    @staticmethod
    def _let_go(feed):
        """What a client lets go is as if it had been cut there: it may come into view again, and then the client would have to ask for it."""
        if len(feed.entries) > LIMIT:
            kept = sorted(feed.entries.items(), key=lambda entry: entry[1], reverse=True)[:LIMIT]
            feed.entries = dict(kept)
            feed.floor = kept[-1][1]

    def _push(self, message):
        self.pushes += 1
        feed, name = self.feeds[message["feed"]], message["feed"]
        for entry in message["entries"]:
            if entry["id"] in self.gone[name]:  # a late copy, which a client leaves out
                continue
            self._add(name, entry)
        feed.position = message["position"]

    def _remove(self, message):
        super()._remove(message)
        if message["final"]:
            self.gone[message["feed"]].update(message["ids"])

    def keys(self, name):
        return set(self.feeds[name].entries.values())


class Clients:
    """One group of clients for each gateway."""

    def __init__(self, world, users):
        self.groups = []
        for i, gateway in enumerate(world.gateways):
            group = feed_clients.FeedClients(gateway.http_port, [])
            group.by_user = {user: Client(user, world.token(user)) for user in users[i :: len(world.gateways)]}
            self.groups.append(group)
            group.start()

    @property
    def all(self):
        return [client for group in self.groups for client in group.by_user.values()]

    def problems(self):
        """What they must never have been told."""
        found = [f"client {client.user}: {client.wrong[:3]}, {len(client.wrong)} in all; until then: {client.trace_of_wrong}" for client in self.all if client.wrong]
        return found + [f"client {client.user}: closed with {client.closed}" for client in self.all if client.closed]

    def differences(self, homes, notifications):
        """Clients that do not hold what the feeds hold: [(client, feed, missing keys, keys too many)].

        Down to the oldest entry of the feed, or to where the client was told that the feed goes on below: when entries are taken out of a feed with a broadcast author
        in it, older ones come into view there, and these clients do not ask for the page."""
        found = []
        for client in self.all:
            for name, feeds in (("home", homes), ("notifications", notifications)):
                floor = client.feeds[name].floor
                feed = {key for key in feeds[client.user] if floor is None or key >= floor}
                oldest = min(feed, default=(0, b""))
                held = {key for key in client.keys(name) if key >= oldest} if feed else set()
                if held != feed:
                    found.append((client, name, sorted(feed - held), sorted(held - feed)))
        return found

    def stop(self):
        for group in self.groups:
            group.stop()
