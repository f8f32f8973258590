"""feedwire-ingest from outside: what it accepts, what it refuses and how, what lands in Kafka, and what happens when Kafka is away."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import uuid

import confluent_kafka
import msgpack
import pytest
from feedwire_dev import admin, kafka, tokens
from feedwire_dev.daemon import Daemon

TOPIC = "activities"
PATH = "/v1/activities"
ORIGIN = "http://localhost:8000"
SECRET = b"integration-tests-only-ingest-0123456789"
DEADLINE_S = 30
PUBLISHED_2003 = "2003-04-05T06:07:08.900Z"


def activity(actor="ann", **more):
    return {"actor": actor, "verb": "like", "object": {"type": "post", "id": "7"}, **more}


def token(sub="ann", **claims):
    return tokens.make_token(SECRET, sub, **claims)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read()

    @property
    def json(self):
        return json.loads(self.text)


def post(ingest, body=None, headers=None, method="POST", path=PATH, bearer=None, content_type="application/json"):
    """bearer None: a service's token; "" none at all. body: bytes, or what becomes JSON."""
    if not isinstance(body, (bytes, type(None))):
        body = json.dumps(body).encode()
    head = {"Content-Type": content_type} if content_type else {}
    if bearer != "":
        head["Authorization"] = "Bearer " + (bearer or token("service:test", scope="publish"))
    connection = http.client.HTTPConnection("127.0.0.1", ingest.http_port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, body, {**head, **(headers or {})})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def readiness(ingest):
    """{"kafka": True, ..}"""
    return {c["name"]: c["ok"] for c in json.loads(admin.get(ingest.admin_port, "/readyz")[1])["conditions"]}


@contextlib.contextmanager
def consumer_of(bootstrap):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "test-ingest", "enable.auto.commit": False})
    try:
        yield consumer
    finally:
        consumer.close()


def record_at(bootstrap, partition, offset, topic=TOPIC):
    with consumer_of(bootstrap) as consumer:
        consumer.assign([confluent_kafka.TopicPartition(topic, partition, offset)])
        record = consumer.poll(DEADLINE_S)
        assert record is not None and record.error() is None and record.offset() == offset
        return record


def produced(bootstrap, partitions=4, topic=TOPIC):
    """How many records the topic has."""
    with consumer_of(bootstrap) as consumer:
        return sum(consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p), DEADLINE_S)[1] for p in range(partitions))


@pytest.fixture(scope="module")
def start_ingest(bin_dir, tmp_path_factory):
    """start_ingest(bootstrap, wait="/readyz", **options) -> Daemon"""
    running = []

    def start(bootstrap, wait="/readyz", **options):
        folder = tmp_path_factory.mktemp("ingest")
        tokens.write_secret(folder / "secret", SECRET)
        options = {"kafka.brokers": bootstrap, "auth.hs256_secret_file": folder / "secret", "http.allowed_origins": ORIGIN,
                   **{name.replace("__", "."): value for name, value in options.items()}}
        daemon = Daemon("ingest", folder, bin_dir, options)
        running.append(daemon)
        return daemon.start(wait)

    yield start
    for daemon in running:
        daemon.kill9()


@pytest.fixture(scope="module")
def broker(bin_dir, tmp_path_factory):
    """One that all tests share which do it no harm."""
    server = kafka.EmbeddedBroker(tmp_path_factory.mktemp("broker"), bin_dir, {TOPIC: 4})
    try:
        yield server.start()
    finally:
        server.kill9()


@pytest.fixture(scope="module")
def shared_ingest(broker, start_ingest):
    daemon = start_ingest(broker.bootstrap)
    yield daemon
    assert daemon.terminate() == 0, daemon.log_tail()  # a sanitizer that found something ends it otherwise


@pytest.fixture(name="ingest")
def ingest_unharmed(shared_ingest):
    """The shared one; whatever the test did to it, it still works."""
    yield shared_ingest
    assert shared_ingest.running, shared_ingest.log_tail()
    assert post(shared_ingest, activity()).status == 202


