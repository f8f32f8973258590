"""bench/fanout: what a feed write costs Redis and fan-out."""

import argparse
import json
import pathlib
import signal
import sys
import time

from feedwire_dev import paths, tokens
from feedwire_dev.admin import total
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import ApacheKafka, EmbeddedBroker
from feedwire_dev.play import Player
from feedwire_dev.processes import Process
from feedwire_dev.redis_server import RedisServer

from . import broadcast, steady
from .command import carry_out, machine, say
from .figures import VARIANTS, Costs, all_figures, as_text
from .population import SIZES, Population, write_file
from .steady import Cost, Wrong
from .wire import Connection

DESCRIPTION = """Measures what a feed write costs: in CPU time of Redis, done by the real feedwire-fanout; by a C program that sends the same
function calls and nothing else; and by the same program with plain commands that keep none of the function's promises. And what CPU time
fan-out takes itself. Everything in one run, on private servers that live as long as it."""
EPILOG = """The three variants take turns, and the figures are medians over the rounds of the ratios within a round; absolute figures are of this
machine. docs/performance-fanout.md explains them. Needs about 1 GB of memory."""

TOPICS = {"activities": 4, "activities.dlq": 1, "graph": 1, "feed.commands": 1}
DEPTH = 4096  # fanout.commands_max
SAME_CALLS = {"fanout": "fcall", "function": "fcall", "plain": "zadd"}  # what each write calls once
WORKLOADS = [(size, "full") for size in SIZES] + [(1_000, "growing")]
WRITES_MIN = 20_000


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
        self.redis = self._start(RedisServer(self.directory, keep_data=self.options.aof))
        if self.options.kafka == "embedded":
            kafka = self._start(EmbeddedBroker(self.directory, bin_dir, TOPICS))
        else:
            kafka = self._start(ApacheKafka(self.directory))
            kafka.create_topics(TOPICS)
        secret, secret_file = tokens.new_secret(), self.directory / "hs256.key"
        tokens.write_secret(secret_file, secret)
        self.ingest = self._start(Daemon("ingest", self.directory, bin_dir, {"kafka.brokers": kafka.bootstrap, "auth.hs256_secret_file": secret_file}))
        # It is held for seconds at a time, and must stay in its group.
        held = {"kafka.properties": "session.timeout.ms=45000", "fanout.commands_max": DEPTH, "fanout.broadcast_threshold": broadcast.THRESHOLD}
        self.fanout = self._start(Daemon("fanout", self.directory, bin_dir, {"kafka.brokers": kafka.bootstrap, **self.redis.options, **held}))
        self.player = Player(self.ingest.http_port, lambda: tokens.make_token(secret, "service:bench", scope="publish"))
        self.asking = Connection(self.redis.port)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill9()

    # ---- the three variants ----

    def prepare(self) -> None:
        say("making the graph and the feeds")
        self.population = Population(self.asking)
        self.population.make_graph(SIZES)
        lines = self.population.pattern_activities()
        self.player.play(lines)
        self._until_fanned_out(len(lines))
        self.population.take_patterns(SIZES)

    def _until_fanned_out(self, records: int) -> None:
        deadline = time.monotonic() + 60
        while self.fanout.metric("fanout_records_total") < records:
            if time.monotonic() > deadline or not self.fanout.running:
                raise Wrong(f"fanout has not worked off its records; its log ends with:\n{self.fanout.log_tail()}")
            time.sleep(0.02)

    def _alive(self, process: Process) -> None:
        if not process.running and process.popen.returncode != 0:
            raise Wrong(f"{process.name} {process.how_it_ended()}; its log ends with:\n{process.log_tail()}")

    def _by_fanout(self, lines: list[bytes], writes: int) -> Cost:
        """From a backlog: fan-out is held while the records are put into Kafka."""
        before = self.fanout.metrics()
        self.fanout.popen.send_signal(signal.SIGSTOP)
        self.player.play(lines)

        def start() -> int:
            self.fanout.popen.send_signal(signal.SIGCONT)
            return self.fanout.pid

        cost = steady.measure(self.asking, "fcall", writes, start, lambda: self._alive(self.fanout))
        self._until_fanned_out(int(total(before, "fanout_records_total")) + len(lines))
        added = 'fanout_feed_writes_total{result="added"}'
        done = self.fanout.metrics().get(added, 0) - before.get(added, 0)
        if done != writes:
            raise Wrong(f"fanout has added {done:,.0f} entries, not {writes:,}")
        return cost

    def _by_program(self, how: str, lines: list[bytes], writes: int) -> Cost:
        file = self.directory / "activities.ndjson"
        write_file(file, lines)
        command = [paths.bin_dir() / "feedwire-bench-writes", f"--port={self.redis.port}", f"--activities={file}", f"--how={how}", f"--depth={DEPTH}",
                   f"--epoch={self.population.epoch.hex()}"]
        program = Process(f"bench-{how}", command, self.directory / f"bench-{how}.log")
        self.processes.append(program)

        def start() -> int:
            return program.start().pid

        cost = steady.measure(self.asking, SAME_CALLS[how], writes, start, lambda: self._alive(program))
        program.popen.wait(60)
        self._alive(program)
        done = json.loads(program.log_text().splitlines()[-1])
        if done["added"] != writes:
            raise Wrong(f"{program.name} has added {done['added']:,} entries, not {writes:,}")
        self.processes.remove(program)
        return cost

    def measure(self, variant: str, followers: int, state: str) -> Cost:
        # Plain commands cannot trim lazily: they trim with each write, and their steady state is another one.
        self.population.reset("trimmed" if (variant, state) == ("plain", "full") else state)
        lines = self.population.activities(followers, self.options.writes)
        writes = len(lines) * (followers + 1)
        if variant == "fanout":
            return self._by_fanout(lines, writes)
        return self._by_program(variant, lines, writes)

    def run(self) -> Costs:
        costs: Costs = {workload: {variant: [] for variant in VARIANTS} for workload in WORKLOADS}
        for number in range(self.options.rounds):
            for followers, state in WORKLOADS:
                for variant in VARIANTS:
                    costs[followers, state][variant].append(self.measure(variant, followers, state))
                us = [1e6 / costs[followers, state][variant][-1].writes_per_redis_cpu_s for variant in VARIANTS]
                say(
                    f"round {number + 1} of {self.options.rounds}, {followers:,} followers, {state} feeds: Redis CPU a write "
                    f"{us[0]:.2f} us by fanout, {us[1]:.2f} by function calls, {us[2]:.2f} by plain commands"
                )
        return costs

    def broadcast(self) -> dict:
        say("broadcast authors")
        return broadcast.measure(self.asking, self.population, self.options.rounds, self._by_fanout)

    def settings(self) -> dict:
        names = ("rounds", "writes", "quick", "kafka", "aof")
        return {name: getattr(self.options, name) for name in names} | {"commands_under_way": DEPTH}


