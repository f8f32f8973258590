"""The functions of schemas/redis/feedwire_v1.lua against a real redis-server: every rule of schemas/redis.md."""
import json
import os
import pathlib
import random
import subprocess
import time

import msgpack
import pytest
from redis_wire import Redis, RedisError, msgpack_read

ROOT = pathlib.Path(__file__).parents[2]
LIBRARY = ROOT / "schemas/redis/feedwire_v1.lua"
EPOCH_A, EPOCH_B = b"\x00\xffepochA", b"epoch-B\n"
CAP, SLACK = 100, 20
TIMELINE, FOLLOWERS, ENDED, LATEST = b"f:{demo/ann}", b"g:{demo/bob/0}", b"k:{demo/bob/0}", b"l:{demo/bob/0}"
PAGE = b"q:{demo/bob/0}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A private server on a Unix socket. Its locale is one that sorts letters otherwise than bytes, made here, because few machines have one."""
    folder = tmp_path_factory.mktemp("redis")
    subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", str(folder / "en_US.UTF-8")], check=True)
    path = folder / "redis.sock"
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder),
         "--logfile", str(folder / "log")],
        env={**os.environ, "LOCPATH": str(folder), "LC_ALL": "en_US.UTF-8"},
    )
    deadline = time.monotonic() + 20
    while True:
        try:
            connection = Redis(path)
            if connection("PING") == b"PONG":
                break
        except (OSError, RedisError):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
    connection("FUNCTION", "LOAD", "REPLACE", LIBRARY.read_bytes())
    connection.close()
    yield path
    process.terminate()
    process.wait(10)


@pytest.fixture
def redis(server):
    connection = Redis(server)
    connection("FLUSHALL")
    yield connection
    connection.close()


class Listener:
    """A sharded subscription, and what came in on it until now."""

    def __init__(self, server, redis, channel):
        self.connection, self.redis, self.channel = Redis(server), redis, channel
        assert self.connection("SSUBSCRIBE", channel)[0] == b"ssubscribe"

    def notices(self):
        """Everything published so far: a message of our own ends the list."""
        self.redis("SPUBLISH", self.channel, "end")
        found = []
        while True:
            kind, channel, payload = self.connection.read()
            assert (kind, channel) == (b"smessage", self.channel)
            if payload == b"end":
                return found
            notice, end = msgpack_read(payload)
            assert end == len(payload)
            found.append(notice)


@pytest.fixture
def listener(server, redis):
    listener = Listener(server, redis, TIMELINE)
    yield listener
    listener.connection.close()


def entry(number, rest=b"\x94\xa4post\xa1a\xa1t\xa1i"):
    """An entry with this number as its id."""
    return number.to_bytes(16, "big") + rest


def add(redis, *pairs, key=TIMELINE, epoch=EPOCH_A, cap=CAP, slack=SLACK):
    flat = [x for pair in pairs for x in pair]
    return redis("FCALL", "feedwire_v1_add", 1, key, epoch, cap, slack, *flat)


def window(redis, limit=100, *known, key=TIMELINE):
    return redis("FCALL_RO", "feedwire_v1_window", 1, key, limit, *known)


def entries(redis, key=TIMELINE, limit=1000):
    """[(published ms, entry)], newest first."""
    found = window(redis, limit, key=key)[2]
    return [(int(found[i + 1]), found[i]) for i in range(0, len(found), 2)]


# ---- add ----


def test_first_add_makes_the_timeline_with_the_given_epoch(redis):
    assert add(redis, (1000, entry(1))) == 1
    assert window(redis) == [EPOCH_A, 1, [entry(1), b"1000"]]


def test_the_epoch_of_a_timeline_stays(redis):
    add(redis, (1000, entry(1)), epoch=EPOCH_A)
    add(redis, (1001, entry(2)), epoch=EPOCH_B)
    assert window(redis)[:2] == [EPOCH_A, 2]


def test_a_timeline_made_again_has_another_epoch(redis):
    add(redis, (1000, entry(1)), epoch=EPOCH_A)
    redis("DEL", TIMELINE)
    add(redis, (1000, entry(1)), epoch=EPOCH_B)
    assert window(redis)[:2] == [EPOCH_B, 1]