@contextlib.contextmanager
def frozen(process):
    """Alive but silent, like a broker whose machine hangs."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


# ---- what is accepted ----


def check_record(bootstrap, topic, ingest):
    """All of a record, as schemas/kafka.md describes it."""
    more = {"id": "order-1", "published": PUBLISHED_2003, "to": ["bob", "bob", "cy"], "target": {"type": "blog", "id": "ä/1"},
            "data": {"n": 1, "list": [None, True, 2.5]}}
    sent = {**activity("ann", **more), "unknown": 1}
    sent["object"]["owner"] = "dan"
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    before_ms = time.time() * 1000
    answer = post(ingest, sent, headers={"traceparent": trace})
    assert answer.status == 202 and answer.headers["content-type"] == "application/json"
    assert answer.json["accepted"] == 1
    (item,) = answer.json["activities"]
    assert item["id"] == "order-1" and item["published"] == PUBLISHED_2003

    record = record_at(bootstrap, item["partition"], item["offset"], topic)
    assert record.key() == b"demo/ann"
    assert dict(record.headers()) == {
        "ce_specversion": b"1.0", "ce_id": b"order-1", "ce_source": b"/feedwire", "ce_type": b"feedwire.activity.v1",
        "ce_time": PUBLISHED_2003.encode(), "ce_tenant": b"demo", "content-type": b"application/msgpack", "traceparent": trace.encode()}
    assert len(record.headers()) == 8
    assert msgpack.unpackb(record.value()) == {
        "actor": "ann", "verb": "like", "object": {"type": "post", "id": "7", "owner": "dan"}, "target": {"type": "blog", "id": "ä/1"},
        "to": ["bob", "cy"], "data": {"n": 1, "list": [None, True, 2.5]}}
    kind, timestamp_ms = record.timestamp()
    assert kind in (confluent_kafka.TIMESTAMP_CREATE_TIME, confluent_kafka.TIMESTAMP_LOG_APPEND_TIME)
    assert before_ms - 1000 <= timestamp_ms <= time.time() * 1000 + 1000  # the time of producing, not 2003


def test_record_in_the_embedded_broker(broker, ingest):
    check_record(broker.bootstrap, TOPIC, ingest)


def test_record_in_apache_kafka(apache_kafka, start_ingest):
    server = apache_kafka(4)
    daemon = start_ingest(server.bootstrap, **{"kafka.topic": server.topic})
    check_record(server.bootstrap, server.topic, daemon)
    batch = [activity(f"user{i % 7}", id=f"batch-{i}") for i in range(1000)]
    answer = post(daemon, batch)
    assert answer.status == 202 and answer.json["accepted"] == 1000
    assert produced(server.bootstrap, 4, server.topic) == 1001
    assert daemon.terminate() == 0


def test_assigned_ids_and_times(ingest):
    before_ms = int(time.time() * 1000)
    items = post(ingest, [activity(published=PUBLISHED_2003) for _ in range(50)]).json["activities"]
    ids = [uuid.UUID(item["id"]) for item in items]
    assert all(i.version == 7 for i in ids)
    assert ids == sorted(set(ids))  # in the order of the request
    assert before_ms <= ids[0].int >> 80 <= int(time.time() * 1000)
    assert all(not item["published"].startswith("2003") for item in items)  # it counts only with an id


def test_list_and_lines_give_the_same(broker, ingest):
    batch = [activity(f"user{i}", id=str(uuid.uuid4()), published=PUBLISHED_2003) for i in range(20)]
    lines = "\r\n\n".join(json.dumps(a) for a in batch).encode()
    places = []
    for body, content_type in ((batch, "application/json; charset=utf-8"), (lines, "application/x-ndjson")):
        answer = post(ingest, body, content_type=content_type)
        assert answer.status == 202
        assert [item["id"] for item in answer.json["activities"]] == [a["id"] for a in batch]
        assert [item["index"] for item in answer.json["activities"]] == list(range(20))
        places.append([(item["partition"], item["offset"]) for item in answer.json["activities"]])
    for first, second in zip(*places):
        assert first[0] == second[0]  # the same author, the same partition
        one, other = (record_at(broker.bootstrap, *place) for place in (first, second))
        assert one.value() == other.value() and one.key() == other.key()


def test_a_user_may_post_for_itself(ingest):
    assert post(ingest, activity("ann"), bearer=token("ann")).status == 202


def test_traceparent(broker, ingest):
    def trace_of(sent):
        (item,) = post(ingest, activity(), headers={"traceparent": sent} if sent else {}).json["activities"]
        return dict(record_at(broker.bootstrap, item["partition"], item["offset"]).headers())["traceparent"].decode()

    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    assert trace_of(good) == good
    made = [trace_of(bad) for bad in (None, None, good.upper(), good + "-x", "00-" + "0" * 32 + good[35:])]
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace) for trace in made)
    assert len({trace[3:35] for trace in made}) == len(made) and good[3:35] not in {trace[3:35] for trace in made}


def test_many_requests_on_one_connection(ingest):
    connection = http.client.HTTPConnection("127.0.0.1", ingest.http_port, timeout=DEADLINE_S)
    head = {"Content-Type": "application/json", "Authorization": "Bearer " + token()}
    for i in range(20):
        body = json.dumps(activity()) if i % 3 else "{"
        connection.request("POST", PATH, body, head)
        response = connection.getresponse()
        response.read()
        assert response.status == (202 if i % 3 else 400)
    connection.close()


def test_many_connections(ingest):
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda i: post(ingest, [activity(f"user{i}")] * 10), range(100)))
    assert [a.status for a in answers] == [202] * 100
    places = {(item["partition"], item["offset"]) for a in answers for item in a.json["activities"]}
    assert len(places) == 1000


# ---- what is refused ----

REFUSED = {  # name: (status, what the problem's detail or the error's field has, arguments of post)
    "no token": (401, "token is required", dict(body=activity(), bearer="")),
    "no JWT": (401, "malformed", dict(body=activity(), bearer="x")),
    "another key": (401, "signature", dict(body=activity(), bearer=tokens.make_token(b"x" * 40, "ann"))),
    "expired": (401, "expired", dict(body=activity(), bearer=token(expires_s=-3600))),
    "alg none": (401, "algorithm", dict(body=activity(), bearer=tokens.sign(SECRET, {"alg": "none"}, {"sub": "ann"}))),
    "basic": (401, "Bearer TOKEN", dict(body=activity(), bearer="", headers={"Authorization": "Basic YTpi"})),
    "another actor": (403, "actor", dict(body=activity("bob"), bearer=token("ann"))),
    "foreign origin": (403, "origin", dict(body=activity(), headers={"Origin": "http://evil.example"})),
    "foreign origin, no token": (403, "origin", dict(body=activity(), bearer="", headers={"Origin": "null"})),
    "elsewhere": (404, "nothing at this path", dict(body=activity(), path="/v1/activity")),
    "GET": (405, "POST", dict(method="GET")),
    "DELETE": (405, "POST", dict(method="DELETE")),
    "no type": (415, "Content-Type", dict(body=activity(), content_type=None)),
    "a form": (415, "Content-Type", dict(body=b"actor=ann", content_type="application/x-www-form-urlencoded")),
    "latin1": (415, "Content-Type", dict(body=activity(), content_type="application/json; charset=latin1")),
    "gzip": (415, "Content-Encoding", dict(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})),
    "empty": (400, "empty", dict(body=b"")),
    "no JSON": (400, "line 2, column 9", dict(body=b'{\n"actor":ann}')),
    "half": (400, "unexpected end", dict(body=b'{"actor":')),
    "binary": (400, "not JSON", dict(body=bytes(range(256)) * 100)),
    "bad UTF-8": (400, "not JSON", dict(body=b'{"actor":"\xff"}')),
    "deep lists": (400, "nested deeper", dict(body=b"[" * 500_000)),
    "deep objects": (400, "nested deeper", dict(body=b'{"a":' * 100_000)),
    "bad line": (400, "line 2", dict(body=b'{"actor":"ann"}\n{', content_type="application/x-ndjson")),
    "1001 activities": (413, "at most 1000", dict(body=[activity()] * 1001)),
    "10 MiB": (413, "", dict(body=b" " * (10 << 20))),
    "a number": (422, "must be an activity", dict(body=b"7")),
    "empty list": (422, "no activities", dict(body=b"[]")),
    "no actor": (422, "actor", dict(body={"verb": "like", "object": {"type": "post", "id": "7"}})),
    "actor a number": (422, "actor", dict(body=activity(7))),
    "actor with a slash": (422, "actor", dict(body=activity("a/b"))),
    "object a text": (422, "object", dict(body=activity(object="post"))),
    "object.id a list": (422, "object.id", dict(body=activity(object={"type": "post", "id": []}))),
    "to an object": (422, "to", dict(body=activity(to={}))),
    "to[1] null": (422, "to[1]", dict(body=activity(to=["bob", None]))),
    "101 in to": (422, "to", dict(body=activity(to=[f"u{i}" for i in range(101)]))),
    "large data": (422, "data", dict(body=activity(data="x" * 2000))),
    "deep data": (422, "data", dict(body=activity(data=[[[[[[[[[[1]]]]]]]]]]))),
    "published a number": (422, "published", dict(body=activity(published=1))),
    "published in the future": (422, "published", dict(body=activity(id="x", published="2999-01-01T00:00:00Z"))),
    "follows itself": (422, "object.id", dict(body=activity(verb="follow", object={"type": "user", "id": "ann"}))),
    "actor twice": (422, "actor", dict(body=b'{"actor":"ann","actor":"bob","verb":"like","object":{"type":"post","id":"7"}}')),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(ingest, name):
    status, words, arguments = REFUSED[name]
    answer = post(ingest, **arguments)
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["type"] == "about:blank" and problem["status"] == status and problem["title"]
    told = [problem["detail"], *(error["field"] for error in problem.get("errors", []))]
    assert any(words in text for text in told), problem
    assert (answer.headers.get("allow") == "POST, OPTIONS") == (status == 405)


def test_a_batch_is_refused_as_a_whole(broker, ingest):
    before = produced(broker.bootstrap)
    batch = [activity(f"user{i}") for i in range(100)]
    for i in (3, 50, 99):
        batch[i] = activity("a b")
    answer = post(ingest, batch)
    assert answer.status == 422
    assert [(e["index"], e["field"]) for e in answer.json["errors"]] == [(3, "actor"), (50, "actor"), (99, "actor")]
    assert "3 of 100" in answer.json["detail"]
    answer = post(ingest, [activity("ann"), activity("ann"), activity("bob")], bearer=token("ann"))
    assert answer.status == 403
    assert [(e["index"], e["field"]) for e in answer.json["errors"]] == [(2, "actor")]
    assert produced(broker.bootstrap) == before


def test_only_the_first_problems_are_listed(ingest):
    lines = b"\n".join(json.dumps(activity("a b")).encode() for _ in range(50))
    answer = post(ingest, lines, content_type="application/x-ndjson")
    assert answer.status == 422
    assert [(e["index"], e["line"]) for e in answer.json["errors"]] == [(i, i + 1) for i in range(20)]
    assert "50 of 50" in answer.json["detail"]


# ---- web pages ----


def test_preflight(ingest):
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = post(ingest, method="OPTIONS", headers=asked, bearer="", content_type=None)
    assert answer.status == 204 and answer.text == b""
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "authorization, ce-id, ce-source, ce-specversion, ce-time, ce-type, content-type, idempotency-key, traceparent"
    assert answer.headers["vary"] == "Origin"
    foreign = post(ingest, method="OPTIONS", headers={**asked, "Origin": ORIGIN + "1"}, bearer="", content_type=None)
    assert foreign.status == 403 and "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize("body, bearer, status", [(activity(), None, 202), (activity(), "", 401), (b"{", None, 400), (b"{}", None, 422)])
def test_pages_can_read_every_answer(ingest, body, bearer, status):
    answer = post(ingest, body, headers={"Origin": ORIGIN}, bearer=bearer)
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN and answer.headers["vary"] == "Origin"
    assert (answer.headers.get("www-authenticate") == "Bearer") == (status == 401)


# ---- Kafka is away ----


def test_kafka_was_never_there(start_ingest):
    with socket.socket() as nobody:  # bound, not listening
        nobody.bind(("127.0.0.1", 0))
        daemon = start_ingest(f"127.0.0.1:{nobody.getsockname()[1]}", wait="/livez")
        answer = post(daemon, activity())
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
        assert answer.json["accepted"] == 0
        assert readiness(daemon) == {"kafka": False, "serving": True}
        assert post(daemon, b"{").status == 400  # what is wrong is told all the same
        assert daemon.terminate() == 0


def test_kafka_dies_and_comes_back(bin_dir, tmp_path, start_ingest):
    broker = kafka.EmbeddedBroker(tmp_path, bin_dir, {TOPIC: 4})
    broker.start()
    try:
        daemon = start_ingest(broker.bootstrap)
        assert post(daemon, activity()).status == 202
        broker.kill9()
        wait_until(lambda: not readiness(daemon)["kafka"], "it does not notice that Kafka is away")
        assert daemon.metric("kafka_circuit_open") == 1 and daemon.metric("kafka_circuit_opened_total") == 1
        answer = post(daemon, activity())
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
        broker.start()
        wait_until(lambda: readiness(daemon)["kafka"], "it does not notice that Kafka is back")
        wait_until(lambda: post(daemon, activity()).status == 202, "nothing is accepted although Kafka is back")
        assert daemon.metric("kafka_circuit_open") == 0 and daemon.metric("kafka_circuit_opened_total") == 1
        assert daemon.terminate() == 0
    finally:
        broker.kill9()


@pytest.fixture
def own_broker(bin_dir, tmp_path):
    server = kafka.EmbeddedBroker(tmp_path, bin_dir, {TOPIC: 1})
    try:
        yield server.start()
    finally:
        server.kill9()


def test_no_acknowledgement_in_time(own_broker, start_ingest):
    daemon = start_ingest(own_broker.bootstrap, kafka__delivery_timeout_ms=1000)
    assert post(daemon, activity()).status == 202
    with frozen(own_broker):
        answer = post(daemon, [activity(), activity(id="mine", published=PUBLISHED_2003)])
    assert answer.status == 503 and answer.headers["retry-after"]
    problem = answer.json
    assert problem["accepted"] == 0 and problem["activities"] == []
    first, second = problem["unacknowledged"]
    assert uuid.UUID(first["id"]).version == 7 and first["published"] and first["reason"] == "timeout"
    assert (second["id"], second["published"], second["index"]) == ("mine", PUBLISHED_2003, 1)
    again = [activity(id=item["id"], published=item["published"]) for item in (first, second)]
    wait_until(lambda: post(daemon, again).status == 202, "the same activities are not accepted later")
    assert daemon.metric("activities_unacknowledged_total") >= 2
    assert daemon.terminate() == 0


def test_full_queue(own_broker, start_ingest):
    daemon = start_ingest(own_broker.bootstrap, kafka__queue_records_max=1000, kafka__delivery_timeout_ms=60000)
    assert post(daemon, activity()).status == 202
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with frozen(own_broker):
            waiting = pool.submit(post, daemon, [activity()] * 999)
            wait_until(lambda: daemon.metric("kafka_queue_records") == 999, "the records are not queued")
            answer = post(daemon, [activity()] * 2)
            assert answer.status == 503 and answer.headers["retry-after"] == "1"
            assert not waiting.done()
        assert waiting.result(DEADLINE_S).status == 202
    wait_until(lambda: post(daemon, [activity()] * 2).status == 202, "the queue stays full")
    assert daemon.terminate() == 0


# ---- its life ----


def test_an_orderly_stop_waits_for_kafka(own_broker, start_ingest):
    daemon = start_ingest(own_broker.bootstrap, kafka__delivery_timeout_ms=60000)
    assert post(daemon, activity()).status == 202
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with frozen(own_broker):
            waiting = pool.submit(post, daemon, activity())
            wait_until(lambda: daemon.metric("kafka_queue_records") == 1, "the record is not queued")
            os.kill(daemon.pid, signal.SIGTERM)
            wait_until(lambda: not readiness(daemon)["serving"], "it stays ready")
            with pytest.raises(ConnectionRefusedError):
                post(daemon, activity())
            assert daemon.running and not waiting.done()
        assert waiting.result(DEADLINE_S).status == 202
    assert daemon.popen.wait(DEADLINE_S) == 0
    assert produced(own_broker.bootstrap, 1) == 2


def test_a_client_that_goes_away_changes_nothing(own_broker, start_ingest):
    daemon = start_ingest(own_broker.bootstrap)
    assert post(daemon, activity()).status == 202
    body = json.dumps([activity()] * 10).encode()
    with frozen(own_broker):
        with socket.create_connection(("127.0.0.1", daemon.http_port), DEADLINE_S) as s:
            s.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\nContent-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            wait_until(lambda: daemon.metric("kafka_queue_records") == 10, "the records are not queued")
    wait_until(lambda: daemon.metric("activities_published_total") == 11, "the records are not acknowledged")
    assert produced(own_broker.bootstrap, 1) == 11
    assert daemon.terminate() == 0


def test_metrics(own_broker, start_ingest):
    daemon = start_ingest(own_broker.bootstrap)
    assert post(daemon, [activity()] * 3).status == 202
    assert post(daemon, b"{").status == 400
    samples = daemon.metrics()
    assert samples['activities_published_total{tenant="demo"}'] == 3
    assert samples['http_requests_total{code="202"}'] == 1 and samples['http_requests_total{code="400"}'] == 1
    assert samples["kafka_produce_seconds_count"] == 3
    if shutil.which("promtool"):
        text = admin.get(daemon.admin_port, "/metrics")[1]
        check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("options, words", [
    ([], "one of auth.jwks_file, auth.api_keys_file and auth.hs256_secret_file is required"),
    (["--auth.hs256_secret_file={short}"], "32 to 1024 bytes"),
    (["--auth.hs256_secret_file={secret}", "--http.allowed_origins=*"], "http.allowed_origins"),
    (["--auth.hs256_secret_file={secret}", "--log.level=loud"], "log.level"),
    (["--auth.hs256_secret_file={secret}", "--kafka.properties=no.such.property=1"], "no.such.property"),
    (["--kafka.borkers=x"], "did you mean --kafka.brokers?"),
])
def test_bad_options(bin_dir, tmp_path, options, words):
    tokens.write_secret(tmp_path / "secret", SECRET)
    tokens.write_secret(tmp_path / "short", b"hunter2")
    names = {"secret": tmp_path / "secret", "short": tmp_path / "short"}
    ended = subprocess.run([bin_dir / "feedwire-ingest", "--http.port=0", "--admin.port=0", *(o.format(**names) for o in options)],
                           capture_output=True, text=True, timeout=DEADLINE_S)
    assert ended.returncode == 2, ended.stderr
    assert words in ended.stderr
    assert "hunter2" not in ended.stderr and SECRET.decode() not in ended.stderr
