"""The feeds of the gateway benchmark, written as schemas/redis.md says, and what is published into them.

Every feed has 50 entries, all different; what is published is younger than they are. Commands are packed before anything is measured."""

import hashlib
import itertools
import time

from feedwire_dev import paths

from .wire import Connection, pack

TENANT = "demo"
EPOCH = b"bench000"
SLICE = 50
CHUNK = 500


def user(number: int) -> str:
    return f"u{number:05}"


def home(number: int) -> str:
    return f"f:{{{TENANT}/{user(number)}}}"


def _text(text: str) -> bytes:
    """A msgpack text of fewer than 32 bytes."""
    data = text.encode()
    assert len(data) < 32
    return bytes([0xA0 | len(data)]) + data


class Audience:
    def __init__(self, redis: Connection):
        self._redis = redis
        self._numbers = itertools.count()
        self._times = itertools.count(int(time.time() * 1000) - 3_600_000)
        redis.call("FUNCTION", "LOAD", "REPLACE", (paths.ROOT / "schemas/redis/feedwire_v1.lua").read_bytes())

    def _entry(self) -> bytes:
        number = next(self._numbers)
        body = b"\x94" + _text("like") + _text(f"actor-{number % 997}") + _text("post") + _text(f"post-{number % 9973}")
        return hashlib.md5(number.to_bytes(8, "big")).digest() + body

    def make_feeds(self, count: int) -> None:
        for first in range(0, count, CHUNK):
            commands = []
            for number in range(first, min(first + CHUNK, count)):
                members = [item for _ in range(SLICE) for item in (next(self._times), self._entry())]
                commands.append(pack("ZADD", home(number), -SLICE, b"\0" + EPOCH, *members))
            self._redis.bulk(b"".join(commands), len(commands))

    def publications(self, count: int, entries: int) -> tuple[bytes, int]:
        """One call for each of the first `count` feeds, with so many entries each; what `publish` takes."""
        commands = []
        for number in range(count):
            items = [item for _ in range(entries) for item in (next(self._times), self._entry())]
            commands.append(pack("FCALL", "feedwire_v1_add", 1, home(number), EPOCH, 100, 20, *items))
        return b"".join(commands), count

    def publish(self, packed: tuple[bytes, int]) -> None:
        self._redis.bulk(*packed)