def test_seq_counts_changes_from_one(redis):
    assert [add(redis, (1000 + i, entry(i))) for i in range(5)] == [1, 2, 3, 4, 5]


def test_reserved_member_has_rank_zero_and_minus_seq_as_score(redis):
    for i in range(3):
        add(redis, (1 + i, entry(i)))
    assert redis("ZRANGE", TIMELINE, 0, 0, "WITHSCORES") == [b"\x00" + EPOCH_A, b"-3"]
    assert redis("ZCARD", TIMELINE) == 4


def test_the_same_entry_again_changes_nothing(redis, listener):
    add(redis, (1000, entry(1)))
    before = redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES")
    assert add(redis, (1000, entry(1)), epoch=EPOCH_B) == 0
    assert redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES") == before
    assert len(listener.notices()) == 1


def test_the_same_id_at_the_same_time_with_other_bytes_changes_nothing(redis, listener):
    add(redis, (1000, entry(1)))
    assert add(redis, (1000, entry(1, b"\x94\xa4like\xa1a\xa1t\xa1i"))) == 0
    assert entries(redis) == [(1000, entry(1))]
    assert len(listener.notices()) == 1


def test_the_same_bytes_at_another_time_do_not_move_the_entry(redis, listener):
    add(redis, (1000, entry(1)))
    before = redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES")
    assert add(redis, (2000, entry(1))) == 0
    assert add(redis, (500, entry(1))) == 0
    assert redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES") == before
    assert len(listener.notices()) == 1
    assert add(redis, (2000, entry(2))) == 2


def test_notices_of_entries_that_take_turns_are_their_own(redis, listener):
    times = [(1000, entry(1)), (1000, entry(2)), (1001, entry(2, b"\x90")), (1001, entry(1, b"\x91"))]
    for pair in times:
        add(redis, pair)
    assert [(notice[3], notice[4]) for notice in listener.notices()] == times


def test_other_ids_at_the_same_time_are_added(redis):
    assert [add(redis, (1000, entry(i))) for i in (2, 1, 3)] == [1, 2, 3]


def test_order_is_by_time_then_by_the_bytes_of_the_id(redis):
    # 0x5f, 0x61, 0x42: where a locale sorts, B comes before a and _; by bytes B (0x42) < _ (0x5f) < a (0x61) < 0xff.
    ids = [bytes([b]) * 16 for b in (0x61, 0x00, 0xFF, 0x42, 0x5F)]
    for id_ in ids:
        add(redis, (1000, id_ + b"\x90"))
    add(redis, (999, b"\xff" * 16 + b"\x91"))
    add(redis, (1001, b"\x00" * 16 + b"\x91"))
    assert [e[:1] for _, e in entries(redis)] == [b"\x00", b"\xff", b"\x61", b"\x5f", b"\x42", b"\x00", b"\xff"]


def test_an_entry_beyond_the_cap_changes_nothing(redis, listener):
    for i in range(CAP):
        add(redis, (1000 + i, entry(i)))
    before = redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES")
    assert add(redis, (999, entry(5000))) == -1
    assert redis("ZRANGE", TIMELINE, 0, -1, "WITHSCORES") == before
    assert len(listener.notices()) == CAP


def test_an_older_entry_is_added_below_the_cap(redis):
    for i in range(CAP - 1):
        add(redis, (1000 + i, entry(i)))
    assert add(redis, (1, entry(5000))) == CAP


@pytest.mark.parametrize(
    "lowest, late, answer",
    [(b"\x50", b"\x4f", -1), (b"\x50", b"\x51", CAP + 1), (b"\x61", b"\x42", -1), (b"\x42", b"\x61", CAP + 1),
     (b"\x80", b"\x7f", -1), (b"\x7f", b"\x80", CAP + 1)],
)
def test_at_the_edge_of_the_cap_ties_are_decided_by_bytes(redis, lowest, late, answer):
    add(redis, (1000, lowest * 16 + b"\x90"))
    for i in range(CAP - 1):
        add(redis, (2000, entry(i)))
    assert add(redis, (1000, late * 16 + b"\x90")) == answer


