"""feedwire-fanout with real servers: what it writes and counts, and what happens when it or the others die."""
import collections
import datetime
import json
import subprocess
import time
import uuid

import confluent_kafka
import msgpack
import pytest
from redis_wire import Redis, RedisError

TOPIC, DLQ_TOPIC, GROUP = "activities", "activities.dlq", "feedwire-fanout"
START_MS = 1_700_000_000_000

# A session that ends soon, so that after a kill the partitions do not wait long for the next member.
SHORT_SESSION = "session.timeout.ms=6000"


# ---- activities ----

KINDS = dict.fromkeys(("follow", "unfollow", "mute", "unmute", "block", "unblock"), "user") | {"filter": "feed"}


def activity(number, actor, verb="post", object_id="n1", published_ms=None, **more):
    """The record of an activity: (key, value, headers). number becomes its id and its time."""
    body = {"actor": actor, "verb": verb, "object": {"type": KINDS.get(verb, "note"), "id": object_id}, **more}
    time_ms = START_MS + number if published_ms is None else published_ms
    published = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    headers = [("ce_specversion", b"1.0"), ("ce_id", str(uuid.UUID(int=number)).encode()), ("ce_source", b"/test"),
               ("ce_type", b"feedwire.activity.v1"), ("ce_time", published.replace("+00:00", "Z").encode()), ("ce_tenant", b"demo")]
    return f"demo/{actor}".encode(), msgpack.packb(body), headers


