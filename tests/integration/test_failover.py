"""A failover of Redis loses nothing, although Redis loses what its replica had not got: the replica is stopped first, then the master dies."""

import itertools
import json
import os
import re
import signal

import pytest
from feedwire_dev import paths
from feedwire_dev import redis_server as redis_servers
from feedwire_dev.play import read_lines
from oracle import Oracle
from redis.crc import key_slot
from redis_cluster import RedisCluster, wait_for
from redis_wire import Redis
from tcp_switch import TcpSwitch
from test_cluster import Job, busiest
from test_fanout import DLQ_TOPIC, SHORT_SESSION, TOPIC, activity, committed, crowd, drained, finished, produce, until, window
from test_graph import equals, events, note
from test_main_job import compare, fanout_options, play, wait_drained

RECORDS = 4_000


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({TOPIC: 1, DLQ_TOPIC: 1})


class Pair:
    """A master, its replica, and an address that leads to the one that is in charge."""

    def __init__(self, tmp_path, started):
        self.servers = []
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            server = redis_servers.RedisServer(folder, keep_data=True)
            server.command += ["--repl-diskless-sync-delay", "0"]
            started.append(server)
            self.servers.append(server.start())
        self.master, self.replica = self.servers
        self.replicate(self.replica, self.master)
        self.switch = TcpSwitch(self.master.port)
        started.append(self.switch)
        self.url = self.switch.url

    def call(self, server, *args):
        connection = Redis(("127.0.0.1", server.port))
        try:
            return connection(*args)
        finally:
            connection.close()

    def __call__(self, *args):
        return self.call(self.master, *args)

    def info(self, server):
        lines = self.call(server, "INFO", "replication").decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def replicate(self, replica, master):
        self.call(replica, "REPLICAOF", "127.0.0.1", master.port)
        until(lambda: self.info(replica)["master_link_status"] == "up", "the replica's link")
        until(lambda: "state=online" in self.info(master).get("slave0", ""), "the replica")

    def stop_replica(self):
        """It does nothing more, and its master does not know."""
        os.kill(self.replica.pid, signal.SIGSTOP)

    def part(self):
        """The replica gets nothing more: what waits in the buffers of a connection would be there when it goes on."""
        self.stop_replica()
        self.call(self.master, "CLIENT", "KILL", "TYPE", "replica")

    def lose_master(self):
        """The replica takes its place with what it has."""
        self.master.kill9()
        self.switch.to(None)
        os.kill(self.replica.pid, signal.SIGCONT)
        until(lambda: self.info(self.replica)["master_link_status"] == "down", "the replica without a master")
        self.call(self.replica, "REPLICAOF", "NO", "ONE")
        self.master, self.replica = self.replica, self.master
        self.switch.to(self.master.port)


@pytest.fixture
def pair(tmp_path, started):
    return Pair(tmp_path, started)


@pytest.fixture
def fanout(broker, pair, daemon):
    return lambda wait="/readyz", **options: daemon("fanout", wait, kafka__brokers=broker.bootstrap, redis__url=pair.url,
                                                    **{"kafka.properties": SHORT_SESSION, "commit.interval_ms": 50, **options})


def test_what_no_replica_has_is_not_committed(broker, pair, fanout):
    process = fanout()
    produce(broker, [activity(1, "bob")])
    until(lambda: committed(broker) == 1, "the commit of what the replica has")
    pair.stop_replica()
    produce(broker, [activity(2, "bob"), activity(3, "bob")])
    drained(process, 3)
    rounds = process.metric("redis_command_seconds_count")
    until(lambda: process.metric("redis_command_seconds_count") > rounds + 40, "some checks")
    assert committed(broker) == 1
    os.kill(pair.replica.pid, signal.SIGCONT)
    until(lambda: committed(broker) == 3, "the commit, when the replica has it")
    assert process.metric("redis_shards_unreplicated") == 0


def test_the_tail_is_made_again(broker, pair, fanout):
    records, expected = crowd(400)
    head = len(records) // 2
    process = fanout()
    produce(broker, records[:head])
    drained(process, head)
    until(lambda: committed(broker) == head, "the commit")
    pair.part()
    produce(broker, records[head:])
    drained(process, len(records))
    expected.check(pair)
    before = window(pair, "f", "fan19")
    pair.lose_master()
    assert not equals(expected, pair), "the tail must be lost"
    until(lambda: process.metric("fanout_partitions_replayed_total") == 1, "the replay")
    until(lambda: process.metric("kafka_consumer_lag_records") == 0 and equals(expected, pair), "the tail")
    expected.check(pair)
    assert "redis_failed_over" in events(process, "warn")
    assert process.metric("fanout_partitions_rewound_total") == 0 and process.metric("fanout_recoveries_total") == 1
    after = window(pair, "f", "fan19")
    assert after[2] == before[2] and after[0] != before[0], "the same entries, in another epoch: what had the same seq may have been another entry"
    until(lambda: committed(broker) == len(records), "the commit")


