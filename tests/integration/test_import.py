"""A follow graph that was made elsewhere comes in at bulk speed, and nobody is told: `feedctl import` with real servers."""
import collections
import datetime
import json
import random
import re
import subprocess

import msgpack
import pytest
from feeds import decode
from feedwire_dev import ports
from graph_topic import read_edges, write_records
from test_fanout import DLQ_TOPIC, START_MS, TOPIC, finished, produce, redis, until  # noqa: F401 (fixtures)
from test_graph import edges_in_redis, followees_in_redis, pages_of

TTL_S = 3600
STAR_FOLLOWERS, EDGES = 12_000, 20_000


# ---- helpers ----


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(number, actor, verb="post", object_id="n1", published_ms=None, tenant="demo", **more):
    """The record of an activity: (key, value, headers)."""
    kind = "note" if verb == "post" else "user"
    headers = {"ce_id": f"{verb}-{number}", "ce_source": "/test", "ce_time": iso(published_ms or START_MS + number), "ce_tenant": tenant}
    body = {"actor": actor, "verb": verb, "object": {"type": kind, "id": object_id}, **more}
    return f"{tenant}/{actor}".encode(), msgpack.packb(body), [(name, text.encode()) for name, text in headers.items()]


def ndjson(edges):
    return "".join(json.dumps({"actor": actor, "object": followed, **({"since": since} if since else {})}) + "\n" for actor, followed, since in edges)


def keys_of(redis, tenant="demo"):
    """Key -> what it holds, of everything that a graph and feeds consist of; pages of one author as one, without what only says how far a
    split or a crossing has come."""
    found = collections.defaultdict(dict)
    for key in redis("KEYS", f"*:{{{tenant}/*"):
        name = key.decode()
        letter, user = name[0], name.split("/")[1].rstrip("}")
        if letter in "gklhb":
            rows = redis("ZRANGE", key, 0, -1, "WITHSCORES")
            found[letter, user] |= dict(zip(rows[::2], rows[1::2]))
        elif letter == "m":
            rows = redis("HGETALL", key)
            found[letter, user] = dict(zip(rows[::2], rows[1::2])) if isinstance(rows, list) else rows
        elif letter == "a":
            found[letter, user] = redis("HGET", key, "broadcast")
        elif letter in "fno":
            rows = redis("ZRANGE", key, 1, -1, "WITHSCORES")
            entries = [(int(score), *decode(entry)) for entry, score in zip(rows[::2], rows[1::2])]
            found[letter, user] = [entry for entry in entries if entry[2]["verb"] != "follow"]
    for (letter, user), entries in found.items():
        if letter == "f":  # what a broadcast author did before is there or not: it is merged
            merged = found.get(("b", user), ())
            entries[:] = [entry for entry in entries if entry[2]["actor"].encode() not in merged]
    return {key: value for key, value in found.items() if value}


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({TOPIC: 1, DLQ_TOPIC: 1, "later": 2})


@pytest.fixture
def fanout(broker, redis_server, daemon):
    return lambda **options: daemon("fanout", **{"kafka.brokers": broker.bootstrap, "redis.url": redis_server.url, "feed.ttl_s": TTL_S,
                                                 "commit.interval_ms": 50, "kafka.properties": "session.timeout.ms=6000", **options})


@pytest.fixture
def feedctl(bin_dir, broker, tmp_path):
    """feedctl(words, stdin=.., expect=0) -> (stdout, stderr)"""

    def run(*words, stdin="", expect=0, **options):
        command = [bin_dir / "feedctl", f"--kafka.brokers={broker.bootstrap}", *words, *(f"--{name}={value}" for name, value in options.items())]
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(command, input=data, capture_output=True, timeout=120)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout.decode(), done.stderr.decode()

    return run


def imports(feedctl, edges, **options):
    return json.loads(feedctl("import", "-", "--json", stdin=ndjson(edges), **options)[0])


# ---- the graph ----


