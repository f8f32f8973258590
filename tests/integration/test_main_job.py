"""The main job on the real data set, compared with the oracle entry for entry.

Form A: one partition, in the order of the file, on Apache Kafka: every feed is exactly the oracle's; undisturbed, and with fanout killed five times.
Form B: four partitions, follows first, then the rest, on the embedded broker, with 200 clients connected all the time; everybody else's feed sleeps, and is woken at the end.
"""

import json
import pathlib
import subprocess
import time

import pytest
import redis
from confluent_kafka import Consumer, TopicPartition
from conftest import SECRET
from feedwire_dev import paths, tokens
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import COMPACTED
from feedwire_dev.play import Player, read_lines
from feed_clients import FeedClients
from feeds import fields_of, read
from oracle import Oracle

RECORDS = 61_321
PEOPLE = 3_397
REPEATS = 12
TTL_S = 2592000
KILLS = 5
REDELIVERED_MIN = 1_000
SLICE = 10_000


@pytest.fixture(scope="module")
def lines():
    return list(read_lines(paths.DATA))


@pytest.fixture(scope="module")
def oracle(lines):
    return Oracle(json.loads(line) for line in lines)


def wait_for(condition, what, timeout_s, every_s=0.1):
    """Waits for the condition and returns its value; fails when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s} s"
        time.sleep(every_s)
    return value


def connect(redis_server):
    return redis.Redis(port=redis_server.port)


def fanout_options(brokers, topic, redis_server, **more):
    return {"kafka.brokers": brokers, "kafka.topic": topic, "kafka.dlq_topic": f"{topic}.dlq", **redis_server.options, **more}


def play(ingest, make_token, lines, behind=None):
    player = Player(ingest.http_port, lambda: make_token("service:test", scope="publish"), behind)
    player.play(iter(lines))
    return player.accepted


def finished(fanout):
    return fanout.metric("fanout_records_total")


def wait_drained(fanout, records, timeout_s=300):
    wait_for(lambda: finished(fanout) >= records and fanout.metric("kafka_consumer_lag_records") == 0, f"{records} finished records", timeout_s, 0.2)


def compare(client, oracle):
    """Every home feed and all notifications equal the oracle's, in order and content. How many entries were compared."""
    compared = 0
    for prefix, expected_of in (("f", oracle.home), ("n", oracle.notifications)):
        feeds = read(client, prefix, sorted(oracle.people))
        wrong = []
        for user, entries in feeds.items():
            expected = expected_of(user)
            if [(ms, ident) for ms, ident, _ in entries] != expected:
                wrong.append(user)
                continue
            for ms, ident, fields in entries:
                assert fields == fields_of(oracle.activities[(ms, ident)]), user
            compared += len(entries)
        assert not wrong, f"{len(wrong)} of {len(feeds)} {prefix}: feeds differ from the oracle, e.g. {wrong[:5]}"
    return compared


@pytest.fixture(scope="module")
def played_topic(apache_kafka_server, bin_dir, secret_file, tmp_path_factory, lines):
    """The whole file in one partition of a topic on Apache Kafka, sent through ingest. Both tests of form A read it, each in a group of its own."""
    topic = "activities-form-a"
    graphs = [f"graph-{group}" for group in ("undisturbed", "killed")]
    apache_kafka_server.create_topics({topic: 1, f"{topic}.dlq": 1} | dict.fromkeys(graphs, 2), dict.fromkeys(graphs, COMPACTED))
    options = {"kafka.brokers": apache_kafka_server.bootstrap, "kafka.topic": topic, "auth.hs256_secret_file": secret_file}
    ingest = Daemon("ingest", tmp_path_factory.mktemp("form-a"), bin_dir, options)
    try:
        ingest.start()
        player = Player(ingest.http_port, lambda: tokens.make_token(SECRET, "service:test", scope="publish"))
        player.play(iter(lines))
        assert player.accepted == RECORDS
        assert ingest.metric("activities_published_total") == RECORDS
    finally:
        ingest.kill9()
    return topic


