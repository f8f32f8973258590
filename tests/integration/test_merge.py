"""Broadcast authors at read time: the gateway merges their outboxes into home feeds. Real Redis, real gateway; b: and the outboxes are written here, so that
nothing depends on who writes them."""
import os
import random
import uuid

import msgpack
import pytest
from test_gateway import CAP, CODE, SLACK, START_MS, Client, Feeds, page_below

BACKFILL = 20
SET_SOURCE = """
if ARGV[1] == 'on' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2]) else redis.call('ZREM', KEYS[2], ARGV[2]) end
local low = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if not low[1] or #low[1] ~= 9 then return 0 end
local seq = 1 - tonumber(low[2])
redis.call('ZADD', KEYS[1], string.format('%d', -seq), low[1])
redis.call('SPUBLISH', KEYS[1], cmsgpack.pack({3, string.sub(low[1], 2), seq}))
return seq
"""


class Broadcasts(Feeds):
    """Writes what fan-out writes of broadcast authors."""

    @staticmethod
    def entry_of(author, number, to=None, verb="post"):
        fields = [verb, author, "note", f"n{number}"]
        if to:
            fields += [None, None, None, None, [to]]
        return uuid.UUID(int=number).bytes + msgpack.packb(fields)

    def write(self, key, number, entry, at=None):
        time_ms = START_MS + (number if at is None else at)
        return self.client.execute_command("FCALL", "feedwire_v1_add", 1, key, os.urandom(8), CAP, SLACK, time_ms, entry)

    def post(self, author, *numbers, **options):
        for number in numbers:
            assert self.write(self.key(author, "o"), number, self.entry_of(author, number, to="gus", **options)) > 0

    def copy(self, user, author, number):
        self.write(self.key(user), number, self.entry_of(author, number))

    def undo(self, author, number):
        self.client.execute_command("FCALL", "feedwire_v1_remove", 1, self.key(author, "o"), CAP, SLACK, uuid.UUID(int=number).bytes,
                                    START_MS + number, START_MS + number)

    def source(self, user, author, since):
        """since: None ends it; else a number, as of entries."""
        what = ["off", author, 0] if since is None else ["on", author, START_MS + since]
        self.client.execute_command("EVAL", SET_SOURCE, 2, self.key(user), self.key(user, "b"), *what)

    def union(self, user):
        """[(ms, id)] newest first: the home feed, and of each outbox what its follower sees."""
        seen = dict.fromkeys(self.window(user)[1])
        for author, since in self.client.zrange(self.key(user, "b"), 0, -1, withscores=True):
            members = self.client.zrange(self.key(author.decode(), "o"), 1, -1, withscores=True)
            members = sorted(((int(ms), str(uuid.UUID(bytes=m[:16])), len(m) == 17) for m, ms in members), reverse=True)[:CAP]
            older = [m for m in members if m[0] < since]
            for ms, name, mark in [m for m in members if m[0] >= since] + older[:BACKFILL]:
                seen.pop((ms, name), None) if mark else seen.setdefault((ms, name))
        return sorted(seen, reverse=True)[:CAP]


class Follower(Client):
    def apply(self, message):
        super().apply(message)
        if message["type"] == "remove":
            self.positions[message["feed"]] = message["position"]
            for name in message["ids"]:
                self.entries[message["feed"]].pop(name, None)

    def equals(self, feeds, user):
        return self.take_until(lambda: self.newest_first()[:CAP] == feeds.union(user))


@pytest.fixture
def feeds(redis_server):
    return Broadcasts(redis_server.port)


@pytest.fixture
def gateway(daemon, redis_server, feeds):
    return daemon("gateway", redis__url=redis_server.url)


@pytest.fixture
def connect(gateway, make_token):
    clients = []

    def new(user, **options):
        clients.append(Follower(gateway, make_token(user), **options))
        return clients[-1]

    yield new
    for client in clients:
        client.socket.socket.close()


def ids(*numbers):
    return [str(uuid.UUID(int=n)) for n in numbers]


# ---- what a window says ----


def read_window(feeds, user, limit=CAP, *known):
    keys = [feeds.key(user, letter) for letter in "fbm"]
    return feeds.client.execute_command("FCALL_RO", "feedwire_v1_window", 3, *keys, limit, *known)


