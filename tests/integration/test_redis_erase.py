"""Taking users out of keys, by feedwire_v1_erase of schemas/redis/feedwire_v1.lua against a real redis-server; and who knows which users are erased."""
import msgpack
import pytest
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, EPOCH_A, SLACK, TIMELINE, Listener, entries, listener, redis, server, window,
)

GONE, LAST = "gone", 1000
PURGES, WORKERS = b"x:{feedwire}", b"x:{feedwire}/workers"
OUTBOX = b"o:{demo/ann}"


def erase(redis, *keys, own="", users=((GONE, LAST),)):
    flat = [part for user in users for part in user]
    return redis("FCALL", "feedwire_v1_erase", len(keys), *keys, CAP, own, *flat)


def entry(number, *fields):
    """An entry as schemas/entry.md describes it."""
    return number.to_bytes(16, "big") + msgpack.packb(list(fields))


def put(redis, *pairs, key=TIMELINE):
    for time, member in pairs:
        redis("FCALL", "feedwire_v1_add", 1, key, EPOCH_A, CAP, SLACK, time, member)


NAMING = [("post", GONE, "note", "n"), ("follow", "bob", "user", GONE), ("like", "bob", "note", "n", None, None, GONE),
          ("join", "bob", "group", "g", "user", GONE), ("like", "bob", "note", "n" * 200, None, None, GONE)]
OTHERS = [("post", "bob", "note", GONE), ("post", GONE + "x", "note", "n"), ("post", "x" + GONE, "note", "n"), (GONE, "bob", "note", "n"),
          ("join", "bob", "group", "g", "group", GONE), ("post", "bob", "note", "n", None, None, None, {"text": GONE}),
          ("post", "bob", "note", "n" * 100, None, None, "b" * 100)]


@pytest.mark.parametrize("fields", NAMING)
def test_what_names_the_user_goes_with_a_notice(redis, listener, fields):
    put(redis, (5, entry(1, *fields)), (6, entry(2, "post", "bob", "note", "n")), (LAST + 1, entry(3, *fields)))
    listener.notices()
    assert erase(redis, TIMELINE) == 1
    assert [number for _, number in ((t, int.from_bytes(e[:16], "big")) for t, e in entries(redis))] == [3, 2]
    assert listener.notices() == [[2, EPOCH_A, 4, 5, (1).to_bytes(16, "big")]] and window(redis)[1] == 4
    assert erase(redis, TIMELINE) == 0
    assert listener.notices() == [] and window(redis)[1] == 4


@pytest.mark.parametrize("fields", OTHERS)
def test_what_only_looks_like_it_stays(redis, fields):
    put(redis, (5, entry(1, *fields)))
    assert erase(redis, TIMELINE) == 0
    assert entries(redis) == [(5, entry(1, *fields))]


def test_several_users_each_until_their_time(redis):
    put(redis, *((time, entry(time, "post", actor, "note", "n")) for actor, time in (("a", 1), ("a", 3), ("b", 2), ("b", 4), ("c", 5))))
    assert erase(redis, TIMELINE, users=(("a", 2), ("b", 9))) == 3
    assert [time for time, _ in entries(redis)] == [5, 3]


def test_nothing_comes_into_view_by_it(redis):
    put(redis, *((time, entry(time, "post", "bob", "note", "n")) for time in range(1, CAP + SLACK)), (900, entry(900, "post", GONE, "note", "n")))
    seen = entries(redis, limit=CAP)
    assert erase(redis, TIMELINE) == 1
    assert entries(redis, limit=CAP) == seen[1:]


def test_a_timeline_of_their_own_is_gone(redis, listener):
    put(redis, (5, entry(1, "post", "bob", "note", "n")), (6, entry(2, "post", GONE, "note", "n")))
    listener.notices()
    assert erase(redis, TIMELINE, own=LAST) > 0
    assert redis("EXISTS", TIMELINE) == 0 and [n[0] for n in listener.notices()] == [2, 2]
    put(redis, (5, entry(1, "post", "bob", "note", "n")), (LAST + 1, entry(3, "post", GONE, "note", "n")))
    assert erase(redis, TIMELINE, own=LAST) == 1
    assert [time for time, _ in entries(redis)] == [LAST + 1], "they are back"
    assert erase(redis, TIMELINE, own=LAST) == 0


@pytest.mark.parametrize("before, after", [
    ([GONE, "dan"], ["dan"]), ([f"user{i}" for i in range(20)] + [GONE], [f"user{i}" for i in range(20)]),
    ([f"user{i}" for i in range(15)] + [GONE], [f"user{i}" for i in range(15)]), (["x" * 100, GONE, "y" * 40], ["x" * 100, "y" * 40])])
