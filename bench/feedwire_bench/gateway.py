"""bench/gateway: what a delivery, a connection and a herd of clients cost the gateway."""

import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

from feedwire_dev import paths, ports, tokens
from feedwire_dev.admin import total
from feedwire_dev.daemon import Daemon
from feedwire_dev.processes import Process
from feedwire_dev.redis_server import RedisServer

from .audience import Audience, user
from .command import CLIENT_CORE, SERVER_CORE, carry_out, core, machine, say
from .figures import spread
from .steady import Wrong, cpu_seconds
from .talker import Talker
from .wire import Connection

DESCRIPTION = """Measures what it costs the gateway to deliver a message, compared with a program that only calls send(); what a connection takes of
memory; and how fast a herd of clients gets its slices, compared with how fast it is upgraded. The server has a core of its own; the clients and Redis
share another one."""
EPILOG = """The gateway and the floor take turns, and the figures are medians over the rounds of the ratios within a round; absolute figures are of
this machine. docs/performance-gateway.md explains them."""
GOALS = {
    "cpu_per_msg_vs_floor": "<= 1.3",
    "burst_cpu_per_msg_vs_floor": "<= 0.4",
    "rss_kib_per_connection": "<= 3",
    "storm_vs_upgrades": ">= 0.6",
    "storm_reads_per_client": "<= 1",
    "syscalls_per_delivery": "1 and a share of epoll_wait",
}
FEW = 2_000
CLIENTS_MAX = 20_000  # as in clients.c
SPARE = 100  # files and connections besides those of the clients
CHUNK = 1_000  # of them, that are opened at once
BURST = 8  # entries that are published for one feed at once
SETTLE_S = 1.0


