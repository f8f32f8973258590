"""Broadcast authors with real servers: an author with many followers is copied no more, and nobody misses anything while that changes."""
import datetime
import time
import uuid

import msgpack
from test_fanout import START_MS, activity, broker, drained, fanout, finished, produce, redis, until, window  # noqa: F401 (fixtures)


def state(redis, author="star"):
    return redis("HGET", f"a:{{demo/{author}}}", "broadcast")


def numbers(found):
    return [uuid.UUID(bytes=e[:16]).int for e in found]


def shown(redis, user, author="star", backfill=20):
    """What a gateway shows of the author, by the words of schemas/redis.md: the feed, joined with the outbox of who is in b:."""
    copies = set(numbers(window(redis, "f", user)[2]))
    since = redis("ZSCORE", f"b:{{demo/{user}}}", author)
    if since is None:
        return sorted(copies)
    found = redis("ZRANGE", f"o:{{demo/{author}}}", 1, -1, "WITHSCORES")
    members = [(int(score), member) for member, score in zip(found[::2], found[1::2])]
    older = [m for m in members if m[0] < int(since)][-backfill:] if backfill else []
    merged = older + [m for m in members if m[0] >= int(since)]
    marks = {uuid.UUID(bytes=m[:16]).int for _, m in members if len(m) == 17}
    return sorted((copies | set(numbers(m for _, m in merged))) - marks)


def copies(redis, user):
    return sorted(numbers(window(redis, "f", user)[2]))


def test_a_crowd_comes_and_goes(broker, redis, fanout):
    process = fanout(fanout__broadcast_threshold=5, fanout__broadcast_return_percent=60)
    sent = []

    def do(*records):
        sent.extend(records)
        produce(broker, records)
        drained(process, len(sent))

    do(activity(1, "star"), *(activity(10 + i, f"fan{i}", "follow", "star") for i in range(4)), activity(20, "star"))
    assert state(redis) is None
    assert copies(redis, "fan0") == [1, 20]
    do(activity(30, "fan4", "follow", "star"))
    assert state(redis) == b"on"
    assert process.metrics()['fanout_broadcast_crossings_total{direction="up"}'] == 1
    do(activity(40, "star", to=["fan1", "dan"]), activity(41, "fan5", "follow", "star"), activity(42, "star"))
    for i in range(6):
        assert redis("ZSCORE", f"b:{{demo/fan{i}}}", "star") == str(START_MS + (41 if i == 5 else 30 if i == 4 else 10 + i)).encode()
        assert shown(redis, f"fan{i}") == [1, 20, 40, 42], i
    assert copies(redis, "fan0") == [1, 20]
    assert copies(redis, "fan5") == []
    assert numbers(window(redis, "n", "fan1")[2]) == numbers(window(redis, "n", "dan")[2]) == [40]

    # Who leaves keeps what they saw, if they wish; an undo reaches that too.
    do(activity(50, "fan0", "unfollow", "star", data={"entries": "keep"}), activity(51, "fan1", "unfollow", "star"), activity(52, "star"))
    assert shown(redis, "fan0") == copies(redis, "fan0") == [1, 20, 40, 42]
    assert shown(redis, "fan1") == []
    undo = activity(60, "star", "undo", str(uuid.UUID(int=42)))
    undo = (undo[0], undo[1].replace(b"\xa4note", b"\xa8activity"), undo[2])
    do(undo)
    assert copies(redis, "fan0") == [1, 20, 40]
    assert shown(redis, "fan2") == [1, 20, 40, 52]
    assert state(redis) == b"on"

    # Down again: three is not below the lower threshold, two is.
    do(activity(70, "fan2", "unfollow", "star"))
    assert state(redis) == b"on"
    do(activity(71, "fan3", "unfollow", "star"))
    assert state(redis) is None
    assert process.metrics()['fanout_broadcast_crossings_total{direction="down"}'] == 1
    for i in (4, 5):
        assert redis("EXISTS", f"b:{{demo/fan{i}}}") == 0
        assert copies(redis, f"fan{i}") == [1, 20, 40, 52]
    do(activity(80, "star"), activity(81, "fan0", "follow", "star"))
    assert copies(redis, "fan4") == [1, 20, 40, 52, 80]
    assert copies(redis, "fan0") == [1, 20, 40, 52, 80]


