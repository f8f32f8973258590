"""The loss of Redis on Apache Kafka, with a part of the real data set: everything again, from the activities and from the graph alone."""
import itertools
import json

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from feedwire_dev import paths
from feedwire_dev.play import read_lines
from graph_topic import read_edges
from oracle import Oracle
from test_main_job import compare, connect, finished, play, wait_for

LINES = 12_000


@pytest.fixture(scope="module")
def lines():
    return list(itertools.islice(read_lines(paths.DATA), LINES))


@pytest.fixture(scope="module")
def oracle(lines):
    return Oracle(json.loads(line) for line in lines)


def edges_of(oracle):
    return {f"demo/follow/{follower}/{followed}": (time_ms, 0) for follower, all_followed in oracle.follows.items() for followed, time_ms in all_followed.items()}


def edges_in_redis(client):
    keys = list(client.scan_iter("g:*", 1000))
    found = {}
    for key in keys:
        tenant, followed, _ = key[3:-1].decode().split("/")
        for follower, time_ms in client.zrange(key, 0, -1, withscores=True):
            found[f"{tenant}/follow/{follower.decode()}/{followed}"] = (int(time_ms), 0)
    return found


def drained(process, rewinds):
    wait_for(lambda: process.metric("fanout_partitions_rewound_total") == rewinds and process.metric("fanout_recovering") == 0, "the rewind", 120)
    wait_for(lambda: process.metric("kafka_consumer_lag_records") == 0 and process.metric("fanout_in_flight_records") == 0, "the end of the log", 300, 0.2)