def test_a_window_names_the_broadcast_authors(feeds):
    feeds.add("ann", 1)
    assert len(read_window(feeds, "ann")) == 3
    feeds.source("ann", "eve", 10)
    feeds.source("ann", "fay", 20)
    epoch, seq, _entries, sources, verbs, total = read_window(feeds, "ann")
    assert seq == 3 and total == 2 and verbs == []
    assert sources == [b"fay", str(START_MS + 20).encode(), b"0", b"eve", str(START_MS + 10).encode(), b"0"]
    assert len(read_window(feeds, "ann", CAP, epoch, seq)) == 6  # whoever knows the timeline need not know its authors
    assert read_window(feeds, "ann", CAP, epoch, seq, "merged") == [epoch, seq]
    assert len(read_window(feeds, "ann", 0)) == 3


def test_an_absent_feed_may_have_broadcast_authors(feeds):
    feeds.source("ann", "eve", 10)
    assert read_window(feeds, "ann", CAP, b"", 0)[:4] == [b"", 0, [], [b"eve", str(START_MS + 10).encode(), b"0"]]


@pytest.mark.parametrize(("registers", "seen_from"), [
    ("m100", 253402300800000), ("m100 n200", 200), ("m100 n300 v200", 200), ("b100 c400 m100 n200", 400), ("B100", 253402300800000), ("u100 f200", 0)])
def test_what_is_hidden_of_an_author(feeds, registers, seen_from):
    feeds.source("ann", "eve", 10)
    feeds.client.hset(feeds.key("ann", "m"), "eve", registers)
    assert read_window(feeds, "ann")[3][2] == str(seen_from).encode()


def test_verbs_that_are_left_out(feeds):
    feeds.source("ann", "eve", 10)
    settings = feeds.key("ann", "m")
    feeds.client.execute_command("FCALL", "feedwire_v1_filter", 1, settings, 100, "like", "post")
    feeds.client.execute_command("FCALL", "feedwire_v1_filter", 1, settings, 200, "like")
    verbs = read_window(feeds, "ann")[4]
    assert {tuple(verbs[i : i + 3]) for i in range(0, len(verbs), 3)} == {(b"like", b"100", b"253402300800000"), (b"post", b"100", b"200")}


def test_an_outbox_is_read_with_its_marks(feeds):
    feeds.post("eve", 1, 2)
    feeds.undo("eve", 1)
    _epoch, seq, members = feeds.client.execute_command("FCALL_RO", "feedwire_v1_outbox", 1, feeds.key("eve", "o"), CAP)
    assert seq == 3 and members[2] == uuid.UUID(int=1).bytes + b"\0"
    assert feeds.client.execute_command("FCALL_RO", "feedwire_v1_outbox", 1, feeds.key("fay", "o"), CAP) == [b"", 0, []]


# ---- what a client sees ----


def test_pages_of_a_merged_feed(feeds, connect):
    feeds.add("ann", *range(1, 60, 2))
    feeds.post("eve", *range(100, 120, 2))
    feeds.post("eve", *range(2, 60, 2))
    feeds.source("ann", "eve", 0)
    client = connect("ann", limit=20).opened()
    while client.more["home"]:
        page_below(client, 15)
    assert client.newest_first() == feeds.union("ann") and len(client.newest_first()) == 69
    feeds.post("eve", 200)
    client.equals(feeds, "ann")


def test_slice_push_and_undo(feeds, connect):
    feeds.add("ann", 35, 40)
    feeds.post("eve", *range(1, 30), 50)
    feeds.source("ann", "eve", 25)
    client = connect("ann").opened()
    assert client.newest_first() == feeds.union("ann")
    assert len(client.newest_first()) == 2 + 6 + BACKFILL
    feeds.post("eve", 60)
    assert [e["id"] for e in client.equals(feeds, "ann").last("push")["entries"]] == ids(60)
    assert client.last("push")["entries"][0].keys() == {"id", "actor", "verb", "object", "published"}
    feeds.undo("eve", 50)
    client.equals(feeds, "ann")
    assert client.last("remove")["ids"] == ids(50) and client.last("remove")["final"]


