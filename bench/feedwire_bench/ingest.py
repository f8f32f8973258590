"""bench/ingest: what taking an activity costs ingest, compared with librdkafka alone and with the same API in Node."""

import argparse
import json
import os
import pathlib
import statistics
import sys

from feedwire_dev import paths, tokens
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import ApacheKafka, EmbeddedBroker
from feedwire_dev.processes import Process

from . import node_peer
from .command import CLIENT_CORE, SERVER_CORE, carry_out, core, machine, say
from .figures import spread
from .steady import cpu_seconds
from .talker import Talker

DESCRIPTION = """Measures what it costs ingest to take an activity over HTTP and to have it acknowledged by Kafka, one in a request and a hundred:
compared with a C program that only puts the same records into Kafka, and with the same API written in Node. Each of the three has a core to itself
while it is measured; the clients and Kafka share another one."""
EPILOG = """The three take turns, and the figures are medians over the rounds of the ratios within a round; absolute figures are of this machine.
docs/performance-ingest.md explains them. The packages of the Node peer (bench/peers/ingest-node) are fetched by npm the first time."""
GOALS = {"batched_vs_librdkafka": ">= 0.5", "vs_node": ">= 4"}

TOPIC, PARTITIONS = "activities", 4
DIFFERENT = 1_000  # activities; as in load.c and producer.c
# how -> (activities in a request, connections, of which each has one request under way)
HOW = {"single": (1, 64), "batched": (100, 8)}
COUNT_MIN = 2_000
AHEAD_FREE = 50_000  # records that are not yet acknowledged, where librdkafka may have as many as it likes


def activity(number: int) -> dict:
    """As a service sends them: without id and time, every other one addressed to somebody, with a little data."""
    made = {"actor": f"user{number % 997}", "verb": "comment", "object": {"type": "post", "id": f"p{number}", "owner": f"user{number % 89}"}}
    if number % 2:
        made |= {"to": [f"user{number % 83}"], "data": {"text": f"This is comment number {number}, and it is of the usual length."}}
    return made