def test_the_cap_counts_from_the_newest_also_when_there_are_more_than_the_cap(redis):
    for i in range(CAP + 10):
        add(redis, (1000 + i, entry(i)))
    # The hundredth newest is at 1010: below it is beyond the cap, though older ones still lie there.
    assert add(redis, (1009, entry(5000))) == -1
    assert add(redis, (1011, entry(5000))) == CAP + 11


def test_trims_lazily_at_cap_plus_slack(redis):
    for i in range(CAP + SLACK):
        add(redis, (1000 + i, entry(i)))
    assert redis("ZCARD", TIMELINE) == CAP + SLACK + 1
    add(redis, (9000, entry(5000)))
    assert redis("ZCARD", TIMELINE) == CAP + 1
    newest = [(9000, entry(5000))] + [(1000 + i, entry(i)) for i in range(CAP + SLACK - 1, SLACK, -1)]
    assert entries(redis) == newest
    assert redis("ZRANGE", TIMELINE, 0, 0, "WITHSCORES") == [b"\x00" + EPOCH_A, b"-121"]


def test_a_full_timeline_is_one_compact_listpack(redis):
    redis("CONFIG", "SET", "zset-max-listpack-value", 256)
    for i in range(CAP + SLACK):
        add(redis, (1000 + i, entry(i, b"\x94\xa4post" + b"\xd9\x40" + b"x" * 64)))
    assert redis("OBJECT", "ENCODING", TIMELINE) == b"listpack"


def test_one_notice_for_each_entry_added(redis, listener):
    add(redis, (1000, entry(1)))
    add(redis, (2**53 - 1, entry(2)))
    assert listener.notices() == [[1, EPOCH_A, 1, 1000, entry(1)], [1, EPOCH_A, 2, 2**53 - 1, entry(2)]]


def test_notices_of_large_and_binary_entries_come_whole(redis, listener):
    big = bytes(range(256)) * 10
    add(redis, (1700000000123, big))
    assert listener.notices() == [[1, EPOCH_A, 1, 1700000000123, big]]


def test_several_entries_in_one_call(redis, listener):
    add(redis, (1000, entry(1)))
    assert add(redis, (1001, entry(2)), (1000, entry(1)), (1002, entry(3)), epoch=EPOCH_B) == [2, 0, 3]
    assert [n[1:4] for n in listener.notices()] == [[EPOCH_A, 1, 1000], [EPOCH_A, 2, 1001], [EPOCH_A, 3, 1002]]


def test_several_entries_meet_the_cap_and_the_trim_within_one_call(redis):
    answers = add(redis, *[(1000 + i, entry(i)) for i in range(CAP + SLACK + 1)], (1, entry(5000)))
    assert answers == list(range(1, CAP + SLACK + 2)) + [-1]
    assert redis("ZCARD", TIMELINE) == CAP + 1


def test_a_repetition_within_one_call_is_seen(redis):
    assert add(redis, (1000, entry(1)), (1000, entry(1))) == [1, 0]


def test_the_newest_100_do_not_depend_on_the_order_of_adding(redis):
    chance = random.Random(7)
    pairs = [(1000 + chance.randrange(60), entry(i)) for i in range(300)]
    expected = sorted(pairs, reverse=True)[:CAP]
    for turn in range(5):
        chance.shuffle(pairs)
        key = b"f:{demo/order%d}" % turn
        for pair in pairs:
            add(redis, pair, key=key)
        assert entries(redis, key, CAP) == expected


def test_a_key_of_another_type_is_refused_by_name(redis):
    redis("SET", TIMELINE, "text")
    with pytest.raises(RedisError, match="^WRONGTYPE"):
        add(redis, (1000, entry(1)))


# ---- window ----


def test_window_of_nothing(redis):
    assert window(redis) == [b"", 0, []]


def test_window_is_newest_first_and_limited(redis):
    for i in range(10):
        add(redis, (1000 + i, entry(i)))
    assert window(redis, 3)[2] == [entry(9), b"1009", entry(8), b"1008", entry(7), b"1007"]


def test_window_leaves_the_reserved_member_out(redis):
    for i in range(3):
        add(redis, (1000 + i, entry(i)))
    for limit in (3, 4, 100):
        assert len(window(redis, limit)[2]) == 6


