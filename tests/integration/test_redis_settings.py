"""What a user has settled, by the functions of schemas/redis/feedwire_v1.lua against a real redis-server: edges as the follower's feed sees them."""
import pytest
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, EPOCH_A, SLACK, TIMELINE, add, entries, listener, redis, server,
)

SETTINGS, FOLLOWEES, NOTIFICATIONS = b"m:{demo/ann}", b"h:{demo/ann}", b"n:{demo/ann}"


def text(s):
    return (bytes([0xA0 + len(s)]) if len(s) < 32 else bytes([0xD9, len(s)])) + s.encode()


def act(number, actor="bob", verb="post"):
    return number.to_bytes(16, "big") + b"\x94" + text(verb) + text(actor) + text("note") + text("n")


def push(redis, *pairs, key=TIMELINE):
    return redis("FCALL", "feedwire_v1_add", 2, key, SETTINGS, EPOCH_A, CAP, SLACK, *[x for pair in pairs for x in pair])


def backfill(redis, edge, *pairs):
    return redis("FCALL", "feedwire_v1_backfill", 2, TIMELINE, SETTINGS, EPOCH_A, CAP, SLACK, edge, *[x for pair in pairs for x in pair])


def join(redis, user, time, edge=None, ended=0):
    return redis("FCALL", "feedwire_v1_join", 2, FOLLOWEES, SETTINGS, user, time, edge or time, ended)


def leave(redis, user, time, how="purge", cap=CAP):
    return redis("FCALL", "feedwire_v1_leave", 3, FOLLOWEES, SETTINGS, TIMELINE, user, time, cap, how)


def followees(redis):
    found = redis("ZRANGE", FOLLOWEES, 0, -1, "WITHSCORES")
    return {found[i].decode(): int(found[i + 1]) for i in range(0, len(found), 2)}


# ---- joining and leaving ----


def test_a_first_follow_settles_nothing(redis):
    assert join(redis, "bob", 10) == 1
    assert followees(redis) == {"bob": 10}
    assert redis("EXISTS", SETTINGS) == 0


def test_the_older_of_two_edges_counts(redis):
    join(redis, "bob", 40, 40)
    join(redis, "bob", 30, 30)
    assert followees(redis) == {"bob": 30}
    join(redis, "bob", 40, 40)
    assert followees(redis) == {"bob": 30}


def test_an_end_that_came_between_makes_a_new_edge(redis):
    join(redis, "bob", 10)
    assert join(redis, "bob", 30, 30, 20) == 1
    assert followees(redis) == {"bob": 30}
    assert leave(redis, "bob", 20) == -1
    assert push(redis, (25, act(1))) == -2
    assert push(redis, (30, act(2))) == 1


def test_a_follow_not_younger_than_the_end_is_refused(redis):
    leave(redis, "bob", 20)
    assert join(redis, "bob", 20) == 0
    assert join(redis, "bob", 10) == 0
    assert join(redis, "bob", 21) == 1


def test_an_older_unfollow_changes_nothing(redis):
    join(redis, "bob", 30)
    push(redis, (40, act(1)))
    assert leave(redis, "bob", 20) == -1
    assert followees(redis) == {"bob": 30} and len(entries(redis)) == 1


def test_an_older_purge_spares_what_was_kept_later(redis):
    join(redis, "bob", 10)
    push(redis, (15, act(1)))
    leave(redis, "bob", 40, "keep")
    assert leave(redis, "bob", 20, "purge") == -1
    assert entries(redis) == [(15, act(1))]


# ---- purging ----


def test_a_purge_removes_what_is_of_the_followee(redis, listener):
    longest = "b" * 128
    push(redis, (10, act(1)), (11, act(2, "cy")), (12, act(3)), (13, act(4, longest, "v" * 32)))
    assert leave(redis, "bob", 20) == 2
    assert entries(redis) == [(13, act(4, longest, "v" * 32)), (11, act(2, "cy"))]
    notices = listener.notices()[4:]
    assert [[n[0], n[2], n[3], n[4]] for n in notices] == [[2, 5, 10, act(1)[:16]], [2, 6, 12, act(3)[:16]]]
    assert leave(redis, longest, 20) == 1
    assert leave(redis, "bob", 20) == 0


def test_keeping_keeps(redis):
    push(redis, (10, act(1)))
    assert leave(redis, "bob", 20, "keep") == 0
    assert len(entries(redis)) == 1


@pytest.mark.parametrize("how", ["purge", "keep"])
def test_what_was_read_before_cannot_be_written_after(redis, how):
    join(redis, "bob", 5)
    leave(redis, "bob", 20, how)
    assert push(redis, (10, act(1)), (30, act(2)), (31, act(3, "cy"))) == [-2, -2, 1]
    assert backfill(redis, 5, (10, act(1)), (4, act(5))) == [-2, -2]


def test_following_again_after_a_purge_backfills(redis):
    join(redis, "bob", 5)
    push(redis, (10, act(1)))
    leave(redis, "bob", 20)
    assert join(redis, "bob", 30, 30, 20) == 1
    assert backfill(redis, 30, (10, act(1)), (35, act(2))) == [3, 4]
    assert push(redis, (29, act(3)), (30, act(4))) == [-2, 5]
    assert backfill(redis, 5, (11, act(6))) == [-2], "of the edge before"


def test_what_was_trimmed_from_view_does_not_come_back_by_a_purge(redis):
    push(redis, *[(1000 + i, act(i, "cy" if i % 2 else "bob")) for i in range(CAP + SLACK)])
    seen = entries(redis, limit=CAP)
    leave(redis, "bob", 5000)
    assert entries(redis, limit=CAP) == [e for e in seen if e[1] == act(e[0] - 1000, "cy")]


def test_a_purge_leaves_marks(redis):
    push(redis, (10, act(1)), (11, act(2)))
    redis("FCALL", "feedwire_v1_remove", 1, TIMELINE, CAP, SLACK, act(1)[:16], 10, 10)
    assert leave(redis, "bob", 20) == 1
    join(redis, "bob", 30, 30, 20)
    assert backfill(redis, 30, (10, act(1)), (11, act(2))) == [0, 5]


def test_a_purge_of_nothing_makes_nothing(redis):
    assert leave(redis, "bob", 20) == 0
    assert redis("EXISTS", TIMELINE) == 0
