"""The people of the fan-out benchmark: authors with a given number of followers, followers whose home feeds are full or growing, and the
activities that the authors do.

All authors share one crowd of followers, so that feeds lie as far apart in Redis' memory for an author with ten followers as for one with fifty
thousand. What an activity says (verb, object, target) is taken from the development stack's data set; only its author, id and time are new.

Every feed is a copy of one of a few patterns, which fan-out itself has written: full ones with 100, 101, .. 120 entries, so that trimming, which
is done at 121, falls evenly on all writes from the first one on; trimmed ones with 100, for those who trim with each write; growing ones with
10, 14, .. 90."""

import itertools
import json
import pathlib
import time
import uuid
from datetime import datetime, timezone

from feedwire_dev import paths
from feedwire_dev.play import read_lines

from .steady import Wrong
from .wire import Connection, pack

TENANT = "demo"
CROWD = 50_000
SIZES = (10, 100, 1_000, 50_000)
AUTHORS = {10: 5_000, 100: 500, 1_000: 50, 50_000: 2}  # so many that each has the whole crowd, all together
PATTERNS = {"full": list(range(100, 121)), "trimmed": [100], "growing": list(range(10, 91, 4))}
PATTERN_AUTHOR, PATTERN_ACTIVITIES = "pattern", 120
EPOCH_END = b"bench"  # behind the generation of the master
STRIDE = 7_919  # a prime that does not divide CROWD: the followers of an author lie scattered
CHUNK = 1_000


def author(followers: int, number: int) -> str:
    return f"a{followers}-{number}"


def user(number: int) -> str:
    return f"u{number:05}"


def home(name: str) -> str:
    return f"f:{{{TENANT}/{name}}}"


def outbox(name: str) -> str:
    return f"o:{{{TENANT}/{name}}}"


def followers_of(followers: int, number: int, crowd: int) -> list[str]:
    first = number * followers
    return [user((first + i) * STRIDE % crowd) for i in range(followers)]


def pattern(state: str, number: int) -> str:
    return f"{state}{number}"


class Population:
    """authors: how many there are with a number of followers. redis: one connection, or what stands for it."""

    def __init__(self, redis: Connection, crowd: int = CROWD, authors: dict[int, int] = AUTHORS):
        self._redis, self._crowd, self._authors = redis, crowd, authors
        self._resets: dict[str, tuple[bytes, int]] = {}
        self.epoch = b""  # of all timelines, from take_patterns() on
        self._start_ms = int(time.time() * 1000) - 3_600_000
        self._times = itertools.count(self._start_ms)
        self._contents = itertools.cycle(_contents())

    def make_graph(self, sizes) -> None:
        """Writes the edges, all of them older than any activity, in the order of the followers' list."""
        for followers in sizes:
            for number in range(self._authors[followers]):
                key = f"g:{{{TENANT}/{author(followers, number)}/0}}"
                names = followers_of(followers, number, self._crowd)
                for start in range(0, len(names), CHUNK):
                    edges = itertools.chain.from_iterable((start + i + 1, name) for i, name in enumerate(names[start : start + CHUNK]))
                    self._redis.call("ZADD", key, *edges)

    def pattern_activities(self) -> list[bytes]:
        """What must be played in so that the patterns come about; their edges are made here."""
        lines = [self._activity(PATTERN_AUTHOR) for _ in range(PATTERN_ACTIVITIES)]
        first_ms = next(self._times) - PATTERN_ACTIVITIES
        for state, sizes in PATTERNS.items():
            for number, size in enumerate(sizes):
                # Only feeds that are awake are written.
                self._redis.call("FCALL", "feedwire_v1_wake", 1, home(pattern(state, number)), bytes(3) + EPOCH_END, 0)
                self._redis.call("FCALL", "feedwire_v1_awake", 1, home(pattern(state, number)))
                # An activity from before the follow does not count.
                self._redis.call("ZADD", f"g:{{{TENANT}/{PATTERN_AUTHOR}/0}}", first_ms + PATTERN_ACTIVITIES - size, pattern(state, number))
        return lines

    def take_patterns(self, sizes) -> None:
        """After pattern_activities were played in."""
        for state, entries in PATTERNS.items():
            for number, size in enumerate(entries):
                key = home(pattern(state, number))
                found = self._redis.call("ZCARD", key) - 1
                if found != size:
                    raise Wrong(f"{key} has {found} entries, not {size}")
                reserved, score = self._redis.call("ZRANGE", key, 0, 0, "WITHSCORES")
                self._redis.call("ZREM", key, reserved)
                self.epoch = reserved[1:4] + EPOCH_END
                self._redis.call("ZADD", key, score, b"\0" + self.epoch)
            copies = [
                pack("COPY", home(pattern(state, number % len(entries))), timeline, "REPLACE")
                for number, timeline in enumerate(self.timelines(sizes))
            ]
            self._resets[state] = (b"".join(copies), len(copies))

    def timelines(self, sizes):
        yield from (home(user(number)) for number in range(self._crowd))
        for followers in sizes:
            yield from (outbox(author(followers, number)) for number in range(self._authors[followers]))

    def dumps(self, state: str) -> list[bytes]:
        """The patterns, for other servers of Redis."""
        return [self._redis.call("DUMP", home(pattern(state, number))) for number in range(len(PATTERNS[state]))]

    def reset(self, state: str) -> None:
        """Makes every feed and outbox a fresh copy of a pattern."""
        self._redis.bulk(*self._resets[state])

    def activities(self, followers: int, writes: int) -> list[bytes]:
        """As many activities as lead to at least that many writes, by all authors with this number of followers in turn."""
        count = -(-writes // (followers + 1))
        return [self._activity(author(followers, number % self._authors[followers])) for number in range(count)]

    def activities_of(self, actor: str, count: int) -> list[bytes]:
        return [self._activity(actor) for _ in range(count)]

    # ---- an author besides the crowd ----

    SMALL = "small"

    def big_author(self, followers: int) -> str:
        return author(followers, 0)

    def small_author_homes(self, followers: int) -> list[str]:
        return [home(f"s{number}") for number in range(followers)]

    def make_small_author(self, followers: int) -> None:
        """Its followers follow nobody else, and their feeds are full."""
        for number, key in enumerate(self.small_author_homes(followers)):
            self._redis.call("ZADD", f"g:{{{TENANT}/{self.SMALL}/0}}", number + 1, f"s{number}")
            self._redis.call("COPY", home(pattern("full", number % len(PATTERNS["full"]))), key, "REPLACE")

    def _activity(self, actor: str) -> bytes:
        published = datetime.fromtimestamp(next(self._times) / 1000, timezone.utc).isoformat(timespec="milliseconds")
        fresh = {"id": str(uuid.uuid4()), "actor": actor, "published": published.replace("+00:00", "Z")}
        return json.dumps(fresh | next(self._contents), separators=(",", ":")).encode()


def _contents():
    for line in read_lines(paths.DATA):
        activity = json.loads(line)
        if activity["verb"] != "follow":
            yield {part: activity[part] for part in ("verb", "object", "target") if part in activity}


def write_file(path: pathlib.Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
