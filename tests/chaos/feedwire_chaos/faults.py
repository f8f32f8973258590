"""What goes wrong during a run. Each fault gets the world and a part of the load, which it feeds while it works, so that it happens in the middle of work."""

import dataclasses
import functools
import os
import signal
import time

import redis
from feedwire_dev.redis_server import RedisServer

from .world import SESSION_MS, Failed, wait_for

STARTED_SHARE = 0.2  # of the records just sent must be worked off before a fault strikes
TAIL_BYTES = 4_096  # that a dying master has and its replica has not


@dataclasses.dataclass
class Plan:
    """How many of each."""

    kills: int = 10
    rolling: int = 5
    failovers: int = 3
    reshards: int = 1
    outages: int = 1
    freezes: int = 1
    outage_s: float = 60.0
    moved_slots: int = 400  # by a reshard

    def spread(self, rng):
        """The faults in an order that the seed gives: (for the stage of the follows, for the stage of the acts). A quarter of the kills strikes the follows."""
        early = [kill] * (self.kills // 4) + [roll] * (self.rolling // 4)
        late = [kill] * (self.kills - self.kills // 4) + [roll] * (self.rolling - self.rolling // 4)
        late += [fail_over] * self.failovers + [functools.partial(reshard, count=self.moved_slots)] * self.reshards
        late += [freeze] * self.freezes + [functools.partial(outage, seconds=self.outage_s)] * self.outages
        rng.shuffle(late)
        return early, late


class Load:
    """The records that belong to one fault, sent in parts."""

    def __init__(self, world, records):
        self._world, self._records, self._at = world, records, 0

    def feed(self, share=1.0):
        """Sends this share of what is left."""
        count = max(1, int((len(self._records) - self._at) * share))
        part = self._records[self._at : self._at + count]
        self._at += len(part)
        self._world.log.send(part)
        return len(part)

    def feed_until_started(self, share):
        """Sends, and waits until some of it is worked off. Where that does not come the fault strikes all the same: what it meets is then a standstill."""
        before = self._world.worked_off()
        count = self.feed(share)
        end = time.monotonic() + 20
        while self._world.worked_off() < before + count * STARTED_SHARE and time.monotonic() < end:
            time.sleep(0.005)


def strike(world, fault, records, rng):
    load = Load(world, records)
    world.wait_ready()
    fault(world, load, rng)
    load.feed()
    wait_for(lambda: all(worker.running for worker in world.workers), "all workers running", 30, detail=world.why_not_ready)


def kill(world, load, rng):
    worker = rng.choice(world.workers)
    pause_s = rng.choice((0, 0, 0.5, 2))
    load.feed_until_started(0.7)
    worker.kill9()
    world.say(f"killed {worker.log.stem}, away for {pause_s} s")
    time.sleep(pause_s)
    worker.start(None)


def roll(world, load, rng):
    order = rng.sample(world.workers, len(world.workers))
    world.say("rolling restart: " + ", ".join(worker.log.stem for worker in order))
    for worker in order:
        load.feed_until_started(0.4)
        code = worker.terminate(40)
        if code != 0:
            raise Failed(f"{worker.log.stem} ended with {code} on SIGTERM; its log: {worker.log}\n{worker.log_tail()}")
        worker.start(None)
        wait_for(worker.ready, f"{worker.log.stem} being ready again", 60, detail=world.why_not_ready)


def freeze(world, load, rng):
    """A worker stands still until the group has given its partitions away, and then goes on where it was: with writes on their way, and not knowing it."""
    worker = rng.choice(world.workers)
    load.feed_until_started(0.4)
    os.kill(worker.pid, signal.SIGSTOP)
    world.say(f"{worker.log.stem} stands still for longer than its session")
    try:
        load.feed(0.5)
        time.sleep(SESSION_MS / 1000 * 1.5)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    load.feed()
    wait_for(worker.ready, f"{worker.log.stem} being ready again", 60, detail=world.why_not_ready)


def _pairs(cluster):
    """Each master that has slots with its replica, as it is now; nothing while a server is loading."""
    try:
        return _read_pairs(cluster)
    except redis.BusyLoadingError:
        return []


def _read_pairs(cluster):
    by_port = {node.port: node for node in cluster.nodes if node.running}
    found = []
    for node in by_port.values():
        info = node.info("replication")
        if info["role"] == "slave" and info["master_link_status"] == "up" and int(info["master_port"]) in by_port:
            found.append((by_port[int(info["master_port"])], node))
    return sorted(found, key=lambda pair: pair[0].port)


def fail_over(world, load, rng):
    """The replica dies first; the master goes on, and dies with what only it has; then the replica comes back and takes over."""
    cluster = world.cluster
    pairs = wait_for(lambda: len(found := _pairs(cluster)) == 3 and found, "three masters with replicas", 120)
    master, replica = rng.choice(pairs)
    load.feed_until_started(0.3)
    replica.kill9()
    kept = int(master.info("replication")["master_repl_offset"])
    load.feed_until_started(0.5)
    wait_for(lambda: int(master.info("replication")["master_repl_offset"]) > kept + TAIL_BYTES, "writes that only the master has", 60)
    lost = int(master.info("replication")["master_repl_offset"]) - kept
    master.kill9()
    world.say(f"killed {master.name} at {master.port} with at least {lost} bytes that its replica {replica.name} never got; promoting that one")
    load.feed(0.5)
    replica.start()
    wait_for(lambda: replica.info("replication")["role"] == "slave", "the replica knowing its part", 30)
    replica.call("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_for(replica.is_master, "the promotion", 60)
    time.sleep(rng.choice((0.5, 3)))
    master.start()
    cluster.wait_until_well()
    wait_for(lambda: len(_pairs(cluster)) == 3, "three masters with replicas", 120)


def reshard(world, load, rng, count):
    cluster = world.cluster
    (source, _), (target, _) = rng.sample(_pairs(cluster), 2)
    slots = [slot for first, last, (_, port, *_), *_ in source.call("CLUSTER", "SLOTS") if port == source.port for slot in range(first, last + 1)]
    slots = rng.sample(slots, min(count, len(slots)))
    world.say(f"moving {len(slots)} slots from {source.name} to {target.name}")
    load.feed_until_started(0.2)
    for i, slot in enumerate(slots):
        fed = []
        cluster.move_slots([slot], source, target, lambda: fed or fed.append(load.feed(0.01)))
        if i % 100 == 99:
            world.say(f"  {i + 1} slots are across")


def outage(world, load, rng, seconds):
    cluster = world.cluster
    load.feed_until_started(0.4)
    for node in cluster.nodes:
        node.kill9()
    world.say(f"no Redis for {seconds:.0f} s")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        load.feed(0.2)
        time.sleep(min(5, max(0, end - time.monotonic())))
    for node in cluster.nodes:  # all at once: a master that is long alone with a dead one would be replaced
        super(RedisServer, node).start()
    for node in cluster.nodes:
        node.wait_until(node._answers, "answering")
    cluster.wait_until_well()
    world.say("Redis is back")
