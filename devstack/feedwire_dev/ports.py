"""Chooses TCP ports on the loopback address.

The difficulty: between choosing a port and the program's use of it somebody else can take it. So ports come from below the range
from which the kernel takes those of outgoing connections, at random, and none is given out twice by one process.
"""

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 23000, 31999
_given: set[int] = set()
_random = random.SystemRandom()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose old connections are only waiting to end is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    for _ in range(1000):
        port = _random.randint(FIRST, LAST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port between {FIRST} and {LAST}")


def prefer(wanted: int) -> int:
    """`wanted` when nobody has it, else any free one."""
    if wanted not in _given and is_free(wanted):
        _given.add(wanted)
        return wanted
    return any_free()
