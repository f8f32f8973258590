"""The follow graph outlives Redis: the topic `graph`, and what happens when Redis has lost everything."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

import confluent_kafka
import pytest
from graph_topic import edge, read_edges, read_records, write_records
from redis_wire import Redis, RedisError
from test_fanout import (DLQ_TOPIC, GROUP, SHORT_SESSION, START_MS, TOPIC, activity, committed, crowd, drained, finished, produce, ready_reason,
                         until, window)

LIFE, LOADER = b"life:{feedwire}", b"life:{feedwire}/loader"
EDGES = 200_000


# ---- fixtures ----


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({TOPIC: 1, DLQ_TOPIC: 1, "graph": 8, "later": 1})


@pytest.fixture
def redis(redis_server):
    """A command on a connection of its own."""

    def call(*args):
        connection = Redis(("127.0.0.1", redis_server.port))
        try:
            return connection(*args)
        finally:
            connection.close()

    return call


@pytest.fixture
def fanout(broker, redis_server, daemon):
    """fanout(option=value) -> a running feedwire-fanout."""
    return lambda wait="/readyz", **options: daemon("fanout", wait, kafka__brokers=broker.bootstrap, redis__url=redis_server.url,
                                                    **{"kafka.properties": SHORT_SESSION, **options})


# ---- helpers ----


def ids(redis, prefix, user):
    return [uuid.UUID(bytes=entry[:16]).int for entry in window(redis, prefix, user)[2]]


def edges_in_redis(redis):
    """The same as read_edges, by the keys of Redis."""
    found = {}
    for letter, place in ((b"g", 0), (b"k", 1)):
        for key in redis("KEYS", letter + b":*"):
            tenant, followed, _ = key[3:-1].decode().split("/")
            rows = redis("ZRANGE", key, 0, -1, "WITHSCORES")
            for follower, time_ms in zip(rows[::2], rows[1::2]):
                times = found.setdefault(f"{tenant}/follow/{follower.decode()}/{followed}", [0, 0])
                times[place] = int(time_ms)
    return {key: tuple(times) for key, times in found.items()}


def followees_in_redis(redis):
    return {(key[3:-1].decode().split("/")[1], followee.decode()) for key in redis("KEYS", "h:*") for followee in redis("ZRANGE", key, 0, -1)}


def events(process, *levels):
    return [line["event"] for line in process.log_lines() if not levels or line["level"] in levels]


def equals(expected, redis):
    try:
        expected.check(redis)
        return True
    except (AssertionError, RedisError):  # also: the functions are not there yet
        return False


def rebuilt(expected, redis, *processes):
    """Waits until everything was worked off once more, then compares; if it differs, says how."""
    until(lambda: all(p.metric("kafka_consumer_lag_records") == 0 for p in processes) and equals(expected, redis), "the rebuilt feeds", 120)
    expected.check(redis)


def note(broker):
    """What was committed with the offset, or a little more: the library takes the text for one that ends with a NUL."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": GROUP})
    try:
        return consumer.committed([confluent_kafka.TopicPartition(TOPIC, 0)], 20)[0].metadata or ""
    except UnicodeDecodeError:
        return ""
    finally:
        consumer.close()


# ---- out to the topic ----


def test_follows_and_unfollows_stand_in_the_topic_as_in_redis(broker, redis, fanout):
    process = fanout()
    produce(broker, [activity(1, "ann", "follow", "bob"), activity(2, "cy", "follow", "bob"), activity(3, "cy", "unfollow", "bob"),
                     activity(4, "ann", "follow", "bob"), activity(5, "cy", "follow", "dan"), activity(6, "cy", "unfollow", "dan"),
                     activity(7, "cy", "follow", "dan"), activity(8, "eve", "unfollow", "ann")])
    drained(process, 8)
    expected = {"demo/follow/ann/bob": (START_MS + 1, 0), "demo/follow/cy/bob": (0, START_MS + 3),
                "demo/follow/cy/dan": (START_MS + 7, START_MS + 6), "demo/follow/eve/ann": (0, START_MS + 8)}
    assert read_edges(broker.bootstrap) == expected == edges_in_redis(redis)
    assert process.metric("fanout_graph_records_total") == len(read_records(broker.bootstrap)) == 8


