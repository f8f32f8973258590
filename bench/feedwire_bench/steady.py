"""What work costs while it goes on steadily: CPU time of Redis and of the program that drives it, between two looks at both.

The difficulty is to leave out the beginning and the end, when the pipeline is not full. So Redis is looked at every few milliseconds, and the
looks that count are the first one after a tenth of the work and the last one before nineteen twentieths. Each look is one INFO, so that Redis' CPU
time and the number of its calls are of one moment; it costs Redis about a thousandth of its time, the same in every variant."""

import pathlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from .wire import Connection

BEGIN, END = 0.10, 0.95
LOOK_S = 0.02
STANDSTILL_S = 60


class Wrong(Exception):
    """The work was not done as it should be, so its cost means nothing."""


@dataclass
class Cost:
    writes: int
    seconds: float
    redis_cpu_s: float
    driver_cpu_s: float

    @property
    def writes_per_redis_cpu_s(self) -> float:
        return self.writes / self.redis_cpu_s

    @property
    def driver_vs_redis_cpu(self) -> float:
        return self.driver_cpu_s / self.redis_cpu_s


@dataclass
class _Look:
    time_s: float
    calls: int
    redis_cpu_s: float
    driver_cpu_s: float


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, to the nanosecond where the kernel says it; 0 when it has ended."""
    total_ns = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total_ns += int(task.read_text().split()[0])
        except (OSError, IndexError):
            pass  # the thread has just ended
    return total_ns / 1e9


def calls(info: dict[str, str], command: str) -> int:
    fields = info.get(f"cmdstat_{command}", "calls=0")
    return int(fields.split("calls=")[1].split(",")[0])


def _look(redis: Connection, command: str, pid: int) -> _Look:
    info = redis.info("cpu", "commandstats")
    redis_cpu_s = float(info["used_cpu_user"]) + float(info["used_cpu_sys"])
    return _Look(time.monotonic(), calls(info, command), redis_cpu_s, cpu_seconds(pid))


def measure(redis: Connection, command: str, expected: int, start: Callable[[], int], alive: Callable[[], None]) -> Cost:
    """Starts the work, which calls `command` once for each of its `expected` writes, and waits for its end. `start` answers the process that drives
    it; `alive` raises when that has failed."""
    before = calls(redis.info("commandstats"), command)
    pid = start()
    looks: list[_Look] = []
    done, moved_s = 0, time.monotonic()
    while done < expected:
        look = _look(redis, command, pid)
        if look.calls - before > done:
            done, moved_s = look.calls - before, look.time_s
        elif look.time_s - moved_s > STANDSTILL_S:
            raise Wrong(f"{done:,} of {expected:,} writes were done, and nothing has moved for {STANDSTILL_S} s")
        alive()
        if BEGIN * expected <= done <= END * expected:
            looks.append(look)
        time.sleep(LOOK_S)
    if len(looks) < 2:
        raise Wrong(f"{expected:,} writes were too few to be measured on this machine")
    first, last = looks[0], looks[-1]
    return Cost(last.calls - first.calls, last.time_s - first.time_s, last.redis_cpu_s - first.redis_cpu_s, last.driver_cpu_s - first.driver_cpu_s)
