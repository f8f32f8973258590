"""A Redis connection in a page of Python, so that tests talk to the server without a client library between: RESP2, bytes in
and bytes out. Also reads the little msgpack that notices and entries are made of."""
import socket
import struct


class RedisError(Exception):
    """An error answer of Redis."""


class Redis:
    """One connection. target: a path of a Unix socket, or (host, port)."""

    def __init__(self, target, timeout=10):
        if isinstance(target, tuple):
            self.socket = socket.create_connection(target, timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            self.socket.connect(str(target))
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    @staticmethod
    def pack(args):
        parts = [a if isinstance(a, bytes) else str(a).encode() for a in args]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.file.read(length + 2)[:-2]
        if kind == b"*":
            return None if int(rest) < 0 else [self.read() for _ in range(int(rest))]
        raise ValueError(f"unknown answer {line!r}")

    def __call__(self, *args):
        self.socket.sendall(self.pack(args))
        answer = self.read()
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def pipeline(self, commands):
        """Sends all, then reads all answers; errors are returned, not raised."""
        commands = list(commands)
        self.socket.sendall(b"".join(self.pack(c) for c in commands))
        return [self.read() for _ in commands]


def msgpack_read(data, at=0):
    """The value at `at` and where it ends."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first >= 0xE0:
        return first - 256, at + 1
    if 0x90 <= first <= 0x9F or first in (0xDC, 0xDD):
        if first < 0xDC:
            count, at = first & 0x0F, at + 1
        else:
            size = 2 if first == 0xDC else 4
            count, at = int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size
        items = []
        for _ in range(count):
            item, at = msgpack_read(data, at)
            items.append(item)
        return items, at
    if 0xA0 <= first <= 0xBF:
        length, at = first & 0x1F, at + 1
        return data[at : at + length], at + length
    strings = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC4: 1, 0xC5: 2, 0xC6: 4}
    if first in strings:
        size = strings[first]
        length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
        at += 1 + size
        return data[at : at + length], at + length
    integers = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    if first in integers:
        form = integers[first]
        return struct.unpack_from(form, data, at + 1)[0], at + 1 + struct.calcsize(form)
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at + 1
    raise ValueError(f"msgpack byte {first:#x} is not expected here")