def test_many_edges_stand_in_the_topic_as_in_redis_also_after_kills(broker, redis, fanout):
    records, expected = crowd(300, fans=200)
    process = fanout(commit__interval_ms=50)
    produce(broker, records)
    for goal in (100, 200, 300):
        until(lambda: finished(process) >= 60, "progress")
        process.kill9()
        process.start()
    until(lambda: process.metric("kafka_consumer_lag_records") == 0 and process.metric("fanout_partitions") == 1, "the end", 120)
    until(lambda: committed(broker) == len(records), "the commit")
    expected.check(redis)
    assert len(edges_in_redis(redis)) == 600
    assert read_edges(broker.bootstrap) == edges_in_redis(redis)


def pages_of(redis, author):
    """{page: number of followers}"""
    return {key.decode()[:-1].rsplit("/", 1)[1]: redis("ZCARD", key) for key in redis("KEYS", f"g:{{demo/{author}/*")}


def test_followers_in_many_pages_through_kills_and_a_loss(broker, redis, fanout, bin_dir, redis_server):
    """Pages are split while workers are killed; nobody is left out; the graph is loaded into pages again."""
    records, expected = crowd(100, fans=200)
    process = fanout(commit__interval_ms=50, fanout__page_followers=10)
    produce(broker, records)
    for _ in range(3):
        until(lambda: finished(process) >= 60, "progress")
        process.kill9()
        process.start()
    until(lambda: process.metric("kafka_consumer_lag_records") == 0 and process.metric("fanout_partitions") == 1, "the end", 120)
    until(lambda: committed(broker) == len(records), "the commit")
    expected.check(redis)
    edges = edges_in_redis(redis)
    assert read_edges(broker.bootstrap) == edges
    pages = pages_of(redis, "author0")
    assert len(pages) > 10 and sum(pages.values()) == 200 and max(pages.values()) <= 20
    command = [bin_dir / "feedctl", "followers", "author0", "--json", "--limit=150", *(f"--{name}={value}" for name, value in redis_server.options.items())]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert told["total"] == 200 and len({row["user"] for row in told["followers"]}) == 150
    rewound = process.metric("fanout_partitions_rewound_total")
    redis("FLUSHALL")
    until(lambda: process.metric("fanout_partitions_rewound_total") == rewound + 1, "the rewind")
    rebuilt(expected, redis, process)
    assert edges_in_redis(redis) == edges
    pages = pages_of(redis, "author0")
    assert len(pages) > 10 and sum(pages.values()) == 200 and max(pages.values()) <= 20
    assert process.metrics()['fanout_records_total{result="dead_letter"}'] == 0


# ---- an empty Redis ----


def test_a_new_installation_starts_at_once_and_quietly(broker, redis, fanout):
    process = fanout()
    assert redis("STRLEN", LIFE) == 16 and redis("EXISTS", LOADER) == 0
    assert events(process, "warn", "error") == []
    assert process.metric("fanout_recoveries_total") == 1 and process.metric("fanout_partitions_rewound_total") == 0
    assert process.metric("fanout_recovering") == 0
    life = redis("GET", LIFE)
    assert process.terminate() == 0
    process.start()
    assert redis("GET", LIFE) == life
    assert process.metric("fanout_recoveries_total") == 0


def test_commits_carry_the_life(broker, redis, fanout):
    process = fanout(commit__interval_ms=50)
    produce(broker, [activity(1, "bob")])
    until(lambda: committed(broker) == 1, "the commit")
    until(lambda: note(broker).startswith("life=" + redis("GET", LIFE).decode()), "the note")
    assert process.metric("fanout_partitions_rewound_total") == 0


