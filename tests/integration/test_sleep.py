"""Home feeds that sleep: they cost nothing while nobody reads them, and a woken one is as if it had never been away."""
import concurrent.futures
import datetime
import random
import subprocess
import time
import uuid

import confluent_kafka
import msgpack
import pytest
import redis as redis_client
from whole_stack import TTL_S, Stack

DEADLINE_S = 60
START_MS = 1_700_000_000_000
WAKE = msgpack.packb([1, "wake"])
REBUILD = msgpack.packb([1, "rebuild"])


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


class Log:
    """Sends activities and commands to Kafka, and waits until fan-out has worked them off."""

    def __init__(self, embedded_broker, redis_server, daemon, **options):
        self.broker = embedded_broker({"activities": 1, "activities.dlq": 1})
        self.redis = redis_client.Redis(port=redis_server.port)
        self.options = {"kafka.brokers": self.broker.bootstrap, "redis.url": redis_server.url, "feed.ttl_s": TTL_S, **options}
        self.fanout = daemon("fanout", **self.options)
        self._producer = confluent_kafka.Producer({"bootstrap.servers": self.broker.bootstrap, "enable.idempotence": True})
        self.sent = self.clock = 0

    def _produce(self, topic, key, value, headers=None):
        self._producer.produce(topic, value, f"demo/{key}".encode(), headers=headers)
        self.sent += 1

    def activity(self, actor, verb, object_id, kind, published_ms=None, **more):
        self.clock += 1
        ms = published_ms or START_MS + 1000 * self.clock
        published = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        id_ = str(uuid.UUID(int=self.clock))
        headers = {"ce_specversion": "1.0", "ce_id": id_, "ce_source": "/test", "ce_type": "feedwire.activity.v1", "ce_time": published, "ce_tenant": "demo"}
        self._produce("activities", actor, msgpack.packb({"actor": actor, "verb": verb, "object": {"type": kind, "id": object_id}, **more}),
                      [(name, text.encode()) for name, text in headers.items()])
        return id_

    def command(self, user, value=WAKE):
        self._produce("feed.commands", user, value)

    def settle(self):
        assert self._producer.flush(DEADLINE_S) == 0
        until(lambda: self.fanout.metric("fanout_records_total") + self.fanout.metric("fanout_commands_total") >= self.sent, "fan-out")

    def wake(self, *users):
        for user in users:
            self.command(user)
        self.settle()

    def window(self, user, prefix="f"):
        """(epoch, seq, [(ms, entry)])"""
        epoch, seq, found = self.redis.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"{prefix}:{{demo/{user}}}", 100)
        return epoch, seq, [(int(found[i + 1]), found[i]) for i in range(0, len(found), 2)]


@pytest.fixture
def log(embedded_broker, redis_server, daemon):
    return Log(embedded_broker, redis_server, daemon)


def test_a_feed_that_nobody_reads_is_not_there(log):
    log.activity("ann", "follow", "bob", "user")
    post = log.activity("bob", "post", "p1", "note")
    log.activity("bob", "undo", post, "activity")
    log.activity("bob", "post", "p2", "note", to=["ann"])
    log.settle()
    assert not log.redis.exists("f:{demo/ann}"), "neither entries nor marks are kept"
    assert log.fanout.metrics()['fanout_feed_writes_total{result="asleep"}'] >= 2
    assert len(log.window("bob", "o")[2]) == 1 and len(log.window("ann", "n")[2]) == 1, "notifications and outboxes never sleep"


def test_only_a_wake_makes_it_and_it_expires(log):
    log.activity("ann", "follow", "bob", "user")
    log.activity("bob", "post", "p1", "note")
    log.wake("ann")
    epoch, seq, entries = log.window("ann")
    assert epoch and seq == 2 and len(entries) == 1
    assert TTL_S * 1000 * 0.99 < log.redis.pttl("f:{demo/ann}") <= TTL_S * 1000
    log.activity("bob", "post", "p2", "note")
    log.settle()
    assert len(log.window("ann")[2]) == 2
    log.wake("ann")
    assert log.window("ann")[:2] == (epoch, 3), "a wake of a feed that is there changes nothing"
    log.wake("nobody")
    epoch, seq, entries = log.window("nobody")
    assert epoch and seq == 1 and entries == [], "awake, but empty"