def heavy_tail():
    """An author with most of the followers, and others with fewer and fewer; some edges are there twice, with two times."""
    chance = random.Random(20)
    edges = [(f"u{i}", "star", START_MS + chance.randrange(1_000_000)) for i in range(STAR_FOLLOWERS)]
    while len(edges) < EDGES:
        actor, followed = f"u{chance.randrange(STAR_FOLLOWERS)}", f"a{min(int(chance.paretovariate(0.7)), 400)}"
        edges.append((actor, followed, START_MS + chance.randrange(1_000_000)))
    chance.shuffle(edges)
    return edges


def oracle(edges):
    """What single follows would leave: the oldest of each pair."""
    first = {}
    for actor, followed, since in edges:
        key = f"demo/follow/{actor}/{followed}"
        first[key] = min(since, first.get(key, since))
    return {key: (since, 0) for key, since in first.items()}


def test_a_large_graph_survives_a_kill_and_the_loss_of_redis(apache_kafka, redis, redis_server, daemon, bin_dir, tmp_path):
    edges = heavy_tail()
    expected = oracle(edges)
    topics = apache_kafka(2)
    process = daemon("fanout", **{**topics.fanout_options, "redis.url": redis_server.url, "feed.ttl_s": TTL_S,
                                  "kafka.properties": "session.timeout.ms=6000"})
    file = tmp_path / "graph.ndjson"
    file.write_text(ndjson((actor, followed, iso(since)) for actor, followed, since in edges))
    options = {name: value for name, value in topics.fanout_options.items() if name != "kafka.graph_topic"}
    command = [bin_dir / "feedctl", "import", file, "--json", "--timeout_ms=60000", *(f"--{name}={value}" for name, value in options.items())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        until(lambda: finished(process) >= EDGES // 5, "progress")
        process.kill9()
        process.start()
        told, progress = running.communicate(timeout=180)
    assert running.returncode == 0, progress
    assert f"{EDGES} follows, ".encode() in progress and b"/s, 100%, 0 bad lines\n" in progress
    followers = len({actor for actor, _, _ in edges})
    assert json.loads(told).items() >= {"follows": EDGES, "followers": followers, "bad": 0, "skipped": 0}.items()
    assert read_edges(topics.bootstrap, topics.graph_topic) == edges_in_redis(redis) == expected
    assert followees_in_redis(redis) == {tuple(key.split("/")[2:]) for key in expected}
    pages = pages_of(redis, "star")
    assert len(pages) == 2 and sum(pages.values()) == STAR_FOLLOWERS
    assert redis("KEYS", "[fno]:*") == []  # nobody was told, and nothing was awake
    assert process.metrics()['fanout_records_total{result="dead_letter"}'] == 0

    redis("FLUSHALL")
    until(lambda: process.metric("fanout_partitions_rewound_total") >= 2 and process.metric("fanout_recovering") == 0, "the recovery")
    until(lambda: process.metric("kafka_consumer_lag_records") == 0 and edges_in_redis(redis) == expected, "the same graph", 120)
    assert followees_in_redis(redis) == {tuple(key.split("/")[2:]) for key in expected}
    assert read_edges(topics.bootstrap, topics.graph_topic) == expected


# ---- as if they had followed one by one ----

AUTHORS = [f"author{i}" for i in range(6)]
FANS = [f"fan{i}" for i in range(12)]


def before(tenant):
    """What is there when the graph comes: posts, and what somebody has settled about somebody."""
    number = 0
    for round_ in range(8):
        for author in AUTHORS:
            number += 10
            yield record(number, author, object_id=f"n{round_}", tenant=tenant)
    yield record(100_001, "fan0", "unfollow", "author0", tenant=tenant)  # younger than the follow to come: it never was
    yield record(100_002, "author1", "block", "fan1", tenant=tenant)
    yield record(100_003, "fan2", "mute", "author2", tenant=tenant)
    yield record(50, "fan3", "follow", "author3", tenant=tenant)         # older than the one to come
    yield record(100_004, "fan4", "follow", "author4", tenant=tenant)    # younger
    yield record(60, "fan5", "follow", "author5", tenant=tenant)
    yield record(70, "fan5", "unfollow", "author5", tenant=tenant)       # followed again by the one to come


def graph():
    """Fans follow authors; the last author has all of them, and is a broadcast author by that."""
    for i, fan in enumerate(FANS):
        for k, author in enumerate(AUTHORS):
            if k == 5 or (i + k) % 2 == 0 or i == k:
                yield fan, author, START_MS + 100 + 20 * i + k


def test_it_is_as_if_they_had_followed_one_by_one(broker, redis, fanout, feedctl):
    process = fanout(fanout__page_followers=11, fanout__broadcast_threshold=10)
    sent = 0

    def settled(more):
        nonlocal sent
        sent += more
        until(lambda: finished(process) >= sent, "everything")

    for tenant in ("single", "bulk"):
        records = list(before(tenant))
        produce(broker, records)
        settled(len(records))
        feedctl("wake", "fan2", "fan4", "fan7", "--tenant=" + tenant)
    edges = list(graph())
    produce(broker, [record(i, fan, "follow", author, since, tenant="single") for i, (fan, author, since) in enumerate(edges)])
    settled(len(edges))
    told = imports(feedctl, [(fan, author, iso(since)) for fan, author, since in edges], tenant="bulk")
    assert (told["follows"], told["followers"]) == (len(edges), len(FANS))
    settled(len(edges) + len(FANS))

    single, bulk = keys_of(redis, "single"), keys_of(redis, "bulk")
    assert single["a", "author5"] == b"on" and len(single["b", "fan7"]) == 1
    assert b"fan0" not in single["g", "author0"] and b"fan1" not in single["g", "author1"]
    assert {user for letter, user in bulk if letter == "f"} == {"fan2", "fan4", "fan7"}
    assert len(bulk["f", "fan7"]) == 8 * len([a for f, a, _ in edges if f == "fan7" and a != "author5"])
    assert bulk == single
    topic = read_edges(broker.bootstrap)
    assert {k.removeprefix("bulk/"): v for k, v in topic.items() if k.startswith("bulk/")} == \
        {k.removeprefix("single/"): v for k, v in topic.items() if k.startswith("single/")}
    told = {key.decode(): redis("ZCARD", key) - 1 for key in redis("KEYS", "n:{bulk/*")}
    assert told == {f"n:{{bulk/author{i}}}": 1 for i in (3, 4, 5)}  # of the three follows that were not imported

    # Who was asleep wakes up to the same, and what comes now reaches both alike.
    for tenant in ("single", "bulk"):
        feedctl("wake", *FANS, "--tenant=" + tenant)
        produce(broker, [record(200_000 + i, author, object_id="late", tenant=tenant) for i, author in enumerate(AUTHORS)])
        settled(len(AUTHORS))
    assert keys_of(redis, "bulk") == keys_of(redis, "single")
    assert process.metrics()['fanout_records_total{result="imported"}'] == len(edges) + len(FANS)


def test_where_feeds_do_not_sleep_they_are_filled_too(broker, redis, fanout, feedctl):
    process = fanout(feed__ttl_s=0)
    produce(broker, [record(i, "bob", object_id=f"n{i}") for i in range(30)])
    until(lambda: finished(process) == 30, "the posts")
    imports(feedctl, [("ann", "bob", iso(START_MS + 25)), ("cy", "dan", iso(START_MS))])
    feeds = keys_of(redis)
    assert [ms for ms, *_ in feeds["f", "ann"]] == [START_MS + i for i in range(5, 30)]
    assert ("n", "bob") not in feeds and ("o", "ann") not in feeds


def test_again_changes_nothing_and_loses_against_what_is_newer(broker, redis, fanout, feedctl):
    process = fanout()
    edges = [("ann", "bob", START_MS + 10), ("cy", "bob", START_MS + 20), ("ann", "dan", START_MS + 30)]
    imports(feedctl, [(a, b, iso(since)) for a, b, since in edges])
    assert edges_in_redis(redis) == oracle(edges)
    done = finished(process)
    produce(broker, [record(40, "cy", "unfollow", "bob")])
    until(lambda: finished(process) == done + 1, "the unfollow")
    left = edges_in_redis(redis)
    assert left["demo/follow/cy/bob"] == (0, START_MS + 40)
    imports(feedctl, [(a, b, iso(since)) for a, b, since in edges])
    assert edges_in_redis(redis) == left == read_edges(broker.bootstrap)
    imports(feedctl, [("cy", "bob", iso(START_MS + 50))])
    assert edges_in_redis(redis)["demo/follow/cy/bob"] == (START_MS + 50, START_MS + 40)


def test_a_command_that_is_killed_is_run_again(broker, redis, fanout, feedctl, bin_dir):
    process = fanout()
    edges = [(f"u{i % 40}", f"a{i}", START_MS + i) for i in range(400)]
    lines = ndjson((actor, followed, iso(since)) for actor, followed, since in edges).encode().splitlines(keepends=True)
    command = [bin_dir / "feedctl", "import", "-", f"--kafka.brokers={broker.bootstrap}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        running.stdin.write(b"".join(lines[:300]))
        running.stdin.flush()
        until(lambda: finished(process) > 0, "something of it")
        running.kill()
    told = json.loads(feedctl("import", "-", "--json", stdin=b"".join(lines))[0])
    assert (told["follows"], told["followers"]) == (400, 40)
    assert edges_in_redis(redis) == oracle(edges) == read_edges(broker.bootstrap)


def test_without_a_time_they_follow_since_now_or_since_the_option(redis, fanout, feedctl):
    fanout()
    earlier = int(datetime.datetime.now().timestamp() * 1000)
    told = imports(feedctl, [("ann", "bob", None)])
    since = edges_in_redis(redis)["demo/follow/ann/bob"][0]
    assert since >= earlier and told["since"] == iso(since)
    imports(feedctl, [("ann", "bob", None), ("cy", "bob", iso(START_MS + 5))], since="2020-01-02T03:04:05Z")
    assert {key: since for key, (since, _) in edges_in_redis(redis).items()} == {
        "demo/follow/ann/bob": 1577934245000, "demo/follow/cy/bob": START_MS + 5}


# ---- bad input ----

FUTURE = iso(4_000_000_000_000)
BAD_LINES = [
    (b"\xff\xfe\x00", "is not JSON"),
    (b'{"actor":"a\xc3\x28","object":"bob"}', "is not JSON"),
    (b'{"actor":"' + b"x" * (1 << 20) + b'","object":"bob"}', "is longer than 4096 bytes"),
    (b'{"actor":"ann"}', "object is missing"),
    (b'{"object":"bob"}', "actor is missing"),
    (b'{"actor":"ann","object":"ann"}', "object must be another user than the actor"),
    (b'{"actor":"a/b","object":"bob"}', "actor must be 1 to 128 characters"),
    (b'{"actor":"","object":"bob"}', "actor must be 1 to 128 characters"),
    (b'{"actor":"ann","object":"b}b"}', "object must be 1 to 128 characters"),
    (b'{"actor":"' + b"x" * 129 + b'","object":"bob"}', "actor must be 1 to 128 characters"),
    (b'{"actor":7,"object":"bob"}', "actor must be text"),
    (b'{"actor":"ann","actor":"cy","object":"bob"}', "actor is there more than once"),
    (b'{"actor":"ann","object":"bob","since":"' + FUTURE.encode() + b'"}', "since must not be in the future"),
    (b'{"actor":"ann","object":"bob","since":1700000000}', "since seems to be in seconds"),
    (b'{"actor":"ann","object":"bob","since":-1}', "since must be an RFC 3339 time"),
    (b'{"actor":"ann","object":"bob","since":"yesterday"}', "since must be an RFC 3339 time"),
    (b'{"actor":"ann","object":"bob","since":99999999999999999999}', "since must be an RFC 3339 time"),
    (b"[" * 100 + b"]" * 100, "the JSON is nested deeper than 32"),
    (b'["ann","bob"]', "must be an object"),
    (b"ann,bob", "is not JSON"),
    (b"null", "must be an object"),
]


def test_bad_lines_are_told_with_number_and_reason(redis, fanout, feedctl):
    fanout()
    good = '{{"actor":"u{0}","object":"bob","since":{1}}}'
    lines, expected = [], {}
    for i, (line, reason) in enumerate(BAD_LINES):
        lines += [good.format(i, START_MS + i).encode(), line, b"", good.format(i, START_MS + i).encode()]
        expected[f"line {4 * i + 2}"] = reason
    out, err = feedctl("import", "-", "--json", f"--max_errors={len(BAD_LINES)}", stdin=b"\n".join(lines))
    told = dict(re.findall(r"^feedctl: (line \d+): (.*)$", err, re.M))
    assert told.keys() == expected.keys()
    for where, reason in expected.items():
        assert told[where].startswith(reason), (where, told[where])
    summary = json.loads(out)
    assert (summary["follows"], summary["followers"], summary["bad"], summary["skipped"]) == (2 * len(BAD_LINES), len(BAD_LINES), len(BAD_LINES), len(BAD_LINES))
    assert edges_in_redis(redis) == {f"demo/follow/u{i}/bob": (START_MS + i, 0) for i in range(len(BAD_LINES))}


def test_it_stops_where_there_are_too_many(redis, fanout, feedctl):
    fanout()
    text = "a,b\nbad\nc,d\nworse\ne,f\n"
    _, err = feedctl("import", "-", "--max_errors=1", stdin=text, expect=1)
    assert "line 2" in err and "line 4" in err and "stopped" in err
    assert set(edges_in_redis(redis)) == {"demo/follow/a/b", "demo/follow/c/d"}
    _, err = feedctl("import", "-", stdin=text, expect=1)
    assert "line 2" in err and "line 4" not in err


def test_csv_as_people_have_it(redis, fanout, feedctl):
    fanout()
    text = f'\ufeffactor,object,since\r\n"ann","bob","{iso(START_MS)}"\r\ncy,bob\r\n dan , bob , {START_MS + 1}\r\neve,bob,\r\nfay,bob,1,2\r\ngil,bob'
    out, err = feedctl("import", "-", "--json", "--max_errors=1", "--since=2020-01-02T03:04:05Z", stdin=text)
    assert "line 6: must be actor,object" in err
    assert {key.split("/")[2]: since for key, (since, _) in edges_in_redis(redis).items()} == {
        "ann": START_MS, "cy": 1577934245000, "dan": START_MS + 1, "eve": 1577934245000, "gil": 1577934245000}


def test_words_that_make_no_sense(feedctl, tmp_path):
    for words, message in ((("import",), "import takes a FILE"), (("import", "a", "b"), "one FILE"), (("import", "a", "--topic=b"), "not both"),
                           (("import", "--topic=b/c"), "--topic may have"), (("import", "-", "--format=xml"), "--format must be"),
                           (("import", "-", "--since=2999-01-01T00:00:00Z"), "--since must be"), (("import", "-", "--since=x"), "--since must be")):
        assert message in feedctl(*words, expect=2)[1]
    for name, message in (("nowhere", "nowhere: No such file"), (".", "is a directory")):
        assert message in feedctl("import", str(tmp_path / name), expect=1)[1]


def test_nothing_is_not_an_error(fanout, feedctl):
    fanout()
    assert json.loads(feedctl("import", "-", "--json")[0])["follows"] == 0


def test_without_a_fan_out_it_says_so(feedctl):
    assert "is the fan-out running?" in feedctl("import", "-", stdin="ann,bob\n", expect=1, timeout_ms=1000)[1]


# ---- from a topic ----


def test_from_a_topic(broker, redis, fanout, feedctl):
    fanout()
    edges = [(f"u{i}", f"a{i % 7}", START_MS + i) for i in range(500)]
    values = [(actor, json.dumps({"actor": actor, "object": followed, "since": since, "op": "c"}).encode()) for actor, followed, since in edges]
    write_records(broker.bootstrap, values[:250] + [("gone", None), ("bad", b"\xff")] + values[250:], topic="later")
    out, err = feedctl("import", "--topic=later", "--json", "--max_errors=1")
    assert re.search(r"record later/\d+/\d+: is not JSON", err)
    assert json.loads(out).items() >= {"follows": 500, "bad": 1, "skipped": 1}.items()
    assert edges_in_redis(redis) == oracle(edges)


def test_without_kafka_it_gives_up(feedctl):
    nobody = f"--kafka.brokers=127.0.0.1:{ports.any_free()}"
    assert "Kafka did not take" in feedctl("import", "-", nobody, stdin="ann,bob\n", expect=1, timeout_ms=1000)[1]
    assert "the topic cannot be read" in feedctl("import", "--topic=later", nobody, expect=1, timeout_ms=1000)[1]