def test_everything_is_lost_while_it_runs(broker, redis, fanout):
    records, expected = crowd(2000, authors=40)
    process = fanout(commit__interval_ms=50)
    produce(broker, records[:1500])
    drained(process, 1500)
    life = redis("GET", LIFE)
    redis("FLUSHALL")
    rebuilt_part = finished(process)
    until(lambda: redis("GET", LIFE) not in (None, life), "another life")
    produce(broker, records[1500:])
    rebuilt(expected, redis, process)
    assert finished(process) >= rebuilt_part + len(records)
    assert process.metric("fanout_recoveries_total") == 2
    assert process.metric("fanout_partitions_rewound_total") == 1
    assert "redis_lost_everything" in events(process, "warn") and "partitions_rewound" in events(process, "warn")
    assert process.metrics()['fanout_records_total{result="dead_letter"}'] == 0
    until(lambda: committed(broker) == len(records), "the commit")


def test_everything_is_lost_in_the_middle_of_the_work(broker, redis, fanout):
    records, expected = crowd(3000, authors=40)
    process = fanout(commit__interval_ms=50)
    produce(broker, records)
    for _ in range(4):
        before = finished(process)
        until(lambda: finished(process) >= before + 300, "progress")
        redis("FLUSHALL")
    rebuilt(expected, redis, process)
    assert process.metric("fanout_partitions_rewound_total") >= 1


def test_everything_is_lost_and_the_worker_killed_at_once(broker, redis, fanout):
    """Whatever it had committed or was about to: none of it counts in the next life."""
    records, expected = crowd(2000, authors=40)
    process = fanout(commit__interval_ms=10)
    for i in range(3):
        part = len(records) // 3 + 1
        produce(broker, records[i * part:(i + 1) * part - 100])
        until(lambda: (redis("GET", LIFE) or b"none").decode() in note(broker), "a commit of this life")
        produce(broker, records[(i + 1) * part - 100:(i + 1) * part])
        redis("FLUSHALL")
        time.sleep(0.08 * (2 - i))  # after and, the last time, before it has noticed: nothing can heal that but the note
        process.kill9()
        process.start()
    rebuilt(expected, redis, process)


def test_a_server_without_data_takes_the_place(broker, redis_server, redis, fanout):
    records, expected = crowd(1000, authors=40)
    process = fanout(commit__interval_ms=50)
    produce(broker, records)
    drained(process, len(records))
    redis_server.kill9()
    shutil.rmtree(redis_server.data)
    redis_server.start()
    rebuilt(expected, redis, process)
    assert redis("EXISTS", LIFE)


def test_a_redis_that_comes_back_with_its_data_is_the_same_life(broker, redis_server, redis, fanout):
    records, expected = crowd(500)
    process = fanout(commit__interval_ms=50)
    produce(broker, records)
    drained(process, len(records))
    redis_server.kill9()
    until(lambda: ready_reason(process)[0] == 503, "not ready")
    redis_server.start()
    until(lambda: ready_reason(process)[0] == 200, "ready")
    assert process.metric("fanout_partitions_rewound_total") == 0 and process.metric("fanout_recoveries_total") == 1
    until(lambda: process.metric("fanout_partitions_replayed_total") == 1 and process.metric("kafka_consumer_lag_records") == 0, "the newest work, once more")
    expected.check(redis)


def test_a_loss_under_sanitizers(broker, redis, fanout, asan_bin_dir, daemon, redis_server):
    """With the program of the asan preset: a report ends it, and fails the test."""
    env = {"ASAN_OPTIONS": "detect_leaks=1", "LSAN_OPTIONS": f"suppressions={pathlib.Path(__file__).parent}/lsan.supp"}
    older = [(f"demo/follow/fan{i}/author{i % 10}", edge(10 + i)) for i in range(5000)]
    write_records(broker.bootstrap, older)
    process = daemon("fanout", bin_dir=asan_bin_dir, env=env, **{"kafka.brokers": broker.bootstrap, "redis.url": redis_server.url,
                                                                 "kafka.properties": SHORT_SESSION, "commit.interval_ms": 50})
    records, _ = crowd(300, authors=40)
    produce(broker, records)
    drained(process, len(records))
    edges = edges_in_redis(redis)
    assert len(edges) > len(older)
    redis("FLUSHALL")
    until(lambda: process.metric("fanout_partitions_rewound_total") == 1, "the rewind")
    redis("FLUSHALL")
    until(lambda: process.metric("fanout_partitions_rewound_total") == 2, "the rewind")
    until(lambda: process.metric("kafka_consumer_lag_records") == 0 and edges_in_redis(redis) == edges, "everything", 120)
    redis("FLUSHALL")
    assert process.terminate() == 0, process.log_tail(60)


