"""What an activity of a broadcast author costs: it stands in the outbox alone, so the number of followers must not matter.

Two authors take turns, one with a few followers more than the threshold, one with a million, in one run."""

import itertools
import statistics
from collections.abc import Callable

from .population import CHUNK, Population, TENANT
from .steady import Cost, Wrong, calls
from .wire import Connection

FEW, MANY = 60_000, 1_000_000
THRESHOLD = FEW
ACTIVITIES = 10_000
ROUNDS_MAX = 3


def name(followers: int) -> str:
    return f"star{followers}"


def make_authors(redis: Connection) -> None:
    """As fan-out leaves them when they have crossed the threshold; their followers are no users of any other author."""
    for followers in (FEW, MANY):
        for start in range(0, followers, CHUNK):
            edges = itertools.chain.from_iterable((i + 1, f"s{i}") for i in range(start, min(start + CHUNK, followers)))
            redis.call("ZADD", f"g:{{{TENANT}/{name(followers)}/0}}", *edges)
        redis.call("HSET", f"a:{{{TENANT}/{name(followers)}}}", "broadcast", "on", "gen", 1, "on", 1)


def measure(redis: Connection, population: Population, rounds: int, by_fanout: Callable[[list[bytes], int], Cost]) -> dict:
    """by_fanout: as Bench has it; it raises when anything but the outbox was written."""
    make_authors(redis)
    redis_us: dict[int, list[float]] = {FEW: [], MANY: []}
    fanout_us: dict[int, list[float]] = {FEW: [], MANY: []}
    commands: dict[int, float] = {}
    for _ in range(min(rounds, ROUNDS_MAX)):
        for followers in (FEW, MANY):
            lines = population.activities_of(name(followers), ACTIVITIES)
            before = calls(redis.info("commandstats"), "fcall")
            cost = by_fanout(lines, len(lines))
            commands[followers] = (calls(redis.info("commandstats"), "fcall") - before) / len(lines)
            redis_us[followers].append(1e6 * cost.redis_cpu_s / cost.writes)
            fanout_us[followers].append(1e6 * cost.driver_cpu_s / cost.writes)
    for followers in (FEW, MANY):
        if redis.call("HGET", f"a:{{{TENANT}/{name(followers)}}}", "broadcast") != b"on":
            raise Wrong(f"{name(followers)} is no broadcast author any more")
    return {
        "followers": [FEW, MANY],
        "redis_cpu_us_an_activity": [statistics.median(redis_us[n]) for n in (FEW, MANY)],
        "fanout_cpu_us_an_activity": [statistics.median(fanout_us[n]) for n in (FEW, MANY)],
        "commands_an_activity": [commands[n] for n in (FEW, MANY)],
        "redis_cpu_ratio": statistics.median(redis_us[MANY]) / statistics.median(redis_us[FEW]),
        "fanout_cpu_ratio": statistics.median(fanout_us[MANY]) / statistics.median(fanout_us[FEW]),
        "commands_ratio": commands[MANY] / commands[FEW],
    }


def as_text(figures: dict) -> str:
    redis_us, fanout_us = figures["redis_cpu_us_an_activity"], figures["fanout_cpu_us_an_activity"]
    return (f"a broadcast author's activity, {FEW:,} and {MANY:,} followers: Redis CPU {redis_us[0]:.1f} and {redis_us[1]:.1f} us, "
            f"fan-out CPU {fanout_us[0]:.1f} and {fanout_us[1]:.1f} us; ratio {figures['redis_cpu_ratio']:.2f} and {figures['fanout_cpu_ratio']:.2f}")
