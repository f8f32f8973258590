"""Broadcast authors from the topic to the screen: real fan-out, Redis and gateways, and clients that stay connected while authors cross the threshold
up and down, fan-out is killed in crossings, and Redis loses everything. What a client must show is worked out from the activities alone.

Other flows: SEED=7 pytest tests/integration/test_broadcast_flow.py"""
import collections
import os
import random
import threading
import time
import uuid

import pytest
from test_broadcast import state
from test_fanout import activity, fanout, produce, redis, until  # noqa: F401 (fixtures)
from test_gateway import Feeds
from test_merge import Follower

BACKFILL, CROWD = 20, 120
SEED = int(os.environ.get("SEED", "2"))
STARS, PLAIN = ("star", "nova"), "pal"
WATCHERS = ("ann", "bob", "cy", "dan")
SETTLING = ("cy", "dan")  # who mute and filter


class Meaning:
    """What each user sees, by the words of docs/feeds.md; activities come in the order of their times, which are their numbers."""

    def __init__(self):
        self.posts = collections.defaultdict(list)  # author -> [(number, verb)]
        self.undone = set()
        self.edge, self.kept = {}, collections.defaultdict(set)  # (user, author) -> time of the follow; -> numbers
        self.muted, self.seen_from = set(), {}
        self.filters = {}  # (user, verb) -> since

    def of(self, user, author, kept=True):
        pair = (user, author)
        if pair in self.muted:
            return set()
        seen = set(self.kept[pair]) if kept else set()
        posts = [number for number, _ in self.posts[author]]
        if pair in self.edge:
            since = self.edge[pair]
            seen |= set([n for n in posts if n < since][-BACKFILL:]) | {n for n in posts if n >= since}
        verbs = dict(self.posts[author])
        return {n for n in seen - self.undone if n >= self.seen_from.get(pair, 0) and n < self.filters.get((user, verbs[n]), n + 1)}

    def shown(self, user, kept=True):
        return set().union(*(self.of(user, author, kept) for author in (*STARS, PLAIN)))

    def apply(self, number, actor, verb, object_id, data=None):
        pair = (actor, object_id)
        if verb in ("post", "like"):
            self.posts[actor].append((number, verb))
        elif verb == "undo":
            self.undone.add(uuid.UUID(object_id).int)
        elif verb == "follow":
            self.edge.setdefault(pair, number)
        elif verb == "unfollow":
            self.kept[pair] = self.of(*pair) if data else set()
            self.edge.pop(pair, None)
        elif verb == "mute":
            self.muted.add(pair)
            self.kept[pair] = set()
        elif verb == "unmute" and pair in self.muted:
            self.muted.discard(pair)
            self.seen_from[pair] = number
        elif verb == "filter":
            for verb_left_out in data["exclude"]:
                self.filters.setdefault((actor, verb_left_out), number)


class Screen(Follower):
    """Reads all the time, in a thread. What is on it may go only when something took it away."""

    def __init__(self, *args, **options):
        self.lock, self.wrong, self.ever, self.may_go, self.strict = threading.Lock(), [], set(), set(), True
        super().__init__(*args, **options)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while True:
                self.take()
        except Exception as error:  # also the close at the end of the test
            self.wrong.append(repr(error))

    def apply(self, message):
        with self.lock:
            super().apply(message)
            here = {uuid.UUID(name).int for name in self.entries["home"]}
            self.ever |= here
            if self.strict and (gone := self.ever - here - self.may_go):
                self.wrong.append(f"{sorted(gone)} vanished with {message}")

    def numbers(self):
        with self.lock:
            return {uuid.UUID(name).int for name in self.entries["home"]}

    def position(self):
        with self.lock:
            return dict(self.positions)


