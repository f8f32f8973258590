"""What goes to the topic graph of edges and settings and comes back from it, by the functions of schemas/redis/feedwire_v1.lua against a real
redis-server. States that were true once may be put back in any order, again, and late. SEED=n in the environment replays one failure."""
import os
import random
import re

import pytest
from test_redis_functions import (  # noqa: F401 (fixtures)
    redis, server,
)
from test_redis_mutes import filter_, settle
from test_redis_settings import FOLLOWEES, SETTINGS, TIMELINE, CAP, act, followees, join, leave, push

SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else range(150)
SOURCES = b"b:{demo/ann}"


@pytest.fixture(params=SEEDS)
def chance(request):
    return random.Random(request.param)


def state(redis, user="bob", ended=0):
    return redis("FCALL", "feedwire_v1_settings_state", 1, SETTINGS, user, ended)


def load(redis, texts, user="bob", side="own", key=SETTINGS):
    return redis("FCALL", "feedwire_v1_settings_load", 1, key, user, *texts, side)


def filter_state(redis):
    return redis("FCALL_RO", "feedwire_v1_filter_state", 1, SETTINGS)


def filter_load(redis, texts):
    return redis("FCALL", "feedwire_v1_filter_load", 1, SETTINGS, *texts)


def followee_load(redis, since, ended, user="bob"):
    return redis("FCALL", "feedwire_v1_followee_load", 2, FOLLOWEES, SETTINGS, user, since, ended)


def leave_and_tell(redis, user, time, how):
    return redis("FCALL", "feedwire_v1_leave", 4, FOLLOWEES, SETTINGS, TIMELINE, SOURCES, user, time, CAP, how, "kept")


def settled(redis):
    """field -> registers or text, as they rule: an end again that says nothing new is left out, and so are edges, which have records of their own."""
    found = redis("HGETALL", SETTINGS)
    rules = {}
    for field, value in zip(found[::2], found[1::2]):
        if field[:1] in (b"#", b"/"):
            rules[field] = value
            continue
        times = {letter: int(time) for letter, time in re.findall(r"([A-Za-z])(\d+)", value.decode())}
        for on, off, first in (("m", "n", "v"), ("b", "c", "d"), ("B", "C", "D")):
            if on not in times:
                times.pop(first, None)
            elif times.get(off, 0) > times[on]:
                times.setdefault(first, times[off])
        rules[field] = {letter: time for letter, time in times.items() if letter not in "uf"}
    return {field: rule for field, rule in rules.items() if rule}


def empty(redis):
    redis("DEL", SETTINGS, FOLLOWEES, TIMELINE)


def put_back(redis, chance, states, put):
    """The newest one, and any others, each once or more, in any order."""
    chosen = [states[-1], *chance.choices(states, k=chance.randrange(6))]
    chance.shuffle(chosen)
    for texts in chosen:
        put(texts)


# ---- mutes and blocks ----


def test_mutes_and_blocks_are_as_they_were(redis, chance):
    states = []
    for time in range(10, 10 + chance.randint(1, 12)):
        settle(redis, chance.choice("mnbc"), "bob", time)
        states.append(state(redis, ended=time if chance.random() < 0.2 else 0))
    before = settled(redis)
    empty(redis)
    put_back(redis, chance, states, lambda texts: load(redis, texts))
    assert settled(redis) == before
    assert state(redis) == states[-1]


def test_a_block_is_put_back_on_the_other_side_too(redis, chance):
    other, states = b"m:{demo/bob}", []
    for time in range(10, 10 + chance.randint(1, 8)):
        letter = chance.choice("bc")
        settle(redis, letter, "bob", time)
        redis("FCALL", "feedwire_v1_settle", 4, other, b"h:{demo/bob}", b"f:{demo/bob}", b"n:{demo/bob}", letter.upper(), "ann", time, CAP)
        states.append(state(redis))
    before = redis("HGET", other, "ann")
    redis("DEL", other)
    put_back(redis, chance, states, lambda texts: load(redis, texts, "ann", "other", other))
    wanted, found = ({letter: time for letter, time in re.findall(r"([A-Z])(\d+)", text.decode())} for text in (before, redis("HGET", other, "ann")))
    if "B" in wanted and "C" in wanted and int(wanted["C"]) > int(wanted["B"]):
        wanted.setdefault("D", wanted["C"])
    if "B" not in wanted:
        wanted.pop("D", None), found.pop("D", None)
    assert found == wanted


def test_what_is_there_already_is_not_undone_by_an_older_state(redis):
    settle(redis, "m", "bob", 10)
    muted = state(redis)
    settle(redis, "n", "bob", 20)
    load(redis, muted)
    assert push(redis, (30, act(1)), (19, act(2))) == [1, -2]


