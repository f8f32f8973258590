"""A user who is purged is nowhere any more: not in Redis, not after everything was made again from Kafka, and not when old records come again."""
import os
import re
import signal
import subprocess
import time
import types

import pytest
import redis
from graph_topic import read_records
from purge_world import GONE, START_MS, World, connect, live, traces, until
from redis.crc import key_slot
from redis_cluster import RedisCluster
from whole_stack import Viewer

WORKERS = "x:{feedwire}/workers"


@pytest.fixture
def world(apache_kafka, redis_server, daemon, bin_dir):
    return lambda partitions=2, **options: World(apache_kafka(partitions), redis_server.url, connect(redis_server), daemon, bin_dir, **options)


def relations_of(world, name=GONE):
    """What compaction would leave of the graph, for this name."""
    newest = dict(read_records(world.topics.bootstrap, world.topics.graph_topic))
    return {key: value for key, value in newest.items() if name in key.split("/")}


def states(world):
    """What is said of each purge."""
    return {world.redis.hget(key, "state") for key in world.redis.scan_iter("x:{feedwire}/*", 1000) if re.search(rb"/[0-9a-f]{32}$", key)}


def lose_everything(world):
    rewound = world.fanout.metric("fanout_partitions_rewound_total")
    world.redis.flushall()
    until(lambda: world.fanout.metric("fanout_partitions_rewound_total") >= rewound + world.fanout.metric("fanout_partitions"), "the beginning of the log")
    until(lambda: world.fanout.metric("kafka_consumer_lag_records") == 0 and world.fanout.metric("fanout_in_flight_records") == 0, "the end of the log")


def test_nothing_is_left_anywhere(world):
    world = world(fanout__broadcast_threshold=0)
    live(world)
    before = world.traces()
    assert {"f", "n", "o", "g", "k", "q", "h", "m"} <= {key[0] for key in before}, "the test has everything to find"
    assert len([key for key in before if key.startswith(f"g:{{demo/{GONE}/")]) > 2, "several pages"
    assert relations_of(world)
    unharmed, shared = world.entries("o", "cy"), len(world.entries("n", "dan"))
    report = world.purge()
    assert report["state"] == "done" and report["removed"] > 100 and report["passes"] >= 2
    assert world.traces() == []
    assert set(relations_of(world).values()) == {None}
    assert len(world.entries("o", "cy")) == len(unharmed) - 1, "what does not name them stays: here the note, and not the report"
    assert len(world.entries("n", "dan")) == shared > 0, "who was addressed with them keeps the note"
    assert "done: " in world.feedctl("purge", GONE, "--status")

    world.again()
    assert world.traces() == []
    assert world.fanout.metrics()['fanout_records_total{result="forgotten"}'] > 100
    lose_everything(world)
    assert world.traces() == []
    assert world.entries("o", "cy"), "it was made again"
    assert set(relations_of(world).values()) == {None}, "and nothing was written to the graph"


def test_a_broadcast_author(world):
    world = world(fanout__broadcast_threshold=20)
    live(world)
    assert world.redis.hget(f"a:{{demo/{GONE}}}", "broadcast") == b"on" and world.redis.zcard("b:{demo/fan3}") == 1
    world.purge()
    assert world.traces() == []
    assert world.redis.zcard("b:{demo/fan3}") == 0
    lose_everything(world)
    assert world.traces() == []


def test_who_comes_back_begins_anew(world):
    world = world()
    live(world, fans=3)
    world.activity("ann", "follow", GONE, "user")
    world.settle()
    world.purge()
    now_ms = int(time.time() * 1000)
    world.activity("ann", "follow", GONE, "user", published_ms=now_ms)
    old = world.activity(GONE, "post", "imported", published_ms=START_MS + 1)
    new = world.activity(GONE, "post", "hello again", published_ms=now_ms + 1)
    world.settle()
    assert new in world.entries("f", "ann") and old not in world.entries("f", "ann")
    assert world.entries("o", GONE) == [new]
    lose_everything(world)
    assert new in world.entries("f", "ann") and world.entries("o", GONE) == [new]