class Bench:
    def __init__(self, options: argparse.Namespace, directory: pathlib.Path):
        self.options = options
        self.directory = directory
        self.processes: list[Process] = []
        self.talkers: list[Talker] = []
        self.loads: dict[str, Talker] = {}
        self.pids: dict[str, int] = {}

    # ---- servers ----

    def _start(self, process: Process) -> Process:
        self.processes.append(process)
        process.start()
        return process

    def _talker(self, name: str, *arguments) -> Talker:
        talker = Talker(paths.bin_dir() / f"feedwire-bench-{name}", *arguments)
        self.talkers.append(talker)
        return talker

    def _start_kafka(self):
        if self.options.kafka == "embedded":
            return self._start(EmbeddedBroker(self.directory, paths.bin_dir(), {TOPIC: PARTITIONS}))
        kafka = self._start(ApacheKafka(self.directory))
        kafka.create_topics({TOPIC: PARTITIONS})
        return kafka

    def start(self) -> None:
        self.node_version = node_peer.version() if self.options.node else None
        if self.options.node:
            say("installing the Node peer, if it is not yet")
            node_peer.install()
        secret, secret_file, token_file = tokens.new_secret(), self.directory / "hs256.key", self.directory / "token"
        tokens.write_secret(secret_file, secret)
        token_file.write_text(tokens.make_token(secret, "service:bench", scope="publish", expires_s=24 * 3600) + "\n")
        activities = self.directory / "activities.ndjson"
        activities.write_text("".join(json.dumps(activity(number), separators=(",", ":")) + "\n" for number in range(DIFFERENT)))
        os.sched_setaffinity(0, {CLIENT_CORE})
        kafka = self._start_kafka()
        with core(SERVER_CORE):
            servers = {"ingest": self._start(Daemon("ingest", self.directory, paths.bin_dir(), {"kafka.brokers": kafka.bootstrap, "auth.hs256_secret_file": secret_file}))}
            self.producer = self._talker("producer", f"--brokers={kafka.bootstrap}", f"--topic={TOPIC}", f"--activities={activities}")
            if self.options.node:
                servers["node"] = self._start(node_peer.NodePeer(self.directory, kafka.bootstrap, TOPIC, PARTITIONS, secret_file))
        for name, server in servers.items():
            self.pids[name] = server.pid
            self.loads[name] = self._talker("load", f"--port={server.http_port}", f"--token={token_file}", f"--activities={activities}")

    def stop(self) -> None:
        for talker in reversed(self.talkers):
            talker.end()
        for process in reversed(self.processes):
            process.kill9()

    # ---- measurements ----

    def _cost(self, pid: int, talker: Talker, command: str) -> dict:
        before = cpu_seconds(pid)
        got = talker.ask(command)
        cpu_s = cpu_seconds(pid) - before
        return {"cpu_us": 1e6 * cpu_s / got["activities"], "per_cpu_s": got["activities"] / cpu_s, "per_s": got["activities"] / got["seconds"]}

    def _serve(self, name: str, how: str, count: int) -> dict:
        batch, connections = HOW[how]
        return self._cost(self.pids[name], self.loads[name], f"run {batch} {connections} {max(1, count // batch)}")

    def _produce(self, count: int, ahead: int) -> dict:
        return self._cost(self.producer.pid, self.producer, f"produce {count} {ahead}")

    def _round(self, how: str) -> dict:
        """What each has cost; librdkafka with as many records under way as ingest has, and with as many as it likes."""
        count, (batch, connections) = getattr(self.options, how), HOW[how]
        costs = {"ingest": self._serve("ingest", how, count), "librdkafka": self._produce(count, batch * connections)}
        if how == "batched":
            costs["librdkafka_free"] = self._produce(max(count, AHEAD_FREE), AHEAD_FREE)
        if self.options.node:
            costs["node"] = self._serve("node", how, count)
        return costs

    def warm_up(self) -> None:
        say("warming up")
        self._produce(COUNT_MIN, COUNT_MIN)
        for name in self.pids:
            for how in HOW:
                self._serve(name, how, 10 * COUNT_MIN if how == "batched" else COUNT_MIN)

    def rounds(self) -> list[dict]:
        rounds = []
        for number in range(self.options.rounds):
            rounds.append({how: self._round(how) for how in HOW})
            for how in HOW:
                costs = ", ".join(f"{name} {cost['cpu_us']:.2f} us" for name, cost in rounds[-1][how].items())
                say(f"round {number + 1} of {self.options.rounds}, {how}: CPU an activity: {costs}")
        return rounds

    def latency(self, rounds: list[dict]) -> dict:
        """Milliseconds until the answer, at half the rate at which each was at its limit."""
        found = {}
        for how, (batch, connections) in HOW.items():
            for name, load in self.loads.items():
                rate = statistics.median(each[how][name]["per_s"] for each in rounds) / batch / 2
                requests = max(100, int(rate * self.options.pace_s))
                got = load.ask(f"pace {batch} {connections} {requests} {rate:.3f}")
                times = {f"{p}_ms": got[f"{p}_us"] / 1000 for p in ("p50", "p99", "max")}
                found.setdefault(how, {})[name] = {"requests_per_s": round(rate, 1), "requests": requests, **times}
        return found

    def run(self) -> dict:
        self.warm_up()
        rounds = self.rounds()
        return {"rounds": rounds, "latency": self.latency(rounds)}


# ---- figures ----


