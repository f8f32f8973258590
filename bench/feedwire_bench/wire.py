"""One connection to Redis, for what a benchmark asks besides the measured work: set-up in bulk, and INFO."""

import socket

from feedwire_dev import ports


class RedisRefused(Exception):
    """An error answer of Redis."""


def pack(*words) -> bytes:
    """The bytes of one command."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Connection:
    def __init__(self, port: int):
        self._socket = socket.create_connection((ports.LOOPBACK, port), 60)
        self._answers = self._socket.makefile("rb", buffering=1 << 16)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def call(self, *words):
        self._socket.sendall(pack(*words))
        return self._read()

    def read(self):
        """What comes without being asked for: a message of a channel."""
        return self._read()

    def bulk(self, commands: bytes, count: int) -> None:
        """Sends `count` packed commands, whose answers are not wanted unless one is an error."""
        self._socket.sendall(commands)
        for _ in range(count):
            self._read()

    def info(self, *sections: str) -> dict[str, str]:
        lines = self.call("INFO", *sections).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def _read(self):
        line = self._answers.readline()
        if not line:
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisRefused(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self._answers.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._read() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest
