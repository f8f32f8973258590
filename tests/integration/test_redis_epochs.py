"""A timeline gets another epoch with the first write after the library was loaded for another replication id, and only then."""

import pytest
from test_redis_functions import CAP, EPOCH_A, EPOCH_B, LIBRARY, SLACK, TIMELINE, listener, redis, server  # noqa: F401

FIRST, SECOND = b"\x01\xff'", b"\x02\x00]"
SETTINGS, FOLLOWEES, NOTIFICATIONS = b"m:{demo/ann}", b"h:{demo/ann}", b"n:{demo/ann}"


def load(redis, generation):
    text = LIBRARY.read_text()
    place = "local GENERATION = ''"
    assert text.count(place) == 1, "fan-out looks for it when it loads the library"
    escapes = "".join(f"\\{byte:03}" for byte in generation)
    redis("FUNCTION", "LOAD", "REPLACE", text.replace(place, f"local GENERATION = '{escapes}'"))


@pytest.fixture
def second(redis):
    """Loads the library as after a failover."""
    load(redis, FIRST)
    yield lambda: load(redis, SECOND)
    redis("FUNCTION", "LOAD", "REPLACE", LIBRARY.read_bytes())


def entry(number):
    return bytes([number]) * 16 + b"\x94\xa4like\xa2cy\xa4post\xa1p"


def add(redis, number, time_ms=None, candidate=EPOCH_A):
    return redis("FCALL", "feedwire_v1_add", 1, TIMELINE, candidate, CAP, SLACK, time_ms or 1000 + number, entry(number))


def state(redis):
    epoch, seq, found = redis("FCALL_RO", "feedwire_v1_window", 1, TIMELINE, 100)
    return epoch, seq, found[::2]


def test_a_timeline_is_made_in_the_epoch_of_its_master(redis, second):
    assert add(redis, 1) == 1
    assert state(redis) == (FIRST + EPOCH_A[3:], 1, [entry(1)])


def test_the_first_write_after_a_failover_changes_the_epoch_and_the_next_does_not(redis, second, listener):  # noqa: F811
    add(redis, 1)
    second()
    assert state(redis)[0] == FIRST + EPOCH_A[3:], "reading changes nothing"
    assert add(redis, 2, candidate=EPOCH_B) == 2
    fresh = SECOND + EPOCH_A[3:]
    assert state(redis) == (fresh, 2, [entry(2), entry(1)])
    assert add(redis, 3, candidate=EPOCH_B) == 3
    assert [(notice[1], notice[2]) for notice in listener.notices()] == [(FIRST + EPOCH_A[3:], 1), (fresh, 2), (fresh, 3)]
    assert redis("ZCARD", TIMELINE) == 4, "three entries and one state"


def test_what_changes_nothing_leaves_the_epoch(redis, second):
    add(redis, 1)
    second()
    assert add(redis, 1) == 0
    assert redis("FCALL", "feedwire_v1_remove", 1, TIMELINE, CAP, SLACK, bytes([9]) * 16, "", "") == 0
    assert state(redis) == (FIRST + EPOCH_A[3:], 1, [entry(1)])


def test_an_older_entry_changes_it_too(redis, second):
    add(redis, 5)
    second()
    assert add(redis, 4) == 2
    assert state(redis) == (SECOND + EPOCH_A[3:], 2, [entry(5), entry(4)])


def test_so_does_a_removal(redis, second, listener):  # noqa: F811
    add(redis, 1), add(redis, 2)
    second()
    listener.notices()
    assert redis("FCALL", "feedwire_v1_remove", 1, TIMELINE, CAP, SLACK, bytes([1]) * 16, "", "") == 3
    assert state(redis) == (SECOND + EPOCH_A[3:], 3, [entry(2)])
    assert [(notice[1], notice[2]) for notice in listener.notices()] == [(SECOND + EPOCH_A[3:], 3)]


def test_so_does_a_mute(redis, second, listener):  # noqa: F811
    add(redis, 1), add(redis, 2)
    second()
    listener.notices()
    redis("FCALL", "feedwire_v1_settle", 4, SETTINGS, FOLLOWEES, TIMELINE, NOTIFICATIONS, "m", "cy", 5000, CAP)
    assert state(redis) == (SECOND + EPOCH_A[3:], 4, [])
    assert [(notice[1], notice[2]) for notice in listener.notices()] == [(SECOND + EPOCH_A[3:], 3), (SECOND + EPOCH_A[3:], 4)]


def test_a_full_timeline_keeps_its_size(redis, second):
    for number in range(1, CAP + SLACK + 1):
        add(redis, number)
    second()
    assert add(redis, 200) == CAP + SLACK + 1
    assert redis("ZCARD", TIMELINE) == CAP + 1
    assert state(redis)[:2] == (SECOND + EPOCH_A[3:], CAP + SLACK + 1)