def test_the_data_set_is_the_one_described(lines, oracle):
    assert len(lines) == RECORDS
    assert len(oracle.people) == PEOPLE
    assert oracle.repeats == REPEATS


def test_form_a_undisturbed(apache_kafka_server, played_topic, redis_server, daemon, oracle):
    fanout = daemon("fanout", **fanout_options(apache_kafka_server.bootstrap, played_topic, redis_server, **{"kafka.group": "undisturbed", "kafka.graph_topic": "graph-undisturbed"}))
    wait_drained(fanout, RECORDS)
    assert finished(fanout) == RECORDS
    assert fanout.metric("fanout_repeats_total") == REPEATS
    assert fanout.metrics()['fanout_records_total{result="dead_letter"}'] == 0
    assert compare(connect(redis_server), oracle) > 100_000


class Group:
    """What a consumer group has committed, asked without joining it."""

    def __init__(self, bootstrap, group, topic):
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
        self._partition = TopicPartition(topic, 0)

    def committed(self):
        offset = self._consumer.committed([self._partition], timeout=20)[0].offset
        return max(offset, 0)

    def close(self):
        self._consumer.close()


def test_form_a_with_fanout_killed_five_times(apache_kafka_server, played_topic, redis_server, daemon, oracle):
    group = Group(apache_kafka_server.bootstrap, "killed", played_topic)
    options = fanout_options(apache_kafka_server.bootstrap, played_topic, redis_server, **{"kafka.group": "killed", "kafka.graph_topic": "graph-killed", "kafka.instance": "one", "commit.interval_ms": 3000})
    redelivered = []
    while len(redelivered) < KILLS:
        start = group.committed()
        fanout = daemon("fanout", **options)
        # A part of the file in each life, so that the kills are spread over it.
        goal = RECORDS * (len(redelivered) + 1) // (KILLS + 2)
        wait_for(lambda: start + finished(fanout) >= goal, "progress", 120, 0.02)
        reached = wait_for(lambda: (at := start + finished(fanout)) - group.committed() > REDELIVERED_MIN * 1.3 and at, "work that is not committed", 120, 0.01)
        fanout.kill9()
        behind = reached - group.committed()
        if behind >= REDELIVERED_MIN:
            redelivered.append(behind)
        assert reached < RECORDS, "the kills must be in the middle"
    start = group.committed()
    fanout = daemon("fanout", **options)
    wait_drained(fanout, RECORDS - start)
    group.close()
    assert fanout.metric("fanout_repeats_total") >= REDELIVERED_MIN
    print("redelivered after each kill:", redelivered)
    compare(connect(redis_server), oracle)


def check_form_b(client, oracle, users):
    """Follow entries aside, each feed is what followees did since the follow, complete down to the feed's oldest entry."""
    homes = read(client, "f", users)
    wrong = []
    for user, entries in homes.items():
        keys = [(ms, ident) for ms, ident, _ in entries]
        assert keys == sorted(set(keys), reverse=True), user
        expected = {key for key in oracle.since(user) if oracle.activities[key]["verb"] != "follow"}
        if len(entries) >= 100:
            expected = {key for key in expected if key >= keys[-1]}
        if {key for key, (_, _, fields) in zip(keys, entries) if fields["verb"] != "follow"} != expected:
            wrong.append(user)
    assert not wrong, f"{len(wrong)} home feeds are not complete, e.g. {wrong[:5]}"
    notifications = read(client, "n", sorted(oracle.people))
    wrong = [user for user, entries in notifications.items() if [(ms, ident) for ms, ident, _ in entries] != oracle.notifications(user)]
    assert not wrong, f"{len(wrong)} notifications differ from the oracle, e.g. {wrong[:5]}"


