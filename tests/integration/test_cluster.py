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
        self.fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", cluster, fanout__page_followers=50))
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


def owned(oracle, master):
    """The slots of people that are this master's."""
    mine = set()
    for first, last, (_, port, *_), *_ in master.call("CLUSTER", "SLOTS"):
        if port == master.port:
            mine.update(range(first, last + 1))
    return sorted(mine & {slot_of(user) for user in oracle.people})


def test_slots_move_to_a_new_master_under_load(job, lines, oracle):
    """Most of a master's keys, two at a time; between two steps, when a slot is on both sides, some activities come."""
    source, fresh = job.cluster.masters[0], job.cluster.add_master()
    half = RECORDS // 2
    job.play(lines[:half])
    wait_drained(job.fanout, half)
    slots = [slot for slot in owned(oracle, source) if source.call("CLUSTER", "COUNTKEYSINSLOT", slot)]
    slots = slots[: len(slots) * 3 // 4]
    part = -(-half // len(slots))
    rest = iter([lines[start : start + part] for start in range(half, RECORDS, part)])

    def play_some():
        for some in itertools.islice(rest, 1):
            assert play(job.ingest, job.make_token, some, None) == len(some)

    job.cluster.move_slots(slots, source, fresh, play_some)
    assert next(rest, None) is None, "all came while slots moved"
    job.check(oracle, RECORDS)
    assert fresh.call("DBSIZE") > len(slots)


# ---- what one part does ----


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({"activities": 1, "activities.dlq": 1})


class Writer:
    """Writes home feeds as fanout does."""

    def __init__(self, cluster):
        self.cluster = cluster
        cluster.client().load_functions(LIBRARY)
        self._numbers = itertools.count(1)

    def add(self, user):
        number = next(self._numbers)
        entry = uuid.UUID(int=number).bytes + msgpack.packb(["like", "cy", "post", f"p{number}"])
        self.cluster.client().execute_command("FCALL", "feedwire_v1_add", 1, f"f:{{demo/{user}}}", os.urandom(8), 100, 20, 1_700_000_000_000 + number, entry)


def user_of(master, cluster):
    """A user whose timelines and followers are all there (followers have slots of their own, by page)."""
    users = (f"user{i}" for i in itertools.count())
    return next(user for user in users if cluster.owner(slot_of(user)) is master and cluster.owner(slot_of(f"{user}/0")) is master)


class Connected:
    """A cluster, a writer, and a client for a user of each master. Of the gateway's periodic check nothing comes here."""

    def __init__(self, cluster, daemon, make_token):
        self.cluster, self.writer = cluster, Writer(cluster)
        self.users = [user_of(master, cluster) for master in cluster.masters]
        self.gateway = daemon("gateway", **cluster.options, **{"check_interval_ms": 3_600_000})
        self.clients = FeedClients(self.gateway.http_port, [(user, make_token(user)) for user in self.users])
        self.clients.start()

    def expect_push(self, user):
        client = self.clients.by_user[user]
        before = client.pushes
        self.writer.add(user)
        wait_for(lambda: client.pushes > before, f"a push to {user}")


@pytest.fixture
def connected(redis_cluster, daemon, make_token):
    connected = Connected(redis_cluster(), daemon, make_token)
    yield connected
    connected.clients.stop()
    connected.clients.check_nothing_was_wrong()


def test_pushes_come_from_every_shard(connected):
    for user in connected.users:
        connected.expect_push(user)


def test_a_subscription_follows_its_slot(connected):
    cluster, user = connected.cluster, connected.users[0]
    connected.expect_push(user)
    cluster.move_slots([slot_of(user)], cluster.masters[0], cluster.masters[2], lambda: connected.writer.add(connected.users[1]))
    # What the new owner publishes before the gateway has subscribed there is in the window that it reads then.
    connected.writer.add(user)
    connected.clients.wait_until_current(cluster.client())
    wait_for(lambda: cluster.masters[2].call("PUBSUB", "SHARDNUMSUB", f"f:{{demo/{user}}}")[1] == 1, "a subscription at the new owner")
    connected.expect_push(user)
    assert cluster.masters[0].call("PUBSUB", "SHARDNUMSUB", f"f:{{demo/{user}}}")[1] == 0


def test_subscriptions_follow_a_failover(connected):
    cluster, user = connected.cluster, connected.users[1]
    connected.expect_push(user)
    cluster.fail_over(cluster.masters[1], cluster.replicas[1])
    wait_for(lambda: cluster.replicas[1].call("PUBSUB", "SHARDNUMSUB", f"f:{{demo/{user}}}")[1] == 1, "a subscription at the new master")
    connected.expect_push(user)
    for other in (connected.users[0], connected.users[2]):
        connected.expect_push(other)


def activity(actor, number):
    return json.dumps({"id": str(uuid.UUID(int=number)), "actor": actor, "verb": "post", "object": {"type": "note", "id": "n"},
                       "published": "2026-01-01T00:00:00Z"}).encode()


def test_the_others_go_on_while_a_shard_is_away(redis_cluster, broker, daemon, make_token):
    """Nobody takes over here: its slots have no server until it comes back, and then nothing is missing."""
    cluster = redis_cluster(replicas=False)
    users = [user_of(master, cluster) for master in cluster.masters]
    fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", cluster))
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap)
    cluster.masters[1].kill9()
    acts = [activity(users[n % 3], n + 1) for n in range(60)]
    assert play(ingest, make_token, acts, None) == 60
    wait_for(lambda: finished(fanout) == 40, "the work of the other two shards")
    assert fanout.ready()
    cluster.masters[1].start()
    wait_drained(fanout, 60)
    outboxes = read(cluster.client(), "o", users)
    assert [len(outboxes[user]) for user in users] == [20, 20, 20]


def test_functions_that_are_gone_are_loaded_again(redis_cluster, broker, daemon, make_token):
    cluster = redis_cluster(replicas=False)
    users = [user_of(master, cluster) for master in cluster.masters]
    fanout = daemon("fanout", **fanout_options(broker.bootstrap, "activities", cluster))
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap)
    for master in cluster.masters:
        wait_for(lambda: master.call("FUNCTION", "LIST"), "the functions on every master")
        master.call("FUNCTION", "FLUSH")
    assert play(ingest, make_token, [activity(user, n + 1) for n, user in enumerate(users)], None) == 3
    wait_drained(fanout, 3)
    fresh = cluster.add_master()
    wait_for(lambda: fresh.call("FUNCTION", "LIST"), "the functions on the new master, before it has a slot")