def all_figures(measured: dict) -> dict:
    """The headline figures, each the median over the rounds, and what they were made from. vs_node is the worse one of single and batched."""
    rounds = measured["rounds"]

    def ratio(how: str, other: str) -> list[float]:
        return [each[how]["ingest"]["per_cpu_s"] / each[how][other]["per_cpu_s"] for each in rounds]

    ratios = {"batched_vs_librdkafka": ratio("batched", "librdkafka"), "batched_vs_librdkafka_free": ratio("batched", "librdkafka_free"), "single_vs_librdkafka": ratio("single", "librdkafka")}
    if "node" in rounds[0]["single"]:
        ratios |= {"single_vs_node": ratio("single", "node"), "batched_vs_node": ratio("batched", "node")}
        ratios["vs_node"] = min(ratios["single_vs_node"], ratios["batched_vs_node"], key=statistics.median)
    spreads = {name: spread(values, 3) for name, values in ratios.items()}
    costs = {
        how: {name: {"cpu_us": spread([r[how][name]["cpu_us"] for r in rounds], 2), "per_s": spread([r[how][name]["per_s"] for r in rounds], None)} for name in rounds[0][how]}
        for how in HOW
    }
    return {**{name: value["median"] for name, value in spreads.items()}, "spread": spreads, "costs": costs, "latency": measured["latency"], "rounds": rounds}


def as_text(figures: dict) -> str:
    lines = ["                            CPU an activity, us   activities a second   at half of that: p50, p99 ms"]
    for how in HOW:
        for name, cost in figures["costs"][how].items():
            times = figures["latency"][how].get(name)
            waited = f"{times['p50_ms']:>8.2f} {times['p99_ms']:>8.2f}" if times else ""
            lines.append(f"  {how:<8} {name:<16} {cost['cpu_us']['median']:>20.2f} {cost['per_s']['median']:>21,}   {waited}")
    for name, value in figures["spread"].items():
        goal = f"   goal {GOALS[name]}" if name in GOALS else ""
        lines.append(f"  {name:<28} {value['median']:>8}   ({value['low']} .. {value['high']}){goal}")
    return "\n".join(lines)


# ---- the command ----


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/ingest", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file, as one JSON object")
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each has its turn (default 5; quick 1)")
    parser.add_argument("--single", type=int, metavar="N", help="activities in each turn, one in a request (default 40,000; quick 10,000)")
    parser.add_argument("--batched", type=int, metavar="N", help="activities in each turn, 100 in a request (default 200,000; quick 50,000)")
    parser.add_argument("--pace-s", type=int, metavar="SECONDS", help="how long the times of answers are taken (default 10; quick 2)")
    parser.add_argument("--kafka", choices=("apache", "embedded"), default="apache", help="the Kafka that is written to (default apache); no client for Node speaks with the embedded one, so it goes with --no-node")
    parser.add_argument("--no-node", dest="node", action="store_false", help="leave out the comparison with Node")
    options = parser.parse_args(argv)
    if options.node and options.kafka == "embedded":
        parser.error("--kafka=embedded needs --no-node: no Kafka client for Node speaks with the embedded broker")
    for name, quick, usual, low, high in (
        ("rounds", 1, 5, 1, 1000),
        ("single", 10_000, 40_000, COUNT_MIN, 10_000_000),
        ("batched", 50_000, 200_000, COUNT_MIN, 10_000_000),
        ("pace_s", 2, 10, 1, 3600),
    ):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
        if not low <= getattr(options, name) <= high:
            parser.error(f"--{name.replace('_', '-')} must be {low:,} to {high:,}")
    return options


def work(bench: Bench) -> tuple[dict, str]:
    settings = {name: getattr(bench.options, name) for name in ("rounds", "single", "batched", "pace_s", "kafka", "node", "quick")}
    load_before = os.getloadavg()[0]
    figures = all_figures(bench.run()) | {"settings": settings}
    figures["machine"] = machine() | {"node": bench.node_version, "load_before": round(load_before, 2)}
    return figures, as_text(figures)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    if not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
        say("two processor cores are needed, 0 and 1: one for what is measured, one for clients and Kafka")
        return 1
    return carry_out(Bench, work, options)


if __name__ == "__main__":
    sys.exit(main())
