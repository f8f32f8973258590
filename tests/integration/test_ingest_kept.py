"""Acknowledged means kept: under load a real Kafka is killed and comes back, ingest is killed and stopped in an orderly way,
3 times each, or INGEST_KILLS=10 as often as you like. Whatever was answered with 202 is in the log at the place that the answer named, and what was sent again until then is one activity."""
import contextlib
import http.client
import itertools
import os
import threading
import time

import pytest
from feedwire_dev import kafka
from ingest_client import DEADLINE_S, activity, records, send, token

WORKERS, TIMES, BETWEEN = 6, int(os.environ.get("INGEST_KILLS", 3)), 15  # BETWEEN: answers that come between two interruptions, so that each hits work under way
PATIENCE_S = 120


class Load:
    """Workers that each send one activity after the other, each with its own key, again until it is accepted."""

    def __init__(self, ingest):
        self.ingest, self.numbers = ingest, itertools.count()
        self.answers, self.retried, self.faults = {}, 0, []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def _send(self, number, bearer):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = send(self.ingest, activity(f"user{number % 20}", object={"type": "post", "id": str(number)}), f"kept-{number}", bearer=bearer)
                if answer.status == 202:
                    return answer.json["activities"][0]
                assert answer.status in (409, 503), answer.text
                assert answer.headers["retry-after"]
            self.retried += 1
            time.sleep(0.02)
        raise AssertionError(f"{number} was never accepted")

    def _work(self):
        bearer = token()
        try:
            while not self.stop.is_set():
                number = next(self.numbers)
                self.answers[number] = self._send(number, bearer)
        except BaseException as fault:
            self.faults.append(fault)

    def wait_for(self, more):
        target, deadline = len(self.answers) + more, time.monotonic() + PATIENCE_S
        while len(self.answers) < target:
            assert not self.faults, self.faults
            assert time.monotonic() < deadline, "nothing is accepted any more"
            time.sleep(0.005)

    @contextlib.contextmanager
    def running(self):
        for thread in self.threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            for thread in self.threads:
                thread.join(PATIENCE_S)
        assert not self.faults, self.faults


@pytest.fixture
def broker(tmp_path, started):
    server = kafka.ApacheKafka(tmp_path)
    started.append(server)
    server.start()
    server.create_topics({"activities": 4})
    return server


def test_every_acknowledged_activity_is_kept(broker, daemon, redis_server):
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap, **redis_server.options, **{"idempotency.lease_ms": 300, "kafka.delivery_timeout_ms": 3000})
    with Load(ingest).running() as load:
        for _ in range(TIMES):
            load.wait_for(BETWEEN)
            ingest.kill9()
            ingest.start(None)
        broker.kill9()
        deadline = time.monotonic() + DEADLINE_S
        while ingest.metric("kafka_circuit_open") == 0:
            assert time.monotonic() < deadline, "it does not notice that Kafka is away"
            time.sleep(0.05)
        broker.start()
        for _ in range(TIMES):
            load.wait_for(BETWEEN)
            assert ingest.terminate() == 0, ingest.log_tail()
            ingest.start(None)
        load.wait_for(BETWEEN)
    assert load.retried >= 2 * TIMES
    log = records(broker.bootstrap)
    at = {record.place: record for record in log}
    made = {}
    for record in log:
        made.setdefault(int(record.value["object"]["id"]), set()).add((record.id, record.time))
    assert len(load.answers) >= 2 * TIMES * BETWEEN and made.keys() == load.answers.keys()
    for number, item in load.answers.items():
        record = at[item["partition"], item["offset"]]
        assert (record.id, record.time) == (item["id"], item["published"]) and record.value["object"]["id"] == str(number)
        assert made[number] == {(item["id"], item["published"])}, number
