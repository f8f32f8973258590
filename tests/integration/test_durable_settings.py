"""Mutes, blocks, left out verbs and what was kept outlive Redis, and the activities that made them: on one server and on a cluster, and on Apache Kafka."""
import re
import uuid

import confluent_kafka
import msgpack
import pytest
import redis as redis_client
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from graph_topic import read_records
from redis_cluster import RedisCluster
from test_fanout import START_MS, TOPIC, activity, finished, produce, until

SETTLED = [
    ("ann", "follow", "bob"), ("ann", "follow", "cy"), ("cy", "follow", "ann"), ("ann", "follow", "dan"), ("ann", "follow", "eve"), ("ann", "follow", "fay"),
    ("ann", "mute", "bob"), ("ann", "block", "cy"), ("ann", "mute", "fay"), ("ann", "unmute", "fay"), ("gus", "block", "ann"), ("gus", "unblock", "ann"),
    ("ann", "unfollow", "dan", {"data": {"entries": "keep"}}), ("ann", "filter", "home", {"data": {"exclude": ["like", "share"]}}),
    ("ann", "filter", "home", {"data": {"exclude": ["like"]}}), ("ann", "follow", "gus"), ("ann", "mute", "cy"),
]
KEYS = {"demo/follow/ann/bob", "demo/follow/ann/cy", "demo/follow/cy/ann", "demo/follow/ann/dan", "demo/follow/ann/eve", "demo/follow/ann/fay",
        "demo/follow/gus/ann", "demo/follow/ann/gus", "demo/settings/ann/bob", "demo/settings/ann/cy", "demo/settings/ann/fay", "demo/settings/gus/ann",
        "demo/settings/ann/dan", "demo/filter/ann/ann"}


@pytest.fixture(params=["server", "cluster"])
def place(request, tmp_path, started):
    """(options of a daemon, client, everything is lost)"""
    if request.param == "cluster":
        cluster = RedisCluster(tmp_path, started, replicas=False)
        return cluster.options, cluster.client(), lambda: [master.call("FLUSHALL") for master in cluster.masters]
    server = request.getfixturevalue("redis_server")
    client = redis_client.Redis(port=server.port)
    return server.options, client, client.flushall


def settled(client):
    """What m: and h: of everybody say, but for what only tells when an edge was ended first."""
    found = {}
    for user in ("ann", "bob", "cy", "dan", "eve", "fay", "gus"):
        answer = client.execute_command("HGETALL", f"m:{{demo/{user}}}")
        hash_ = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2]))
        found[user, "m"] = {field: re.findall(rb"[^uf]\d+|\w+", value) for field, value in hash_.items() if not re.fullmatch(rb"u\d+( f\d+)?", value)}
        found[user, "h"] = client.execute_command("ZRANGE", f"h:{{demo/{user}}}", 0, -1)
    return found


def records_of(acts):
    return [activity(i + 1, *act[:3], **(act[3] if len(act) > 3 else {})) for i, act in enumerate(acts)]


def ids(client, user, prefix="f"):
    _, _, found = client.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"{prefix}:{{demo/{user}}}", 100)
    return [uuid.UUID(bytes=entry[:16]).int for entry in found[::2]]


def check_what_comes(client, send, number):
    """What was settled holds for what comes now, and for what is as old as from before."""
    acts = [("bob", "post", {}), ("cy", "post", {"to": ["ann"]}), ("eve", "like", {}), ("eve", "share", {}), ("fay", "post", {}), ("gus", "post", {}),
            ("dan", "post", {"to": ["ann"]}), ("ann", "post", {"to": ["cy", "gus"]})]
    before_the_unmute = activity(number + 100, "fay", published_ms=START_MS + 9, to=["ann"])
    send([activity(number + i, actor, verb, **more) for i, (actor, verb, more) in enumerate(acts)] + [before_the_unmute])
    assert ids(client, "ann") == [number + 5, number + 4, number + 3]
    assert ids(client, "ann", "n") == [number + 6], "neither from who is blocked, nor what is older than the end of the mute"
    assert ids(client, "cy") == ids(client, "cy", "n") == [], "who is blocked sees nothing either"
    assert ids(client, "gus", "n") == [number + 7], "the block has ended"