# ---- the command ----


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/fanout", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file, as one JSON object")
    parser.add_argument("--quick", action="store_true", help="one short round, for a look: seconds instead of minutes")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each variant has its turn (default 5)")
    parser.add_argument("--writes", type=int, metavar="N", help="at least so many in each measurement (default 200,000; quick 50,000)")
    parser.add_argument("--kafka", choices=("embedded", "apache"), default="embedded", help="the Kafka that fan-out reads from (default embedded)")
    parser.add_argument("--aof", action="store_true", help="Redis writes its append-only file, as deploy/redis.conf has it; off by default, because the disk then has its say")
    options = parser.parse_args(argv)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if options.writes is not None and options.writes < WRITES_MIN:
        parser.error(f"--writes must be {WRITES_MIN:,} or more: fewer are over before they can be measured")
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.writes = options.writes or (50_000 if options.quick else 200_000)
    return options


def work(bench: Bench) -> tuple[dict, str]:
    bench.prepare()
    figures = all_figures(bench.run()) | {"broadcast_1m_vs_60k": bench.broadcast(), "settings": bench.settings()}
    figures["machine"] = machine() | {"redis": bench.asking.info("server")["redis_version"]}
    return figures, f"{as_text(figures)}\n{broadcast.as_text(figures['broadcast_1m_vs_60k'])}"


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    return carry_out(Bench, work, options)


if __name__ == "__main__":
    sys.exit(main())
