"""What tests of ingest share: its API as a client sees it, and the log behind it."""
import contextlib
import http.client
import json
import os
import signal
import time
import types

import confluent_kafka
import msgpack
from feedwire_dev import tokens

DEADLINE_S = 30
PATH = "/v1/activities"
SECRET = b"only for integration tests: 0123456789"  # that of conftest


def activity(actor="ann", **more):
    return {"actor": actor, "verb": "like", "object": {"type": "post", "id": "7"}, **more}


def token(sub="service:test", scope="publish", **claims):
    return tokens.make_token(SECRET, sub, scope=scope, **claims)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.text = response.read()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def ids(self):
        return [item["id"] for item in self.json["activities"]]


def send(ingest, body=None, key=None, method="POST", path=PATH, bearer=None, headers=None, content_type="application/json"):
    """bearer None: a service's token; "" none at all. body: bytes, a generator of bytes (sent in chunks), or what becomes JSON."""
    if not isinstance(body, (bytes, types.GeneratorType, type(None))):
        body = json.dumps(body).encode()
    head = {"Content-Type": content_type} if content_type and body is not None else {}
    if bearer != "":
        head["Authorization"] = "Bearer " + (bearer or token())
    if key is not None:
        head["Idempotency-Key"] = key
    connection = http.client.HTTPConnection("127.0.0.1", ingest.http_port, timeout=DEADLINE_S)
    try:
        connection.request(method, path, body, {**head, **(headers or {})})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def send_until_accepted(ingests, body, key, deadline_s=60):
    """As a careful client does: again after a broken connection, 409 and 503, each time at the next server."""
    deadline = time.monotonic() + deadline_s
    while True:
        for ingest in ingests:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = send(ingest, body, key)
                if answer.status == 202:
                    return answer
                assert answer.status in (409, 503), (answer.status, answer.text)
        assert time.monotonic() < deadline, "not accepted"
        time.sleep(0.05)


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Record:
    def __init__(self, message):
        headers = dict(message.headers())
        self.place = (message.partition(), message.offset())
        self.key, self.headers, self.value = message.key().decode(), headers, msgpack.unpackb(message.value())
        self.id, self.time = headers["ce_id"].decode(), headers["ce_time"].decode()


def records(bootstrap, partitions=4, topic="activities"):
    """All that the topic has now."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False})
    try:
        found = []
        for partition in range(partitions):
            _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), DEADLINE_S)
            if end == 0:
                continue
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, 0)])
            count = 0
            while count < end:
                message = consumer.poll(DEADLINE_S)
                assert message is not None and message.error() is None
                found.append(Record(message))
                count = message.offset() + 1
        return found
    finally:
        consumer.close()


@contextlib.contextmanager
def frozen(process):
    """Alive but silent, like a server whose machine hangs."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)
