"""Mutes, blocks and left out verbs, by the functions of schemas/redis/feedwire_v1.lua against a real redis-server."""
import pytest
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, EPOCH_A, SLACK, TIMELINE, add, entries, listener, redis, server,
)
from test_redis_settings import FOLLOWEES, NOTIFICATIONS, SETTINGS, act, backfill, followees, join, leave, push


def settle(redis, letter, user, time):
    return redis("FCALL", "feedwire_v1_settle", 4, SETTINGS, FOLLOWEES, TIMELINE, NOTIFICATIONS, letter, user, time, CAP)


def filter_(redis, time, *verbs):
    return redis("FCALL", "feedwire_v1_filter", 1, SETTINGS, time, *verbs)


PAIRS = [("m", "n"), ("b", "c"), ("B", "C")]


@pytest.mark.parametrize("on, off", PAIRS)
def test_what_is_there_goes_and_what_comes_stays_away(redis, listener, on, off):
    push(redis, (10, act(1)), (11, act(2, "cy")))
    push(redis, (10, act(1)), key=NOTIFICATIONS)
    assert settle(redis, on, "bob", 20) == [1, 0]
    assert entries(redis) == [(11, act(2, "cy"))] and entries(redis, NOTIFICATIONS) == []
    assert push(redis, (9, act(3)), (30, act(4)), (31, act(5, "cy"))) == [-2, -2, 4]
    assert push(redis, (30, act(4)), key=NOTIFICATIONS) == -2
    assert backfill(redis, 5, (30, act(4))) == [-2]
    assert [n[0] for n in listener.notices()] == [1, 1, 2, 1]


@pytest.mark.parametrize("on, off", PAIRS)
def test_after_the_end_only_what_is_younger_comes(redis, on, off):
    settle(redis, on, "bob", 20)
    assert settle(redis, off, "bob", 30)[0] == 0
    for key in (TIMELINE, NOTIFICATIONS):
        if on == "m" or key == NOTIFICATIONS:
            assert push(redis, (29, act(1)), (30, act(2)), key=key) == [-2, 1]


@pytest.mark.parametrize("on, off", PAIRS)
def test_older_events_change_nothing(redis, on, off):
    settle(redis, on, "bob", 20)
    settle(redis, off, "bob", 30)
    push(redis, (40, act(1)), key=NOTIFICATIONS)
    assert settle(redis, on, "bob", 25)[0] == 0
    assert len(entries(redis, NOTIFICATIONS)) == 1
    settle(redis, on, "bob", 50)
    assert settle(redis, off, "bob", 40)[0] == 1
    assert push(redis, (60, act(2)), key=NOTIFICATIONS) == -2


@pytest.mark.parametrize("on, off", PAIRS)
def test_an_end_again_hides_nothing_more(redis, on, off):
    settle(redis, on, "bob", 20)
    settle(redis, off, "bob", 30)
    settle(redis, off, "bob", 50)
    assert push(redis, (29, act(1)), (31, act(2)), key=NOTIFICATIONS) == [-2, 1]
    settle(redis, on, "bob", 60)
    settle(redis, off, "bob", 80)
    settle(redis, off, "bob", 70)
    assert push(redis, (69, act(3)), (70, act(4)), key=NOTIFICATIONS) == [-2, 3]


@pytest.mark.parametrize("on, off", PAIRS)
def test_an_end_without_a_beginning_hides_nothing(redis, on, off):
    settle(redis, off, "bob", 30)
    assert push(redis, (10, act(1))) == 1


def test_at_the_same_time_what_shows_less_wins(redis):
    settle(redis, "m", "bob", 20)
    assert settle(redis, "n", "bob", 20)[0] == 1


def test_a_mute_that_comes_late_removes_what_is_from_before_its_end(redis):
    settle(redis, "n", "bob", 30)
    push(redis, (10, act(1)), (35, act(2)))
    assert settle(redis, "m", "bob", 20)[0] == 0
    assert entries(redis) == [(35, act(2))]
    assert push(redis, (11, act(3))) == -2


def test_the_end_of_a_mute_tells_the_edge(redis):
    join(redis, "bob", 5)
    assert settle(redis, "m", "bob", 20) == [1, 5]
    assert settle(redis, "n", "bob", 30) == [0, 5]
    assert backfill(redis, 5, (29, act(1)), (31, act(2))) == [-2, 1]


