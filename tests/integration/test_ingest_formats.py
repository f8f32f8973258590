"""The ways to say the same to ingest: CloudEvents in their three forms, the names of ActivityStreams, relations as resources."""
import json
import socket

import pytest
from ingest_client import PATH, activity, records, send, token

EVENT, EVENTS = "application/cloudevents+json", "application/cloudevents-batch+json"
TIME = "2003-04-05T06:07:08.900Z"


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


@pytest.fixture
def ingest(daemon, broker, redis_server):
    process = daemon("ingest", kafka__brokers=broker.bootstrap, **redis_server.options)
    yield process
    assert process.terminate() == 0, process.log_tail()


def event(number, **more):
    return {"specversion": "1.0", "type": "feedwire.activity.v1", "source": "/shop", "id": f"e-{number}", "time": TIME, "data": activity(), **more}


def test_cloud_events(ingest, broker):
    binary = {"ce-specversion": "1.0", "ce-type": "feedwire.activity.v1", "ce-source": "/shop", "ce-id": "e%2D1", "ce-time": TIME}
    answers = [send(ingest, event(1), content_type=EVENT), send(ingest, [event(1)], content_type=EVENTS), send(ingest, activity(), headers=binary)]
    assert [a.status for a in answers] == [202] * 3, [a.text for a in answers]
    assert [a.ids for a in answers] == [["e-1"]] * 3 and {a.json["activities"][0]["published"] for a in answers} == {TIME}
    found = records(broker.bootstrap)
    assert len(found) == 3 and {r.headers["ce_source"] for r in found} == {b"/shop"}
    assert {(r.id, r.time, json.dumps(r.value)) for r in found} == {("e-1", TIME, json.dumps(activity()))}  # the three forms say the same
    batch = send(ingest, [event(n) for n in range(100)], key="batch", content_type=EVENTS)
    assert batch.ids == [f"e-{n}" for n in range(100)]

    for body, content_type, headers, status, field in (
        (event(1, type="com.example"), EVENT, {}, 422, "type"), (event(1, data={"actor": "a b"}), EVENT, {}, 422, "data.actor"),
        ([event(1), event(2, id="")], EVENTS, {}, 422, "id"), ([event(1)], EVENT, {}, 422, None), (event(1), EVENTS, {}, 422, None),
        (activity(), "application/json", {**binary, "ce-id": "a%0d%0aX-Evil:1"}, 422, "ce-id"), ([activity()], "application/json", binary, 422, None),
        (activity(), "application/x-ndjson", binary, 415, None), (activity(), EVENT + "; profile=x", {}, 415, None),
        (event(1, data=activity("bob")), EVENT, {"Authorization": f"Bearer {token('ann', scope=None)}"}, 403, "actor"),
    ):
        answer = send(ingest, body, content_type=content_type, headers=headers, bearer="" if "Authorization" in headers else None)
        assert answer.status == status and [e["field"] for e in answer.json.get("errors", [])] == ([field] if field else []), (body, answer.text)
    with socket.create_connection(("127.0.0.1", ingest.http_port), 30) as s:
        s.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nce-id: a\r\nce-id: b\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert len(records(broker.bootstrap)) == 103


def test_the_names_of_activity_streams(ingest, broker):
    answer = send(ingest, {"@context": "https://www.w3.org/ns/activitystreams", "type": "Like", "actor": "ann", "object": {"type": "post", "id": "7"}})
    assert answer.status == 202
    assert [r.value for r in records(broker.bootstrap)] == [activity()]
    assert send(ingest, {"type": "LIKE IT", "actor": "ann", "object": {"type": "post", "id": "7"}}).json["errors"][0]["field"] == "type"