# ---- the graph outlives the activities ----


def test_edges_outlive_the_activities_that_made_them(broker, redis, fanout):
    first = fanout()
    produce(broker, [activity(i + 1, f"fan{i}", "follow", f"author{i % 3}") for i in range(300)]
            + [activity(400, "fan0", "unfollow", "author0"), activity(401, "fan1", "unfollow", "author1"), activity(402, "fan1", "follow", "author1")])
    drained(first, 303)
    before, followees = edges_in_redis(redis), followees_in_redis(redis)
    assert len(before) == 300 and len(followees) == 299
    assert first.terminate() == 0
    # The activities that made the edges are out of reach: the next topic begins after them.
    redis("FLUSHALL")
    process = fanout(kafka__topic="later")
    assert edges_in_redis(redis) == before and followees_in_redis(redis) == followees
    assert process.metric("fanout_graph_edges_loaded_total") == 303
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap})
    late_follow = activity(399, "fan0", "follow", "author0")  # older than the end of that edge
    for key, value, headers in [late_follow, *(activity(1000 + i, f"author{i}") for i in range(3))]:
        producer.produce("later", value, key, 0, headers=headers)
    assert producer.flush(30) == 0
    drained(process, 4)
    for i in range(300):
        assert ids(redis, "f", f"fan{i}") == ([] if i == 0 else [1000 + i % 3]), i


def test_an_unfollow_between_two_follows_takes_the_first_also_after_a_loss(broker, redis, fanout):
    write_records(broker.bootstrap, [("demo/follow/ann/bob", edge(START_MS + 1, 0, START_MS + 9))])
    process = fanout()
    produce(broker, [activity(5, "bob"), activity(10, "bob"), activity(6, "ann", "unfollow", "bob")])
    drained(process, 3)
    until(lambda: ids(redis, "f", "ann") == [10, 5], "what the older end does not reach: backfill")
    assert redis("ZRANGE", "h:{demo/ann}", 0, -1, "WITHSCORES") == [b"bob", str(START_MS + 9).encode()]
    assert edges_in_redis(redis) == {"demo/follow/ann/bob": (START_MS + 9, START_MS + 6)}
    assert ("demo/follow/ann/bob", edge(START_MS + 9, START_MS + 6)) in read_records(broker.bootstrap)


def test_what_is_no_edge_is_left_out_and_told(broker, redis, fanout):
    write_records(broker.bootstrap, [("demo/follow/ann/bob", edge(10)), ("demo/follow/cy/bob", edge(10)), ("demo/follow/cy/bob", None),
                                     ("demo/later/ann/bob", edge(10)), ("demo/follow/b}ad/bob", edge(10)), ("demo/follow/dan/bob", b"\xdd\xff\xff\xff\xff"),
                                     ("", b""), ("demo/follow/eve/bob", edge(0, 20))])
    process = fanout()
    assert redis("ZRANGE", "g:{demo/bob/0}", 0, -1) == [b"ann", b"cy"], "a deleted record is no unfollow"
    assert redis("ZRANGE", "k:{demo/bob/0}", 0, -1) == [b"eve"]
    line = next(line for line in process.log_lines() if line["event"] == "graph_loaded")
    assert (line["level"], line["records"], line["edges"], line["of_unknown_kinds"], line["unreadable"]) == ("warn", 8, 3, 1, 3)


def test_a_key_of_another_type_costs_one_edge(broker, redis, fanout):
    redis("SET", "g:{demo/bob/0}", "text")
    redis("SET", "h:{demo/dan}", "text")
    write_records(broker.bootstrap, [("demo/follow/ann/bob", edge(10)), ("demo/follow/ann/cy", edge(10)), ("demo/follow/dan/cy", edge(11))])
    process = fanout()
    assert redis("ZRANGE", "g:{demo/cy/0}", 0, -1) == [b"ann", b"dan"]
    assert events(process, "warn").count("graph_edge_refused") == 2


# ---- kills and company in the middle of a load ----