def undo(number, actor, undone, published_ms, **names):
    key, value, headers = activity(number, actor, "undo", published_ms=published_ms)
    body = msgpack.unpackb(value) | {"object": {"type": "activity", "id": str(uuid.UUID(int=undone)), **names}}
    return key, msgpack.packb(body), headers


def test_an_undo_reaches_the_copies_from_before_a_crossing(broker, redis, fanout):
    """Also where times say that there are none: a clock that was ahead, and an undo that names another time for what the outbox does not know any more.
    The marks are in the feeds, not only in the outbox, where they would be pushed out."""
    process = fanout(fanout__broadcast_threshold=2)
    now = int(time.time() * 1000)
    ahead = now + 3_600_000
    sent = [activity(1, "fan0", "follow", "star"), activity(2, "star", published_ms=now), activity(3, "star", published_ms=ahead),
            activity(4, "fan1", "follow", "star")]
    produce(broker, sent)
    drained(process, len(sent))
    assert state(redis) == b"on"
    assert copies(redis, "fan0") == [2, 3]
    sent = [undo(5, "star", 3, ahead + 1), *(activity(10 + i, "star", published_ms=ahead + 10 + i) for i in range(125))]
    later = datetime.datetime.fromtimestamp((ahead + 500_000) / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    sent.append(undo(200, "star", 2, ahead + 200, published=later))
    produce(broker, sent)
    drained(process, 4 + len(sent))
    assert state(redis) == b"on"
    assert copies(redis, "fan0") == []


CROWD = 3000


def follow_without_kafka(redis, count):
    """Followers as `feedwire-fanout` would have written them."""
    for begin in range(0, count, 500):
        some = range(begin, min(begin + 500, count))
        redis("ZADD", "g:{demo/star/0}", *(x for i in some for x in (START_MS + i, f"fan{i}")))
    for i in range(count):
        redis("ZADD", f"h:{{demo/fan{i}}}", START_MS + i, "star")


def kill_in(process, redis, crossing):
    until(lambda: state(redis) == crossing, f"the state {crossing}")
    process.kill9()
    assert state(redis) == crossing, "it was too fast: nothing was broken off"


def test_killed_in_a_crossing_the_next_one_carries_it_out(broker, redis, fanout):
    follow_without_kafka(redis, CROWD - 1)
    process = fanout(fanout__commands_max=2, fanout__broadcast_threshold=CROWD, fanout__broadcast_return_percent=100)
    produce(broker, [activity(1, "star", published_ms=START_MS - 1)])
    drained(process, 1)
    last = activity(2, f"fan{CROWD - 1}", "follow", "star", published_ms=START_MS + CROWD)
    produce(broker, [last, activity(3, "star", published_ms=START_MS + CROWD + 1)])
    kill_in(process, redis, b"up")
    process.start()
    produce(broker, [activity(4, "star", published_ms=START_MS + CROWD + 2)])
    until(lambda: state(redis) == b"on", "the end of the crossing")
    produce(broker, [activity(5, "star", published_ms=START_MS + CROWD + 3)])
    until(lambda: 5 in numbers(window(redis, "o", "star")[2]), "the last activity")
    for i in (0, 1, 499, 500, CROWD // 2, CROWD - 2, CROWD - 1):
        assert shown(redis, f"fan{i}") == [1, 3, 4, 5], i
    assert all(redis("ZSCORE", f"b:{{demo/fan{i}}}", "star") for i in range(CROWD))

    produce(broker, [activity(6, "fan0", "unfollow", "star", published_ms=START_MS + CROWD + 4), activity(7, "star", published_ms=START_MS + CROWD + 5)])
    kill_in(process, redis, b"down")
    process.start()
    until(lambda: state(redis) is None, "the end of the crossing")
    until(lambda: all(7 in copies(redis, f"fan{i}") for i in (1, CROWD - 1)), "the last activity")
    until(lambda: process.metric("kafka_consumer_lag_records") == 0, "all records")
    assert shown(redis, "fan0") == []
    for i in range(1, CROWD):
        assert redis("EXISTS", f"b:{{demo/fan{i}}}") == 0
        assert copies(redis, f"fan{i}") == [1, 3, 4, 5, 7], i