def test_a_stream_of_lines(ingest, broker):
    """Chunked, as a client sends what it does not have yet: http.client does it for a generator."""
    def lines(count):
        for n in range(count):
            yield json.dumps(activity(object={"type": "post", "id": f"stream {n}"})).encode() + b"\n"

    answer = send(ingest, lines(1000), content_type="application/x-ndjson", key="stream")
    assert answer.status == 202 and answer.json["accepted"] == 1000
    again = send(ingest, b"".join(lines(1000)), content_type="application/x-ndjson", key="stream")  # the coding is no part of the request
    assert again.headers["idempotent-replayed"] == "true" and again.ids == answer.ids
    found = sorted(records(broker.bootstrap), key=lambda r: r.place[1])
    assert [r.value["object"]["id"] for r in found] == [f"stream {n}" for n in range(1000)]
    assert send(ingest, lines(1001), content_type="application/x-ndjson").status == 413
    assert send(ingest, (b" " * 65536 for _ in range(17)), content_type="application/x-ndjson").status == 413
    assert send(ingest, lines(1), content_type="application/x-ndjson", bearer="").status == 401


RELATIONS = {  # (method, path): the record's value
    ("PUT", "/v1/follows/ann/bob"): ("follow", {}), ("DELETE", "/v1/follows/ann/bob"): ("unfollow", {}),
    ("DELETE", "/v1/follows/ann/bob?entries=keep"): ("unfollow", {"data": {"entries": "keep"}}),
    ("PUT", "/v1/blocks/ann/bob"): ("block", {}), ("DELETE", "/v1/blocks/ann/bob"): ("unblock", {}),
    ("PUT", "/v1/mutes/ann/bob"): ("mute", {}), ("DELETE", "/v1/mutes/ann/bob"): ("unmute", {}),
}


def test_relations(ingest, broker):
    for method, path in RELATIONS:
        answer = send(ingest, method=method, path=path, bearer=token("ann", scope=None), key=f"{method}/{path.split('?')[0][1:]}/{len(path)}")
        assert answer.status == 202 and answer.json["accepted"] == 1, (method, path, answer.text)
    found = sorted(records(broker.bootstrap, 4), key=lambda r: r.place[1])  # one author: one partition
    assert [r.value for r in found] == [{"actor": "ann", "verb": verb, "object": {"type": "user", "id": "bob"}, **more} for verb, more in RELATIONS.values()]
    for method, path, status in (
        ("PUT", "/v1/follows/ann/ann", 422), ("PUT", "/v1/follows/bob/ann", 403), ("PUT", "/v1/follows/ann", 400), ("PUT", "/v1/follows/ann/b%20c", 400),
        ("PUT", "/v1/follows/ann/b%0Ac", 400), ("PUT", "/v1/follows/ann/b/c", 400), ("PUT", "/v1/follows/%7Bann%7D/bob", 400),
        ("PUT", "/v1/follows/ann/bob?entries=keep", 400), ("DELETE", "/v1/follows/ann/bob?entries=burn", 422), ("PUT", f"/v1/mutes/ann/{'b' * 129}", 400),
        ("POST", "/v1/follows/ann/bob", 405), ("GET", "/v1/blocks/ann/bob", 405), ("PUT", "/v1/likes/ann/bob", 404), ("PUT", "/v1/follows/", 404),
    ):
        answer = send(ingest, b"" if method == "POST" else None, method=method, path=path, bearer=token("ann", scope=None))
        assert answer.status == status, (method, path, answer.text)
        assert status != 405 or answer.headers["allow"] == "PUT, DELETE, OPTIONS"
    assert send(ingest, b"{}", method="PUT", path="/v1/follows/ann/bob").status == 400  # a body means nothing here
    assert send(ingest, method="PUT", path="/v1/follows/ann/bob", bearer="").status == 401
    assert len(records(broker.bootstrap)) == len(RELATIONS)
    with socket.create_connection(("127.0.0.1", ingest.http_port), 30) as s:  # as curl -X PUT sends it: without a length
        s.sendall(f"PUT /v1/follows/ann/cy HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\n\r\n".encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 202 ")