def wake(bin_dir, broker, people):
    done = subprocess.run([bin_dir / "feedctl", "wake", "-", f"--kafka.brokers={broker.bootstrap}", "--timeout_ms=60000"],
                          input="".join(f"{user}\n" for user in people), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_form_b_with_200_clients(embedded_broker, redis_server, daemon, make_token, bin_dir, lines, oracle):
    broker = embedded_broker({"activities": 4, "activities.dlq": 1})
    sleeping = {"feed.ttl_s": TTL_S}
    fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", redis_server, **sleeping))
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap)
    gateway = daemon("gateway", **redis_server.options, **{"kafka.brokers": broker.bootstrap}, **sleeping)
    busiest = sorted(oracle.people, key=lambda user: (-len(oracle.since(user)), user))
    users = busiest[:100] + busiest[100 :: (len(busiest) - 100) // 100][:100]
    clients = FeedClients(gateway.http_port, [(user, make_token(user)) for user in users])
    clients.start()
    try:
        follows = [line for line in lines if json.loads(line)["verb"] == "follow"]
        rest = [line for line in lines if json.loads(line)["verb"] != "follow"]
        accepted = play(ingest, make_token, follows, lambda sent: sent - finished(fanout))
        wait_drained(fanout, len(follows))
        accepted += play(ingest, make_token, rest, lambda sent: len(follows) + sent - finished(fanout))
        assert accepted == RECORDS
        wait_drained(fanout, RECORDS)
        raw = connect(redis_server)
        assert sum(raw.exists(f"f:{{demo/{user}}}") for user in oracle.people) == len(users), "only those who read have a feed"
        sleepers = oracle.people - set(users)
        wake(bin_dir, broker, sleepers)
        check_form_b(raw, oracle, users)
        # By then all is in the outboxes, so these have everything from before their follows too, as in form A.
        for user, entries in read(raw, "f", sorted(sleepers)).items():
            assert [(ms, ident) for ms, ident, _ in entries] == oracle.home(user), user
        assert fanout.metric("fanout_repeats_total") == REPEATS
        clients.wait_until_current(raw)
    finally:
        clients.stop()
    clients.check_nothing_was_wrong()
    feeds = read(raw, "f", users)
    for user, client in clients.by_user.items():
        assert client.newest("home", 50) == [(ms, ident) for ms, ident, _ in feeds[user]][:50], user
    assert gateway.metric("websocket_messages_sent_total") > 200
    assert sum(client.pushes for client in clients.by_user.values()) > 1_000


def test_a_slice_under_sanitizers(embedded_broker, redis_server, daemon, asan_bin_dir, make_token, lines):
    """The same as form A, with the programs of the asan preset: a report ends the program, and fails the test."""
    env = {"ASAN_OPTIONS": "detect_leaks=1", "LSAN_OPTIONS": f"suppressions={pathlib.Path(__file__).parent}/lsan.supp", "UBSAN_OPTIONS": "print_stacktrace=1"}
    sanitized = {"bin_dir": asan_bin_dir, "env": env}
    broker = embedded_broker({"activities": 1, "activities.dlq": 1})
    fanout = daemon("fanout", **sanitized, **fanout_options(broker.bootstrap, "activities", redis_server))
    ingest = daemon("ingest", **sanitized, kafka__brokers=broker.bootstrap)
    gateway = daemon("gateway", **sanitized, **redis_server.options)
    some = lines[:SLICE]
    oracle = Oracle(json.loads(line) for line in some)
    clients = FeedClients(gateway.http_port, [(user, make_token(user)) for user in sorted(oracle.people)[:20]])
    clients.start()
    try:
        assert play(ingest, make_token, some, lambda sent: sent - finished(fanout)) == SLICE
        wait_drained(fanout, SLICE)
        clients.wait_until_current(connect(redis_server))
    finally:
        clients.stop()
    clients.check_nothing_was_wrong()
    compare(connect(redis_server), oracle)
    for process in (gateway, ingest, fanout):
        assert process.terminate() == 0, process.log_tail(60)
