"""Removing, by the functions of schemas/redis/feedwire_v1.lua against a real redis-server: marks, and what they keep away."""
import json
import pathlib
import random

import pytest
from redis_wire import RedisError
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, EPOCH_A, SLACK, TIMELINE, add, entries, entry, listener, redis, server, since, window,
)

VECTORS = pathlib.Path(__file__).parents[2] / "schemas/vectors"
OUTBOX = b"o:{demo/bob}"


def id_of(number):
    return number.to_bytes(16, "big")


def mark(number):
    return id_of(number) + b"\x00"


def remove(redis, number, look="", leave="", key=TIMELINE, cap=CAP, slack=SLACK):
    return redis("FCALL", "feedwire_v1_remove", 1, key, cap, slack, id_of(number), look, leave)


def members(redis, key=TIMELINE):
    """[(score, member)] as they stand, the reserved one left out."""
    found = redis("ZRANGE", key, 0, -1, "WITHSCORES")
    pairs = [(int(found[i + 1]), found[i]) for i in range(0, len(found), 2)]
    return [pair for pair in pairs if len(pair[1]) != 9]


# ---- marks ----


def test_an_entry_becomes_a_mark_with_a_seq_and_a_notice(redis, listener):
    add(redis, (1000, entry(1)), (1001, entry(2)))
    assert remove(redis, 1, 1000, 1000) == 3
    assert members(redis) == [(1000, mark(1)), (1001, entry(2))]
    assert window(redis) == [EPOCH_A, 3, [entry(2), b"1001"]]
    assert listener.notices()[2:] == [[2, EPOCH_A, 3, 1000, mark(1)]]


def test_removing_again_changes_nothing(redis, listener):
    add(redis, (1000, entry(1)))
    remove(redis, 1, 1000, 1000)
    before = redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES")
    assert remove(redis, 1, 1000, 1000) == 0
    assert remove(redis, 1, "", 1000) == 0
    assert redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES") == before
    assert len(listener.notices()) == 2


def test_a_late_add_cannot_pass_a_mark(redis, listener):
    add(redis, (1000, entry(1)))
    remove(redis, 1, 1000, 1000)
    assert add(redis, (1000, entry(1))) == 0
    assert add(redis, (1000, entry(1)), (1001, entry(2))) == [0, 3]
    assert entries(redis) == [(1001, entry(2))]
    assert len(listener.notices()) == 3


def test_a_mark_where_nothing_is_has_neither_seq_nor_notice(redis, listener):
    add(redis, (1000, entry(1)))
    assert remove(redis, 2, 1001, 1001) == 0
    assert window(redis) == [EPOCH_A, 1, [entry(1), b"1000"]]
    assert add(redis, (1001, entry(2))) == 0
    assert len(listener.notices()) == 1


def test_without_a_place_no_mark_is_left(redis):
    assert remove(redis, 2) == 0
    assert redis("EXISTS", TIMELINE) == 0
    assert add(redis, (1001, entry(2))) == 1


def test_a_mark_makes_no_timeline(redis):
    remove(redis, 1, "", 1000)
    assert window(redis) == [b"", 0, []]
    assert add(redis, (1001, entry(2))) == 1
    assert window(redis) == [EPOCH_A, 1, [entry(2), b"1001"]]
    assert add(redis, (1000, entry(1))) == 0


def test_a_search_finds_every_entry_of_the_id(redis, listener):
    add(redis, (1000, entry(1)), (1001, entry(2)), (1002, entry(1, b"\x94\xa4like\xa1a\xa1t\xa1i")))
    assert remove(redis, 1, "", 1002) == 5
    assert entries(redis) == [(1001, entry(2))]
    assert [n[:5] for n in listener.notices()[3:]] == [[2, EPOCH_A, 4, 1000, mark(1)], [2, EPOCH_A, 5, 1002, mark(1)]]


