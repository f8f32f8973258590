"""Everything on a real Redis Cluster: three masters with a replica each, in which masters die and slots move under load."""

import itertools
import json
import os
import pathlib
import subprocess
import threading
import uuid

import msgpack
import pytest
from feed_clients import FeedClients
from feedwire_dev import paths, ports
from feedwire_dev.play import read_lines
from feeds import read
from oracle import Oracle
from redis.crc import key_slot
from redis_cluster import RedisCluster, wait_for
from test_main_job import compare, fanout_options, finished, play, wait_drained

RECORDS = 6_000
LIBRARY = (pathlib.Path(__file__).parents[2] / "schemas/redis/feedwire_v1.lua").read_text()


@pytest.fixture(scope="module")
def lines():
    return list(itertools.islice(read_lines(paths.DATA), RECORDS))


@pytest.fixture(scope="module")
def oracle(lines):
    return Oracle(json.loads(line) for line in lines)


@pytest.fixture
def redis_cluster(tmp_path, started):
    """redis_cluster(masters=3, replicas=True) -> RedisCluster"""
    return lambda **options: RedisCluster(tmp_path, started, **options)


class Job:
    """The whole way from ingest to clients of the gateway, over one partition."""

    def __init__(self, cluster, broker, daemon, make_token, users):
        self.cluster, self.make_token = cluster, make_token
        self.fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", cluster))
        self.ingest = daemon("ingest", kafka__brokers=broker.bootstrap)
        self.gateway = daemon("gateway", **cluster.options, **{"check_interval_ms": 1000})
        self.clients = FeedClients(self.gateway.http_port, [(user, make_token(user)) for user in users])
        self.clients.start()

        self._connected = True

    def stop(self):
        if self._connected:
            self._connected = False
            self.clients.stop()

    def play(self, lines):
        assert play(self.ingest, self.make_token, lines, lambda sent: sent - finished(self.fanout)) == len(lines)

    def check(self, oracle, records):
        """Everything is written, everybody was told, and nobody twice."""
        wait_drained(self.fanout, records)
        client = self.cluster.client()
        self.clients.wait_until_current(client)
        self.stop()
        self.clients.check_nothing_was_wrong()
        assert compare(client, oracle) > 10_000
        feeds = read(client, "f", self.clients.by_user)
        for user, told in self.clients.by_user.items():
            assert told.newest("home", 50) == [(ms, ident) for ms, ident, _ in feeds[user]][:50], user
        assert self.fanout.metrics()['fanout_records_total{result="dead_letter"}'] == 0


def busiest(oracle, count):
    return sorted(oracle.people, key=lambda user: (-len(oracle.since(user)), user))[:count]


def slot_of(user, tenant="demo"):
    return key_slot(f"{tenant}/{user}".encode())


@pytest.fixture
def job(redis_cluster, embedded_broker, daemon, make_token, oracle):
    cluster = redis_cluster()
    broker = embedded_broker({"activities": 1, "activities.dlq": 1})
    job = Job(cluster, broker, daemon, make_token, busiest(oracle, 60))
    yield job
    job.stop()


def in_background(work):
    """Runs it beside the test; join() raises what it raised."""

    class Background(threading.Thread):
        error = None

        def run(self):
            try:
                work()
            except BaseException as error:  # noqa: BLE001
                self.error = error

        def join(self, timeout=300):
            super().join(timeout)
            assert not self.is_alive()
            if self.error:
                raise self.error

    thread = Background(daemon=True)
    thread.start()
    return thread


# ---- the main job ----


def test_feeds_in_a_cluster_equal_the_oracle(job, lines, oracle):
    job.play(lines)
    job.check(oracle, RECORDS)
    pushed_from = {job.cluster.owner(slot_of(user)).name for user, client in job.clients.by_user.items() if client.pushes}
    assert pushed_from == {"master0", "master1", "master2"}
    keys = [master.call("DBSIZE") for master in job.cluster.masters]
    assert min(keys) > 100, keys


def test_a_master_dies_under_load(job, lines, oracle):
    player = in_background(lambda: job.play(lines))
    wait_for(lambda: finished(job.fanout) > RECORDS / 4, "a quarter of the work")
    job.cluster.fail_over(job.cluster.masters[1], job.cluster.replicas[1])
    assert finished(job.fanout) < RECORDS, "it must be in the middle"
    player.join()
    job.check(oracle, RECORDS)


def test_slots_move_to_a_new_master_under_load(job, lines, oracle):
    """The new one has no functions and is nobody's acquaintance. It gets all slots with keys of one master, key by key."""
    player = in_background(lambda: job.play(lines))
    wait_for(lambda: finished(job.fanout) > RECORDS / 4, "a quarter of the work")
    source = job.cluster.masters[0]
    fresh = job.cluster.add_master()
    slots = sorted(owned(job.cluster, oracle, source))
    job.cluster.move_slots(slots[: len(slots) * 3 // 4], source, fresh)
    assert finished(job.fanout) < RECORDS, "it must be in the middle"
    player.join()
    job.check(oracle, RECORDS)
    assert fresh.call("DBSIZE") > 100


def owned(cluster, oracle, master):
    """The slots of people that are this master's."""
    mine = set()
    for first, last, (_, port, *_), *_ in master.call("CLUSTER", "SLOTS"):
        if port == master.port:
            mine.update(range(first, last + 1))
    return mine & {slot_of(user) for user in oracle.people}