def test_feedctl_finds_every_shard(redis_cluster, bin_dir):
    cluster = redis_cluster(replicas=False)
    writer = Writer(cluster)
    for master in cluster.masters:
        user = user_of(master, cluster)
        writer.add(user)
        shown = subprocess.run([bin_dir / "feedctl", "feed", "show", user, "--json", f"--redis.url={cluster.url}"], capture_output=True, text=True, timeout=60)
        assert shown.returncode == 0, shown.stderr
        assert len(json.loads(shown.stdout)["entries"]) == 1
    lost = user_of(cluster.masters[2], cluster)
    cluster.masters[2].kill9()
    shown = subprocess.run([bin_dir / "feedctl", "feed", "show", lost, "--timeout_ms=2000", f"--redis.url={cluster.url}"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 1
    assert "cannot be reached" in shown.stderr


def test_one_of_the_servers_in_the_url_is_enough(redis_cluster, daemon):
    cluster = redis_cluster(replicas=False)
    dead = f"redis://127.0.0.1:{ports.any_free()},127.0.0.1:{cluster.masters[2].port}"
    assert daemon("gateway", redis__url=dead).ready()


def test_several_hosts_must_be_a_cluster(redis_server, daemon):
    gateway = daemon("gateway", wait="/livez", redis__url=f"redis://127.0.0.1:{redis_server.port},127.0.0.1:{redis_server.port}")
    wait_for(lambda: "a server of a cluster is expected" in gateway.log_text(), "the reason in the log")
    assert not gateway.ready()