def test_window_with_the_known_position_has_no_list(redis):
    add(redis, (1000, entry(1)))
    assert window(redis, 50, EPOCH_A, 1) == [EPOCH_A, 1]


@pytest.mark.parametrize("epoch, seq", [(EPOCH_A, 0), (EPOCH_A, 2), (EPOCH_B, 1), (b"", 0)])
def test_window_with_another_position_has_the_list(redis, epoch, seq):
    add(redis, (1000, entry(1)))
    assert window(redis, 50, epoch, seq) == [EPOCH_A, 1, [entry(1), b"1000"]]


def test_window_of_nothing_is_known_as_nothing(redis):
    assert window(redis, 50, b"", 0) == [b"", 0]


# ---- since ----


def since(redis, time_ms, count):
    found = redis("FCALL_RO", "feedwire_v1_since", 1, b"o:{demo/bob}", time_ms, count)
    return [(int(found[i]), found[i + 1]) for i in range(0, len(found), 2)]


def test_since_gives_all_not_older_and_the_newest_older_ones_oldest_first(redis):
    pairs = [(1000 + i, entry(i)) for i in range(40)]
    for pair in pairs:
        add(redis, pair, key=b"o:{demo/bob}")
    assert since(redis, 1030, 20) == pairs[10:]
    assert since(redis, 1030, 0) == pairs[30:]
    assert since(redis, 2000, 5) == pairs[35:]
    assert since(redis, 1, 5) == pairs


def test_since_counts_an_equal_time_as_not_older(redis):
    for i in range(3):
        add(redis, (1000, entry(i)), key=b"o:{demo/bob}")
    add(redis, (999, entry(9)), key=b"o:{demo/bob}")
    assert since(redis, 1000, 0) == [(1000, entry(0)), (1000, entry(1)), (1000, entry(2))]


def test_since_leaves_the_reserved_member_out(redis):
    add(redis, (1, entry(1)), key=b"o:{demo/bob}")
    assert since(redis, 1, 20) == [(1, entry(1))]
    assert since(redis, 2, 20) == [(1, entry(1))]


def test_since_of_nothing(redis):
    assert since(redis, 1, 20) == []


# ---- edges ----


def follow(redis, user, time_ms):
    return redis("FCALL", "feedwire_v1_follow", 3, FOLLOWERS, ENDED, LATEST, user, time_ms)


def unfollow(redis, user, time_ms):
    return redis("FCALL", "feedwire_v1_unfollow", 3, FOLLOWERS, ENDED, LATEST, user, time_ms)


def edges(redis):
    found = redis("ZRANGE", FOLLOWERS, 0, -1, "WITHSCORES")
    return {found[i].decode(): int(found[i + 1]) for i in range(0, len(found), 2)}


def test_a_new_edge(redis):
    assert follow(redis, "ann", 10) == [1, 10, 0]
    assert edges(redis) == {"ann": 10}


def test_a_follow_of_an_edge_that_is_there_keeps_the_older_time(redis):
    follow(redis, "ann", 10)
    assert follow(redis, "ann", 20) == [2, 10, 0]
    assert follow(redis, "ann", 10) == [2, 10, 0]
    assert follow(redis, "ann", 5) == [2, 5, 0]
    assert edges(redis) == {"ann": 5}


def test_unfollow_ends_the_edge(redis):
    follow(redis, "ann", 10)
    assert unfollow(redis, "ann", 20) == 1
    assert edges(redis) == {}


def test_an_unfollow_of_the_same_moment_ends_the_edge(redis):
    follow(redis, "ann", 10)
    assert unfollow(redis, "ann", 10) == 1


def test_an_unfollow_again_has_nothing_to_end(redis):
    follow(redis, "ann", 10)
    unfollow(redis, "ann", 20)
    assert unfollow(redis, "ann", 20) == 2


@pytest.mark.parametrize("time_ms", [5, 19, 20])
def test_a_follow_not_younger_than_the_end_is_a_no_op(redis, time_ms):
    follow(redis, "ann", 10)
    unfollow(redis, "ann", 20)
    assert follow(redis, "ann", time_ms) == [0, 20, 20]
    assert edges(redis) == {}


