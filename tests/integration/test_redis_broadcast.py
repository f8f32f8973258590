"""Broadcast authors, by the functions of schemas/redis/feedwire_v1.lua against a real redis-server: the state of an author, and who is in b:."""
import msgpack
import pytest
from redis_wire import Redis
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, EPOCH_A, SLACK, Listener, add, entries, entry, listener, redis, server, since, window,
)

AUTHOR, OUTBOX = b"a:{demo/bob}", b"o:{demo/bob}"
HOME, NOTIFICATIONS, SETTINGS, FOLLOWEES = b"f:{demo/ann}", b"n:{demo/ann}", b"m:{demo/ann}", b"h:{demo/ann}"
SOURCES, CROSSINGS = b"b:{demo/ann}", b"c:{demo/ann}"
BY_BOB = b"\x94\xa4post\xa3bob\xa1t\xa1i"
NEVER = 3_600_000


def cross(redis, followers, cause=b"1" * 16, above=4, below=4, take_over_ms=NEVER):
    return redis("FCALL", "feedwire_v1_cross", 1, AUTHOR, followers, above, below, cause, take_over_ms)


def cross_end(redis, number):
    return redis("FCALL", "feedwire_v1_cross_end", 1, AUTHOR, number)


def source(redis, number, on="on", *candidate):
    return redis("FCALL", "feedwire_v1_source", 4, HOME, SOURCES, CROSSINGS, FOLLOWEES, "bob", number, on, *candidate)


def copy(redis, number, members, backfill=2):
    """members: (time, member), oldest first."""
    packed = msgpack.packb([x for time, member in members for x in (str(time).encode(), member)], use_bin_type=False)
    return redis("FCALL", "feedwire_v1_copy", 5, HOME, SETTINGS, FOLLOWEES, SOURCES, CROSSINGS, EPOCH_A, CAP, SLACK, "bob", number, backfill, packed)


def post(redis, number):
    return redis("FCALL", "feedwire_v1_post", 2, OUTBOX, AUTHOR, EPOCH_A, CAP, SLACK, number, entry(number, BY_BOB))


def sources(redis):
    return redis("ZRANGE", SOURCES, 0, -1, "WITHSCORES")


def make_broadcast(redis):
    _, number, _ = cross(redis, 5)
    assert cross_end(redis, number) == 1
    return number


# ---- the state ----


def test_an_author_with_few_followers_has_no_state(redis):
    assert cross(redis, 4) == [b"", 0, 0]
    assert redis("EXISTS", AUTHOR) == 0
    assert post(redis, 1) == 1
    assert redis("FCALL_RO", "feedwire_v1_since", 2, OUTBOX, AUTHOR, 0, 0) == [b"1", entry(1, BY_BOB)]


def test_up_and_down_and_up_again_with_rising_numbers(redis):
    state, first, ours = cross(redis, 5)
    assert (state, ours) == (b"up", 1)
    assert post(redis, 1) == [1, b"up", 0]
    assert cross_end(redis, first) == 1
    answer, state, on_since = post(redis, 2)
    assert (answer, state) == (2, b"on") and on_since > 1_700_000_000_000
    assert cross(redis, 4) == [b"on", first, 0]
    state, second, ours = cross(redis, 3)
    assert (state, ours) == (b"down", 1) and second > first
    assert post(redis, 3)[1] == b"down"
    assert cross_end(redis, second) == 1
    assert post(redis, 4) == 4
    assert redis("FCALL_RO", "feedwire_v1_since", 2, OUTBOX, AUTHOR, 4, 0)[:2] == [str(second).encode(), b""]
    assert cross(redis, 5)[1] > second


def test_a_crossing_is_for_its_cause_to_carry_out(redis):
    _, number, _ = cross(redis, 5, cause=b"1" * 16)
    assert cross(redis, 9, cause=b"2" * 16) == [b"up", number, 0]
    assert cross(redis, 0, cause=b"1" * 16) == [b"up", number, 1], "also when the number has changed meanwhile"
    assert cross(redis, 9, cause=b"2" * 16, take_over_ms=0) == [b"up", number, 1], "it has taken too long"
    assert cross(redis, 9, cause=b"1" * 16) == [b"up", number, 0]


def test_the_end_of_another_crossing_is_none(redis):
    _, number, _ = cross(redis, 5)
    assert cross_end(redis, number - 1) == 0
    assert cross_end(redis, number) == 1
    assert cross_end(redis, number) == 0


def test_an_undo_tells_the_state_behind_the_mark(redis):
    post(redis, 7)
    make_broadcast(redis)
    seq, state, _ = redis("FCALL", "feedwire_v1_remove", 2, OUTBOX, AUTHOR, CAP, SLACK, (7).to_bytes(16, "big"), "", 7)
    assert (seq, state) == (2, b"on")
    assert post(redis, 7)[:2] == [-3, b"on"]


# ---- b: ----


def test_a_source_has_the_time_of_the_edge_and_is_a_change_of_the_feed(redis, listener):
    add(redis, (1000, entry(1)))
    redis("ZADD", FOLLOWEES, 50, "bob")
    listener.notices()
    assert source(redis, 7) == 1
    assert sources(redis) == [b"bob", b"50"]
    assert listener.notices() == [[3, EPOCH_A, 2]]
    assert window(redis)[:2] == [EPOCH_A, 2]
    assert source(redis, 7) == 0
    redis("ZADD", FOLLOWEES, 40, "bob")
    assert source(redis, 7) == 1
    assert sources(redis) == [b"bob", b"40"]
    assert source(redis, 8, "off") == 1
    assert [n[:3] for n in listener.notices()] == [[3, EPOCH_A, 3], [3, EPOCH_A, 4]]
    assert sources(redis) == []


