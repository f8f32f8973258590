"""bench/import: what a follow costs that is imported, against one that is sent as an activity."""

import argparse
import json
import pathlib
import random
import resource
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedwire_dev import paths, tokens
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import EmbeddedBroker
from feedwire_dev.play import Player
from feedwire_dev.processes import Process
from feedwire_dev.redis_server import RedisServer

from .command import carry_out, machine, say
from .steady import Wrong, cpu_seconds
from .wire import Connection

DESCRIPTION = """Measures what a follow costs Redis and fan-out in CPU time when it is imported (feedctl import), and when it is sent as an activity. The same
graph in both, with names of its own for each round, on private servers that live as long as the run."""
EPILOG = """Figures are medians over the rounds; ratios are taken within a round. docs/performance-fanout.md explains them."""

TOPICS = {"activities": 4, "activities.dlq": 1, "graph": 4, "feed.commands": 1}
VARIANTS = ("single", "imported")
EDGES_MIN, STANDSTILL_S = 1_000, 60


@dataclass
class Cost:
    edges: int
    seconds: float
    redis_cpu_s: float
    fanout_cpu_s: float
    sender_cpu_s: float

    def us(self, cpu_s: float) -> float:
        return 1e6 * cpu_s / self.edges


def graph(name: str, edges: int) -> Iterator[tuple[str, str]]:
    """Ten follows for each follower, of people of whom a few have most of the followers. In no order."""
    chance = random.Random(edges)
    pairs: set[tuple[int, int]] = set()
    followers = edges // 10
    while len(pairs) < edges:
        follower, followed = chance.randrange(followers), min(int(chance.paretovariate(0.6)) - 1, followers - 1)
        if follower != followed:
            pairs.add((follower, followed))
    shuffled = sorted(pairs)
    chance.shuffle(shuffled)
    for follower, followed in shuffled:
        yield f"{name}-{follower}", f"{name}-{followed}"