def test_an_unfollow_that_comes_first_stands(redis):
    assert unfollow(redis, "ann", 20) == 2
    assert follow(redis, "ann", 10) == [0, 20, 20]
    assert edges(redis) == {}


def test_a_follow_after_the_end_is_a_new_edge(redis):
    follow(redis, "ann", 10)
    unfollow(redis, "ann", 20)
    assert follow(redis, "ann", 21) == [1, 21, 20]
    assert edges(redis) == {"ann": 21}


def test_an_older_unfollow_does_not_end_a_younger_edge(redis):
    follow(redis, "ann", 30)
    assert unfollow(redis, "ann", 20) == 0
    assert edges(redis) == {"ann": 30}


def test_the_end_keeps_its_newest_time(redis):
    unfollow(redis, "ann", 30)
    unfollow(redis, "ann", 20)
    assert follow(redis, "ann", 25) == [0, 30, 30]


def test_an_unfollow_between_two_follows_leaves_the_younger_one(redis):
    follow(redis, "ann", 10)
    follow(redis, "ann", 30)
    assert unfollow(redis, "ann", 20) == 0
    assert edges(redis) == {"ann": 30}
    assert unfollow(redis, "ann", 40) == 1
    assert edges(redis) == {}
    assert redis("EXISTS", LATEST) == 0


def test_the_younger_of_two_follows_is_known_also_when_the_older_comes_later(redis):
    follow(redis, "ann", 30)
    follow(redis, "ann", 10)
    assert unfollow(redis, "ann", 20) == 0
    assert edges(redis) == {"ann": 30}


def test_workers_of_the_version_before_go_on(redis):
    """They give two keys, and look at two elements of the answer."""
    for time_ms, expected in ((10, [1, 10]), (30, [2, 10]), (5, [2, 5])):
        assert redis("FCALL", "feedwire_v1_follow", 2, FOLLOWERS, ENDED, "ann", time_ms)[:2] == expected
    assert redis("FCALL", "feedwire_v1_unfollow", 2, FOLLOWERS, ENDED, "ann", 20) == 1
    assert edges(redis) == {}


def test_sever_ends_an_edge_of_any_time(redis):
    follow(redis, "ann", 30)
    follow(redis, "ann", 50)
    assert redis("FCALL", "feedwire_v1_sever", 3, FOLLOWERS, ENDED, LATEST, "ann", 20) == 1
    assert edges(redis) == {}
    assert follow(redis, "ann", 50) == [0, 50, 50]
    assert follow(redis, "ann", 51) == [1, 51, 50]
    assert redis("FCALL", "feedwire_v1_sever", 3, FOLLOWERS, ENDED, LATEST, "zoe", 20) == 0
    assert follow(redis, "zoe", 20) == [0, 20, 20]


def test_replay_of_a_history_of_edges_changes_nothing(redis):
    history = [(follow, 10), (unfollow, 20), (follow, 30), (unfollow, 40), (follow, 50)]
    for act, time_ms in history:
        act(redis, "ann", time_ms)
    for start in range(len(history)):
        for act, time_ms in history[start:]:
            act(redis, "ann", time_ms)
        assert edges(redis) == {"ann": 50}


# ---- followers ----


def followers(redis, time_ms, count, *cursor):
    found = redis("FCALL_RO", "feedwire_v1_followers", 1, FOLLOWERS, time_ms, count, *cursor)
    return (found[0], [f.decode() for f in found[1:]]) if found else (None, [])


def all_followers(redis, time_ms, count, between=lambda page: None):
    found, cursor, page = [], (), 0
    while True:
        last_time, users = followers(redis, time_ms, count, *cursor)
        found += users
        if len(users) < count:
            return found
        cursor = (users[-1], last_time)
        page += 1
        between(page)


def test_followers_whose_edge_is_not_younger(redis):
    for user, time_ms in (("cy", 30), ("ann", 10), ("dan", 31), ("bob", 20)):
        follow(redis, user, time_ms)
    assert followers(redis, 30, 10) == (30, ["ann", "bob", "cy"])
    assert followers(redis, 9, 10) == (None, [])


