"""What is lost in Redis without anybody noticing, brought back by feedctl: all feeds of a tenant from the outboxes, and what the outboxes have not got
any more from Kafka's log between two times."""
import datetime
import json
import threading
import time
import uuid

import msgpack
import pytest
from purge_world import START_MS, World, connect, until

TTL_S = 2592000


@pytest.fixture
def world(apache_kafka, redis_server, daemon, bin_dir):
    return lambda **options: World(apache_kafka(2), redis_server.url, connect(redis_server), daemon, bin_dir, **options)


def command(world, user, tenant="demo"):
    world.produce(world.topics.commands_topic, f"{tenant}/{user}".encode(), msgpack.packb([1, "wake"]))


def commands_done(world):
    world.flush()
    until(lambda: world.lag(world.topics.commands_topic, world.topics.group + "-commands") == 0, "the commands")


def text(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now():
    """A time that everything sent until now is before, and everything sent from now on after."""
    ms = int(time.time() * 1000) + 1
    until(lambda: time.time() * 1000 > ms + 1, "the next millisecond")
    return text(ms)


def lose(world, prefix, user, ids):
    """Without a mark: as if somebody had deleted them by hand."""
    key = f"{prefix}:{{demo/{user}}}"
    gone = [member for member in world.redis.zrange(key, 0, -1) if member[:16] in ids and len(member) > 17]
    assert len(gone) == len(ids) == world.redis.zrem(key, *gone)


# ---- all feeds of a tenant ----


def test_all_feeds_of_a_tenant(world):
    world = world(feed__ttl_s=TTL_S)
    awake, asleep = [f"fan{n}" for n in range(40)], [f"sleeper{n}" for n in range(5)]
    for fan in awake + asleep:
        for author in ("ann", "bob", "cy"):
            world.activity(fan, "follow", author, "user")
    world.settle()
    for fan in awake:
        command(world, fan)
    command(world, "else", "shop")
    commands_done(world)
    for number in range(30):
        world.activity(("ann", "bob", "cy")[number % 3], "post", f"note{number}")
    world.settle()
    before = {fan: world.entries("f", fan) for fan in awake}
    assert all(len(ids) == 30 for ids in before.values())
    for number, fan in enumerate(awake):
        lose(world, "f", fan, before[fan][number % 7:20:3])
    sizes, seen, stop = {fan: len(world.entries("f", fan)) for fan in awake}, [], threading.Event()

    def watch():
        while not stop.is_set():
            for fan in awake:
                size = len(world.entries("f", fan))
                if size < sizes[fan]:
                    seen.append((fan, sizes[fan], size))
                sizes[fan] = size

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert json.loads(world.feedctl("rebuild", "--json", "--rate=100"))["done"] == len(awake)
    finally:
        stop.set()
        watcher.join()
    assert seen == [], "no feed was ever emptier than before"
    assert {fan: world.entries("f", fan) for fan in awake} == before
    assert not any(world.redis.exists(f"f:{{demo/{fan}}}") for fan in asleep), "who sleeps goes on sleeping"


def test_a_tenant_without_feeds_has_nothing_to_do(world):
    assert world().feedctl("rebuild", "--tenant=nobody") == "0 done\n"


# ---- from the log ----


@pytest.fixture
def lost(world):
    """(world, begin, middle, end, {when: ids}): 150 notes before the middle and 10 after it, all lost in the feed of ann, who follows bob."""
    world = world()
    world.activity("ann", "follow", "bob", "user")
    world.activity("cy", "follow", "bob", "user")
    world.settle()
    begin = now()
    early = [world.activity("bob", "post", f"early{n}") for n in range(150)][-95:-40]
    world.settle()
    middle = now()
    late = [world.activity("bob", "post", f"late{n}") for n in range(5)]
    world.settle()
    undone = world.activity("bob", "post", "undone")
    world.activity("bob", "undo", str(uuid.UUID(bytes=undone)), "activity")
    world.settle()
    end = now()
    lose(world, "f", "ann", early + late)
    return world, begin, middle, end, {"early": early, "late": late, "undone": undone}


def test_the_activities_between_two_times_come_back(lost):
    world, begin, middle, end, ids = lost
    whole = world.entries("f", "cy")
    log_end = world.lag(world.topics.topic, "nobody")
    world.feedctl("rebuild", f"--from={begin}", f"--to={middle}")
    feed = world.entries("f", "ann")
    assert set(ids["early"]) <= set(feed) and not set(ids["late"]) & set(feed)
    assert json.loads(world.feedctl("rebuild", "--json", f"--from={middle}", f"--to={end}"))["done"] == 7
    assert world.entries("f", "ann") == whole and ids["undone"] not in whole
    assert world.lag(world.topics.topic, "nobody") == log_end, "the log has not grown by it"
    world.feedctl("rebuild", f"--from={begin}")
    assert world.entries("f", "ann") == world.entries("f", "cy") == whole, "once more changes nothing"


def test_for_one_user_only_what_concerns_them_is_read_again(lost):
    world, begin, _, _, ids = lost
    begin = now()
    world.activity("dan", "post", "for nobody")
    mention = world.activity("dan", "post", "for ann", to=["ann", "eve"])
    owned = world.activity("dan", "like", "her note", owner="ann")
    followed = world.activity("dan", "follow", "ann", "user")
    note = world.activity("bob", "post", "followed")
    world.settle()
    notified = world.entries("n", "ann")
    lose(world, "n", "ann", [mention, owned, followed])
    lose(world, "f", "ann", [note])
    assert json.loads(world.feedctl("rebuild", "ann", "--json", f"--from={begin}"))["done"] == 4
    assert world.entries("n", "ann") == notified and note in world.entries("f", "ann")
    assert not set(ids["late"]) & set(world.entries("f", "ann")), "those are from before"


def test_a_lost_follow_comes_back_and_an_ended_one_does_not(world):
    world = world()
    begin = now()
    world.activity("ann", "follow", "bob", "user")
    world.activity("ann", "follow", "cy", "user")
    world.activity("ann", "unfollow", "cy", "user")
    note = world.activity("bob", "post", "note")
    world.settle()
    world.redis.zrem("g:{demo/bob/0}", "ann")
    world.redis.delete("h:{demo/ann}", "f:{demo/ann}")
    world.feedctl("rebuild", f"--from={begin}")
    assert world.redis.zrange("h:{demo/ann}", 0, -1) == [b"bob"] and world.redis.zscore("g:{demo/bob/0}", "ann") == START_MS + 1000
    assert not world.redis.exists("g:{demo/cy/0}") and world.entries("f", "ann") == [note]


@pytest.mark.parametrize("arguments, fault", [
    (["--from=yesterday"], "must be times"), (["--from=2026-01-02T00:00:00Z", "--to=2026-01-01T00:00:00Z"], "must be before"),
    (["--to=2026-01-01T00:00:00Z"], "--to needs --from"), (["a b", "--from=2026-01-01T00:00:00Z"], "USER must be")])
def test_what_cannot_be_meant_is_refused(world, arguments, fault):
    assert fault in world().feedctl("rebuild", *arguments, expect=2)
