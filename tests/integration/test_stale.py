"""Clients learn when their feeds are behind: a worker of the fan-out that stands still, work that is done again after a loss, Redis that is away. Real Kafka, real
Redis, real daemons; every wait is for a message."""
import contextlib
import os
import signal
import time
import uuid

import pytest
from test_fanout import SHORT_SESSION, activity, produce, redis, until  # noqa: F401 (fixture)
from test_gateway import DEADLINE_S, Client, Feeds

STALE_AFTER_MS = 3000
AUTHOR, READER = "bob", "ann"


class Stack:
    """One partition, one worker, one gateway, and ann who follows bob."""

    def __init__(self, kafka, redis_server, daemon, make_token, **fanout_options):
        self.kafka, self.make_token = kafka, make_token
        options = {**kafka.fanout_options, "redis.url": redis_server.url, "kafka.properties": SHORT_SESSION} | fanout_options
        self.fanout = daemon("fanout", **options)
        self.gateway = daemon("gateway", **{"redis.url": redis_server.url, "kafka.topic": kafka.topic, "stale_after_ms": STALE_AFTER_MS, "heartbeat_ms": 1000})
        self.sent = 0
        self.act(READER, "follow", AUTHOR)

    def act(self, actor, verb="post", what="n1"):
        """Its number."""
        self.produce([self.made(actor, verb, what)])
        return self.sent

    def made(self, actor, verb="post", what="n1"):
        self.sent += 1
        return activity(self.sent, actor, verb, what)

    def produce(self, records):
        produce(self.kafka, records, topic=self.kafka.topic)

    def connect(self, **options):
        return Client(self.gateway, self.make_token(READER), **options)


@pytest.fixture
def stack(apache_kafka, redis_server, daemon, make_token):
    return lambda **options: Stack(apache_kafka(), redis_server, daemon, make_token, **options)


def told(client, kind):
    return sum(message["type"] == kind for message in client.messages)


def take_until(client, condition, what):
    """Heartbeats alone do not keep it waiting for ever."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come, but {[message['type'] for message in client.messages]}"
        client.take_any()


def hears(client, kind):
    take_until(client, lambda: told(client, kind), kind)
    assert client.last(kind)["feed"] == "home"


def has(client, *numbers):
    take_until(client, lambda: {str(uuid.UUID(int=n)) for n in numbers} <= client.entries["home"].keys(), numbers)


@contextlib.contextmanager
def standing_still(process):
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_worker_that_stands_still_is_told_and_that_it_goes_on(stack):
    it = stack()
    client = it.connect()
    has(client, it.act(AUTHOR))
    with standing_still(it.fanout):
        missing = it.act(AUTHOR)
        hears(client, "stale")
        assert client.last("stale")["lag_ms"] >= STALE_AFTER_MS
        late = it.connect().opened()
        hears(late, "stale")
    hears(client, "fresh")
    assert str(uuid.UUID(int=missing)) in client.entries["home"], "fresh comes when what was missing is there"
    hears(late, "fresh")
    assert told(client, "stale") == told(client, "fresh") == 1


def test_what_redis_has_lost_is_stale_until_it_is_made_again(stack, redis):
    it = stack(**{"fanout.commands_max": 2})
    client = it.connect()
    posts = [it.made(AUTHOR) for _ in range(2000)]
    it.produce(posts)
    has(client, it.sent)
    expected = {str(uuid.UUID(int=n)) for n in range(it.sent - 99, it.sent + 1)}
    redis("FLUSHALL")
    hears(client, "stale")
    hears(client, "fresh")
    newest = {name for _, name in client.newest_first()[:100]}
    assert newest == expected, "fresh comes when the replay is through"


def test_redis_away_keeps_connections_and_all_is_there_after_its_return(stack, redis_server):
    it = stack()
    client = it.connect()
    has(client, it.act(AUTHOR))
    redis_server.kill9()
    missed = it.act(AUTHOR)
    hears(client, "stale")
    redis_server.start()
    back = time.monotonic()
    has(client, missed)
    print(f"complete {time.monotonic() - back:.1f} s after the return of Redis")
    hears(client, "fresh")
    assert told(client, "welcome") == 1 and told(client, "bye") == 0


def test_a_gateway_that_hears_nothing_says_so_unless_it_is_not_to(daemon, redis_server, make_token):
    feeds = Feeds(redis_server.port)
    gateways = [daemon("gateway", redis__url=redis_server.url, stale_after_ms=ms) for ms in (STALE_AFTER_MS, 0)]
    told_so, not_told = [Client(gateway, make_token(READER)).opened() for gateway in gateways]
    hears(told_so, "stale")
    assert gateways[0].metric("gateway_fanout_lag_seconds") * 1000 >= STALE_AFTER_MS
    until(lambda: gateways[1].metric("gateway_fanout_lag_seconds") * 1000 >= 2 * STALE_AFTER_MS, "a lag")
    feeds.add(READER, 1)
    not_told.caught_up(feeds, READER)
    assert told(not_told, "stale") == 0


@pytest.mark.parametrize(("option", "says"), [({"stale_after_ms": 2999}, "stale_after_ms must be 0, or at least 3000"), ({"kafka.topic": "a/b"}, "kafka.topic is no name")])
def test_options_that_cannot_work(daemon, redis_server, option, says):
    process = daemon("gateway", wait=None, **{"redis.url": redis_server.url} | option)
    process.popen.wait(60)
    assert process.popen.returncode == 2 and says in process.log_text()