def rss_bytes(pid: int) -> int:
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Bench:
    def __init__(self, options: argparse.Namespace, directory: pathlib.Path):
        self.options = options
        self.directory = directory
        self.processes: list[Process] = []
        self.talkers: list[Talker] = []

    # ---- servers ----

    def _talker(self, name: str, *arguments) -> Talker:
        talker = Talker(paths.bin_dir() / f"feedwire-bench-{name}", *arguments)
        self.talkers.append(talker)
        return talker

    def start(self) -> None:
        secret, secret_file = tokens.new_secret(), self.directory / "hs256.key"
        tokens.write_secret(secret_file, secret)
        token_file = self.directory / "tokens"
        token_file.write_text("".join(tokens.make_token(secret, user(number)) + "\n" for number in range(self.options.idle)))
        os.sched_setaffinity(0, {CLIENT_CORE})
        self.redis = RedisServer(self.directory)
        self.processes.append(self.redis)
        self.redis.start()
        self.gateway = Daemon(
            "gateway",
            self.directory,
            paths.bin_dir(),
            {"feed.ttl_s": 0, "auth.hs256_secret_file": secret_file, "http.connections_max": self.options.idle + SPARE, **self.redis.options},
        )
        self.processes.append(self.gateway)
        floor_port = ports.any_free()
        with core(SERVER_CORE):
            self.gateway.start()
            self.floor = self._talker("floor", f"--port={floor_port}")
        time.sleep(0.2)  # until it listens
        self.clients = self._talker("clients", f"--port={self.gateway.http_port}", f"--tokens={token_file}")
        self.floor_clients = self._talker("clients", f"--port={floor_port}", "--raw")
        self.asking = Connection(self.redis.port)
        say("making the feeds")
        self.audience = Audience(self.asking)
        self.audience.make_feeds(self.options.idle)

    def stop(self) -> None:
        for talker in reversed(self.talkers):
            talker.end()
        for process in reversed(self.processes):
            process.kill9()

    # ---- measurements ----

    def memory(self) -> float:
        """KiB of the gateway for each connection more."""
        idle = self.options.idle
        first = FEW if idle > FEW else idle // 2
        self.clients.ask(f"open 0 {first} slice")
        time.sleep(SETTLE_S)
        few = rss_bytes(self.gateway.pid)
        for start in range(first, idle, CHUNK):
            self.clients.ask(f"open {start} {min(CHUNK, idle - start)} slice")
        time.sleep(SETTLE_S)
        many = rss_bytes(self.gateway.pid)
        self._close()
        return (many - few) / (idle - first) / 1024

    def _close(self) -> None:
        self.clients.ask("close")
        deadline = time.monotonic() + 60
        while self.gateway.metric("websocket_connections") > 0:
            if time.monotonic() > deadline:
                raise Wrong("the gateway still counts connections that were closed")
            time.sleep(0.05)

    def _deliver(self, entries: int, rounds: int) -> dict:
        """CPU seconds of the gateway for each entry, and how large the frames were."""
        count = self.options.connections
        packed = [self.audience.publications(count, entries) for _ in range(rounds)]
        expected = count * entries * rounds
        time.sleep(0.1)
        before = cpu_seconds(self.gateway.pid)
        self.clients.tell(f"expect {expected}")
        for publications in packed:
            self.audience.publish(publications)
        got = self.clients.answer()
        cpu_s = cpu_seconds(self.gateway.pid) - before
        if got["entries"] != expected:
            raise Wrong(f"{got['entries']:,} entries came, not {expected:,}")
        if got["slices"]:
            raise Wrong(f"the gateway has read {got['slices']:,} windows again instead of pushing: the machine is too busy")
        return {"cpu_us": 1e6 * cpu_s / expected, "frame_bytes": got["frame_bytes"] // got["frames"], "entries_per_frame": expected / got["frames"]}

    def _floor(self, size: int, rounds: int) -> float:
        count = self.options.connections
        before = cpu_seconds(self.floor.pid)
        self.floor_clients.tell(f"expect {count * rounds * size}")
        self.floor.ask(f"send {rounds} {size}")
        self.floor_clients.answer()
        return 1e6 * (cpu_seconds(self.floor.pid) - before) / (count * rounds)

    def deliveries(self) -> list[dict]:
        count, rounds = self.options.connections, self.options.messages
        self.clients.ask(f"open 0 {count} slice")
        self.floor_clients.ask(f"open 0 {count} upgrade")
        figures = []
        for number in range(self.options.rounds):
            single = self._deliver(1, rounds)
            floor_us = self._floor(single["frame_bytes"], rounds)
            burst = self._deliver(BURST, max(1, rounds // BURST))
            figures.append({"single": single, "burst": burst, "floor_us": floor_us})
            say(
                f"round {number + 1} of {self.options.rounds}: a message of {single['frame_bytes']} bytes costs {single['cpu_us']:.2f} us, in bursts "
                f"{burst['cpu_us']:.2f} us ({burst['entries_per_frame']:.1f} entries a frame), the floor {floor_us:.2f} us"
            )
        return figures

    def syscalls(self) -> dict[str, float]:
        """System calls of the gateway for each message of a round of single ones, by name; the clients must be there."""
        if not shutil.which("strace"):
            raise Wrong("strace is missing; install the package strace, or leave the count out with --no-syscalls")
        report = self.directory / "strace"
        strace = subprocess.Popen(["strace", "-f", "-c", "-o", report, "-p", str(self.gateway.pid)], stderr=subprocess.DEVNULL)
        try:
            status = pathlib.Path(f"/proc/{self.gateway.pid}/status")
            deadline = time.monotonic() + 10
            while "TracerPid:\t0\n" in status.read_text():
                if time.monotonic() > deadline or strace.poll() is not None:
                    raise Wrong("strace could not attach to the gateway; leave the count out with --no-syscalls")
                time.sleep(0.05)
            messages = self.options.connections * 5
            self._deliver(1, 5)
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait(30)
        counts = {}
        for line in report.read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[3].isdecimal() and words[-1] not in ("total", "syscall"):
                counts[words[-1]] = int(words[3]) / messages
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def herd(self) -> dict:
        """Clients a second, from connect to the upgrade and from connect to the slice; all at once."""
        self._close()
        upgrades = self.clients.ask(f"open 0 {self.options.herd} upgrade")["seconds"]
        self._close()
        before = total(self.gateway.metrics(), "gateway_windows_read_total")
        slices = self.clients.ask(f"open 0 {self.options.herd} slice")["seconds"]
        reads = total(self.gateway.metrics(), "gateway_windows_read_total") - before
        return {"upgrades_per_s": self.options.herd / upgrades, "slices_per_s": self.options.herd / slices, "reads_per_client": reads / self.options.herd}

    def run(self) -> dict:
        figures = {"memory_kib": self.memory()}
        say(f"a connection takes {figures['memory_kib']:.2f} KiB")
        figures["rounds"] = self.deliveries()
        figures["syscalls"] = self.syscalls() if self.options.syscalls else {}
        figures["herds"] = [self.herd() for _ in range(self.options.rounds)]
        return figures


# ---- figures ----


def all_figures(measured: dict) -> dict:
    """The headline figures, each the median over the rounds, and what they were made from."""
    rounds, herds = measured["rounds"], measured["herds"]
    ratios = {
        "cpu_per_msg_vs_floor": [r["single"]["cpu_us"] / r["floor_us"] for r in rounds],
        "burst_cpu_per_msg_vs_floor": [r["burst"]["cpu_us"] / r["floor_us"] for r in rounds],
        "rss_kib_per_connection": [measured["memory_kib"]],
        "storm_vs_upgrades": [h["slices_per_s"] / h["upgrades_per_s"] for h in herds],
        "storm_reads_per_client": [h["reads_per_client"] for h in herds],
    }
    spreads = {name: spread(values, 3) for name, values in ratios.items()}
    figures = {name: value["median"] for name, value in spreads.items()}
    if measured["syscalls"]:
        figures["syscalls_per_delivery"] = round(sum(measured["syscalls"].values()), 3)
    return {**figures, "spread": spreads, "syscalls": measured["syscalls"], "rounds": rounds, "herds": herds}


def as_text(figures: dict) -> str:
    lines = []
    for name, goal in GOALS.items():
        if name not in figures:
            continue
        spread = figures["spread"].get(name)
        between = f"   ({spread['low']} .. {spread['high']})" if spread else ""
        lines.append(f"  {name:<28} {figures[name]:>8}{between}   goal {goal}")
    calls = ", ".join(f"{name} {count:.3f}" for name, count in figures["syscalls"].items() if count >= 0.001)
    return "\n".join(lines + ([f"  system calls a delivery: {calls}"] if calls else []))


# ---- the command ----


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/gateway", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file, as one JSON object")
    parser.add_argument("--quick", action="store_true", help="one short round, for a look")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often the gateway and the floor have their turn (default 5; quick 1)")
    parser.add_argument("--messages", type=int, metavar="N", help="for each connection in each round (default 40; quick 16)")
    parser.add_argument("--connections", type=int, default=FEW, metavar="N", help=f"that get messages (default {FEW:,})")
    parser.add_argument("--idle", type=int, default=15_000, metavar="N", help="connections up to which memory is measured (default 15,000)")
    parser.add_argument("--herd", type=int, default=10_000, metavar="N", help="clients that come at once (default 10,000)")
    parser.add_argument("--no-syscalls", dest="syscalls", action="store_false", help="do not count system calls, which needs strace")
    options = parser.parse_args(argv)
    options.rounds = options.rounds if options.rounds is not None else 1 if options.quick else 5
    options.messages = options.messages if options.messages is not None else 16 if options.quick else 40
    for name, low, high in (("rounds", 1, 1000), ("messages", BURST, 1000), ("idle", 200, CLIENTS_MAX), ("herd", 100, options.idle), ("connections", 100, options.idle)):
        if not low <= getattr(options, name) <= high:
            parser.error(f"--{name} must be {low:,} to {high:,}")
    return options


def work(bench: Bench) -> tuple[dict, str]:
    settings = {name: getattr(bench.options, name) for name in ("rounds", "messages", "connections", "idle", "herd", "quick")}
    figures = all_figures(bench.run()) | {"settings": settings}
    figures["machine"] = machine() | {"redis": bench.asking.info("server")["redis_version"]}
    return figures, as_text(figures)


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    if len(os.sched_getaffinity(0)) < 2:
        say("two processor cores are needed: one for the server, one for its clients")
        return 1
    files = options.idle + SPARE
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] != resource.RLIM_INFINITY and limits[1] < files:
        say(f"{files:,} open files are needed and this machine allows {limits[1]:,}; raise the limit (ulimit -Hn), or take fewer connections with --idle and --herd")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], files), limits[1]))
    return carry_out(Bench, work, options)


if __name__ == "__main__":
    sys.exit(main())
