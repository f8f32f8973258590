"""POST /v1/follows: a follow graph over HTTP, acknowledged by Kafka, and nobody is told."""
import json

import pytest
from graph_topic import read_edges
from ingest_client import activity, records, send, token, wait_until

PATH = "/v1/follows"
SINCE, SINCE_MS = "2020-01-02T03:04:05.000Z", 1577934245000


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


@pytest.fixture
def ingest(broker, daemon, redis_server):
    return daemon("ingest", kafka__brokers=broker.bootstrap, **redis_server.options)


def follows(ingest, edges, scope="admin", **more):
    return send(ingest, edges, path=PATH, bearer=token(scope=scope), **more)


def test_records_and_answer(broker, ingest):
    edges = [{"actor": "ann", "object": "bob", "since": SINCE}, {"actor": "cy", "object": "bob", "since": SINCE_MS}, {"actor": "ann", "object": "dan"}]
    answer = follows(ingest, edges, key="k1")
    assert answer.status == 202 and answer.json["accepted"] == 3
    items = answer.json["activities"]
    assert [item["published"] for item in items[:2]] == [SINCE, SINCE]
    found = {record.place: record for record in records(broker.bootstrap)}
    for edge, item in zip(edges, items):
        record = found.pop((item["partition"], item["offset"]))
        assert record.headers["ce_type"] == b"feedwire.import.v1" and record.key == "demo/" + edge["actor"]
        assert (record.id, record.time) == (item["id"], item["published"])
        last = edge != edges[0]  # of its actor
        assert record.value == {"actor": edge["actor"], "verb": "follow", "object": {"type": "user", "id": edge["object"]},
                                **({"data": {"feed": "fill"}} if last else {})}
    assert not found
    again = follows(ingest, edges, key="k1")
    assert again.json == answer.json and again.headers["idempotent-replayed"] == "true"
    assert follows(ingest, edges).ids[:2] == answer.ids[:2]  # the same edge is the same record


def test_through_to_the_graph_and_the_feed(broker, ingest, daemon, redis_server, make_token):
    import redis

    fanout = daemon("fanout", kafka__brokers=broker.bootstrap, **redis_server.options)
    client = redis.Redis(port=redis_server.port)
    assert send(ingest, [activity("bob"), activity("dan"), activity("eve")]).status == 202
    wait_until(lambda: fanout.metric("fanout_records_total") == 3, "the activities")
    lines = "\n".join(json.dumps({"actor": actor, "object": followed, "since": SINCE}) for actor, followed in (("ann", "bob"), ("ann", "dan"), ("cy", "bob")))
    assert follows(ingest, lines.encode(), content_type="application/x-ndjson").status == 202
    wait_until(lambda: fanout.metric("fanout_records_total") == 6, "the follows")
    assert read_edges(broker.bootstrap) == {f"demo/follow/{pair}": (SINCE_MS, 0) for pair in ("ann/bob", "ann/dan", "cy/bob")}
    feeds = {user: client.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"f:{{demo/{user}}}", 100)[2] for user in ("ann", "cy")}
    assert {user: len(found) // 2 for user, found in feeds.items()} == {"ann": 2, "cy": 1}
    assert not client.keys("n:*") and {key.decode() for key in client.keys("o:*")} == {"o:{demo/bob}", "o:{demo/dan}", "o:{demo/eve}"}


@pytest.mark.parametrize("scope, status", [("admin", 202), ("publish admin", 202), ("publish", 403), ("read", 403), ("", 403)])
def test_only_administrators_import(ingest, scope, status):
    assert follows(ingest, {"actor": "ann", "object": "bob"}, scope=scope).status == status


def test_an_administrator_may_not_publish(ingest):
    assert send(ingest, activity(), bearer=token(scope="admin")).status == 403


def test_the_tenant_is_that_of_the_credential(broker, ingest):
    answer = send(ingest, {"actor": "ann", "object": "bob", "tenant": "demo"}, path=PATH, bearer=token(scope="admin", tenant="other"))
    assert answer.status == 202
    assert [(record.key, record.headers["ce_tenant"]) for record in records(broker.bootstrap)] == [("other/ann", b"other")]


def test_what_is_wrong_is_told_for_each(broker, ingest):
    good = {"actor": "ann", "object": "bob"}
    bad = [({"actor": "ann"}, "object"), ({"actor": "a/b", "object": "bob"}, "actor"), ({"actor": "ann", "object": "ann"}, "object"),
           ({**good, "since": "2999-01-01T00:00:00Z"}, "since"), ({**good, "since": 1577934245}, "since"), ("ann", "")]
    answer = follows(ingest, [good, *(element for element, _ in bad)])
    assert answer.status == 422
    assert [(error["index"], error["field"]) for error in answer.json["errors"]] == [(i + 1, field) for i, (_, field) in enumerate(bad)]
    for body, status in ((b"", 400), (b"{", 400), ([], 422), ([good] * 1001, 413), (b'"x"', 422)):
        assert follows(ingest, body).status == status, body
    assert follows(ingest, good, content_type="application/cloudevents+json").status == 415
    assert send(ingest, path=PATH, method="GET", bearer=token(scope="admin")).status == 405
    assert records(broker.bootstrap) == []
    assert follows(ingest, [{"actor": f"u{i}", "object": "bob"} for i in range(1000)]).json["accepted"] == 1000