def test_an_outbox_keeps_what_was_addressed_to_others_too(redis, before, after):
    put(redis, (5, entry(1, "post", "ann", "note", "n", None, None, None, {"a": 1}, before)), key=OUTBOX)
    assert erase(redis, OUTBOX) == 1
    assert entries(redis, OUTBOX) == [(5, entry(1, "post", "ann", "note", "n", None, None, None, {"a": 1}, after))]
    assert erase(redis, OUTBOX) == 0


@pytest.mark.parametrize("rest", [(), ("t", "i"), (None, None, "own"), (None, None, None, {"a": [None]})])
def test_an_entry_addressed_to_nobody_else_is_as_if_to_nobody(redis, rest):
    """The bytes are those that the activity has without them, which it comes with when it comes again."""
    fields = ("post", "ann", "note", "n", *rest)
    put(redis, (5, entry(1, *(list(fields) + [None] * (8 - len(fields))), [GONE])), key=OUTBOX)
    assert erase(redis, OUTBOX) == 1
    assert entries(redis, OUTBOX) == [(5, entry(1, *fields))]


def test_pages_of_others_and_their_own(redis):
    page = [letter + b":{demo/ann/0}" for letter in (b"g", b"k", b"l", b"q")]
    for key in page[:3]:
        redis("ZADD", key, 5, GONE, 6, "bob", LAST + 1, "later")
    redis("HSET", page[3], "level", 1)
    assert erase(redis, *page) == 3 and erase(redis, *page) == 0
    assert [redis("ZCARD", key) for key in page[:3]] == [2, 2, 2] and redis("EXISTS", page[3]) == 1
    assert erase(redis, *page, own=LAST) == 3
    assert redis("EXISTS", page[3]) == 1, "somebody has followed since"
    assert erase(redis, *page, own=LAST + 1) == 4
    assert redis("EXISTS", *page) == 0


def test_who_follows_them_or_has_settled_about_them(redis, listener):
    put(redis, (5, entry(1, "post", "bob", "note", "n")))
    listener.notices()
    for key in (b"h:{demo/ann}", b"b:{demo/ann}"):
        redis("ZADD", key, 5, GONE, 6, "bob")
    for key in (b"m:{demo/ann}", b"c:{demo/ann}"):
        redis("HSET", key, GONE, "m5", "bob", "m6")
    redis("HSET", b"m:{demo/ann}", "/" + GONE, "1 2")
    assert erase(redis, b"h:{demo/ann}") == 1 and erase(redis, b"c:{demo/ann}") == 1 and erase(redis, b"m:{demo/ann}") == 2
    assert listener.notices() == []
    assert erase(redis, b"b:{demo/ann}", TIMELINE) == 1
    assert [n[0] for n in listener.notices()] == [3], "a source fewer"
    assert redis("ZRANGE", b"h:{demo/ann}", 0, -1) == redis("ZRANGE", b"b:{demo/ann}", 0, -1) == [b"bob"]
    assert redis("HKEYS", b"m:{demo/ann}") == redis("HKEYS", b"c:{demo/ann}") == [b"bob"]
    assert erase(redis, b"m:{demo/ann}", own=LAST) == 1 and redis("EXISTS", b"m:{demo/ann}") == 0


# ---- who knows ----


def purge(redis, *users):
    return redis("FCALL", "feedwire_v1_purge", 1, PURGES, *(part for user in users for part in user))


def ask(redis, worker, quiet, known, gone_ms=60000):
    answer = redis("FCALL", "feedwire_v1_purges", 2, PURGES, WORKERS, worker, quiet, known, gone_ms)
    return int(answer[0]), int(answer[1]), {answer[i]: int(answer[i + 1]) for i in range(2, len(answer), 2)}


A, B = b"a" * 16, b"b" * 16


def test_a_purge_is_told_once_and_the_latest_counts(redis):
    assert ask(redis, "one", 0, 0) == (1, 0, {})
    first = purge(redis, (A, 10), (B, 20))
    assert ask(redis, "one", 0, 1) == (first, 0, {A: 10, B: 20})
    assert ask(redis, "one", 0, first) == (first, 0, {})
    assert purge(redis, (A, 10)) == purge(redis, (A, 9)) == first, "nothing new"
    second = purge(redis, (A, 11))
    assert second > first and ask(redis, "one", 0, first) == (second, 0, {A: 11, B: 20})


def test_the_least_of_all_members_counts_and_those_that_are_gone_do_not(redis):
    ask(redis, "one", 7, 1)
    assert ask(redis, "two", 9, 1)[1] == 7
    assert ask(redis, "one", 12, 1)[1] == 9
    redis("HSET", WORKERS, "dead", "3 1000", "unreadable", "x")
    assert ask(redis, "one", 12, 1)[1] == 9
    assert sorted(redis("HKEYS", WORKERS)) == [b"one", b"two"]


def test_the_version_rises_also_after_a_loss(redis):
    version = purge(redis, (A, 10))
    redis("DEL", PURGES)
    assert purge(redis, (A, 10)) >= version