@pytest.mark.parametrize("state", ["remembering", "erasing", "graph"])
def test_killed_in_the_middle_it_goes_on(world, state):
    """Wherever the worker dies, whoever comes next ends it; also when Redis is emptied meanwhile."""
    world = world(fanout__broadcast_threshold=20, kafka__instance="one")
    live(world)
    for number in range(3000):  # so that it takes a while
        world.redis.zadd(f"h:{{demo/filler{number}}}", {GONE: START_MS})
    process = subprocess.Popen(world.feedctl_command("purge", GONE, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: state.encode() in states(world), state)
    world.fanout.kill9()
    process.send_signal(signal.SIGINT)
    process.wait(20)
    if state == "graph":
        world.redis.flushall()
    world.fanout.start()
    until(lambda: world.fanout.metric("fanout_users_purged_total") == 1, "the end")
    world.settle()
    assert world.traces() == []
    assert set(relations_of(world).values()) == {None}
    lose_everything(world)
    assert world.traces() == []


def test_another_member_knows_before_anything_is_erased(world):
    """A record of the user that another member is at, is waited for; and what it gets later it forgets."""
    world = world(partitions=4)
    other = world.another()
    until(lambda: world.fanout.metric("fanout_partitions") == other.metric("fanout_partitions") == 2, "two partitions each")
    live(world)
    world.purge()
    assert world.traces() == []
    world.again()
    assert world.traces() == []
    for member in (world.fanout, other):
        assert member.metrics()['fanout_records_total{result="forgotten"}'] > 0


def test_a_member_that_stands_still_is_waited_for(world):
    """What it has in hand may still be written, so nothing is erased before it has said that it knows."""
    world = world(partitions=4)
    other = world.another()
    until(lambda: world.fanout.metric("fanout_partitions") == other.metric("fanout_partitions") == 2, "two partitions each")
    live(world, fans=3)
    assert world.redis.hlen(WORKERS) == 2
    before = world.traces()
    os.kill(other.popen.pid, signal.SIGSTOP)
    try:
        process = subprocess.Popen(world.feedctl_command("purge", GONE, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        version = int(until(lambda: world.redis.hget("x:{feedwire}", "#"), "the version"))
        until(lambda: any(int(row.split()[0]) >= version for row in world.redis.hvals(WORKERS)), "the member that is awake")
        assert world.traces() == before and b"waiting" in states(world)
    finally:
        os.kill(other.popen.pid, signal.SIGCONT)
    assert process.wait(90) == 0
    assert world.traces() == []


def test_old_records_come_all_the_while(world):
    """Everything is delivered again and again, to two members, before, while and after the user is erased."""
    world = world(partitions=4)
    other = world.another()
    until(lambda: world.fanout.metric("fanout_partitions") == other.metric("fanout_partitions") == 2, "two partitions each")
    live(world)
    process = subprocess.Popen(world.feedctl_command("purge", GONE, "--yes"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rounds = 0
    while process.poll() is None:
        for record in world.records:
            world.send(record)
        world.flush()
        rounds += 1
    assert process.returncode == 0 and rounds > 1
    world.settle()
    assert world.traces() == []
    assert set(relations_of(world).values()) == {None}


@pytest.mark.parametrize("threshold", [0, 3])
def test_who_is_looking_sees_it_go(world, daemon, redis_server, make_token, threshold):
    world = world(fanout__broadcast_threshold=threshold)
    live(world, fans=5)
    stack = types.SimpleNamespace(gateway=daemon("gateway", **redis_server.options, **{"check_interval_ms": 1000}), token=make_token)
    follower, own, notified = Viewer(stack, "fan3"), Viewer(stack, GONE), Viewer(stack, "dan", "notifications")
    assert {entry["actor"] for entry in follower.entries} == {GONE} and own.entries and notified.entries
    world.purge()
    follower.until_ids([])
    own.until_ids([])
    notified.until(lambda: all(entry["actor"] != GONE for entry in notified.entries), "the mentions")
    for viewer in (follower, own, notified):
        viewer.close()


def test_it_asks_before_it_erases(world):
    world = world()
    live(world, fans=1)
    before = world.traces()
    assert "nothing was done" in world.feedctl("purge", GONE, expect=1, stdin="yes\n")
    assert "unknown" in world.feedctl("purge", GONE, "--status")
    assert world.traces() == before
    assert "done" in world.feedctl("purge", GONE, stdin=GONE + "\n")
    assert world.traces() == []
    assert traces(world.redis, "ann"), "the others are still there"


def test_in_a_cluster_all_shards_are_looked_at(apache_kafka, tmp_path, started, daemon, bin_dir):
    cluster = RedisCluster(tmp_path, started, masters=3, replicas=False)
    world = World(apache_kafka(2), cluster.url, redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port), daemon, bin_dir)
    live(world)
    assert len({key_slot(key.encode()) * 3 // 16384 for key in world.traces()}) == 3, "on each shard there is something"
    world.purge()
    assert world.traces() == []
