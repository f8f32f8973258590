"""bench/fanout: what a feed write costs Redis and fan-out."""

import argparse
import json
import pathlib
import sys

from feedwire_dev import paths
from feedwire_dev.processes import Process
from feedwire_dev.redis_server import RedisServer

from . import broadcast, fairness, shards, steady
from .command import carry_out, machine, say
from .figures import VARIANTS, Costs, all_figures, as_text
from .population import SIZES, Population, write_file
from .stack import Stack
from .steady import Cost, Wrong
from .wire import Connection

DESCRIPTION = """Measures what a feed write costs: in CPU time of Redis, done by the real feedwire-fanout; by a C program that sends the same
function calls and nothing else; and by the same program with plain commands that keep none of the function's promises. And what CPU time
fan-out takes itself. Everything in one run, on private servers that live as long as it."""
EPILOG = """The three variants take turns, and the figures are medians over the rounds of the ratios within a round; absolute figures are of this
machine. docs/performance-fanout.md explains them. Needs about 1 GB of memory."""

DEPTH = 4096  # fanout.commands_max
SAME_CALLS = {"fanout": "fcall", "function": "fcall", "plain": "zadd"}  # what each write calls once
WORKLOADS = [(size, "full") for size in SIZES] + [(1_000, "growing")]
WRITES_MIN = 20_000
PARTS = ("writes", "broadcast", "fairness", "shards")


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
        self.redis = self._start(RedisServer(self.directory, keep_data=self.options.aof))
        self.stack = self._stack("main", self.redis.options, self.options.kafka)
        self.asking = Connection(self.redis.port)

    def _stack(self, name: str, redis_options: dict, kafka: str = "embedded") -> Stack:
        return Stack(self.directory, name, kafka, redis_options, self._start, {"fanout.commands_max": DEPTH, "fanout.broadcast_threshold": broadcast.THRESHOLD})

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill9()

    # ---- the three variants ----

    def prepare(self) -> None:
        say("making the graph and the feeds")
        self.population = Population(self.asking)
        self.population.make_graph(SIZES)
        lines = self.population.pattern_activities()
        self.stack.player.play(lines)
        self.stack.until_fanned_out()
        self.population.take_patterns(SIZES)

    def _alive(self, process: Process) -> None:
        if not process.running and process.popen.returncode != 0:
            raise Wrong(f"{process.name} {process.how_it_ended()}; its log ends with:\n{process.log_tail()}")

    def _by_fanout(self, lines: list[bytes], writes: int) -> Cost:
        """From a backlog: fan-out is held while the records are put into Kafka."""
        stack, before = self.stack, self.stack.added()
        stack.hold()
        stack.player.play(lines)

        def start() -> int:
            stack.go_on()
            return stack.fanout.pid

        cost = steady.measure(self.asking, "fcall", writes, start, lambda: self._alive(stack.fanout))
        stack.until_fanned_out()
        done = stack.added() - before
        if done != writes:
            raise Wrong(f"fanout has added {done:,} entries, not {writes:,}")
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

    def fairness(self) -> dict:
        say("another author beside one with many followers")
        self.stack.be_attentive()
        self.population.reset("full")
        part = fairness.Fairness(self.asking, self.redis.port, self.population, self.stack.player.post, self.stack.until_fanned_out)
        return part.measure(self.options.rounds)

    def shards(self) -> list[dict]:
        say("shards of a cluster")
        sharded = [shards.Sharded(count, self.directory, self._stack, self._start, self.population.dumps("full")) for count in shards.SHARDS]
        turns = [[each.turn(self.options.writes) for each in sharded] for _ in range(self.options.rounds)]
        return [shards.figures_of([turn[i] for turn in turns], [turn[0] for turn in turns]) for i in range(len(sharded))]

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
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=f"this part alone, or several: {', '.join(PARTS)} (default all)")
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
    parts = bench.options.only or PARTS
    figures, texts = {}, []
    if "writes" in parts:
        figures |= all_figures(bench.run())
        texts.append(as_text(figures))
    if "broadcast" in parts:
        figures["broadcast_1m_vs_60k"] = bench.broadcast()
        texts.append(broadcast.as_text(figures["broadcast_1m_vs_60k"]))
    if "fairness" in parts:
        figures["fairness"] = bench.fairness()
        texts.append(fairness.as_text(figures["fairness"]))
    if "shards" in parts:
        figures["shards"] = bench.shards()
        texts.append(shards.as_text(figures["shards"]))
    figures["settings"] = bench.settings()
    figures["machine"] = machine() | {"redis": bench.asking.info("server")["redis_version"]}
    return figures, "\n".join(texts)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    return carry_out(Bench, work, options)


if __name__ == "__main__":
    sys.exit(main())
