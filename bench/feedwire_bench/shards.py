"""What a feed write costs where the feeds are spread over 1, 2 or 3 shards of a Redis Cluster, and how much more the shards can do together.

A small machine cannot run three shards at once at full speed, so throughput is not timed. What counts is the work of each: with a core of its own for
each shard, the whole is through when the busiest one is. So capacity is writes by CPU time of the busiest shard, and it grows with the shards as far as
the work is spread evenly and costs no more than before.

There is a cluster for each number of shards, with a Kafka and a fan-out of its own, and they take turns, round by round."""

import binascii
import itertools
import pathlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from feedwire_dev import ports
from feedwire_dev.redis_server import ClusterServer

from .population import CHUNK, Population, home
from .stack import Stack
from .steady import Wrong, calls, cpu_seconds
from .wire import Connection, pack

SHARDS = (1, 2, 3)
SLOTS = 16_384
FOLLOWERS, AUTHORS, CROWD = 1_000, 20, 5_000


def slot(key: str) -> int:
    tag = key[key.index("{") + 1 : key.index("}")] if "{" in key else key
    return binascii.crc_hqx(tag.encode(), 0) % SLOTS


class Cluster:
    """Masters only. Stands for one connection, as Population wants it: each command goes to the owner of its key."""

    def __init__(self, directory: pathlib.Path, shards: int, start: Callable):
        self.servers = [start(ClusterServer(directory, f"shards{shards}-{number}")) for number in range(shards)]
        self.connections = [Connection(server.port) for server in self.servers]
        self._share = -(-SLOTS // shards)
        for number, (server, connection) in enumerate(zip(self.servers, self.connections)):
            connection.call("CLUSTER", "ADDSLOTSRANGE", number * self._share, min((number + 1) * self._share, SLOTS) - 1)
            connection.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            connection.call("CLUSTER", "MEET", ports.LOOPBACK, self.servers[0].port, self.servers[0].bus_port)
        deadline = time.monotonic() + 60
        while not all(self._well(connection) for connection in self.connections):
            if time.monotonic() > deadline:
                raise Wrong(f"the {shards} servers have not become a cluster")
            time.sleep(0.05)

    def _well(self, connection: Connection) -> bool:
        text = connection.call("CLUSTER", "INFO").decode()
        return "cluster_state:ok" in text and f"cluster_known_nodes:{len(self.servers)}" in text

    @property
    def url(self) -> str:
        return "redis://" + ",".join(f"{ports.LOOPBACK}:{server.port}" for server in self.servers)

    def call(self, *words):
        key = words[3] if words[0].startswith("FCALL") else words[1]
        return self.connections[slot(key) // self._share].call(*words)

    def adopt(self, payloads: list[bytes]) -> None:
        """From here on `restore` takes these feeds. Each shard gets copies with an epoch of its own life, as feeds have that were made there; with
        another one, the first write to each feed would replace it, which is more work."""
        self._payloads = [[self._adopted(number, payload) for payload in payloads] for number in range(len(self.servers))]

    def _adopted(self, number: int, payload: bytes) -> bytes:
        connection = self.connections[number]
        key = next(key for key in (home(f"scratch{i}") for i in itertools.count()) if slot(key) // self._share == number)
        connection.call("DEL", key)
        connection.call("FCALL", "feedwire_v1_wake", 1, key, bytes(8), 0)
        ours, _ = connection.call("ZRANGE", key, 0, 0, "WITHSCORES")
        connection.call("RESTORE", key, 0, payload, "REPLACE")
        theirs, score = connection.call("ZRANGE", key, 0, 0, "WITHSCORES")
        connection.call("ZREM", key, theirs)
        connection.call("ZADD", key, score, ours)
        adopted = connection.call("DUMP", key)
        connection.call("DEL", key)
        return adopted

    def restore(self, keys: list[str]) -> None:
        """Every key a fresh copy of a feed."""
        for number, (connection, payloads) in enumerate(zip(self.connections, self._payloads)):
            ours = [key for key in keys if slot(key) // self._share == number]
            for start in range(0, len(ours), CHUNK):
                commands = [pack("RESTORE", key, 0, payloads[i % len(payloads)], "REPLACE") for i, key in enumerate(ours[start : start + CHUNK])]
                connection.bulk(b"".join(commands), len(commands))

    def writes(self) -> list[int]:
        """Function calls that each has had."""
        return [calls(connection.info("commandstats"), "fcall") for connection in self.connections]

    def cpu_seconds(self) -> list[float]:
        return [cpu_seconds(server.pid) for server in self.servers]


@dataclass
class Turn:
    writes: int
    calls: list[int]
    redis_cpu_s: list[float]
    fanout_cpu_s: float


class Sharded:
    """One cluster with everything that works on it."""

    def __init__(self, shards: int, directory: pathlib.Path, stack: Callable[[str, dict], Stack], start: Callable, payloads: list[bytes]):
        self.cluster = Cluster(directory, shards, start)
        self.stack = stack(f"shards{shards}", {"redis.url": self.cluster.url})
        self.cluster.adopt(payloads)
        self.population = Population(self.cluster, CROWD, {FOLLOWERS: AUTHORS})
        self.population.make_graph((FOLLOWERS,))
        self._keys = list(self.population.timelines((FOLLOWERS,)))

    def turn(self, writes: int) -> Turn:
        self.cluster.restore(self._keys)
        lines = self.population.activities(FOLLOWERS, writes)
        expected = len(lines) * (FOLLOWERS + 1)
        added = self.stack.added()
        with self.stack.held():
            self.stack.player.play(lines)
            before = self.cluster.writes(), self.cluster.cpu_seconds(), cpu_seconds(self.stack.fanout.pid)
        self.stack.until_fanned_out()
        after = self.cluster.writes(), self.cluster.cpu_seconds(), cpu_seconds(self.stack.fanout.pid)
        if self.stack.added() - added != expected:
            raise Wrong(f"fanout has added {self.stack.added() - added:,.0f} entries, not {expected:,}")
        return Turn(expected, [b - a for a, b in zip(before[0], after[0])], [b - a for a, b in zip(before[1], after[1])], after[2] - before[2])


def figures_of(turns: list[Turn], alone: list[Turn]) -> dict:
    """alone: the turns with a single shard."""
    capacity = [turn.writes / max(turn.redis_cpu_s) for turn in turns]
    return {
        "shards": len(turns[0].calls),
        "writes_per_redis_cpu_s": round(statistics.median(turn.writes / sum(turn.redis_cpu_s) for turn in turns)),
        "calls_by_shard": [sum(turn.calls[i] for turn in turns) for i in range(len(turns[0].calls))],
        "busiest_share": statistics.median(max(turn.redis_cpu_s) / sum(turn.redis_cpu_s) for turn in turns),
        "writes_per_busiest_redis_cpu_s": round(statistics.median(capacity)),
        "capacity_vs_one_shard": statistics.median(mine * max(one.redis_cpu_s) / one.writes for mine, one in zip(capacity, alone)),
        "fanout_cpu_us_per_write": statistics.median(1e6 * turn.fanout_cpu_s / turn.writes for turn in turns),
    }


def as_text(figures: list[dict]) -> str:
    lines = ["shards  writes a CPU second of all  busiest has  writes a CPU second of the busiest  against one shard  fan-out CPU a write, us"]
    for row in figures:
        lines.append(
            f"{row['shards']:>6}  {row['writes_per_redis_cpu_s']:>26,}  {row['busiest_share']:>11.0%}  {row['writes_per_busiest_redis_cpu_s']:>34,}"
            f"  {row['capacity_vs_one_shard']:>17.2f}  {row['fanout_cpu_us_per_write']:>23.2f}"
        )
    return "\n".join(lines)
