"""bench/tenants: what a tenant who sends ten times what it may costs another one, in the time of its answers."""

import argparse
import json
import os
import statistics
import sys

from feedwire_dev import paths, tokens
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import EmbeddedBroker
from feedwire_dev.processes import Process
from feedwire_dev.redis_server import RedisServer

from .command import CLIENT_CORE, SERVER_CORE, carry_out, core, machine, say
from .figures import spread
from .ingest import DIFFERENT, PARTITIONS, TOPIC, activity
from .steady import Wrong
from .talker import Talker

DESCRIPTION = """Measures how long a tenant waits for its answers from ingest, alone and while another one sends ten times what its tier allows.
Requests come at a fixed rate, whatever the answers; the time of one counts from when it was due. Ingest has a core to itself; the clients, Kafka and
Redis share another one."""
EPILOG = """The two states take turns, round by round, and the figure is the median over the rounds of the ratios of their p99.
docs/performance-ingest.md explains it."""

LIMIT_PER_S = 200  # of each tenant
NOISE = 10  # times the limit
QUIET_PER_S = LIMIT_PER_S // 2
CONNECTIONS = 64
GOAL = 1.2


class Bench:
    def __init__(self, options: argparse.Namespace, directory):
        self.options, self.directory = options, directory
        self.processes: list[Process] = []
        self.talkers: list[Talker] = []

    def _start(self, process: Process) -> Process:
        self.processes.append(process)
        process.start()
        return process

    def _load(self, server: Daemon, secret: bytes, tenant: str, activities, *arguments) -> Talker:
        token = self.directory / f"token-{tenant}"
        token.write_text(tokens.make_token(secret, "service:bench", tenant=tenant, scope="publish", expires_s=24 * 3600) + "\n")
        talker = Talker(paths.bin_dir() / "feedwire-bench-load", f"--port={server.http_port}", f"--token={token}", f"--activities={activities}", *arguments)
        self.talkers.append(talker)
        return talker

    def start(self) -> None:
        secret, secret_file, tiers = tokens.new_secret(), self.directory / "hs256.key", self.directory / "tiers.json"
        tokens.write_secret(secret_file, secret)
        tiers.write_text(json.dumps({"default": "usual", "tiers": {"usual": {"rates": {"tenant": {"per_s": LIMIT_PER_S}}, "in_flight_percent": 25}}}))
        activities = self.directory / "activities.ndjson"
        activities.write_text("".join(json.dumps(activity(number), separators=(",", ":")) + "\n" for number in range(DIFFERENT)))
        os.sched_setaffinity(0, {CLIENT_CORE})
        kafka = self._start(EmbeddedBroker(self.directory, paths.bin_dir(), {TOPIC: PARTITIONS}))
        redis = self._start(RedisServer(self.directory))
        with core(SERVER_CORE):
            self.ingest = self._start(Daemon("ingest", self.directory, paths.bin_dir(), {"kafka.brokers": kafka.bootstrap, "auth.hs256_secret_file": secret_file, "tiers.file": tiers, **redis.options}))
        self.quiet = self._load(self.ingest, secret, "quiet", activities)
        self.noisy = self._load(self.ingest, secret, "noisy", activities, "--limited")

    def stop(self) -> None:
        for talker in reversed(self.talkers):
            talker.end()
        for process in reversed(self.processes):
            process.kill9()

    def _pace(self, per_s: int) -> str:
        return f"pace 1 {CONNECTIONS} {per_s * self.options.seconds} {per_s}"

    def _calm(self) -> dict:
        return self.quiet.ask(self._pace(QUIET_PER_S))

    def _busy(self) -> tuple[dict, dict]:
        self.noisy.tell(self._pace(NOISE * LIMIT_PER_S))
        return self._calm(), self.noisy.answer()

    def run(self) -> list[dict]:
        say("warming up")
        self._busy()
        rounds = []
        for number in range(self.options.rounds):
            calm = self._calm()
            busy, noisy = self._busy()
            if noisy["limited"] == 0:
                raise Wrong("the noisy tenant has met no limit")
            rounds.append({"calm": calm, "busy": busy, "noisy": noisy, "ratio": busy["p99_us"] / calm["p99_us"]})
            say(f"round {number + 1} of {self.options.rounds}: p99 alone {calm['p99_us'] / 1000:.2f} ms, beside the noisy one {busy['p99_us'] / 1000:.2f} ms")
        if self.ingest.metric("rate_limit_local_total"):
            raise Wrong("Redis was away")
        return rounds


def all_figures(rounds: list[dict]) -> dict:
    ratio = spread([each["ratio"] for each in rounds], 3)
    times = {state: {p: spread([each[state][f"{p}_us"] / 1000 for each in rounds], 2) for p in ("p50", "p99")} for state in ("calm", "busy")}
    limited = statistics.median(each["noisy"]["limited"] / (each["noisy"]["limited"] + each["noisy"]["activities"]) for each in rounds)
    return {"noisy_p99_ratio": ratio["median"], "spread": {"noisy_p99_ratio": ratio}, "ms": times, "noisy_limited_share": round(limited, 3), "rounds": rounds}


def as_text(figures: dict) -> str:
    lines = ["                          p50 ms    p99 ms"]
    for state, name in (("calm", "alone"), ("busy", "beside the noisy one")):
        lines.append(f"  {name:<22} {figures['ms'][state]['p50']['median']:>7} {figures['ms'][state]['p99']['median']:>9}")
    ratio = figures["spread"]["noisy_p99_ratio"]
    lines.append(f"  noisy_p99_ratio {ratio['median']} ({ratio['low']} .. {ratio['high']})   goal <= {GOAL}; {figures['noisy_limited_share']:.0%} of the noisy one's requests were answered with 429")
    return "\n".join(lines)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/tenants", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file, as one JSON object")
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each state has its turn (default 5; quick 1)")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long each turn is (default 20; quick 3)")
    options = parser.parse_args(argv)
    for name, quick, usual in (("rounds", 1, 5), ("seconds", 3, 20)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
        if not 1 <= getattr(options, name) <= 1000:
            parser.error(f"--{name} must be 1 to 1,000")
    return options


def work(bench: Bench) -> tuple[dict, str]:
    load_before = os.getloadavg()[0]
    figures = all_figures(bench.run())
    figures["settings"] = {name: getattr(bench.options, name) for name in ("rounds", "seconds", "quick")}
    figures["machine"] = machine() | {"load_before": round(load_before, 2)}
    return figures, as_text(figures)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    if not {SERVER_CORE, CLIENT_CORE} <= os.sched_getaffinity(0):
        say("two processor cores are needed, 0 and 1: one for what is measured, one for everything else")
        return 1
    return carry_out(Bench, work, options)


if __name__ == "__main__":
    sys.exit(main())