class Bench:
    def __init__(self, options: argparse.Namespace, directory: pathlib.Path):
        self.options = options
        self.directory = directory
        self.processes: list[Process] = []

    # ---- servers ----

    def _start(self, process: Process) -> Process:
        self.processes.append(process)
        process.start()
        return process

    def start(self) -> None:
        bin_dir = paths.bin_dir()
        self.redis = self._start(RedisServer(self.directory, keep_data=False))
        self.kafka = self._start(EmbeddedBroker(self.directory, bin_dir, TOPICS))
        secret, secret_file = tokens.new_secret(), self.directory / "hs256.key"
        tokens.write_secret(secret_file, secret)
        self.ingest = self._start(Daemon("ingest", self.directory, bin_dir, {"kafka.brokers": self.kafka.bootstrap, "auth.hs256_secret_file": secret_file}))
        held = {"kafka.properties": "session.timeout.ms=45000"}  # it is held for seconds, and must stay in its group
        self.fanout = self._start(Daemon("fanout", self.directory, bin_dir, {"kafka.brokers": self.kafka.bootstrap, **self.redis.options, **held}))
        self.player = Player(self.ingest.http_port, lambda: tokens.make_token(secret, "service:bench", scope="publish"))
        self.asking = Connection(self.redis.port)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill9()

    # ---- the two variants ----

    def _redis_cpu_s(self) -> float:
        info = self.asking.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def _until(self, records: float) -> None:
        """All has been worked off, as fan-out tells."""
        done, moved_s = 0.0, time.monotonic()
        while done < records:
            now = self.fanout.metric("fanout_records_total")
            if now > done:
                done, moved_s = now, time.monotonic()
            elif time.monotonic() - moved_s > STANDSTILL_S or not self.fanout.running:
                raise Wrong(f"fanout has not worked off its records; its log ends with:\n{self.fanout.log_tail()}")
            time.sleep(0.02)

    def _measured(self, edges: int, work: Callable[[], None]) -> Cost:
        """The work, from its beginning until it has come to its end."""
        sender = resource.getrusage(resource.RUSAGE_CHILDREN)
        redis_s, fanout_s, begun_s = self._redis_cpu_s(), cpu_seconds(self.fanout.pid), time.monotonic()
        work()
        seconds = time.monotonic() - begun_s
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(edges, seconds, self._redis_cpu_s() - redis_s, cpu_seconds(self.fanout.pid) - fanout_s,
                    after.ru_utime + after.ru_stime - sender.ru_utime - sender.ru_stime)

    def single(self, edges: list[tuple[str, str]]) -> Cost:
        """From a backlog: fan-out is held while the activities are put into Kafka."""
        lines = [json.dumps({"id": str(uuid.uuid4()), "actor": actor, "verb": "follow", "object": {"type": "user", "id": followed}}).encode()
                 for actor, followed in edges]
        goal = self.fanout.metric("fanout_records_total") + len(lines)
        self.fanout.popen.send_signal(signal.SIGSTOP)
        self.player.play(iter(lines))

        def work() -> None:
            self.fanout.popen.send_signal(signal.SIGCONT)
            self._until(goal)

        return self._measured(len(edges), work)

    def imported(self, edges: list[tuple[str, str]]) -> Cost:
        """From the file to the end of the command, which waits for fan-out."""
        file = self.directory / "graph.csv"
        file.write_text("".join(f"{actor},{followed}\n" for actor, followed in edges))
        command = [paths.bin_dir() / "feedctl", "import", file, f"--kafka.brokers={self.kafka.bootstrap}", "--timeout_ms=60000"]

        def work() -> None:
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Wrong(f"feedctl import failed: {done.stderr[-1000:]}")

        return self._measured(len(edges), work)

    def _check(self, edges: list[tuple[str, str]]) -> None:
        """Both ends of a sample of the edges are there."""
        for actor, followed in edges[:: max(1, len(edges) // 100)]:
            if self.asking.call("ZSCORE", f"h:{{demo/{actor}}}", followed) is None:
                raise Wrong(f"{actor} does not follow {followed}")

    def run(self) -> dict[str, list[Cost]]:
        costs: dict[str, list[Cost]] = {variant: [] for variant in VARIANTS}
        for number in range(self.options.rounds):
            for variant in VARIANTS:
                edges = list(graph(f"{variant[0]}{number}", self.options.edges))
                costs[variant].append(getattr(self, variant)(edges))
                self._check(edges)
            us = [costs[variant][-1] for variant in VARIANTS]
            say(f"round {number + 1} of {self.options.rounds}: CPU a follow, Redis and fan-out: single "
                f"{us[0].us(us[0].redis_cpu_s):.1f} and {us[0].us(us[0].fanout_cpu_s):.1f} us, imported "
                f"{us[1].us(us[1].redis_cpu_s):.1f} and {us[1].us(us[1].fanout_cpu_s):.1f} us")
        return costs


# ---- figures ----


def all_figures(costs: dict[str, list[Cost]]) -> dict:
    figures: dict = {}
    for variant in VARIANTS:
        figures[variant] = {
            "redis_cpu_us_a_follow": statistics.median(cost.us(cost.redis_cpu_s) for cost in costs[variant]),
            "fanout_cpu_us_a_follow": statistics.median(cost.us(cost.fanout_cpu_s) for cost in costs[variant]),
            "follows_per_s": statistics.median(cost.edges / cost.seconds for cost in costs[variant]),
        }
    figures["imported"]["feedctl_cpu_us_a_follow"] = statistics.median(cost.us(cost.sender_cpu_s) for cost in costs["imported"])
    pairs = list(zip(costs["single"], costs["imported"]))
    figures["redis_cpu_ratio"] = statistics.median(one.redis_cpu_s / other.redis_cpu_s for one, other in pairs)
    figures["fanout_cpu_ratio"] = statistics.median(one.fanout_cpu_s / other.fanout_cpu_s for one, other in pairs)
    figures["time_ratio"] = statistics.median(one.seconds / other.seconds for one, other in pairs)
    return figures


def as_text(figures: dict) -> str:
    lines = [f"{'':10} {'Redis us':>10} {'fan-out us':>11} {'follows/s':>10}"]
    for variant in VARIANTS:
        row = figures[variant]
        lines.append(f"{variant:10} {row['redis_cpu_us_a_follow']:10.1f} {row['fanout_cpu_us_a_follow']:11.1f} {row['follows_per_s']:10,.0f}")
    lines.append(f"a single follow costs Redis {figures['redis_cpu_ratio']:.1f} times, fan-out {figures['fanout_cpu_ratio']:.1f} times what an imported one does, "
                 f"and takes {figures['time_ratio']:.1f} times as long; feedctl needs {figures['imported']['feedctl_cpu_us_a_follow']:.1f} us of CPU for each")
    return "\n".join(lines)


# ---- the command ----


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/import", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file, as one JSON object")
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each variant has its turn (default 3)")
    parser.add_argument("--edges", type=int, metavar="N", help="follows in each measurement (default 100,000; quick 10,000)")
    options = parser.parse_args(argv)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if options.edges is not None and options.edges < EDGES_MIN:
        parser.error(f"--edges must be {EDGES_MIN:,} or more")
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.edges = options.edges or (10_000 if options.quick else 100_000)
    return options


def work(bench: Bench) -> tuple[dict, str]:
    figures = all_figures(bench.run()) | {"settings": {name: getattr(bench.options, name) for name in ("rounds", "edges", "quick")}}
    figures["machine"] = machine() | {"redis": bench.asking.info("server")["redis_version"]}
    return figures, as_text(figures)


def main(argv: list[str] | None = None) -> int:
    return carry_out(Bench, work, parse(argv))


if __name__ == "__main__":
    sys.exit(main())