def many_edges():
    return [(f"demo/follow/fan{i}/author{i % 1000}", edge(START_MS + i)) for i in range(EDGES)]


def check_many_edges(redis):
    found = edges_in_redis(redis)
    assert len(found) == EDGES
    assert all(found[key] == (START_MS + i, 0) for i, (key, _) in enumerate(many_edges()))
    assert len(redis("KEYS", "h:*")) == EDGES


def in_the_middle(redis, process):
    until(lambda: process.metric("fanout_graph_edges_loaded_total") > 0, "the beginning of the load")
    assert redis("EXISTS", LIFE) == 0, "the load must be under way"


def test_killed_in_the_middle_of_a_load(broker, redis, fanout):
    write_records(broker.bootstrap, many_edges())
    process = fanout(wait=None)
    for _ in range(2):
        in_the_middle(redis, process)
        status, text = ready_reason(process)
        assert status == 503 and "loading the graph" in text
        assert process.metric("fanout_recovering") == 1
        process.kill9()
        assert redis("EXISTS", LIFE) == 0
        process.start(None)
    process.wait_for_page("/readyz")
    assert process.metric("fanout_graph_edges_loaded_total") == EDGES
    check_many_edges(redis)


def test_everything_is_lost_in_the_middle_of_a_load(broker, redis, fanout):
    write_records(broker.bootstrap, many_edges())
    process = fanout(wait=None)
    in_the_middle(redis, process)
    redis("FLUSHALL")
    process.wait_for_page("/readyz")
    assert process.metric("fanout_graph_edges_loaded_total") > EDGES, "it has begun again"
    check_many_edges(redis)


def test_redis_is_away_in_the_middle_of_a_load(broker, redis_server, redis, fanout):
    write_records(broker.bootstrap, many_edges())
    process = fanout(wait=None)
    in_the_middle(redis, process)
    redis_server.kill9()
    until(lambda: "redis_lost" in events(process), "the loss")
    redis_server.start()
    process.wait_for_page("/readyz")
    check_many_edges(redis)


def test_stopped_in_the_middle_of_a_load(broker, redis, fanout):
    write_records(broker.bootstrap, many_edges())
    process = fanout(wait=None)
    in_the_middle(redis, process)
    assert process.terminate() == 0
    assert redis("EXISTS", LIFE) == 0


@pytest.fixture
def two(embedded_broker, redis_server, daemon):
    """A broker with two partitions, and a function that starts a member."""
    broker = embedded_broker({TOPIC: 2, DLQ_TOPIC: 1, "graph": 8})
    options = {"kafka.brokers": broker.bootstrap, "redis.url": redis_server.url, "kafka.properties": SHORT_SESSION, "commit.interval_ms": 50}
    return broker, lambda wait="/readyz": daemon("fanout", wait, **options)


def spread(broker, records):
    """Each author's acts in one of the two partitions."""
    parts = ([], [])
    for record in records:
        parts[sum(record[0]) % 2].append(record)
    for number, part in enumerate(parts):
        produce(broker, part, number)


def test_of_two_members_one_loads_and_both_begin_again(two, redis):
    broker, member = two
    records, expected = crowd(1500, authors=40)
    one, other = member(), member()
    until(lambda: one.metric("fanout_partitions") == 1 and other.metric("fanout_partitions") == 1, "a partition each")
    follows = [record for record in records if record[0].startswith(b"demo/fan")]
    spread(broker, follows)
    until(lambda: finished(one) + finished(other) >= len(follows), "the follows")
    spread(broker, records[len(follows):])
    until(lambda: finished(one) + finished(other) >= len(records), "everything")
    expected.check(redis)
    recoveries = one.metric("fanout_recoveries_total") + other.metric("fanout_recoveries_total")
    for round_number in range(3):
        redis("FLUSHALL")
        until(lambda: one.metric("fanout_partitions_rewound_total") == round_number + 1
              and other.metric("fanout_partitions_rewound_total") == round_number + 1, "both have begun again")
        rebuilt(expected, redis, one, other)
        assert one.metric("fanout_recoveries_total") + other.metric("fanout_recoveries_total") == recoveries + round_number + 1
    # Nobody has anything left to do, whoever comes next.
    assert one.terminate() == 0 and other.terminate() == 0
    third = member()
    until(lambda: third.metric("fanout_partitions") == 2 and third.metric("kafka_consumer_lag_records") == 0, "the partitions")
    assert third.metric("fanout_partitions_rewound_total") == 0
    expected.check(redis)