def test_only_the_place_to_look_at_is_looked_at(redis):
    add(redis, (1000, entry(1)), (1002, entry(1, b"\x94\xa4like\xa1a\xa1t\xa1i")))
    remove(redis, 1, 1002, 1002)
    assert entries(redis) == [(1000, entry(1))]


def test_neighbours_with_the_same_time_stay(redis):
    add(redis, *[(1000, entry(i)) for i in range(3)])
    remove(redis, 1, 1000, 1000)
    assert entries(redis) == [(1000, entry(2)), (1000, entry(0))]


# ---- the cap ----


def test_marks_rank_like_entries(redis):
    for i in range(CAP):
        add(redis, (1000 + i, entry(i)))
    remove(redis, 50, 1050, 1050)
    assert len(entries(redis)) == CAP - 1
    assert add(redis, (999, entry(5000))) == -1
    assert add(redis, (2000, entry(5001))) == CAP + 2
    assert len(entries(redis, limit=CAP)) == CAP - 1


def test_a_mark_beyond_the_cap_is_not_left(redis):
    for i in range(CAP):
        add(redis, (1000 + i, entry(i)))
    remove(redis, 5000, "", 999)
    assert len(members(redis)) == CAP


def test_marks_alone_are_trimmed_too(redis):
    for i in range(CAP + SLACK):
        remove(redis, i, "", 1000 + i)
    assert len(members(redis)) == CAP + SLACK
    remove(redis, 5000, "", 9000)
    assert members(redis) == [(1000 + i, mark(i)) for i in range(SLACK + 1, CAP + SLACK)] + [(9000, mark(5000))]


def test_marks_in_a_timeline_are_trimmed_behind_the_reserved_member(redis):
    add(redis, (1, entry(6000)))
    for i in range(CAP + SLACK):
        remove(redis, i, "", 1000 + i)
    assert len(members(redis)) == CAP
    assert window(redis)[:2] == [EPOCH_A, 1]


def test_a_feed_is_shorter_by_what_was_removed_and_by_nothing_else(redis):
    """In any order: the newest 100 activities, those left out that were removed."""
    chance = random.Random(11)
    pairs = [(1000 + chance.randrange(60), entry(i)) for i in range(200)]
    gone = set(chance.sample(range(200), 40))
    expected = [p for p in sorted(pairs, reverse=True)[:CAP] if int.from_bytes(p[1][:16], "big") not in gone]
    for turn in range(8):
        key = b"f:{demo/order%d}" % turn
        steps = [("add", time, e) for time, e in pairs] + [("remove", time, e) for time, e in pairs if int.from_bytes(e[:16], "big") in gone]
        chance.shuffle(steps)
        for kind, time, e in steps:
            if kind == "add":
                add(redis, (time, e), key=key)
            else:
                remove(redis, int.from_bytes(e[:16], "big"), time, time, key=key)
        assert entries(redis, key, CAP) == expected


# ---- windows ----


def test_a_window_shows_entries_behind_marks(redis):
    add(redis, *[(1000 + i, entry(i)) for i in range(10)])
    for i in (9, 7, 6):
        remove(redis, i, 1000 + i, 1000 + i)
    assert window(redis, 3)[2] == [entry(8), b"1008", entry(5), b"1005", entry(4), b"1004"]
    assert len(window(redis, 7)[2]) == 14
    assert len(window(redis, 8)[2]) == 14


def test_a_window_with_marks_alone_is_empty(redis):
    add(redis, (1000, entry(1)))
    remove(redis, 1, 1000, 1000)
    for limit in (1, 2, 100):
        assert window(redis, limit) == [EPOCH_A, 2, []]


def test_a_window_does_not_reach_beyond_rank_100(redis):
    add(redis, *[(1000 + i, entry(i)) for i in range(CAP + SLACK)])
    for i in range(CAP + SLACK - 30, CAP + SLACK):
        remove(redis, i, 1000 + i, 1000 + i)
    assert len(entries(redis, limit=80)) == CAP - 30


# ---- outboxes ----


def find(redis, number):
    return redis("FCALL_RO", "feedwire_v1_find", 1, OUTBOX, id_of(number))