def test_nothing_settled_is_two_empty_texts(redis):
    assert state(redis) == [b"", b""] and filter_state(redis) == [b"", b""]
    settle(redis, "B", "bob", 10)
    assert state(redis) == [b"", b""], "it is the other's act"
    join(redis, "cy", 5)
    leave(redis, "cy", 6)
    assert state(redis, "cy") == [b"", b""], "the edge has a record of its own"
    assert redis("HLEN", SETTINGS) == 2


def test_letters_of_a_later_version_are_left_out(redis):
    load(redis, ["m10 Q5 z7 B9", ""])
    assert redis("HGET", SETTINGS, "bob") == b"m10"


# ---- what was kept ----


def test_what_was_kept_is_as_it_was(redis, chance):
    states, time = [], 10
    for _ in range(chance.randint(1, 14)):
        time += chance.randint(1, 5)
        if "bob" not in followees(redis):
            join(redis, "bob", time, time, time - 1)
            continue
        leave_and_tell(redis, "bob", time, chance.choice(["keep", "keep", "purge"]))
        states.append(state(redis))
    if not states:
        return
    before = settled(redis)
    empty(redis)
    put_back(redis, chance, states, lambda texts: load(redis, texts))
    found = settled(redis)
    spans = [re.findall(r"(\d+) (\d+)", rules.get(b"/bob", b"").decode()) for rules in (before, found)]
    assert spans[0] == spans[1] and before.get(b"bob") == found.get(b"bob")


def test_who_asks_is_told_that_something_was_kept_also_again(redis):
    assert leave_and_tell(redis, "bob", 10, "purge") == 0, "there is nothing to tell"
    join(redis, "bob", 20, 20, 10)
    assert leave_and_tell(redis, "bob", 30, "keep") == [0, b"kept"]
    assert leave_and_tell(redis, "bob", 30, "keep") == [0, b"kept"]
    assert state(redis) == [b"", b"20 30"]
    join(redis, "bob", 40, 40, 30)
    assert leave_and_tell(redis, "bob", 30, "keep") == [-1, b"kept"], "when it comes again, and nobody knows whether the topic has it"
    for _ in range(2):
        assert leave_and_tell(redis, "bob", 50, "purge") == [0, b"kept"]
    assert state(redis) == [b"p50", b""]
    assert leave(redis, "bob", 50) == 0, "older workers do not ask"


# ---- verbs ----


def test_verbs_are_as_they_were(redis, chance):
    states = []
    for time in range(10, 10 + chance.randint(1, 10)):
        filter_(redis, time, *chance.sample(["like", "share", "post", "comment"], chance.randint(0, 4)))
        states.append(filter_state(redis))
    before = settled(redis)
    empty(redis)
    put_back(redis, chance, states, lambda texts: filter_load(redis, texts))
    assert settled(redis) == before


def test_no_more_than_256_verbs_go_to_the_topic_the_newest_ends_first(redis):
    for i in range(300):
        filter_(redis, 10 + i, f"v{i}")
    time, rules = filter_state(redis)
    words = rules.decode().split(" ")
    assert time == b"309" and len(words) == 3 * 256
    assert words[:6] == ["v299", "309", "0", "v298", "308", "309"]


# ---- edges, at the follower ----


def test_an_edge_that_comes_late_changes_nothing(redis, chance):
    """The states of one edge, and at the follower what work has made of it since: any of them may come after all others."""
    states, since, ended = [], 0, 0
    for time in range(10, 10 + chance.randint(1, 10)):
        if since and chance.random() < 0.5:
            leave(redis, "bob", time, chance.choice(["purge", "keep"]))
            since, ended = 0, time
        elif not since:
            join(redis, "bob", time, time, ended)
            since = time
        states.append((since, ended))
    present = followees(redis)
    for late in chance.choices(states, k=4):
        followee_load(redis, *late)
        assert followees(redis) == present == ({"bob": since} if since else {})
    empty(redis)
    put_back(redis, chance, states, lambda edge: followee_load(redis, *edge))
    assert followees(redis) == present
    assert push(redis, (ended or 1, act(1))) == (-2 if ended else 1), "what is from before the end stays away"
    if since:
        assert push(redis, (since, act(2))) > 0


def test_who_never_left_has_no_settings(redis):
    assert followee_load(redis, 10, 0) == 1 and followee_load(redis, 10, 0) == 0
    assert followees(redis) == {"bob": 10} and redis("EXISTS", SETTINGS) == 0
