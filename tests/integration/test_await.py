"""Reading one's own write: from ingest's answer to the client that shows the feed. Real Kafka, real Redis, real daemons."""
import uuid

import pytest
from ingest_client import activity, send
from test_fanout import SHORT_SESSION, redis  # noqa: F401 (fixture)
from test_gateway import Client
from test_stale import standing_still, take_until


@pytest.fixture
def stack(apache_kafka, redis_server, daemon, make_token):
    """(ingest, fan-out, a client of ann, who follows bob)"""
    kafka = apache_kafka(4)
    ingest = daemon("ingest", **kafka.ingest_options)
    fanout = daemon("fanout", **{**kafka.fanout_options, "redis.url": redis_server.url, "kafka.properties": SHORT_SESSION})
    gateway = daemon("gateway", **{"redis.url": redis_server.url, "kafka.topic": kafka.topic, "heartbeat_ms": 1000})
    client = Client(gateway, make_token("ann")).opened()
    follow = post(ingest, activity("ann", verb="follow", object={"type": "user", "id": "bob"}))
    assert answer(client, "follow", follow) == "passed", "a follow is no entry of the home feed"
    return ingest, fanout, client


def post(ingest, *activities):
    said = send(ingest, list(activities))
    assert said.status == 202, said.text
    return said.json["activities"]


def ask(client, name, positions, **options):
    client.say({"type": "await", "id": name, "feed": "home", "positions": positions, **options})


def answer(client, name, positions=None, **options):
    if positions:
        ask(client, name, positions, **options)
    found = []
    take_until(client, lambda: found or found.extend(m["type"] for m in client.messages if m["type"] in ("visible", "passed", "timeout", "error") and m.get("id") == name) or found, name)
    return found[0]


def test_visible_passed_and_timeout(stack):
    ingest, fanout, client = stack
    mine = post(ingest, activity("bob"), activity("bob", verb="post"))
    assert answer(client, "mine", mine) == "visible"
    assert {item["id"] for item in mine} <= client.entries["home"].keys(), "it was sent before the answer"
    assert answer(client, "again", mine) == "visible"
    assert answer(client, "one is a stranger's", [*mine, *post(ingest, activity("cy"))]) == "passed"
    undone = post(ingest, activity("bob"))
    assert answer(client, "first", undone) == "visible"
    undo = post(ingest, {"actor": "bob", "verb": "undo", "object": {"type": "activity", "id": undone[0]["id"]}})
    assert answer(client, "undo", undo) == "passed"
    assert answer(client, "undone", undone) == "passed"
    with standing_still(fanout):
        late = post(ingest, activity("bob"))
        assert answer(client, "late", late, timeout_ms=100) == "timeout"
        ask(client, "later", late, timeout_ms=60000)
    assert answer(client, "later") == "visible"
    nowhere = [{"id": str(uuid.uuid4()), "partition": 99, "offset": 0}]
    assert answer(client, "nowhere", nowhere, timeout_ms=1) == "timeout"


def test_too_many_and_wrong_ones(stack):
    _, _, client = stack
    never = [{"id": str(uuid.uuid4()), "partition": 0, "offset": 1 << 40}]
    for i in range(9):
        ask(client, f"n{i}", never, timeout_ms=60000)
    assert answer(client, "n8") == "error" and client.last("error")["code"] == "busy"
    client.say({"type": "await", "id": "x", "feed": "notifications", "positions": never})
    assert answer(client, "x") == "error" and client.last("error")["code"] == "unknown_feed"
    ask(client, "bad", [{"id": "no uuid", "partition": 0, "offset": 1}])
    assert client.ends_with("bad_message") == 4500