def test_resume(feeds, connect):
    feeds.add("ann", 10)
    feeds.post("eve", 20)
    feeds.source("ann", "eve", 0)
    position = connect("ann").opened().positions
    assert position["home"].startswith("v2.") and len(position["home"]) <= 73
    assert connect("ann", positions=position).opened().last("slice")["outcome"] == "current"
    feeds.post("eve", 30)
    missed = connect("ann", positions=position).opened()
    assert missed.last("slice")["outcome"] == "window" and missed.newest_first() == feeds.union("ann")
    feeds.source("ann", "eve", None)
    left = connect("ann", positions=missed.positions).opened()
    assert left.last("slice")["outcome"] == "window" and left.newest_first() == feeds.union("ann")
    assert left.positions["home"].startswith("v1.")
    feeds.source("ann", "eve", 0)
    back = connect("ann", positions=left.positions).opened()
    assert back.last("slice")["outcome"] == "window" and back.newest_first() == feeds.union("ann")


def test_one_outbox_is_kept_for_all_its_followers(gateway, feeds, connect):
    feeds.post("eve", 1)
    clients = {}
    for user in ("ann", "bob", "cy"):
        feeds.source(user, "eve", 0)
        clients[user] = connect(user).opened()
    assert gateway.metrics()["gateway_sources"] == 1
    feeds.post("eve", 2)
    for user, client in clients.items():
        client.equals(feeds, user)
        client.socket.socket.close()
    while gateway.metrics()["gateway_sources"]:  # let go when nobody needs it
        pass


def test_an_outbox_that_cannot_be_read_shows_no_emptier_feed(gateway, feeds, connect):
    feeds.add("ann", 10)
    feeds.source("ann", "eve", 0)
    feeds.client.set(feeds.key("eve", "o"), "no outbox")
    refused = connect("ann")
    assert refused.ends_with("unavailable") == CODE["unavailable"]
    assert not any(m["type"] == "slice" for m in refused.messages)
    assert gateway.metrics()["gateway_sources_awaited_total"] > 0
    waiting = connect("ann")
    waiting.take()  # welcome
    feeds.client.delete(feeds.key("eve", "o"))
    feeds.post("eve", 20)
    waiting.equals(feeds, "ann")


def test_a_lost_connection_for_notices_loses_nothing(feeds, connect):
    feeds.source("ann", "eve", 0)
    feeds.post("eve", 1, 2)
    client = connect("ann").opened()
    feeds.client.client_kill_filter(_type="pubsub")
    feeds.post("eve", 3)
    feeds.undo("eve", 1)
    client.equals(feeds, "ann")
    feeds.client.delete(feeds.key("eve", "o"))  # lost, and made again with less in it
    feeds.client.client_kill_filter(_type="pubsub")
    feeds.post("eve", 3)
    client.equals(feeds, "ann")


@pytest.mark.parametrize("seed", range(4))
def test_crossing_up_and_down_while_clients_are_connected(feeds, connect, seed):
    """Copies and outbox bring the same activities; a client has each once, whatever comes first. (It says so itself if it is shown one twice.)"""
    rng = random.Random(seed)
    feeds.add("ann", 1)
    clients = [connect("ann").opened() for _ in range(2)]
    number, posted, merged, copied = 10, [], False, True
    for step in range(150):
        dice = rng.random()
        if dice < 0.5:
            number += 1
            posted.append(number)
            feeds.post("eve", number)
            if copied:
                feeds.copy("ann", "eve", number)
        elif dice < 0.6 and posted and merged and not copied:
            feeds.undo("eve", rng.choice(posted))
        elif dice < 0.65:
            feeds.add("ann", number := number + 1)
        elif dice < 0.75 and not merged:  # up: first all are told, then copies stop
            feeds.source("ann", "eve", 0)
            merged = True
        elif dice < 0.8 and merged and copied:
            copied = False
        elif dice < 0.9 and merged and not copied:  # down: copies go on, what was not copied is, then the outbox is not merged any more
            copied = True
            for old in posted:
                if (START_MS + old, ids(old)[0]) in feeds.union("ann"):
                    feeds.copy("ann", "eve", old)
            feeds.source("ann", "eve", None)
            merged = False
        if step % 50 == 49:
            clients.append(connect("ann", limit=CAP).opened())
    for client in clients:
        client.equals(feeds, "ann")
