"""How long an activity takes to its followers while an author with 50,000 followers is being fanned out, and while nothing else happens.

The way that is timed is the whole one: from the request to ingest until the notices of all followers have left Redis. Activities of an author with ten
followers go it one after the other; the two states take turns, round by round, and each is long enough for a p99."""

import statistics
import time
from collections.abc import Callable

from .population import Population
from .steady import Wrong, calls
from .wire import Connection

BIG = 50_000
FOLLOWERS = 10
PROBES = 200  # in each state and round
WAITING = 2  # activities of the big author that are ahead, at least: it is never done
GOAL = 2.0


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[98]


class Fairness:
    """post: hands activities to ingest, and returns when Kafka has them. idle: returns when fan-out has worked off everything."""

    def __init__(self, redis: Connection, port: int, population: Population, post: Callable[[list[bytes]], object], idle: Callable[[], None]):
        self._redis, self._population, self._post, self._idle = redis, population, post, idle
        self._notices = Connection(port)
        population.make_small_author(FOLLOWERS)
        for key in population.small_author_homes(FOLLOWERS):
            self._notices.call("SSUBSCRIBE", key)

    def _probe(self) -> float:
        """Seconds."""
        lines = self._population.activities_of(self._population.SMALL, 1)
        began = time.perf_counter()
        self._post(lines)
        for _ in range(FOLLOWERS):
            self._notices.read()
        return time.perf_counter() - began

    def _written(self) -> int:
        return calls(self._redis.info("commandstats"), "fcall")

    def _probes(self, busy: bool) -> list[float]:
        before, posted, seconds = self._written(), 0, []
        for _ in range(PROBES):
            # The look costs the same in both states.
            ahead = posted * (BIG + 1) - (self._written() - before)
            if busy and ahead < WAITING * BIG:
                self._post(self._population.activities_of(self._population.big_author(BIG), WAITING))
                posted += WAITING
            seconds.append(self._probe())
        if busy and posted * (BIG + 1) <= self._written() - before:
            raise Wrong("the author with many followers was done before the others were measured")
        self._idle()
        return seconds

    def measure(self, rounds: int) -> dict:
        calm, busy, ratios = [], [], []
        for _ in range(rounds):
            calm.append(self._probes(False))
            busy.append(self._probes(True))
            ratios.append(p99(busy[-1]) / p99(calm[-1]))
        all_calm, all_busy = sum(calm, []), sum(busy, [])
        return {
            "probes": len(all_calm),
            "calm_ms": {"median": 1e3 * statistics.median(all_calm), "p99": 1e3 * p99(all_calm)},
            "busy_ms": {"median": 1e3 * statistics.median(all_busy), "p99": 1e3 * p99(all_busy)},
            "p99_ratio": p99(all_busy) / p99(all_calm),
            "p99_ratio_low": min(ratios),
            "p99_ratio_high": max(ratios),
        }


def as_text(figures: dict) -> str:
    calm, busy = figures["calm_ms"], figures["busy_ms"]
    return (
        f"another author's activity while one with {BIG:,} followers is fanned out: p99 {busy['p99']:.1f} ms, calm {calm['p99']:.1f} ms "
        f"(medians {busy['median']:.1f} and {calm['median']:.1f}); ratio {figures['p99_ratio']:.2f} "
        f"({figures['p99_ratio_low']:.2f} .. {figures['p99_ratio_high']:.2f})   goal <= {GOAL:.0f}"
    )