def produce(broker, records, partition=0, topic=TOPIC):
    """In this order, into one partition; returns when all are acknowledged."""
    failures = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
    for key, value, headers in records:
        producer.produce(topic, value, key, partition, headers=headers,
                         on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not failures


def dead_letters(broker, count):
    """`count` dead letters or more, and what came within another second, as (headers, key, value)."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "test-dlq",
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.assign([confluent_kafka.TopicPartition(DLQ_TOPIC, 0, 0)])
    found, deadline = [], time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(1.0)
            if message is None:
                if len(found) >= count:
                    break
                continue
            assert not message.error(), message.error()
            found.append((dict(message.headers()), message.key(), message.value()))
    finally:
        consumer.close()
    return found


def committed(broker, partition=0):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": GROUP})
    try:
        return consumer.committed([confluent_kafka.TopicPartition(TOPIC, partition)], 20)[0].offset
    finally:
        consumer.close()


# ---- what is expected ----


class Expected:
    """What sequential work would write: for posts and follows whose times never go back."""

    def __init__(self):
        self.outboxes, self.homes, self.notifications = (collections.defaultdict(list) for _ in range(3))
        self.followers = collections.defaultdict(list)

    def add(self, number, actor, verb="post", object_id="n1", to=(), **_):
        if verb == "follow" and actor not in self.followers[object_id]:
            self.followers[object_id].append(actor)
            self.homes[actor] += self.outboxes[object_id][-20:]
        self.outboxes[actor].append(number)
        for user in dict.fromkeys([*to, *([object_id] if verb == "follow" else [])]):
            self.notifications[user].append(number)
        for user in self.followers[actor]:
            self.homes[user].append(number)

    def check(self, redis):
        """The newest hundred of each timeline; and where it was never trimmed, that its seq counts each entry once."""
        for prefix, timelines in (("o", self.outboxes), ("f", self.homes), ("n", self.notifications)):
            for user, numbers in timelines.items():
                _, seq, entries = window(redis, prefix, user)
                assert [uuid.UUID(bytes=e[:16]).int for e in entries] == sorted(set(numbers), reverse=True)[:100], (prefix, user)
                if len(set(numbers)) <= 100:
                    assert seq == len(set(numbers)), (prefix, user)


def window(redis, prefix, user):
    epoch, seq, found = redis("FCALL_RO", "feedwire_v1_window", 1, f"{prefix}:{{demo/{user}}}", 100)
    return epoch, seq, found[::2]


def crowd(posts, authors=5, fans=20):
    """Records and what they must lead to: fans follow authors, authors post; every tenth post names a fan."""
    records, expected, number = [], Expected(), 0

    def do(actor, **what):
        nonlocal number
        number += 1
        records.append(activity(number, actor, **what))
        expected.add(number, actor, **what)

    for fan in range(fans):
        for author in range(fan % authors + 1):
            do(f"fan{fan}", verb="follow", object_id=f"author{author}")
    for post in range(posts):
        more = {"to": [f"fan{post % fans}"]} if post % 10 == 0 else {}
        do(f"author{post % authors}", **more)
    return records, expected


# ---- fixtures ----


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({TOPIC: 1, DLQ_TOPIC: 1})


@pytest.fixture
def redis(redis_server):
    connections = []

    def call(*args):
        try:
            if not connections:
                connections.append(Redis(("127.0.0.1", redis_server.port)))
            return connections[0](*args)
        except OSError:
            connections.clear()
            raise

    yield call
    for connection in connections:
        connection.close()


@pytest.fixture
def fanout(broker, redis_server, daemon):
    """fanout(option=value) -> a running feedwire-fanout."""
    common = {"kafka__brokers": broker.bootstrap, "redis__url": redis_server.url, "kafka__properties": SHORT_SESSION}
    return lambda wait="/readyz", **options: daemon("fanout", wait, **common | options)


def finished(process):
    return process.metric("fanout_records_total")


def counts(process):
    metrics = process.metrics()
    return {name: metrics[f'fanout_records_total{{result="{name}"}}'] for name in ("done", "repeat", "dead_letter")}


def drained(process, records):
    until(lambda: finished(process) >= records and process.metric("kafka_consumer_lag_records") == 0, f"{records} finished records")


# ---- good weather ----


def test_writes_feeds_and_counts_them(broker, redis, fanout):
    records, expected = crowd(300)
    process = fanout()
    produce(broker, records)
    drained(process, len(records))
    expected.check(redis)
    assert counts(process) == {"done": len(records), "repeat": 0, "dead_letter": 0}
    assert process.metric("activities_fanout_success_total") == len(records)
    entries = sum(len(t) for kind in (expected.outboxes, expected.homes, expected.notifications) for t in kind.values())
    assert process.metric("fanout_feed_writes_total") == entries
    assert process.metric("fanout_in_flight_records") == process.metric("fanout_in_flight_commands") == 0


def test_the_graph_stands_on_both_sides(broker, redis, fanout):
    process = fanout()
    produce(broker, [activity(1, "ann", "follow", "bob"), activity(2, "cy", "follow", "bob"), activity(3, "cy", "unfollow", "bob"),
                     activity(4, "bob")])
    drained(process, 4)
    assert redis("ZRANGE", "g:{demo/bob/0}", 0, -1, "WITHSCORES") == [b"ann", str(START_MS + 1).encode()]
    assert redis("ZRANGE", "k:{demo/bob/0}", 0, -1, "WITHSCORES") == [b"cy", str(START_MS + 3).encode()]
    assert redis("ZRANGE", "h:{demo/ann}", 0, -1, "WITHSCORES") == [b"bob", str(START_MS + 1).encode()]
    assert redis("EXISTS", "h:{demo/cy}") == 0
    assert len(window(redis, "f", "ann")[2]) == 1
    # The unfollow is nowhere: cy's outbox has only the follow.
    assert [uuid.UUID(bytes=e[:16]).int for e in window(redis, "o", "cy")[2]] == [2]
    assert window(redis, "f", "cy")[2] == []


def test_a_repeated_id_is_counted_and_changes_nothing(broker, redis, fanout):
    records, expected = crowd(40)
    process = fanout()
    produce(broker, records + records[-3:])
    drained(process, len(records) + 3)
    assert counts(process) == {"done": len(records), "repeat": 3, "dead_letter": 0}
    assert process.metric("fanout_repeats_total") == 3
    expected.check(redis)


def test_more_followers_than_a_page(broker, redis, fanout):
    fans = [f"fan{i}" for i in range(1234)]
    records = [activity(1 + i // 7, fan, "follow", "star", id=str(uuid.uuid4())) for i, fan in enumerate(fans)]
    records = [(k, v, [h for h in hs if h[0] != "ce_id"]) for k, v, hs in records]
    process = fanout()
    produce(broker, records + [activity(5000, "star")])
    drained(process, len(records) + 1)
    for fan in fans:
        assert [uuid.UUID(bytes=e[:16]).int for e in window(redis, "f", fan)[2]] == [5000], fan


def test_json_values_are_read_too(broker, redis, fanout):
    key, value, headers = activity(1, "bob")
    process = fanout()
    produce(broker, [(key, json.dumps(msgpack.unpackb(value)).encode(), [*headers, ("content-type", b"application/json")])])
    drained(process, 1)
    assert len(window(redis, "o", "bob")[2]) == 1


def progress_of(redis, partition=0):
    said = redis("HGET", f"p:{{{TOPIC}}}", partition)
    return tuple(int(number) for number in said.split()) if said else None


def test_progress_is_published_also_where_nothing_happens(broker, redis, fanout):
    process = fanout()
    start_ms = time.time() * 1000
    until(lambda: progress_of(redis) and progress_of(redis)[0] == 0, "the progress of an empty partition")
    assert progress_of(redis)[1] >= start_ms
    assert process.metric("kafka_consumer_lag_seconds") == 0
    produce(broker, [activity(1, "bob"), activity(2, "bob")])
    until(lambda: progress_of(redis)[0] == 2, "the progress of two records")
    _, then = progress_of(redis)
    until(lambda: progress_of(redis)[1] > then, "time that goes on")
    process.terminate()
    fanout()
    until(lambda: progress_of(redis)[1] > time.time() * 1000 - 500, "the progress that the next one says")
    assert progress_of(redis)[0] == 2


def test_progress_stands_still_while_redis_refuses_writes_and_lag_grows(broker, redis, fanout):
    process = fanout()
    produce(broker, [activity(1, "bob")])
    drained(process, 1)
    until(lambda: progress_of(redis) and progress_of(redis)[0] == 1, "the progress")
    redis("CONFIG", "SET", "maxmemory", 1)
    produce(broker, [activity(2, "bob")])
    until(lambda: process.metric("kafka_consumer_lag_seconds") > 1, "a lag in time")
    assert progress_of(redis)[0] == 1
    redis("CONFIG", "SET", "maxmemory", 0)
    until(lambda: progress_of(redis)[0] == 2, "the progress")
    until(lambda: process.metric("kafka_consumer_lag_seconds") == 0, "no lag")


@pytest.mark.parametrize("topic", ["^act.*", "a b", "."])
def test_a_topic_that_is_none_is_refused(bin_dir, topic):
    done = subprocess.run([str(bin_dir / "feedwire-fanout"), f"--kafka.topic={topic}", "--admin.port=0"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "a name of a topic may have" in done.stderr


def test_metrics_are_well_formed(fanout, redis_server):
    process = fanout()
    import urllib.request

    text = urllib.request.urlopen(f"http://127.0.0.1:{process.admin_port}/metrics", timeout=10).read()
    result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert result.returncode == 0, result.stdout + result.stderr


# ---- it dies, or is stopped ----


def test_killed_and_redelivered_nothing_is_lost_or_doubled(broker, redis, fanout):
    # So many authors that no outbox outgrows its cap: of what was trimmed nobody can tell that it comes again.
    records, expected = crowd(3000, authors=40)
    process = fanout(commit__interval_ms=3600000)
    produce(broker, records)
    for _ in range(3):
        until(lambda: finished(process) >= 1000, "1000 finished records")
        process.kill9()
        assert committed(broker) < 0, "nothing was committed, so everything comes again"
        process.start()
    drained(process, len(records))
    expected.check(redis)
    assert counts(process)["repeat"] >= 1000
    assert counts(process)["dead_letter"] == 0


def test_an_orderly_stop_commits_what_is_finished(broker, redis, fanout):
    records, expected = crowd(500)
    process = fanout(commit__interval_ms=3600000)
    produce(broker, records)
    drained(process, len(records))
    assert process.terminate() == 0
    assert committed(broker) == len(records)
    process.start()
    produce(broker, [activity(9001, "author0")])
    until(lambda: finished(process) == 1, "the new record")
    expected.add(9001, "author0")
    expected.check(redis)


def test_an_orderly_stop_in_the_middle_finishes_what_is_in_hand(broker, redis, fanout):
    records, expected = crowd(3000)
    process = fanout(commit__interval_ms=3600000)
    produce(broker, records)
    until(lambda: finished(process) >= 100, "the middle")
    assert process.terminate() == 0
    first = [line for line in process.log_lines() if line["event"] == "stopped"][0]
    assert first["records_left"] == 0
    assert committed(broker) == first["records_total"]
    process.start()
    drained(process, len(records) - first["records_total"])
    assert counts(process)["repeat"] == 0
    expected.check(redis)


def test_finished_records_are_committed_while_it_runs(broker, fanout):
    records, _ = crowd(100)
    process = fanout(commit__interval_ms=50)
    produce(broker, records)
    drained(process, len(records))
    until(lambda: committed(broker) == len(records), "the commit")


def test_a_second_member_takes_partitions_over_and_gives_them_back(embedded_broker, redis_server, redis, daemon):
    broker = embedded_broker({TOPIC: 2, DLQ_TOPIC: 1})
    options = {"kafka.brokers": broker.bootstrap, "redis.url": redis_server.url, "kafka.properties": SHORT_SESSION}
    follows = [activity(i + 1, f"fan{i}", "follow", author) for i in range(50) for author in (f"author{i % 2}",)]
    one = daemon("fanout", **options)
    produce(broker, follows, 0)
    drained(one, len(follows))
    posts = [activity(1000 + i, f"author{i % 2}") for i in range(2000)]
    produce(broker, posts[0::2], 0)
    two = daemon("fanout", **options)
    until(lambda: two.metric("fanout_partitions") == 1 and one.metric("fanout_partitions") == 1, "one partition each")
    produce(broker, posts[1::2], 1)
    until(lambda: two.metric("fanout_records_total") + one.metric("fanout_records_total") >= len(follows) + 1500, "progress")
    assert two.terminate() == 0
    until(lambda: one.metric("fanout_partitions") == 2, "both partitions")
    until(lambda: one.metric("kafka_consumer_lag_records") == 0, "no lag")
    for fan in range(50):
        wanted = [1000 + i for i in range(2000) if i % 2 == fan % 2][-100:]
        until(lambda: [uuid.UUID(bytes=e[:16]).int for e in window(redis, "f", f"fan{fan}")[2]] == wanted[::-1], f"feed of fan{fan}")


# ---- dead letters ----


def bad_records():
    key, value, headers = activity(1, "bob")

    def without(name):
        return [h for h in headers if h[0] != name]

    body = msgpack.unpackb(value)
    return {
        "empty": (key, b"", headers),
        "no msgpack": (key, b"\xc1rubbish", headers),
        "cut short": (key, value[:-3], headers),
        "huge counts": (key, b"\xdd\xff\xff\xff\xff", headers),
        "deep": (key, b"\x91" * 2000, headers),
        "not a map": (key, msgpack.packb([1, 2]), headers),
        "no JSON": (key, b"{", [*headers, ("content-type", b"application/json")]),
        "unknown content type": (key, value, [*headers, ("content-type", b"text/plain")]),
        "too large": (key, msgpack.packb({**body, "x": "x" * 40000}), headers),
        "no tenant": (key, value, without("ce_tenant")),
        "two tenants": (key, value, [*headers, ("ce_tenant", b"other")]),
        "foreign tenant": (key, value, [*without("ce_tenant"), ("ce_tenant", b"other")]),
        "no id": (key, value, without("ce_id")),
        "no time": (key, value, without("ce_time")),
        "bad time": (key, value, [*without("ce_time"), ("ce_time", b"yesterday")]),
        "no actor": (key, msgpack.packb({k: v for k, v in body.items() if k != "actor"}), headers),
        "key of somebody else": (b"demo/eve", value, headers),
        "no key": (None, value, headers),
        "name with a brace": (b"demo/b}ob", msgpack.packb({**body, "actor": "b}ob"}), headers),
        "bad verb": (key, msgpack.packb({**body, "verb": "No Verb"}), headers),
        "follows themselves": (key, msgpack.packb({**body, "verb": "follow", "object": {"type": "user", "id": "bob"}}), headers),
        "many headers": (key, value, [*headers, *((f"x{i}", b"1") for i in range(20))]),
    }


def test_bad_records_become_dead_letters_and_the_rest_goes_on(broker, redis, fanout):
    bad = list(bad_records().items())
    good, expected = crowd(60)
    records = []
    for i, record in enumerate(good):
        records.append(record)
        if i < len(bad):
            records.append(bad[i][1])
    process = fanout()
    produce(broker, records)
    drained(process, len(records))
    expected.check(redis)
    assert counts(process) == {"done": len(good), "repeat": 0, "dead_letter": len(bad)}
    letters = dead_letters(broker, len(bad))
    assert len(letters) == len(bad)
    by_source = {headers["dlq_source"].decode(): (headers, key, value) for headers, key, value in letters}
    for i, (name, (key, value, headers)) in enumerate(bad):
        found, found_key, found_value = by_source[f"{TOPIC}/0/{2 * i + 1}"]
        assert found_key == key and (found_value or b"") == value, name
        assert found["dlq_reason"] in (b"malformed", b"invalid", b"unsupported"), name
        assert found["dlq_detail"] and found["dlq_attempts"] == b"1" and found["dlq_time"].endswith(b"Z"), name
        assert {k: v for k, v in found.items() if k.startswith("ce_")}.items() <= dict(headers).items(), name


def test_a_recipient_of_the_wrong_type_becomes_a_dead_letter_of_its_own(broker, redis, fanout):
    process = fanout()
    produce(broker, [activity(1, "ann", "follow", "bob"), activity(2, "cy", "follow", "bob")])
    drained(process, 2)
    redis("DEL", "f:{demo/ann}")
    redis("SET", "f:{demo/ann}", "text")
    redis("SET", "n:{demo/dan}", "text")
    produce(broker, [activity(3, "bob", to=["dan", "eve"])])
    drained(process, 3)
    assert counts(process) == {"done": 2, "repeat": 0, "dead_letter": 1}
    letters = dead_letters(broker, 2)
    assert [headers["dlq_reason"] for headers, _, _ in letters] == [b"wrong_type"] * 2
    assert {headers["dlq_source"] for headers, _, _ in letters} == {f"{TOPIC}/0/2".encode()}
    details = b" ".join(headers["dlq_detail"] for headers, _, _ in letters)
    assert b"ann" in details and b"dan" in details
    assert len(window(redis, "f", "cy")[2]) == 1
    assert len(window(redis, "n", "eve")[2]) == 1
    assert redis("GET", "f:{demo/ann}") == b"text"


def test_a_dead_letter_waits_until_kafka_takes_it(apache_kafka_server, apache_kafka, redis_server, daemon):
    """The topic for dead letters does not exist, and the broker makes none on demand: the bad record is not committed away. Then it is there."""
    topics = apache_kafka(1)
    dlq = f"{topics.topic}.missing"
    options = {**topics.fanout_options, "kafka.dlq_topic": dlq, "commit.interval_ms": 50, **redis_server.options}
    process = daemon("fanout", **options)
    producer = confluent_kafka.Producer({"bootstrap.servers": topics.bootstrap})
    for key, value, headers in (activity(1, "bob"), (b"demo/bob", b"\xc1", []), activity(2, "bob")):
        producer.produce(topics.topic, value, key, headers=headers)
    producer.flush(20)
    group = confluent_kafka.Consumer({"bootstrap.servers": topics.bootstrap, "group.id": topics.group, "enable.auto.commit": False})
    position = lambda: group.committed([confluent_kafka.TopicPartition(topics.topic, 0)], timeout=20)[0].offset  # noqa: E731
    until(lambda: finished(process) == 2, "the good records")
    until(lambda: position() == 1, "the commit before the bad one")
    assert process.metric("kafka_consumer_lag_records") == 2
    assert process.metric("fanout_dead_letters_total") == 0
    apache_kafka_server.create_topics({dlq: 1})
    until(lambda: process.metric("fanout_dead_letters_total") == 1, "the letter", 120)
    until(lambda: position() == 3, "the commit of all")
    group.close()


# ---- Redis goes away ----


def ready_reason(process):
    from feedwire_dev import admin

    status, text = admin.get(process.admin_port, "/readyz")
    return status, text


def test_redis_away_and_back_loses_nothing(broker, redis_server, redis, fanout):
    records, expected = crowd(3000)
    process = fanout()
    produce(broker, records[:2000])
    until(lambda: finished(process) >= 300, "the middle")
    redis_server.kill9()
    until(lambda: ready_reason(process)[0] == 503, "not ready")
    assert '"redis","ok":false' in ready_reason(process)[1].replace(" ", "")
    produce(broker, records[2000:])
    # Longer than a session: who does not poll is thrown out of the group.
    time.sleep(8)
    assert process.metrics(), "it runs"
    held = finished(process)
    redis_server.start()
    drained(process, len(records))
    assert held < len(records)
    expected.check(redis)
    assert counts(process)["dead_letter"] == 0
    events = [line.get("event") for line in process.log_lines()]
    assert "partitions_revoked" not in events and "partitions_lost" not in events


def test_started_before_redis(broker, redis_server, redis, fanout):
    records, expected = crowd(100)
    redis_server.kill9()
    process = fanout(wait="/livez")
    produce(broker, records)
    until(lambda: "partitions_assigned" in [line.get("event") for line in process.log_lines()], "partitions")
    assert finished(process) == 0
    redis_server.start()
    drained(process, len(records))
    expected.check(redis)


def test_the_connection_is_cut_many_times(broker, redis, fanout):
    records, expected = crowd(3000)
    process = fanout()
    produce(broker, records)
    cuts = 0
    while finished(process) < len(records) and cuts < 20:
        before = finished(process)
        until(lambda: finished(process) > before or finished(process) >= len(records), "progress")
        redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        cuts += 1
    drained(process, len(records))
    assert cuts >= 3
    expected.check(redis)
    assert counts(process) == {"done": len(records), "repeat": 0, "dead_letter": 0}


def test_functions_that_vanish_are_loaded_again(broker, redis, fanout):
    records, expected = crowd(2000)
    process = fanout()
    produce(broker, records)
    for goal in (200, 800, 1400):
        until(lambda: finished(process) >= goal, "progress")
        redis("FUNCTION", "FLUSH")
    drained(process, len(records))
    until(lambda: functions_are_there(redis), "the functions")
    expected.check(redis)
    assert counts(process)["dead_letter"] == 0


def functions_are_there(redis):
    try:
        return window(redis, "f", "nobody")[1] == 0
    except RedisError:
        return False


@pytest.mark.parametrize("how", ["maxmemory", "replica"])
def test_a_redis_that_refuses_writes_holds_everything(broker, redis, fanout, how):
    records, expected = crowd(2000)
    process = fanout()
    produce(broker, records[:1000])
    until(lambda: finished(process) >= 200, "the middle")
    if how == "maxmemory":
        redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        redis("CONFIG", "SET", "maxmemory", "1mb")
    else:
        redis("CONFIG", "SET", "replica-serve-stale-data", "yes")
        redis("CONFIG", "SET", "min-replicas-to-write", 1)
    produce(broker, records[1000:])
    until(lambda: ready_reason(process)[0] == 503, "not ready")
    redis("CONFIG", "SET", "maxmemory", 0)
    redis("CONFIG", "SET", "min-replicas-to-write", 0)
    drained(process, len(records))
    expected.check(redis)
    assert counts(process)["dead_letter"] == 0


# ---- options ----


@pytest.mark.parametrize("option", ["--redis.url=http://127.0.0.1", "--kafka.properties=no.such.property=1", "--feed.cap=0", "--log.level=loud",
                                    "--unknown=1"])
def test_bad_options_are_refused_with_a_sentence(bin_dir, option):
    result = subprocess.run([bin_dir / "feedwire-fanout", "--admin.port=0", option], capture_output=True, text=True, timeout=30)
    assert result.returncode == 2
    assert result.stderr.strip()