def test_a_mute_leaves_the_edge_and_other_muted_people_alone(redis):
    join(redis, "bob", 5)
    settle(redis, "m", "bob", 20)
    settle(redis, "m", "bobby", 20)
    assert followees(redis) == {"bob": 5}
    settle(redis, "n", "bob", 30)
    assert push(redis, (40, act(1)), (41, act(2, "bobby"))) == [1, -2]


def test_a_block_ends_the_edge_and_no_follow_gets_through(redis):
    join(redis, "bob", 5)
    assert settle(redis, "b", "bob", 20) == [1, 0]
    assert followees(redis) == {}
    assert join(redis, "bob", 30, 30, 20) == 2
    settle(redis, "c", "bob", 40)
    assert join(redis, "bob", 39, 39, 20) == 2, "while it was blocked"
    assert join(redis, "bob", 41, 41, 20) == 1
    assert push(redis, (40, act(1)), (41, act(2))) == [-2, 1]


def test_a_block_ends_a_younger_edge_too(redis):
    join(redis, "bob", 50)
    settle(redis, "B", "bob", 20)
    assert followees(redis) == {}
    assert join(redis, "bob", 50) == 2
    settle(redis, "C", "bob", 45)
    assert join(redis, "bob", 50) == 0, "the edge of 50 has ended"
    assert join(redis, "bob", 51) == 1


def test_one_of_two_blocks_is_enough(redis):
    settle(redis, "b", "bob", 20)
    settle(redis, "B", "bob", 21)
    settle(redis, "c", "bob", 30)
    assert push(redis, (40, act(1)), key=NOTIFICATIONS) == -2
    settle(redis, "C", "bob", 31)
    assert push(redis, (40, act(1)), key=NOTIFICATIONS) == 1


# ---- verbs ----


def test_left_out_verbs_stay_away_from_the_home_feed_from_then_on(redis):
    push(redis, (10, act(1, verb="like")))
    assert filter_(redis, 20, "like", "share") == 1
    assert push(redis, (19, act(2, verb="like")), (20, act(3, verb="like")), (21, act(4))) == [2, -2, 3]
    assert push(redis, (30, act(5, verb="like")), key=NOTIFICATIONS) == 1
    assert len(entries(redis)) == 3


def test_the_newest_list_counts_whole(redis):
    filter_(redis, 20, "like", "share")
    assert filter_(redis, 30, "share", "post") == 1
    assert filter_(redis, 25, "like") == 0
    answers = push(redis, (29, act(1, verb="like")), (30, act(2, verb="like")), (25, act(3, verb="share")), (31, act(4, verb="share")),
                   (29, act(5)), (31, act(6)))
    assert answers == [-2, 1, -2, -2, 2, -2]
    assert filter_(redis, 40) == 1
    assert push(redis, (41, act(7)), (42, act(8, verb="share")), (39, act(9))) == [3, 4, -2]
    filter_(redis, 50, "like")
    assert push(redis, (51, act(10, verb="like")), (45, act(11, verb="like"))) == [-2, 5]


def test_a_list_again_changes_nothing(redis):
    filter_(redis, 20, "share", "like")
    before = sorted(redis("HGETALL", SETTINGS))
    assert filter_(redis, 20, "like", "share") == 0
    assert sorted(redis("HGETALL", SETTINGS)) == before


def test_of_two_lists_of_one_moment_the_same_wins_in_both_orders(redis):
    filter_(redis, 20, "like")
    filter_(redis, 20, "share")
    first = redis("HGET", SETTINGS, "#")
    redis("DEL", SETTINGS)
    filter_(redis, 20, "share")
    filter_(redis, 20, "like")
    assert redis("HGET", SETTINGS, "#") == first == b"20 share"


def test_verbs_that_look_like_registers_are_only_words(redis):
    filter_(redis, 20, "x1", "i2")
    assert push(redis, (30, act(1, verb="x1")), (31, act(2, verb="i2")), (32, act(3, verb="x"))) == [-2, -2, 1]


def test_people_and_verbs_of_the_same_name_are_told_apart(redis):
    filter_(redis, 20, "bob")
    settle(redis, "m", "like", 20)
    assert push(redis, (30, act(1)), (31, act(2, "like")), (32, act(3, verb="bob")), (33, act(4, verb="like"))) == [1, -2, -2, 2]