def in_the_middle(process):
    before = finished(process)
    wait_for(lambda: finished(process) >= before + LINES // 4, "a quarter of the log", 120, 0.01)


def test_the_real_data_survive_the_loss_of_redis(apache_kafka, redis_server, daemon, make_token, lines, oracle):
    topics = apache_kafka(1)
    fanout = daemon("fanout", **topics.fanout_options, **redis_server.options)
    ingest = daemon("ingest", **topics.ingest_options)
    client = connect(redis_server)
    assert play(ingest, make_token, lines) == LINES
    wait_for(lambda: finished(fanout) == LINES, "everything", 300)
    assert compare(client, oracle) > 10_000
    assert read_edges(topics.bootstrap, topics.graph_topic) == edges_in_redis(client) == edges_of(oracle)

    # Once at rest, then once more in the middle of making everything again.
    client.flushall()
    drained(fanout, 1)
    compare(client, oracle)
    client.flushall()
    wait_for(lambda: fanout.metric("fanout_partitions_rewound_total") == 2, "the rewind", 120)
    in_the_middle(fanout)
    client.flushall()
    drained(fanout, 3)
    compare(client, oracle)

    # No activity is left: the graph is all that there is.
    admin = AdminClient({"bootstrap.servers": topics.bootstrap})
    for future in admin.delete_records([TopicPartition(topics.topic, 0, LINES)]).values():
        future.result(30)
    assert fanout.terminate() == 0
    client.flushall()
    fanout.start()
    drained(fanout, 1)
    assert edges_in_redis(client) == edges_of(oracle)
    assert finished(fanout) == 0
    author = max(oracle.people, key=lambda user: sum(user in followed for followed in oracle.follows.values()))
    followers = {follower for follower, followed in oracle.follows.items() if author in followed}
    assert len(followers) > 20
    post = {"actor": author, "verb": "post", "object": {"type": "note", "id": "after"}}
    assert play(ingest, make_token, [json.dumps(post).encode()]) == 1
    wait_for(lambda: finished(fanout) == 1, "the post", 60)
    assert {key[3:-1].decode().split("/")[1] for key in client.scan_iter("f:*")} == followers


def log_events(process, level):
    return [line["event"] for line in process.log_lines() if line["level"] == level]


def committed(topics):
    consumer = Consumer({"bootstrap.servers": topics.bootstrap, "group.id": topics.group, "enable.auto.commit": False})
    try:
        return consumer.committed([TopicPartition(topics.topic, 0)], timeout=20)[0].offset
    finally:
        consumer.close()


def test_a_follow_that_kafka_does_not_take_is_not_committed(apache_kafka, redis_server, daemon, make_token):
    """The topic of the graph is gone, but Redis is well: everything goes on but the commit."""
    topics = apache_kafka(1)
    options = {**topics.fanout_options, **redis_server.options, "commit.interval_ms": 50, "kafka.properties": "topic.metadata.propagation.max.ms=1000"}
    assert daemon("fanout", **options).terminate() == 0
    client = connect(redis_server)
    assert client.exists("life:{feedwire}")
    fanout = daemon("fanout", **{**options, "kafka.graph_topic": "nowhere"})
    ingest = daemon("ingest", **topics.ingest_options)
    acts = [{"actor": "dan", "verb": "post", "object": {"type": "note", "id": "1"}}, {"actor": "ann", "verb": "follow", "object": {"type": "user", "id": "bob"}},
            {"actor": "bob", "verb": "post", "object": {"type": "note", "id": "2"}}]
    assert play(ingest, make_token, [json.dumps(act).encode() for act in acts]) == 3
    wait_for(lambda: log_events(fanout, "warn").count("graph_record_failed") >= 2, "two tries", 120)
    assert finished(fanout) == 2 and fanout.metric("kafka_consumer_lag_records") == 2
    assert client.zcard("f:{demo/ann}") == 2, "her feed does not wait for it"
    wait_for(lambda: committed(topics) == 1, "the commit before it", 30)
    fanout.kill9()
    again = daemon("fanout", **options)
    wait_for(lambda: committed(topics) == 3, "everything", 60)
    (key, times), = read_edges(topics.bootstrap, topics.graph_topic).items()
    assert key == "demo/follow/ann/bob" and times[0] > 0 and times[1] == 0
    assert again.metric("fanout_graph_records_total") == 1


def test_without_the_topic_it_is_not_ready_and_says_why(apache_kafka, redis_server, daemon, make_token):
    topics = apache_kafka(1)
    fanout = daemon("fanout", wait="/livez", **{**topics.fanout_options, **redis_server.options, "kafka.graph_topic": "nowhere"})
    ingest = daemon("ingest", **topics.ingest_options)
    assert play(ingest, make_token, [b'{"actor": "dan", "verb": "post", "object": {"type": "note", "id": "1"}}']) == 1
    wait_for(lambda: log_events(fanout, "error").count("graph_unreadable") >= 2, "two tries", 60)
    assert not fanout.ready() and "there is no such topic" in fanout.not_ready_because()
    assert not connect(redis_server).exists("life:{feedwire}")
    assert finished(fanout) == 0
    assert fanout.terminate() == 0


def test_the_topic_is_compacted(apache_kafka):
    topics = apache_kafka(1)
    admin = AdminClient({"bootstrap.servers": topics.bootstrap})
    for name, policy in ((topics.graph_topic, "compact"), (topics.topic, "delete")):
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        settings = admin.describe_configs([resource])[resource].result(30)
        assert settings["cleanup.policy"].value == policy


def set_policy(topics, policy):
    admin = AdminClient({"bootstrap.servers": topics.bootstrap})
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topics.graph_topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
def test_a_topic_that_forgets_is_refused_until_it_is_mended(apache_kafka, redis_server, daemon, make_token, policy):
    topics = apache_kafka(1)
    set_policy(topics, policy)
    fanout = daemon("fanout", wait="/livez", **topics.fanout_options, **redis_server.options)
    ingest = daemon("ingest", **topics.ingest_options)
    wait_for(lambda: "graph_not_compacted" in log_events(fanout, "error"), "the refusal", 60)
    assert not fanout.ready() and f"cleanup.policy={policy}" in fanout.not_ready_because()
    assert play(ingest, make_token, [b'{"actor": "ann", "verb": "follow", "object": {"type": "user", "id": "bob"}}']) == 1
    line = next(line for line in fanout.log_lines() if line["event"] == "graph_not_compacted")
    command = line["command"].split()
    assert command[0] == "kafka-configs.sh" and command[-1] == "cleanup.policy=compact"
    assert (command[command.index("--bootstrap-server") + 1], command[command.index("--entity-name") + 1]) == (topics.bootstrap, topics.graph_topic)
    assert finished(fanout) == 0 and not fanout.ready()
    set_policy(topics, "compact")
    wait_for(lambda: finished(fanout) == 1 and fanout.ready(), "the work, once it is mended", 60)
    assert log_events(fanout, "error").count("graph_not_compacted") >= 1
    assert list(read_edges(topics.bootstrap, topics.graph_topic)) == ["demo/follow/ann/bob"]


def test_a_broker_that_does_not_tell_is_believed(embedded_broker, redis_server, daemon):
    fanout = daemon("fanout", kafka__brokers=embedded_broker().bootstrap, **redis_server.options)
    wait_for(lambda: "graph_topic_unchecked" in log_events(fanout, "info"), "the answer", 60)
    assert fanout.ready()
