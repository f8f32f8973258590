"""Chooses TCP ports on the loopback address.

The difficulty: between choosing a port and the program's use of it somebody else can take it. So ports come from below the range
from which the kernel takes those of outgoing connections, at random, and none is given out twice by one process. Processes that
start servers side by side get ranges of their own: FEEDWIRE_PORTS=FIRST-LAST.
"""

import os
import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 23000, 31999
RANGE_VARIABLE = "FEEDWIRE_PORTS"
_given: set[int] = set()
_random = random.SystemRandom()


def _range() -> tuple[int, int]:
    text = os.environ.get(RANGE_VARIABLE)
    if not text:
        return FIRST, LAST
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
        raise ValueError(f"{RANGE_VARIABLE} is {text!r}; it has to be FIRST-LAST, between 1024 and 65535")
    return int(first), int(last)


def share(index: int, count: int) -> str:
    """The range of one of `count` processes, as RANGE_VARIABLE wants it."""
    width = (LAST - FIRST + 1) // count
    return f"{FIRST + index * width}-{FIRST + (index + 1) * width - 1}"


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
    first, last = _range()
    for _ in range(1000):
        port = _random.randint(first, last)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port between {first} and {last}")


def prefer(wanted: int) -> int:
    """`wanted` when nobody has it, else any free one."""
    if wanted not in _given and is_free(wanted):
        _given.add(wanted)
        return wanted
    return any_free()