class Flow:
    """Makes activities, tells their meaning, and sends them."""

    def __init__(self, seed, broker, screens):
        self.rng, self.broker, self.screens = random.Random(seed), broker, screens
        self.meaning, self.number, self.batch, self.sent = Meaning(), 0, [], 0

    def do(self, actor, verb="post", object_id="n1", data=None, kind=None):
        self.number += 1
        key, value, headers = activity(self.number, actor, verb, object_id, **({"data": data} if data else {}))
        kind = kind or {"undo": "activity", "mute": "user", "unmute": "user", "filter": "user"}.get(verb)
        if kind:
            value = value.replace(b"\xa4note", bytes([0xa0 + len(kind)]) + kind.encode())
        self.batch.append((key, value, headers))
        before = {user: self.meaning.shown(user) for user in WATCHERS}
        self.meaning.apply(self.number, actor, verb, object_id, data)
        for user, screen in self.screens.items():
            screen.may_go |= before[user] - self.meaning.shown(user)
            if user in SETTLING and verb in ("post", "like"):
                screen.may_go.add(self.number)  # a mute may be worked off before or after a post that is younger

    def any(self):
        rng, user, author = self.rng, self.rng.choice(WATCHERS), self.rng.choice((*STARS, PLAIN))
        dice = rng.random()
        if dice < 0.4:
            self.do(author, rng.choice(("post", "post", "like")))
        elif dice < 0.5 and self.meaning.posts[author]:
            self.do(author, "undo", str(uuid.UUID(int=rng.choice(self.meaning.posts[author])[0])))
        elif dice < 0.9 or user not in SETTLING:
            pair = (user, author)
            if pair not in self.meaning.edge:
                self.do(user, "follow", author)
            elif rng.random() < 0.4:
                self.do(user, "unfollow", author, {"entries": "keep"} if rng.random() < 0.5 else None)
        elif dice < 0.98:
            self.do(user, "unmute" if (user, author) in self.meaning.muted else "mute", author)
        else:
            self.do(user, "filter", user, {"exclude": ["like"]})

    def crowd(self, verb, author):
        for i in range(8):
            self.do(f"fan{i}", verb, author)

    def send(self):
        produce(self.broker, self.batch)
        self.sent += len(self.batch)
        self.batch = []


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({"activities": 1, "activities.dlq": 1, "graph": 4})


def kill_in(process, redis, crossing, seconds=5):
    """Kills fan-out in a crossing; False if it was too fast to be seen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any(state(redis, author) == crossing for author in STARS):
            process.kill9()
            if any(state(redis, author) == crossing for author in STARS):
                return True
            process.start()
            return False
    return False


@pytest.mark.parametrize("killed_in", ["up", "down"])
def test_everybody_sees_what_they_should_whatever_happens(broker, redis, redis_server, fanout, daemon, make_token, killed_in):
    Feeds(redis_server.port).load()
    gateways = [daemon("gateway", redis__url=redis_server.url) for _ in range(2)]
    screens = {user: Screen(gateways[i % 2], make_token(user)) for i, user in enumerate(WATCHERS)}
    flow = Flow(SEED, broker, screens)
    process = fanout(fanout__commands_max=2, fanout__broadcast_threshold=CROWD, fanout__broadcast_return_percent=100)

    def same(kept=True):
        """Until all screens are right. kept: whether what was kept after an unfollow must still be there."""
        def wrong():
            shown = {user: (flow.meaning.shown(user, kept), screen.numbers(), flow.meaning.shown(user)) for user, screen in screens.items()}
            return {user: f"{sorted(must)} <= {sorted(now)} <= {sorted(may)}" for user, (must, now, may) in shown.items() if not must <= now <= may}

        deadline = time.monotonic() + 60
        while found := wrong():
            assert time.monotonic() < deadline, (found, [screen.wrong for screen in screens.values()])
            time.sleep(0.02)
        assert not any(screen.wrong for screen in screens.values()), [screen.wrong for screen in screens.values()]

    for author in STARS:
        for i in range(CROWD - 3):
            flow.do(f"fan{i}", "follow", author)
    for user in WATCHERS[:2]:
        flow.do(user, "follow", "star")
    for _ in range(6):
        flow.any()
    flow.send()
    same()
    killed, position = False, {}
    for turn in range(12):
        up = turn % 2 == 0
        for author in STARS:
            for i in range(CROWD, CROWD + 8) if up else ():
                flow.do(f"fan{i}", "follow", author)
            for i in () if up else range(CROWD, CROWD + 8):
                flow.do(f"fan{i}", "unfollow", author)
            for _ in range(4):
                flow.any()
        sending = threading.Thread(target=flow.send)
        sending.start()
        if not killed and up == (killed_in == "up") and kill_in(process, redis, killed_in.encode()):
            killed = True
            process.start()
        sending.join()
        for _ in range(4):
            flow.any()
        flow.send()
        same()
        if turn == 1:
            position = {user: screen.position() for user, screen in screens.items()}
        if turn >= 3 and killed:
            break
    assert killed

    for i, (user, screen) in enumerate(screens.items()):
        gateway = gateways[(i + 1) % 2]
        resumed = Follower(gateway, make_token(user), positions=screen.position()).opened()
        assert resumed.last("slice")["outcome"] == "current"
        missed = Follower(gateway, make_token(user), positions=position[user]).opened()
        assert {uuid.UUID(name).int for name in missed.entries["home"]} == flow.meaning.shown(user)

    for screen in screens.values():
        screen.strict = False
    redis("FLUSHALL")
    until(lambda: redis("EXISTS", "life:{feedwire}"), "the next life of Redis")
    same(kept=False)  # what was kept stood in Redis alone
    for author in STARS:
        flow.do(author)
    flow.do("star", "undo", str(uuid.UUID(int=flow.meaning.posts["star"][0][0])))
    flow.send()
    same(kept=False)