def post(redis, time, member, epoch=EPOCH_A):
    return redis("FCALL", "feedwire_v1_post", 1, OUTBOX, epoch, CAP, SLACK, time, member)


def test_find(redis):
    assert find(redis, 1) == [0, b"", b""]
    post(redis, 1000, entry(1))
    post(redis, 1001, entry(2))
    assert find(redis, 1) == [1, b"1000", entry(1)]
    other = entry(1, b"\x94\xa4like\xa1a\xa1t\xa1i")
    post(redis, 1005, other)
    assert find(redis, 1) == [2, b"1005", other]
    remove(redis, 1, 1005, 1005, key=OUTBOX)
    assert find(redis, 1) == [1, b"1000", entry(1)]
    remove(redis, 2, 1001, 1001, key=OUTBOX)
    assert find(redis, 2) == [0, b"1001", b""]


def test_post_tells_that_it_was_removed(redis):
    assert post(redis, 1000, entry(1)) == 1
    assert post(redis, 1000, entry(1)) == 0
    remove(redis, 1, 1000, 1000, key=OUTBOX)
    assert post(redis, 1000, entry(1)) == -3
    assert post(redis, 1000, entry(2)) == 3


def test_since_gives_marks_like_entries(redis):
    for i in range(6):
        post(redis, 1000 + i, entry(i))
    remove(redis, 3, 1003, 1003, key=OUTBOX)
    remove(redis, 5, 1005, 1005, key=OUTBOX)
    assert since(redis, 1004, 2) == [(1002, entry(2)), (1003, mark(3)), (1004, entry(4)), (1005, mark(5))]


def backfill(redis, *pairs):
    return redis("FCALL", "feedwire_v1_backfill", 2, TIMELINE, b"m:{demo/ann}", EPOCH_A, CAP, SLACK, 1000, *[x for pair in pairs for x in pair])


def test_a_backfill_adds_entries_and_removes_what_is_marked(redis, listener):
    add(redis, (1001, entry(2)))
    assert backfill(redis, (1000, entry(1)), (1001, mark(2)), (1002, mark(3))) == [2, 0, 0]
    assert entries(redis) == [(1000, entry(1))]
    assert add(redis, (1002, entry(3))) == 0
    assert [n[0] for n in listener.notices()] == [1, 1, 2]


def test_a_backfill_of_one_answers_with_a_list_too(redis):
    assert backfill(redis, (1000, entry(1))) == [1]


# ---- vectors, types ----


def test_notices_are_those_of_the_vectors(redis, server):
    """What Redis publishes is byte for byte what the readers are tested with."""
    vector = next(v for v in json.loads((VECTORS / "notice.json").read_text())["removed"] if v["written"] and v["seq"] == "8")
    epoch, member = bytes.fromhex(vector["epoch"]), bytes.fromhex(vector["member"])
    add(redis, *[(1 + i, entry(i)) for i in range(6)], epoch=epoch)
    add(redis, (vector["published_ms"], member[:16] + entry(0)[16:]), epoch=epoch)
    subscriber = type(redis)(server)
    subscriber("SSUBSCRIBE", TIMELINE)
    redis("FCALL", "feedwire_v1_remove", 1, TIMELINE, CAP, SLACK, member[:16], "", "")
    assert subscriber.read() == [b"smessage", TIMELINE, bytes.fromhex(vector["hex"])]
    subscriber.close()


def test_marks_are_those_of_the_vectors(redis):
    for vector in json.loads((VECTORS / "entry.json").read_text())["marks"]:
        member = bytes.fromhex(vector["hex"])
        redis("FCALL", "feedwire_v1_remove", 1, TIMELINE, CAP, SLACK, member[:16], "", 5)
        assert members(redis) == [(5, member)]


def test_a_key_of_another_type_is_refused_by_name(redis):
    redis("SET", TIMELINE, "text")
    with pytest.raises(RedisError, match="^WRONGTYPE"):
        remove(redis, 1, "", 1000)