def test_everything_settled_outlives_the_activities(embedded_broker, daemon, place):
    options, client, lose_everything = place
    broker = embedded_broker({TOPIC: 1, "activities.dlq": 1, "graph": 8, "later": 1})
    options = {"kafka.brokers": broker.bootstrap, "commit.interval_ms": 50, **options}
    first = daemon("fanout", **options)
    produce(broker, records_of(SETTLED))
    until(lambda: finished(first) == len(SETTLED), "the acts")
    before = settled(client)
    assert before["ann", "h"] == [b"bob", b"eve", b"fay", b"gus"] and before["cy", "h"] == []
    assert before["ann", "m"][b"/dan"] and before["cy", "m"][b"ann"] and before["ann", "m"][b"#like"]
    assert {key for key, _ in read_records(broker.bootstrap)} == KEYS
    assert first.terminate() == 0
    lose_everything()
    # The activities are out of reach: the next topic begins after them.
    process = daemon("fanout", **options, **{"kafka.topic": "later"})
    assert settled(client) == before
    loaded = next(line for line in process.log_lines() if line["event"] == "graph_loaded")
    assert loaded["level"] == "info" and loaded["settings"] > 0

    def send(records):
        done = finished(process)
        produce(broker, records, topic="later")
        until(lambda: finished(process) == done + len(records), "what comes")

    check_what_comes(client, send, 1000)
    send([activity(2000, "ann", "unmute", "bob"), activity(2001, "ann", "filter", "home", data={"exclude": []})])
    send([activity(2002, "bob"), activity(2003, "eve", "like")])
    assert ids(client, "ann")[:2] == [2003, 2002]


def test_what_was_kept_is_in_the_feed_that_is_woken_after_a_loss(embedded_broker, daemon, redis_server):
    broker = embedded_broker({TOPIC: 1, "activities.dlq": 1, "graph": 8, "later": 1})
    options = {"kafka.brokers": broker.bootstrap, "feed.ttl_s": 1000, **redis_server.options}
    first = daemon("fanout", **options)
    keep, purge = {"data": {"entries": "keep"}}, {"data": {"entries": "purge"}}
    acts = [("ann", "follow", "bob"), ("ann", "unfollow", "bob", keep), ("ann", "follow", "cy"), ("ann", "unfollow", "cy", keep), ("ann", "follow", "cy"),
            ("ann", "unfollow", "cy", purge)]
    produce(broker, records_of(acts))
    until(lambda: finished(first) == len(acts), "the acts")
    assert first.terminate() == 0
    client = redis_client.Redis(port=redis_server.port)
    client.flushall()
    process = daemon("fanout", **options, **{"kafka.topic": "later"})
    produce(broker, [activity(10, "bob", published_ms=START_MS + 1), activity(11, "bob"), activity(12, "cy", published_ms=START_MS + 3)], topic="later")
    until(lambda: finished(process) == 3, "the posts")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce("feed.commands", msgpack.packb([1, "wake"]), b"demo/ann")
    assert producer.flush(30) == 0
    until(lambda: process.metric("fanout_commands_total") == 1, "the wake")
    assert ids(client, "ann") == [10], "of the span that was kept, nothing younger, and nothing of the one that was purged"


def test_settings_outlive_the_retention_on_apache_kafka(apache_kafka, daemon, redis_server):
    topics = apache_kafka(1)
    options = {**topics.fanout_options, **redis_server.options, "commit.interval_ms": 50}
    client = redis_client.Redis(port=redis_server.port)
    fanout = daemon("fanout", **options)

    def send(records):
        lag = lambda: fanout.metric("kafka_consumer_lag_records") == 0 and fanout.metric("fanout_in_flight_records") == 0  # noqa: E731
        done = finished(fanout)
        produce(topics, records, topic=topics.topic)
        until(lambda: finished(fanout) == done + len(records) and lag(), "the records")

    send(records_of(SETTLED))
    before = settled(client)
    assert {key for key, _ in read_records(topics.bootstrap, topics.graph_topic)} == KEYS
    admin = AdminClient({"bootstrap.servers": topics.bootstrap})
    for future in admin.delete_records([TopicPartition(topics.topic, 0, len(SETTLED))]).values():
        future.result(30)
    client.flushall()
    until(lambda: fanout.metric("fanout_recoveries_total") == 2 and fanout.ready(), "the next life")
    assert settled(client) == before
    check_what_comes(client, send, 1000)