def test_who_does_not_follow_gets_no_source_and_an_absent_feed_no_seq(redis, listener):
    assert source(redis, 7) == 0
    assert sources(redis) == []
    redis("ZADD", FOLLOWEES, 50, "bob")
    assert source(redis, 7) == 1
    assert listener.notices() == []
    assert redis("EXISTS", HOME) == 0


def test_the_first_source_makes_a_feed_that_does_not_sleep(redis, listener):
    redis("ZADD", FOLLOWEES, 50, "bob")
    assert source(redis, 7, "on", "") == 1, "it sleeps"
    assert source(redis, 8, "off", "") == 1
    assert redis("EXISTS", HOME) == 0 and listener.notices() == []
    assert source(redis, 9, "on", EPOCH_A) == 1
    assert listener.notices() == [[3, EPOCH_A, 1]]
    assert window(redis)[:2] == [EPOCH_A, 1]
    assert source(redis, 10, "off", b"another.") == 1
    assert listener.notices() == [[3, EPOCH_A, 2]]


def test_an_older_crossing_changes_nothing(redis):
    redis("ZADD", FOLLOWEES, 50, "bob")
    assert source(redis, 8, "off") == 0
    assert source(redis, 7) == -1
    assert copy(redis, 7, [(60, entry(1, BY_BOB))]) == -1
    assert sources(redis) == [] and redis("EXISTS", HOME) == 0
    assert source(redis, 9) == 1
    assert source(redis, 8, "off") == -1
    assert sources(redis) == [b"bob", b"50"]


def test_copy_gives_what_a_backfill_gives_and_ends_the_merge(redis, listener):
    add(redis, (55, entry(5, BY_BOB)))
    redis("ZADD", FOLLOWEES, 50, "bob")
    source(redis, 7)
    listener.notices()
    members = [(t, entry(t, BY_BOB)) for t in (10, 20, 30, 50, 60)] + [(70, (70).to_bytes(16, "big") + b"\0")]
    assert copy(redis, 8, members, backfill=2) == 4
    assert [time for time, _ in entries(redis)] == [60, 55, 50, 30, 20]
    assert sources(redis) == []
    assert [n[0] for n in listener.notices()] == [1, 1, 1, 1, 3]
    assert add(redis, (70, entry(70, BY_BOB))) == 0, "the mark came along"
    assert copy(redis, 8, members, backfill=2) == 0


def test_copy_respects_what_is_settled(redis):
    redis("ZADD", FOLLOWEES, 50, "bob")
    redis("HSET", SETTINGS, "bob", "m40")
    assert copy(redis, 8, [(60, entry(1, BY_BOB))]) == 0
    redis("HSET", SETTINGS, "bob", "m40 n60")
    assert copy(redis, 8, [(59, entry(2, BY_BOB)), (60, entry(1, BY_BOB))]) == 1


@pytest.mark.parametrize("how", ["purge", "keep"])
def test_who_leaves_has_the_author_in_b_no_more(redis, listener, how):
    add(redis, (1000, entry(1)))
    redis("ZADD", FOLLOWEES, 50, "bob")
    source(redis, 7)
    listener.notices()
    leave = ("FCALL", "feedwire_v1_leave", 4, FOLLOWEES, SETTINGS, HOME, SOURCES, "bob")
    assert redis(*leave, 40, CAP, how) == -1
    assert sources(redis) == [b"bob", b"50"] and listener.notices() == []
    assert redis(*leave, 60, CAP, how) == 0
    assert sources(redis) == [] and [n[0] for n in listener.notices()] == [3]


def test_what_is_settled_about_a_source_is_a_change_of_the_feed(redis, listener):
    add(redis, (1000, entry(1)))
    redis("ZADD", FOLLOWEES, 50, "bob")
    source(redis, 7)
    listener.notices()

    def settle(letter, time, user="bob"):
        redis("FCALL", "feedwire_v1_settle", 5, SETTINGS, FOLLOWEES, HOME, NOTIFICATIONS, SOURCES, letter, user, time, CAP)
        return [n[0] for n in listener.notices()]

    assert settle("m", 60) == [3]
    assert settle("n", 70) == [3]
    assert settle("m", 60, "cy") == []
    assert redis("FCALL", "feedwire_v1_filter", 3, SETTINGS, HOME, SOURCES, 80, "like") == 1
    assert [n[0] for n in listener.notices()] == [3]
    assert settle("b", 90) == [3]
    assert sources(redis) == []
    assert redis("FCALL", "feedwire_v1_filter", 3, SETTINGS, HOME, SOURCES, 95, "post") == 1
    assert listener.notices() == []


def test_source_since(redis):
    assert redis("FCALL_RO", "feedwire_v1_source_since", 1, SOURCES, "bob") == 0
    redis("ZADD", SOURCES, 50, "bob")
    assert redis("FCALL_RO", "feedwire_v1_source_since", 1, SOURCES, "bob") == 50
