"""The four rules on which it rests that redelivery and replay change nothing, with the functions on a real redis-server: calls in any order, any of
them more than once. What comes of them must depend on nothing but the set. SEED=n in the environment replays one failure."""
import os
import random

import pytest
from test_redis_functions import (  # noqa: F401 (fixtures)
    CAP, SLACK, TIMELINE, add, entries, follow, redis, server, unfollow, window,
)
from test_redis_mutes import filter_, settle
from test_redis_removal import remove
from test_redis_settings import NOTIFICATIONS, act, backfill, followees, join, leave, push

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(150)


def in_any_order(chance, calls):
    """Each one to three times."""
    calls = [call for call in calls for _ in range(chance.randint(1, 3))]
    chance.shuffle(calls)
    for call in calls:
        call()


@pytest.fixture(params=SEEDS)
def chance(request):
    return random.Random(request.param)


def test_adding_is_by_id(redis, chance):
    pairs = [(1000 + chance.randrange(40), act(i)) for i in range(chance.randint(1, 140))]
    in_any_order(chance, [lambda p=p: push(redis, p) for p in pairs])
    assert entries(redis, limit=CAP) == sorted(pairs, reverse=True)[:CAP]
    if len(pairs) <= CAP:
        assert window(redis)[1] == len(pairs)


def test_an_edge_counts_only_if_it_is_not_younger(redis, chance):
    """Pushes go to those whom the pages name; and a second look is taken where the feed is."""
    ended, again = 20, 30
    pairs = [(10 + chance.randrange(40), act(i)) for i in range(12)]

    def fan_out(pair):
        if "ann" in [f.decode() for f in redis("FCALL_RO", "feedwire_v1_followers", 1, b"g:{demo/bob/0}", pair[0], 10)[1:]]:
            push(redis, pair)

    for act_, time in ((follow, 5), (unfollow, ended), (follow, again)):
        if act_ is follow:
            state, edge, before = follow(redis, "ann", time)
            join(redis, "bob", time, edge, before)
        elif unfollow(redis, "ann", time):
            leave(redis, "bob", time)
    stale = [lambda p=p: push(redis, p) for p in pairs]  # of pages that were read while the first edge stood
    in_any_order(chance, [lambda p=p: fan_out(p) for p in pairs] + stale)
    assert entries(redis) == sorted([p for p in pairs if p[0] >= again], reverse=True)


def test_removing_leaves_a_mark(redis, chance):
    pairs = [(1000 + chance.randrange(40), act(i)) for i in range(chance.randint(1, 140))]
    gone = [p for p in pairs if chance.random() < 0.3]
    number = {p: int.from_bytes(p[1][:16], "big") for p in pairs}
    look = chance.choice(["", None])
    in_any_order(chance, [lambda p=p: push(redis, p) for p in pairs]
                 + [lambda p=p: remove(redis, number[p], p[0] if look is None else "", p[0]) for p in gone]
                 + [lambda p=p: backfill(redis, 1, p) for p in chance.sample(pairs, len(pairs) // 3)])
    assert entries(redis, limit=CAP) == [p for p in sorted(pairs, reverse=True)[:CAP] if p not in gone]


def test_edges_take_the_newest_event(redis, chance):
    times = {10 + i * 10 + chance.randrange(5): chance.choice([follow, unfollow]) for i in range(chance.randint(2, 7))}

    def work_off(time, what):
        if what is follow:
            state, edge, before = follow(redis, "ann", time)
            if state:
                join(redis, "bob", time, edge, before)
        elif unfollow(redis, "ann", time):
            leave(redis, "bob", time)

    in_any_order(chance, [lambda t=t, w=w: work_off(t, w) for t, w in times.items()])
    follows = times[max(times)] is follow
    assert ("bob" in followees(redis)) == follows
    assert (redis("ZSCORE", b"g:{demo/bob/0}", "ann") is not None) == follows
    if follows:
        assert push(redis, (1000, act(1))) == 1


@pytest.mark.parametrize("on, off", [("m", "n"), ("b", "c"), ("B", "C")])
def test_settings_take_the_newest_event(redis, chance, on, off):
    times = {10 + i * 10 + chance.randrange(5): chance.choice([on, off]) for i in range(chance.randint(2, 7))}
    in_any_order(chance, [lambda t=t, x=x: settle(redis, x, "bob", t) for t, x in times.items()])
    hidden = times[max(times)] == on
    assert push(redis, (1000, act(1)), key=NOTIFICATIONS) == (-2 if hidden else 1)


def test_the_newest_list_of_verbs_counts(redis, chance):
    lists = {10 + i: chance.sample(["like", "share", "post"], chance.randint(0, 3)) for i in range(chance.randint(1, 6))}
    in_any_order(chance, [lambda t=t, v=v: filter_(redis, t, *v) for t, v in lists.items()])
    for i, verb in enumerate(("like", "share", "post")):
        assert (push(redis, (1000 + i, act(i, verb=verb))) == -2) == (verb in lists[max(lists)])