def test_the_other_member_takes_the_load_over(two, redis):
    broker, member = two
    write_records(broker.bootstrap, many_edges())
    records, expected = crowd(300)
    one = member(None)
    in_the_middle(redis, one)
    other = member(None)
    until(lambda: "another member is loading the graph" in ready_reason(other)[1], "the other waits")
    one.kill9()
    assert redis("EXISTS", LIFE) == 0
    other.wait_for_page("/readyz")
    assert other.metric("fanout_recoveries_total") == 1
    until(lambda: other.metric("fanout_partitions") == 2, "both partitions")
    produce(broker, records, 0)
    until(lambda: finished(other) >= len(records), "the work")
    for key, value in many_edges()[::997]:
        _, _, follower, followed = key.split("/")
        assert redis("ZSCORE", f"g:{{demo/{followed}/0}}", follower) is not None
    expected.check(redis)


def test_a_loader_that_slept_past_its_lease_brings_nothing_back(two, redis):
    """It stops with answers about edges that it has not read. Another one loads the graph, and these edges are ended; then it goes on. As a rule its
    connection gives up first what was not answered in time; where it does not, what it still writes is older than what is there."""
    broker, member = two
    count = 60_000
    write_records(broker.bootstrap, [(f"demo/follow/fan{i % 100}/author{i // 100}", edge(START_MS + i)) for i in range(count)])
    one = member(None)
    in_the_middle(redis, one)
    redis("CLIENT", "PAUSE", 60_000, "WRITE")  # what it has sent now is answered when it cannot read any more
    os.kill(one.popen.pid, signal.SIGSTOP)
    redis("CLIENT", "UNPAUSE")
    until(lambda: redis("EXISTS", LOADER) == 0, "the end of the lease")
    follows = followees_in_redis(redis)
    half = [key for key in edges_in_redis(redis) if tuple(key.split("/")[2:]) not in follows]
    assert 0 < len(half) < 2000 and redis("EXISTS", LIFE) == 0, "edges whose answers it has not read, in the middle of the load"
    other = member()
    until(lambda: other.metric("fanout_partitions") == 2, "both partitions")
    produce(broker, [activity(100_000 + i, key.split("/")[2], "unfollow", key.split("/")[3]) for i, key in enumerate(half)])
    until(lambda: finished(other) == len(half), "the ends of these edges")
    followees = followees_in_redis(redis)
    assert len(followees) == count - len(half)
    os.kill(one.popen.pid, signal.SIGCONT)
    one.wait_for_page("/readyz")
    assert followees_in_redis(redis) == followees
    edges = edges_in_redis(redis)
    assert all(edges[key][0] == 0 for key in half)


def test_a_member_that_slept_through_the_loss_commits_nothing_of_before(two, redis):
    """It sleeps for less than its session; meanwhile Redis is emptied, and the other one has loaded the graph and begun a life."""
    broker, member = two
    records, expected = crowd(1500, authors=40)
    one, other = member(), member()
    until(lambda: one.metric("fanout_partitions") == 1 and other.metric("fanout_partitions") == 1, "a partition each")
    follows = [record for record in records if record[0].startswith(b"demo/fan")]
    spread(broker, follows)
    until(lambda: finished(one) + finished(other) >= len(follows), "the follows")
    spread(broker, records[len(follows):])
    until(lambda: finished(one) + finished(other) >= len(follows) + 200, "the middle")
    life = redis("GET", LIFE)
    os.kill(one.popen.pid, signal.SIGSTOP)
    redis("FLUSHALL")
    until(lambda: redis("GET", LIFE) not in (None, life), "the next life")
    os.kill(one.popen.pid, signal.SIGCONT)
    until(lambda: one.metric("fanout_partitions_rewound_total") >= 1, "it has begun again")
    rebuilt(expected, redis, one, other)
