"""Idempotency-Key: whatever is sent again with the same key is one request, also when the one who took it was killed."""
import concurrent.futures
import http.client
import os
import signal
import socket
import threading

import pytest
import redis as redis_client
from ingest_client import PATH, activity, frozen, records, send, send_until_accepted, token, wait_until

LEASE_MS = 600  # short, so that a killed instance's keys are free soon


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


@pytest.fixture
def start(daemon, broker, redis_server):
    """start(option=..) -> an ingest; several share the broker and Redis."""
    return lambda **options: daemon("ingest", **{"kafka__brokers": broker.bootstrap, **redis_server.options, "idempotency__lease_ms": LEASE_MS, **options})


@pytest.fixture
def redis(redis_server):
    with redis_client.Redis(port=redis_server.port) as client:
        yield client


def results(ingest):
    return {name.split('"')[1]: value for name, value in ingest.metrics().items() if name.startswith("idempotency_requests_total") and value}


def test_the_same_answer(start, broker, redis):
    ingest = start()
    batch = [activity("ann"), activity("bob", id="mine"), activity("cy", id="his", published="2003-04-05T06:07:08.900Z")]
    first = send(ingest, batch, "order-7")
    again = [send(ingest, batch, key) for key in ("order-7", '"order-7"')]
    assert [a.status for a in (first, *again)] == [202] * 3
    assert all(a.text == first.text and a.headers["idempotent-replayed"] == "true" for a in again)
    assert "idempotent-replayed" not in first.headers
    assert len(records(broker.bootstrap)) == 3
    assert results(ingest) == {"first": 1, "replayed": 2}
    (key,) = redis.keys("i:*")
    assert key == b"i:{demo/service:test/order-7}" and 86300 < redis.ttl(key) <= 86400
    assert send(start(), batch, "order-7").text == first.text  # whichever instance
    removals = [send(ingest, key="undo-1", method="DELETE", path=f"{PATH}/x?actor=ann") for _ in range(2)]
    assert removals[0].status == 202 and removals[0].text == removals[1].text
    assert [r.value["verb"] for r in records(broker.bootstrap)].count("undo") == 1
    assert ingest.terminate() == 0


def test_what_is_another_request(start, broker):
    ingest = start()
    first = send(ingest, activity(), "k")
    assert first.status == 202
    for body, more in ((activity("bob"), {}), ([activity()], {}), (activity(), {"content_type": "application/x-ndjson"}),
                       (None, {"method": "DELETE", "path": f"{PATH}/x?actor=ann"})):
        answer = send(ingest, body, "k", **more)
        assert answer.status == 422 and "another request" in answer.json["detail"], more
    others = [send(ingest, activity(), "K"), send(ingest, activity()), send(ingest, activity(), "k", bearer=token(tenant="other")),
              send(ingest, activity(), "k", bearer=token("ann", scope=None))]
    assert [a.status for a in others] == [202] * 4
    assert len({first.ids[0], *(a.ids[0] for a in others)}) == 5
    assert len(records(broker.bootstrap)) == 5


BAD_KEYS = ["", " ", "k" * 129, "k" * 300, "a b", "a,b", "{k}", "k*", '"', '""', "a\\b", "a\tb", "ä"]


def test_what_is_refused_takes_no_key(start, redis):
    ingest = start()
    assert send(ingest, b"{", "k").status == 400
    assert send(ingest, activity("a b"), "k").status == 422
    assert send(ingest, activity(), "k", bearer="").status == 401
    for key in BAD_KEYS:
        answer = send(ingest, activity(), key.encode())
        assert answer.status == 400 and "Idempotency-Key must be" in answer.json["detail"], key
    with socket.create_connection(("127.0.0.1", ingest.http_port), 30) as s:
        s.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token()}\r\nContent-Type: application/json\r\n"
                  "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 2\r\n\r\n{}".encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert redis.keys("*") == []
    assert send(ingest, activity(), "k").status == 202
    assert send(ingest, activity(), "k" * 128).status == 202


def test_while_it_is_running(start, broker, redis):
    first, second = start(), start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool, frozen(broker):
        running = pool.submit(send, first, activity(), "k")
        wait_until(lambda: redis.hget("i:{demo/service:test/k}", "l"), "the key is not taken")
        lease = redis.hget("i:{demo/service:test/k}", "l")
        for ingest in (first, second):
            answer = send(ingest, activity(), "k")
            assert answer.status == 409 and answer.headers["retry-after"] == "1"
            assert send(ingest, activity("bob"), "k").status == 422
        wait_until(lambda: redis.hget("i:{demo/service:test/k}", "l") > lease, "the lease is not renewed")
        assert send(second, activity(), "k").status == 409
        os.kill(broker.pid, signal.SIGCONT)
        assert running.result(30).status == 202
    assert send(second, activity(), "k").text == running.result().text
    assert len(records(broker.bootstrap)) == 1


