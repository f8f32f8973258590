"""The run: its stages, its faults, and what is compared when."""

import argparse
import pathlib
import random
import sys
import tempfile
import time
import traceback

from .check import Reader, Report, compare, compare_dlq
from .clients import Clients
from .faults import Plan, strike
from .oracle import Oracle
from .workload import BIG, LARGE_MIN, Workload
from .world import Failed, World, wait_for

CLIENTS = 200
DRAIN_S_MIN, RECORDS_S = 180, 150  # how long a stage may take: at least, and at this many records a second


class Run:
    def __init__(self, folder, seed, activities, followers, plan, clients=CLIENTS, keep=False, fanout_options=None):
        self.folder, self.plan, self.client_count, self.keep = pathlib.Path(folder), plan, clients, keep
        self.fanout_options = fanout_options
        self.began = time.monotonic()
        self._log = open(self.folder / "run.log", "a", encoding="utf-8")
        self.rng = random.Random(f"faults {seed}")
        self.say(f"seed {seed}, {activities} activities, {followers or activities} followers; logs are in {self.folder}")
        self.workload = Workload(seed, activities, followers)
        self.oracle = Oracle(self.workload)
        self.report = Report(self.say)

    def say(self, text):
        minutes, seconds = divmod(time.monotonic() - self.began, 60)
        for out in (sys.stdout, self._log):
            print(f"[{minutes:3.0f}:{seconds:04.1f}] {text}", file=out, flush=True)

    def go(self):
        """How many things were wrong."""
        world = World(self.folder, self.say, self.fanout_options)
        clients = None
        try:
            world.start()
            work = self.workload
            self.say(f"{len(work.follows)} follows, {len(work.settings)} filters, {len(work.acts)} acts with {len(work.poison())} poisoned; "
                     f"{len(work.authors)} authors, of which {len(work.large)} have many followers")
            clients = Clients(world, self._watched())
            early, late = self.plan.spread(self.rng)
            self._stage(world, "follows", work.follows, early)
            self._stage(world, "filters", work.settings, [])
            self._stage(world, "acts", work.acts, late)
            self._compare(world, clients, rebuilt=False)
            self._lose_everything(world)
            self._compare(world, clients, rebuilt=True)
        except Exception as error:  # noqa: BLE001: whatever it is, the run has failed, and must say where its logs are
            self.report.add(f"{type(error).__name__}: {error}")
            if not isinstance(error, Failed):
                traceback.print_exc(file=self._log)
                traceback.print_exc()
        finally:
            if clients:
                clients.stop()
            world.stop()
        if not self.report.count and not self.keep:
            world.forget_data()
        for name, peak in sorted(world.memory.peaks.items()):
            self.say(f"  peak memory of {name}: {peak:.0f} MiB")
        self.say(f"{'FAILED: ' + str(self.report.count) + ' things are wrong' if self.report.count else 'everything is as it must be'}; logs are in {self.folder}")
        return self.report.count

    def _watched(self):
        """Whose feeds are looked at by clients: the busiest, those who settle something, authors, and some others."""
        work, seen = self.workload, {}
        changed = [user for user, _ in work.changes]
        for some in (work.authors[:20], work.fans[: self.client_count // 4], changed[: self.client_count // 4], self.rng.sample(work.fans, min(len(work.fans), self.client_count))):
            seen.update(dict.fromkeys(some))
        return list(seen)[: self.client_count]

    def _stage(self, world, name, records, faults):
        self.say(f"stage {name}: {len(records)} records, {len(faults)} faults")
        began, parts = time.monotonic(), len(faults) + 1
        for i, fault in enumerate(faults):
            part = records[len(records) * i // parts : len(records) * (i + 1) // parts]
            self.say(f"fault {i + 1} of {len(faults)}, at {100 * i // parts} %")
            strike(world, fault, part, self.rng)
        world.log.send(records[len(records) * len(faults) // parts :])
        world.wait_drained(DRAIN_S_MIN + len(records) / RECORDS_S)
        self.say(f"stage {name} is worked off, in {time.monotonic() - began:.0f} s")

    def _compare(self, world, clients, rebuilt):
        self.say("comparing" + (" what was made again" if rebuilt else ""))
        reader = Reader(world.cluster)
        homes, notifications = compare(reader, self.oracle, self.workload.people, self.report, rebuilt)
        reader.close()
        compare_dlq(world.log, self.workload, self.report)
        end = time.monotonic() + 60
        while (differ := clients.differences(homes, notifications)) and time.monotonic() < end:
            time.sleep(0.5)
        differ = [found for found in differ if not self._only_kept_longer(rebuilt, *found)]
        for client, feed, missing, extra in differ:
            self.report.add(f"the client of {client.user} does not hold its {feed}: {len(missing)} missing, {len(extra)} too many, e.g. {self._name(missing[:2] + extra[:2])}",
                            f"    the last that it was told: {list(client.trace[feed])}")
        for problem in clients.problems():
            self.report.add(problem)
        self.say(f"  {len(clients.all)} clients, {sum(client.pushes for client in clients.all)} pushes, {sum(client.slices for client in clients.all)} slices; {len(differ)} differ")

    def _only_kept_longer(self, rebuilt, client, feed, missing, extra):
        """Whether the client only still has what the feed was right to hold and has let go of: with the oldest of a full feed gone, and something newer taken
        out, older entries that come late get in behind the gap. That happens only where the oracle does not know the feed to the last entry."""
        expected = self.oracle.home(client.user, rebuilt) if feed == "home" else self.oracle.notifications(client.user)
        return not missing and not expected.exact and all(key in expected.sure for key in extra)

    def _name(self, keys):
        return [f"{key[0]} {act.verb} of {act.actor} {act.places}" if (act := self.oracle.acts.get(key)) else f"{key[0]} {key[1].hex()}" for key in keys]

    def _lose_everything(self, world):
        """FLUSHALL of every master, the one with the life of Redis last: until then fan-out notices nothing, and there is nothing to work off."""
        reader = Reader(world.cluster)
        life = reader.call("GET", "life:{feedwire}")
        last = reader.of("life:{feedwire}").connection_pool.connection_kwargs["port"]
        masters = sorted((node for node in world.cluster.nodes if node.is_master()), key=lambda node: node.port == last)
        for node in masters:
            node.call("FLUSHALL")
        self.say("FLUSHALL of everything")
        began = time.monotonic()
        wait_for(lambda: reader.call("GET", "life:{feedwire}") not in (None, life), "a new life", 300, 0.2, world.why_not_ready)
        reader.close()
        self.say(f"the graph is loaded, in {time.monotonic() - began:.0f} s")
        world.wait_ready(300)
        world.wait_drained(DRAIN_S_MIN + world.log.sent / RECORDS_S)
        self.say(f"everything is made again, in {time.monotonic() - began:.0f} s")


def main():
    parser = argparse.ArgumentParser(prog="tests/chaos/fanout", description="The acceptance run of fan-out: real Apache Kafka, a real Redis Cluster, three workers, "
                                     "two gateways with clients. While activities flow, workers, masters and all of Redis die; then every feed is compared with an oracle.")
    parser.add_argument("--activities", type=int, default=100_000, help="records after the follows (default: %(default)s)")
    parser.add_argument("--followers", type=int, help=f"of the author {BIG!r} (default: as many as activities); the other large authors have more than {LARGE_MIN}")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is sent and of the order of the faults (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=CLIENTS, help="WebSocket clients that are connected all the time (default: %(default)s)")
    defaults = Plan()
    for name, text in (("kills", "workers killed with SIGKILL"), ("rolling", "rolling restarts of all workers"), ("failovers", "masters that die with what their replica never got"),
                       ("reshards", "times that slots move under load"), ("outages", "times without any Redis"),
                       ("freezes", "workers that stand still until others have taken over, and go on")):
        parser.add_argument(f"--{name}", type=int, default=getattr(defaults, name), help=f"{text} (default: %(default)s)")
    parser.add_argument("--outage_s", type=float, default=defaults.outage_s, help="seconds without Redis (default: %(default)s)")
    parser.add_argument("--folder", help="for logs and data (default: a new one under /tmp)")
    parser.add_argument("--fanout", action="append", default=[], metavar="OPTION=VALUE", help="an option for all workers, e.g. fanout.broadcast_threshold=1000; may come again")
    parser.add_argument("--keep", action="store_true", help="keep the data of Kafka and Redis also when everything is as it must be; logs are always kept")
    given = parser.parse_args()
    plan = Plan(given.kills, given.rolling, given.failovers, given.reshards, given.outages, given.freezes, given.outage_s)
    folder = pathlib.Path(given.folder or tempfile.mkdtemp(prefix="feedwire-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    return 1 if Run(folder, given.seed, given.activities, given.followers, plan, given.clients, given.keep, dict(option.split("=", 1) for option in given.fanout)).go() else 0