def test_a_successor_makes_the_tail_that_it_never_saw(broker, pair, fanout):
    """Commits had gone on without the replica, and the worker that made them dies with the master."""
    records, expected = crowd(400)
    head = len(records) // 2
    process = fanout(redis__replica_wait_ms=200)
    produce(broker, records[:head])
    until(lambda: committed(broker) == head, "the commit")
    pair.part()
    produce(broker, records[head:])
    until(lambda: committed(broker) == len(records), "the commit without the replica")
    assert process.metric("redis_shards_unreplicated") == 1 and "redis_replica_away" in events(process, "warn")
    process.kill9()
    pair.lose_master()
    assert not equals(expected, pair), "the tail must be lost"
    successor = fanout()
    until(lambda: equals(expected, pair), "the tail")
    expected.check(pair)
    assert successor.metric("fanout_partitions_replayed_total") == 1 and successor.metric("fanout_recoveries_total") == 0
    # The third one finds nothing changed.
    until(lambda: pair.info(pair.master)["master_replid"][:16] in note(broker), "a commit under the new id")
    assert successor.terminate() == 0
    third = fanout()
    produce(broker, [activity(9000, "author0")])
    until(lambda: finished(third) == 1, "the new record, and only that")
    assert third.metric("fanout_partitions_replayed_total") == 0


def test_a_server_that_starts_again_does_no_more_than_the_window(broker, pair, fanout):
    """What it has kept is complete, and nothing changes; who reads there is not told anything."""
    records, expected = crowd(300)
    process = fanout(fanout__replay_window_ms=1000)
    produce(broker, records)
    until(lambda: committed(broker) == len(records), "the commit")
    total = len(records)

    def behind_the_records():
        nonlocal total
        total += 1
        produce(broker, [activity(100_000 + total, "nobody")])
        until(lambda: committed(broker) == total, "the commit")
        return (replay := re.search(r"replay=(\d+)", note(broker))) and int(replay[1]) >= len(records)

    until(behind_the_records, "the beginning of the window behind the work")
    before = window(pair, "f", "fan19")
    pair.master.kill9()
    pair.master.start()
    until(lambda: process.metric("fanout_partitions_replayed_total") == 1 and process.metric("kafka_consumer_lag_records") == 0, "the replay")
    assert finished(process) - total <= total - len(records)
    expected.check(pair)
    assert window(pair, "f", "fan19") == before


# ---- a cluster ----


@pytest.fixture(scope="module")
def lines():
    return list(itertools.islice(read_lines(paths.DATA), RECORDS))


@pytest.fixture
def cluster(tmp_path, started):
    return RedisCluster(tmp_path, started)


def part(cluster, number):
    """The replica gets nothing more."""
    os.kill(cluster.replicas[number].pid, signal.SIGSTOP)
    cluster.masters[number].call("CLIENT", "KILL", "TYPE", "replica")


def lose_master(cluster, number):
    cluster.masters[number].kill9()
    os.kill(cluster.replicas[number].pid, signal.SIGCONT)
    wait_for(cluster.replicas[number].is_master, "the failover")


def test_a_shard_that_loses_its_tail_is_made_whole(cluster, broker, daemon, make_token, lines):
    oracle = Oracle(json.loads(line) for line in lines)
    job = Job(cluster, broker, daemon, make_token, busiest(oracle, 60))
    try:
        half = RECORDS // 2
        job.play(lines[:half])
        wait_drained(job.fanout, half)
        part(cluster, 1)
        job.play(lines[half:])
        wait_drained(job.fanout, RECORDS)
        had = cluster.masters[1].call("DBSIZE")
        lose_master(cluster, 1)
        assert cluster.replicas[1].call("DBSIZE") < had, "the tail must be lost"
        wait_for(lambda: job.fanout.metric("fanout_partitions_replayed_total") == 1, "the replay")
        job.check(oracle, RECORDS + 1)
        assert job.fanout.metric("fanout_recoveries_total") == 1
    finally:
        job.stop()


def test_a_shard_that_loses_everything_is_made_whole(cluster, broker, daemon, make_token, lines):
    """Also a second time, and after the mark of another shard has moved with its slot."""
    oracle = Oracle(json.loads(line) for line in lines)
    fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", cluster))
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap)
    assert play(ingest, make_token, lines, None) == RECORDS
    wait_drained(fanout, RECORDS)
    compare(cluster.client(), oracle)
    others = [master for master in cluster.masters if master is not cluster.owner(key_slot(b"feedwire"))]
    for number, master in enumerate(others):
        wait_for(lambda: marks(cluster) == {m.name for m in others}, "the marks")
        if number:
            first = master.call("CLUSTER", "SLOTS")
            slot = min(row[0] for row in first if row[2][1] == master.port)
            cluster.move_slots([slot], master, others[0])
            wait_for(lambda: committed(broker) == RECORDS, "commits go on")
        master.call("FLUSHALL")
        wait_for(lambda: fanout.metric("fanout_partitions_rewound_total") == number + 1, "the rewind")
        wait_for(lambda: fanout.metric("kafka_consumer_lag_records") == 0 and fanout.metric("fanout_recovering") == 0, "the work")
        assert compare(cluster.client(), oracle) > 10_000


def marks(cluster):
    """The servers that hold a mark of the present life."""
    life = cluster.client().execute_command("GET", "life:{feedwire}")
    found = set()
    for master in cluster.masters:
        for key in master.call("KEYS", "life:{feedwire/*}"):
            if cluster.client().execute_command("GET", key) == life:
                found.add(master.name)
    return found