def test_followers_of_nobody(redis):
    assert followers(redis, 30, 10) == (None, [])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_pages_of_followers_with_ties_are_complete_and_without_repetition(redis, count):
    users = [f"user{i:02}" for i in range(23)]
    for i, user in enumerate(users):
        follow(redis, user, 100 + i // 5)
    follow(redis, "late", 5000)
    assert all_followers(redis, 1000, count) == users


def test_the_page_ends_at_the_time_also_when_more_would_fit(redis):
    for i in range(6):
        follow(redis, f"user{i}", 100 + i)
    assert followers(redis, 103, 2, "user2", 102) == (103, ["user3"])
    assert followers(redis, 103, 2, "user3", 103) == (None, [])


def test_when_the_cursor_has_gone_nobody_is_left_out(redis):
    for i in range(9):
        follow(redis, f"user{i}", 100 + i // 3)

    def leave(page):
        if page == 1:
            unfollow(redis, "user4", 500)

    found = all_followers(redis, 1000, 5, leave)
    assert set(found) >= {f"user{i}" for i in range(9)}


def test_when_the_cursor_has_moved_nobody_is_left_out(redis):
    for i in range(9):
        follow(redis, f"user{i}", 100 + i)

    def leave_and_come_back(page):
        if page == 1:
            unfollow(redis, "user2", 500)
            follow(redis, "user2", 900)

    found = all_followers(redis, 1000, 3, leave_and_come_back)
    assert set(found) == {f"user{i}" for i in range(9)}


def test_reading_functions_do_not_write(redis):
    functions = redis("FUNCTION", "LIST")[0]
    flags = {dict(zip(f[::2], f[1::2]))[b"name"]: dict(zip(f[::2], f[1::2]))[b"flags"]
             for f in dict(zip(functions[::2], functions[1::2]))[b"functions"]}
    reading = {name for name, flag in flags.items() if b"no-writes" in flag}
    assert reading == {b"feedwire_v1_window", b"feedwire_v1_since", b"feedwire_v1_followers", b"feedwire_v1_find", b"feedwire_v1_edge",
                       b"feedwire_v1_source_since", b"feedwire_v1_follower_count", b"feedwire_v1_outbox",
                       b"feedwire_v1_sources", b"feedwire_v1_part", b"feedwire_v1_filter_state"}
    assert b"feedwire_v1_add" in flags


# ---- progress ----


def test_progress_is_kept_and_published(server, redis):
    key = b"p:{activities}"
    listener = Listener(server, redis, key)
    call = ("FCALL", "feedwire_v1_partitions", 1, key)
    assert redis(*call, 3, 70, 1767323045678, 250, 0, 12, -1, 0, 0, 1) == 1
    assert redis("HMGET", key, 3, 12) == [b"70 1767323045678", b"-1 0"]
    assert listener.notices() == [[1, [3, 70, 250, 0], [12, -1, 0, 1]]]
    redis(*call, 3, 9007199254740991, 0, 0, 0)
    assert redis("HMGET", key, 3, 12) == [b"9007199254740991 0", b"-1 0"]


def test_progress_of_a_partition_as_older_workers_say_it(server, redis):
    key = b"p:{activities/3}"
    listener = Listener(server, redis, key)
    assert redis("FCALL", "feedwire_v1_progress", 1, key, 70, 1767323045678) == 1
    assert redis("HMGET", key, "offset", "time") == [b"70", b"1767323045678"]
    assert listener.notices() == [[1, 70, 1767323045678]]
    redis("FCALL", "feedwire_v1_progress", 1, key, 9007199254740991, 0)
    assert redis("HMGET", key, "offset", "time") == [b"9007199254740991", b"0"]


def test_progress_is_published_as_the_golden_vectors_have_it(server, redis):
    vectors = json.loads((ROOT / "schemas/vectors/progress.json").read_text())["valid"]
    key = b"p:{activities}"
    listener = Listener(server, redis, key)
    for vector in vectors:
        rows = [[row["partition"], row["next_offset"], 0, row["lag_ms"], int(row["replaying"])] for row in vector["rows"]]
        redis("FCALL", "feedwire_v1_partitions", 1, key, *(number for row in rows for number in row))
        assert msgpack.packb(listener.notices()[0]).hex() == vector["hex"]


# ---- the graph: reading an edge, loading it again ----


def edge(redis, user):
    return redis("FCALL_RO", "feedwire_v1_edge", 2, FOLLOWERS, ENDED, user)


def load(redis, user, since_ms, ended_ms):
    """The state of the edge in page 0 of an author who has no other."""
    answer = redis("FCALL", "feedwire_v1_edge_load", 4, FOLLOWERS, ENDED, LATEST, PAGE, user, since_ms, ended_ms, 0, 0, 0, 0, 0, 10000)
    return answer[0]


def test_an_edge_tells_both_its_times(redis):
    assert edge(redis, "ann") == [0, 0]
    follow(redis, "ann", 10)
    assert edge(redis, "ann") == [10, 0]
    unfollow(redis, "ann", 20)
    assert edge(redis, "ann") == [0, 20]
    follow(redis, "ann", 1_700_000_000_123)
    assert edge(redis, "ann") == [1_700_000_000_123, 20]


@pytest.mark.parametrize("state", [(0, 0), (10, 0), (0, 20), (30, 20), (1_700_000_000_123, 1_700_000_000_122)])
def test_a_loaded_edge_is_as_it_was(redis, state):
    for _ in range(2):
        assert load(redis, "ann", *state) == state[0]
        assert edge(redis, "ann") == list(state)
    assert redis("ZCARD", FOLLOWERS) == (state[0] > 0) and redis("ZCARD", ENDED) == (state[1] > 0)


def test_states_of_one_edge_may_be_loaded_in_any_order_and_again(redis):
    states = []
    for what, time_ms in ((follow, 10), (unfollow, 20), (follow, 30), (unfollow, 40), (follow, 60), (follow, 50)):
        what(redis, "ann", time_ms)
        states.append(edge(redis, "ann"))
    last = edge(redis, "ann")
    assert last == [50, 40]
    for seed in range(50):
        order = states + random.Random(seed).sample(states, 3)
        random.Random(seed).shuffle(order)
        redis("FLUSHALL")
        for state in order:
            load(redis, "ann", *state)
        assert edge(redis, "ann") == last, order


def test_an_old_state_does_not_undo_what_came_later(redis):
    follow(redis, "ann", 30)
    assert load(redis, "ann", 0, 20) == 30
    unfollow(redis, "ann", 40)
    assert load(redis, "ann", 30, 20) == 0
    assert edge(redis, "ann") == [0, 40]


# ---- the life of Redis ----

LIFE, LOADER = b"life:{feedwire}", b"life:{feedwire}/loader"


def life(redis, token, lease_ms=60_000):
    return redis("FCALL", "feedwire_v1_life", 2, LIFE, LOADER, token, lease_ms)


def begin(redis, token, name):
    return redis("FCALL", "feedwire_v1_life_begin", 2, LIFE, LOADER, token, name)


def test_one_takes_the_lease_and_renews_it(redis):
    assert life(redis, "one") == [b"", 2]
    assert life(redis, "one") == [b"", 1]
    assert life(redis, "two") == [b"", 0]
    assert 0 < redis("PTTL", LOADER) <= 60_000


def test_the_lease_ends_by_itself(redis):
    assert life(redis, "one", 1) == [b"", 2]
    deadline = time.monotonic() + 20
    while redis("EXISTS", LOADER):
        assert time.monotonic() < deadline
    assert begin(redis, "one", "A") == b"", "who lost it cannot begin a life"
    assert life(redis, "two") == [b"", 2]
    assert begin(redis, "one", "A") == b""


def test_a_life_is_begun_once_and_ends_the_lease(redis):
    life(redis, "one")
    assert begin(redis, "one", "A") == b"A"
    assert redis("EXISTS", LOADER) == 0
    assert begin(redis, "two", "B") == b"A" and begin(redis, "one", "B") == b"A"
    assert life(redis, "two") == [b"A", 0]


def test_everything_lost_in_the_middle_of_a_load_is_seen(redis):
    life(redis, "one")
    redis("FLUSHALL")
    assert begin(redis, "one", "A") == b""
    assert life(redis, "one") == [b"", 2], "taken anew, not renewed"
