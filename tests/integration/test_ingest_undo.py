"""DELETE /v1/activities/{id}: what lands in Kafka, and what is refused."""
import http.client
import json
import urllib.parse
import uuid

import confluent_kafka
import msgpack
import pytest

DEADLINE_S = 30
ORIGIN = "http://localhost:8000"
ID = "0198c0de-0000-7000-8000-0123456789ab"


@pytest.fixture
def ingest(embedded_broker, daemon):
    broker = embedded_broker()
    process = daemon("ingest", kafka__brokers=broker.bootstrap, http__allowed_origins=ORIGIN)
    process.bootstrap = broker.bootstrap
    return process


def request(ingest, make_token, path, method="DELETE", bearer=None, headers=None, body=None):
    """bearer None: a service's token; "" none at all."""
    head = dict(headers or {})
    if bearer != "":
        head["Authorization"] = "Bearer " + (bearer or make_token("service:test", scope="publish"))
    connection = http.client.HTTPConnection("127.0.0.1", ingest.http_port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, body, head)
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def record_at(bootstrap, partition, offset):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "test-undo", "enable.auto.commit": False})
    try:
        consumer.assign([confluent_kafka.TopicPartition("activities", partition, offset)])
        message = consumer.poll(DEADLINE_S)
        assert message is not None and message.error() is None
        return message
    finally:
        consumer.close()


def accepted(answer):
    status, _, text = answer
    assert status == 202, text
    (one,) = json.loads(text)["activities"]
    return one


@pytest.mark.parametrize("id_", [ID, "order 7/ä?&", "a+b"])
def test_a_delete_becomes_an_undo(ingest, make_token, id_):
    one = accepted(request(ingest, make_token, f"/v1/activities/{urllib.parse.quote(id_, safe='')}?actor=ann"))
    message = record_at(ingest.bootstrap, one["partition"], one["offset"])
    assert message.key() == b"demo/ann"
    assert msgpack.unpackb(message.value()) == {"actor": "ann", "verb": "undo", "object": {"type": "activity", "id": id_}}
    headers = dict(message.headers())
    assert headers["ce_id"].decode() == one["id"] and uuid.UUID(one["id"]).version == 7


def test_the_time_of_what_is_removed_goes_along(ingest, make_token):
    path = f"/v1/activities/{ID}?" + urllib.parse.urlencode({"published": "2026-01-02T04:04:05.678+01:00", "actor": "a+b@x"})
    one = accepted(request(ingest, make_token, path))
    message = record_at(ingest.bootstrap, one["partition"], one["offset"])
    assert message.key() == b"demo/a+b@x"
    assert msgpack.unpackb(message.value())["object"] == {"type": "activity", "id": ID, "published": "2026-01-02T03:04:05.678Z"}


def test_it_goes_where_the_activity_went(ingest, make_token):
    """To the same partition, behind it."""
    body = json.dumps({"actor": "ann", "verb": "like", "object": {"type": "post", "id": "7"}})
    first = accepted(request(ingest, make_token, "/v1/activities", "POST", body=body, headers={"Content-Type": "application/json"}))
    undo = accepted(request(ingest, make_token, f"/v1/activities/{first['id']}?actor=ann"))
    assert undo["partition"] == first["partition"] and undo["offset"] == first["offset"] + 1


def test_a_user_may_remove_what_is_its_own(ingest, make_token):
    accepted(request(ingest, make_token, f"/v1/activities/{ID}?actor=ann", bearer=make_token("ann")))
    status, _, text = request(ingest, make_token, f"/v1/activities/{ID}?actor=bob", bearer=make_token("ann"))
    assert status == 403 and json.loads(text)["errors"][0]["field"] == "actor"


REFUSED = {
    "no actor": (400, "actor", f"/v1/activities/{ID}"),
    "two actors": (400, "more than once", f"/v1/activities/{ID}?actor=ann&actor=bob"),
    "two actors in one": (400, "more than once", f"/v1/activities/{ID}?actor=ann%26actor=bob"),
    "a bad actor": (422, "actor", f"/v1/activities/{ID}?actor=a%2Fb"),
    "a bad time": (422, "object.published", f"/v1/activities/{ID}?actor=ann&published=yesterday"),
    "a long id": (400, "1 to 128 bytes", "/v1/activities/" + "i" * 129 + "?actor=ann"),
    "no UTF-8": (400, "UTF-8", "/v1/activities/%ff?actor=ann"),
    "no id": (404, "nothing at this path", "/v1/activities/?actor=ann"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(ingest, make_token, name):
    status, words, path = REFUSED[name]
    answer = request(ingest, make_token, path)
    assert answer[0] == status, answer
    assert answer[1]["content-type"] == "application/problem+json"
    problem = json.loads(answer[2])
    assert problem["status"] == status
    assert any(words in told for told in [problem["detail"], *(e["field"] for e in problem.get("errors", []))]), problem


def test_other_methods_and_strangers_are_refused(ingest, make_token):
    path = f"/v1/activities/{ID}?actor=ann"
    status, headers, _ = request(ingest, make_token, path, "GET")
    assert status == 405 and headers["allow"] == "DELETE, OPTIONS"
    assert request(ingest, make_token, path, bearer="")[0] == 401
    assert request(ingest, make_token, path, bearer="x.y.z")[0] == 401
    assert request(ingest, make_token, path, headers={"Origin": "http://evil.example"})[0] == 403
    status, headers, _ = request(ingest, make_token, path, "OPTIONS", bearer="", headers={"Origin": ORIGIN})
    assert status == 204 and headers["access-control-allow-methods"] == "DELETE"


def test_when_kafka_was_never_there(daemon, make_token):
    process = daemon("ingest", wait="/livez", kafka__brokers="127.0.0.1:1")
    status, headers, _ = request(process, make_token, f"/v1/activities/{ID}?actor=ann")
    assert status == 503 and int(headers["retry-after"]) > 0