def test_a_killed_instance_is_succeeded(start, broker, redis):
    first, second = start(), start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool, frozen(broker):
        lost = pool.submit(send, first, [activity()] * 3, "k")
        wait_until(lambda: first.metric("kafka_queue_records") == 3, "the records are not queued")
        first.kill9()
        with pytest.raises((OSError, http.client.HTTPException)):
            lost.result(30)
    began = redis.hget("i:{demo/service:test/k}", "t").decode()
    answer = send_until_accepted([second], [activity()] * 3, "k")
    assert results(second)["continued"] == 1
    assert {r.id for r in records(broker.bootstrap)} == set(answer.ids) and len(set(answer.ids)) == 3
    assert all(int(i.replace("-", "")[:12], 16) == int(began) for i in answer.ids)
    assert len({(r.id, r.time) for r in records(broker.bootstrap)}) == 3  # those of the first attempt, if they arrived, are the same


def test_not_acknowledged_in_time(start, broker):
    """A 503 that may have arrived, sent again as it is: the same activities."""
    ingest = start(kafka__delivery_timeout_ms=1000)
    assert send(ingest, activity("warm")).status == 202
    with frozen(broker):
        answer = send(ingest, [activity(), activity("bob")], "k")
        assert answer.status == 503
        ids = [item["id"] for item in answer.json["unacknowledged"]]
        again = send(ingest, [activity(), activity("bob")], "k")
        assert again.status == 503  # at once: the key is free
    accepted = send_until_accepted([ingest], [activity(), activity("bob")], "k")
    assert accepted.ids == ids
    assert {r.id for r in records(broker.bootstrap) if r.value["actor"] != "warm"} == set(ids)


def test_redis_is_away(start, redis_server):
    ingest, lenient = start(), start(idempotency__redis_away="accept")
    first = send(ingest, activity(), "k")
    redis_server.kill9()
    wait_until(lambda: ingest.metric("redis_up") == 0 and lenient.metric("redis_up") == 0, "it does not notice")
    answer = send(ingest, activity(), "k")
    assert answer.status == 503 and answer.headers["retry-after"] and answer.json["accepted"] == 0 and "Redis" in answer.json["detail"]
    assert send(ingest, activity()).status == 202  # without a key it is not needed
    assert ingest.ready()
    assert send(lenient, activity(), "k").status == 202 and results(lenient) == {"unchecked": 1}
    redis_server.start()
    wait_until(lambda: send(ingest, activity(), "k").status == 202, "it does not notice that Redis is back")
    assert send(ingest, activity(), "k").text == first.text


def test_a_redis_that_forgets_or_is_silent(start, redis, redis_server):
    ingest = start()
    first = send(ingest, activity(), "k")
    redis.function_flush("SYNC")
    again = send(ingest, activity(), "k")
    assert again.status == 202 and again.text == first.text
    with frozen(redis_server):
        assert send(ingest, activity(), "other").status == 503
        assert send(ingest, activity()).status == 202
    wait_until(lambda: send(ingest, activity(), "other").status == 202, "it does not come back")


def test_bad_option(daemon, broker):
    process = daemon("ingest", wait=None, kafka__brokers=broker.bootstrap, idempotency__redis_away="ignore")
    assert process.popen.wait(30) == 2 and "refuse or accept" in process.log_text()


def test_racing_pairs(start, broker):
    """1,000 pairs at two instances, one of which is killed on the way: one effect each, and both hear of the same."""
    first, second = start(), start()
    done = threading.Semaphore(0)

    def race(number, order):
        answer = send_until_accepted(order, activity(f"user{number % 50}", object={"type": "post", "id": str(number)}), f"pair-{number}")
        done.release()
        return answer.ids

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        pairs = [(pool.submit(race, n, [first, second]), pool.submit(race, n, [second, first])) for n in range(1000)]
        for _ in range(700):
            done.acquire()
        first.kill9()
        first.start(None)
        answered = [(a.result(), b.result()) for a, b in pairs]
    assert all(a == b and len(a) == 1 for a, b in answered)
    ids_of = {}
    for record in records(broker.bootstrap):
        ids_of.setdefault(record.value["object"]["id"], set()).add((record.id, record.time))
    assert len(ids_of) == 1000 and all(len(ids) == 1 for ids in ids_of.values())
    assert {next(iter(ids))[0] for ids in ids_of.values()} == {a[0] for a, _ in answered}