def test_a_feed_that_is_being_built_is_not_shown(log):
    log.activity("ann", "follow", "bob", "user")
    log.settle()
    assert log.redis.execute_command("FCALL", "feedwire_v1_wake", 1, "f:{demo/ann}", b"12345678", TTL_S * 1000) == 1
    log.activity("bob", "post", "p1", "note")
    log.settle()
    assert log.window("ann") == (b"", 0, [])
    log.wake("ann")  # whoever began it has been killed: another one finishes it
    epoch, _, entries = log.window("ann")
    assert epoch[3:] == b"45678" and len(entries) == 1, "what was pushed meanwhile is in it once"


def test_bad_commands_are_dead_letters(log):
    for key, value in (("ann", b"\xc1"), ("ann", b""), ("ann", msgpack.packb([1])), ("ann", msgpack.packb([1, "fly"])), ("ann", msgpack.packb([2, "wake"])), ("a nn", WAKE)):
        log.command(key, value)
    log.wake("ann")
    assert log.fanout.metric("fanout_dead_letters_total") == 6
    assert log.window("ann")[1] == 1
    consumer = confluent_kafka.Consumer({"bootstrap.servers": log.broker.bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.assign([confluent_kafka.TopicPartition("activities.dlq", 0, 0)])
    letters = consumer.consume(6, DEADLINE_S)
    consumer.close()
    assert sorted(dict(letter.headers())["dlq_reason"] for letter in letters) == [b"malformed"] * 4 + [b"unsupported"] * 2
    assert all(dict(letter.headers())["dlq_source"].startswith(b"feed.commands/") for letter in letters)


def test_a_rebuild_brings_back_what_is_missing(log):
    log.activity("ann", "follow", "bob", "user")
    log.wake("ann")
    for number in range(5):
        log.activity("bob", "post", f"p{number}", "note")
    log.settle()
    _, _, entries = log.window("ann")
    log.redis.zrem("f:{demo/ann}", entries[1][1], entries[3][1])
    log.command("ann", REBUILD)
    log.command("bob", REBUILD)
    log.settle()
    assert log.window("ann")[2] == entries
    assert not log.redis.exists("f:{demo/bob}"), "a feed that sleeps stays asleep"


def test_broadcast_authors_are_merged_and_not_copied_by_a_wake(embedded_broker, redis_server, daemon):
    log = Log(embedded_broker, redis_server, daemon, **{"fanout.broadcast_threshold": 5, "fanout.broadcast_return_percent": 60})
    for fan in ("ann", "fan1", "fan2", "fan3", "fan4", "fan5"):
        log.activity(fan, "follow", "star", "user")
    log.activity("ann", "follow", "bob", "user")
    log.activity("bob", "post", "b1", "note")
    log.activity("star", "post", "s1", "note")
    log.settle()
    assert log.redis.zscore("b:{demo/ann}", "star"), "the graph does not sleep"
    assert not log.redis.exists("f:{demo/ann}"), "that the sources have changed makes no feed"
    log.wake("ann")
    assert [msgpack.unpackb(entry[16:])[1] for _, entry in log.window("ann")[2]] == ["bob"]
    position = log.window("ann")[:2]
    for fan in ("fan2", "fan3", "fan4", "fan5"):  # the author is copied again, into feeds that are there
        log.activity(fan, "unfollow", "star", "user")
    log.settle()
    assert not log.redis.exists("b:{demo/ann}") and not log.redis.exists("f:{demo/fan1}")
    after = log.window("ann")
    assert [msgpack.unpackb(entry[16:])[1] for _, entry in after[2]] == ["star", "bob"] and (after[0], after[1] > position[1]) == (position[0], True)
    log.wake("fan1")
    assert [msgpack.unpackb(entry[16:])[1] for _, entry in log.window("fan1")[2]] == ["star"]


def test_many_broadcast_authors_in_a_row_hide_nobody_behind_them(log):
    stars = [f"star{number:02}" for number in range(80)]
    for other in [*stars, "bob", "cy"]:
        log.activity("ann", "follow", other, "user")
        log.activity(other, "post", "p", "note")
    log.settle()
    edges = log.redis.zrange("h:{demo/ann}", 0, -1, withscores=True)
    log.redis.zadd("b:{demo/ann}", {name: score for name, score in edges if name.startswith(b"star")})
    log.wake("ann")
    assert [msgpack.unpackb(entry[16:])[1] for _, entry in log.window("ann")[2]] == ["cy", "bob"]


# ---- a woken feed is as if it had never been away ----

PEOPLE = ["bob", "cy", "dee", "eve", "fay"]
ACTS = {"post": 40, "like": 12, "undo": 8, "late": 6, "follow": 14, "unfollow": 4, "keep": 7, "mute": 3, "unmute": 4, "block": 1, "unblock": 2, "filter": 2}


class Round:
    """Acts of people with names of their own: ann's, and what the others do. Fewer entries than a feed holds, so that none is pushed out."""

    def __init__(self, log, rng, name):
        self.log, self.rng, self.name = log, rng, name
        self.ann, self.people = f"ann{name}", [f"{person}{name}" for person in PEOPLE]
        self.posts, self.story, self.last_edge_ms = [], [], START_MS

    def difference(self, before, after):
        """What was done to and by those whose entries differ."""
        differ = set(before) ^ set(after)
        authors = {msgpack.unpackb(entry[16:])[1] for _, entry in differ}
        acts = [act for act in self.story if act[2] in authors or act[1] == "filter"]
        return (f"missing {[(ms - START_MS) / 1000 for ms, _ in set(before) - set(after)]}, too many {[(ms - START_MS) / 1000 for ms, _ in set(after) - set(before)]}", acts)

    def act(self):
        rng, log, other = self.rng, self.log, self.rng.choice(self.people)
        what = rng.choices(list(ACTS), list(ACTS.values()))[0]
        self.story.append((log.clock + 1, what, other))
        if what in ("post", "like"):
            self.posts.append((other, log.activity(other, what, "p", "note")))
        elif what == "late":  # but not from before an edge began or ended: what comes of these depends on when they are worked off
            ms = rng.randrange(self.last_edge_ms, START_MS + 1000 * log.clock + 1000)
            self.posts.append((other, log.activity(other, "post", "p", "note", published_ms=max(ms, START_MS + 1))))
        elif what == "undo":
            if self.posts:
                actor, id_ = rng.choice(self.posts)
                log.activity(actor, "undo", id_, "activity")
        elif what == "keep":
            self.last_edge_ms = START_MS + 1000 * (log.clock + 1)
            log.activity(self.ann, "unfollow", other, "user", data={"entries": "keep"})
        elif what == "filter":
            log.activity(self.ann, "filter", "home", "feed", data={"exclude": rng.choice([[], ["like"], ["like", "follow"]])})
        else:
            if what == "follow":
                self.last_edge_ms = START_MS + 1000 * (log.clock + 1)
            log.activity(self.ann, what, other, "user")


@pytest.mark.parametrize("own", ["false", "true"])
def test_a_woken_feed_is_as_if_it_had_never_expired(embedded_broker, redis_server, daemon, own):
    log = Log(embedded_broker, redis_server, daemon, **{"home.own": own})
    rng = random.Random(7)
    rounds = [Round(log, rng, number) for number in range(60)]
    log.wake(*[one.ann for one in rounds])
    for step in range(70):  # each act is worked off before the next one of its round: what two at a time do, depends on who is first
        for one in rounds[:: 1 + step % 3]:
            one.act()
        log.settle()
    before = [log.window(one.ann) for one in rounds]
    log.redis.delete(*[f"f:{{demo/{one.ann}}}" for one in rounds])
    log.wake(*[one.ann for one in rounds])
    for one, (epoch, _, entries) in zip(rounds, before):
        after = log.window(one.ann)
        assert after[2] == entries, one.difference(entries, after[2])
        assert after[0] != epoch, "another life"
    assert sum(len(entries) for _, _, entries in before) > 300


# ---- from end to end ----


@pytest.fixture
def stack(embedded_broker, redis_server, daemon, make_token):
    return Stack(embedded_broker, redis_server, daemon, make_token, partitions=2)


def test_who_connects_is_woken_and_gets_everything(stack):
    stack.send("ann", "follow", "bob")
    posts = [stack.send("bob", "post", f"p{number}") for number in range(3)]
    stack.settle()
    assert not stack.redis.exists("f:{demo/ann}")
    ann = stack.viewer("ann")
    assert ann.ids == posts[::-1] and ann.outcome == "new", "the first slice has all: no emptier feed was shown before it"
    posts.append(stack.send("bob", "post", "p3"))
    ann.until_ids(posts[::-1])
    assert stack.viewer("nobody").ids == [], "who follows nobody has an empty feed, not an endless wait"


def test_who_was_away_for_long_comes_back_to_the_same_feed(stack):
    stack.send("ann", "follow", "bob")
    first = stack.send("bob", "post", "p1")
    ann = stack.viewer("ann")
    ann.until_ids([first])
    ann.close()
    stack.redis.delete("f:{demo/ann}")  # as if it had expired
    second = stack.send("bob", "post", "p2")
    stack.settle()
    back = stack.viewer("ann", position=ann.position)
    assert back.outcome == "future" and back.ids == [second, first]


def test_a_feed_that_vanishes_under_a_reader_is_woken_again(stack):
    stack.send("ann", "follow", "bob")
    first = stack.send("bob", "post", "p1")
    ann = stack.viewer("ann")
    ann.until_ids([first])
    seen = len(ann.messages)
    stack.redis.delete("f:{demo/ann}")
    second = stack.send("bob", "post", "p2")
    ann.until_ids([second, first])
    assert not [m for m in ann.messages[seen:] if m["type"] == "slice" and not m["entries"]], "nothing emptier was shown meanwhile"


def test_a_reader_renews_the_time_to_live_rarely(stack):
    ann = stack.viewer("ann")
    ann.close()
    full = stack.redis.pttl("f:{demo/ann}")
    stack.redis.pexpire("f:{demo/ann}", TTL_S * 950)
    until(lambda: stack.gateway.metric("gateway_feeds") == 0, "the gateway to forget the feed")
    stack.viewer("ann").close()
    until(lambda: stack.gateway.metric("gateway_touches_total") >= 2, "the look at the time to live")
    assert stack.redis.pttl("f:{demo/ann}") <= TTL_S * 950, "more than 90 % is left: nothing is written"
    stack.redis.pexpire("f:{demo/ann}", TTL_S * 850)
    until(lambda: stack.gateway.metric("gateway_feeds") == 0, "the gateway to forget the feed")
    stack.viewer("ann").close()
    until(lambda: stack.redis.pttl("f:{demo/ann}") > full - 600_000, "the time to live to be renewed")


def test_without_fan_out_nobody_is_shown_an_empty_feed(stack):
    stack.send("ann", "follow", "bob")
    post = stack.send("bob", "post", "p1")
    stack.settle()
    stack.fanout.kill9()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.viewer, "ann")
        until(lambda: stack.gateway.metrics()['gateway_wakes_total{result="asked"}'] >= 2, "the wake to be asked for again, in case it was lost")
        assert stack.gateway.metrics()['gateway_slices_total{outcome="new"}'] == 0
        stack.fanout.start()
        assert waiting.result().ids == [post]


# ---- the operator's way ----


def feedctl(stack_or_log, bin_dir, *words, stdin=None):
    arguments = [bin_dir / "feedctl", *words, f"--kafka.brokers={stack_or_log.broker.bootstrap}", "--timeout_ms=30000"]
    return subprocess.run(arguments, input=stdin, capture_output=True, text=True, timeout=DEADLINE_S)


def test_feedctl_wakes_and_rebuilds(log, bin_dir):
    users = [f"user{number}" for number in range(50)]
    for user in users[:10]:
        log.activity(user, "follow", "bob", "user")
    log.activity("bob", "post", "p1", "note")
    log.settle()
    done = feedctl(log, bin_dir, "wake", "user0", "user1")
    assert (done.returncode, done.stdout) == (0, "2 done\n"), done.stderr
    assert len(log.window("user0")[2]) == 1 and not log.redis.exists("f:{demo/user2}")
    done = feedctl(log, bin_dir, "wake", "-", stdin="\n".join(users + ["not a name"]) + "\n")
    assert (done.returncode, done.stdout) == (1, "50 done\n") and "line 51" in done.stderr
    assert [len(log.window(user)[2]) for user in users] == [1] * 10 + [0] * 40 and all(log.window(user)[0] for user in users)
    (_, entry), = log.window("user3")[2]
    log.redis.zrem("f:{demo/user3}", entry)
    assert feedctl(log, bin_dir, "rebuild", "user3").returncode == 0
    assert [e for _, e in log.window("user3")[2]] == [entry]
    assert feedctl(log, bin_dir, "wake", "a b").returncode == 2
