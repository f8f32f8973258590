"""Rate limits: one bucket for all instances, by the clock of Redis; a share of it in each while Redis is away."""
import collections
import concurrent.futures
import os
import time

import pytest
import redis as redis_client
from ingest_client import activity, records, send, token, wait_until

BURST, PER_S = 200, 100
CLIENTS = 50
SECONDS = float(os.environ.get("INGEST_LIMIT_SECONDS", 8))  # the full run: 60


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


@pytest.fixture
def start(daemon, broker, redis_server):
    return lambda **options: daemon("ingest", kafka__brokers=broker.bootstrap, **{**redis_server.options, **options})


def test_the_answer(start, redis_server):
    # So slow that nothing comes back while this runs.
    ingest = start(limit__tenant_per_s=1, limit__tenant_burst=1000, limit__subject_per_s=1, limit__subject_burst=500, limit__actor_per_s=1, limit__actor_burst=100)
    assert send(ingest, [activity()] * 60).status == 202
    answer = send(ingest, [activity("bob"), *[activity()] * 60])  # 40 are left, a few more by now
    assert answer.status == 429 and answer.headers["content-type"] == "application/problem+json" and "actor" in answer.json["detail"]
    left, wait = int(answer.headers["x-ratelimit-remaining"]), int(answer.headers["retry-after"])
    assert 40 <= left < 60 and 1 <= wait <= 20 and answer.headers["x-ratelimit-limit"] == "100" and answer.headers["x-ratelimit-reset"] == str(wait)
    assert answer.headers["ratelimit"] == f'"actor";r={left};t={wait}' and answer.headers["ratelimit-policy"] == '"actor";q=100;w=100'
    assert send(ingest, [activity("bob")] * 100).status == 202  # the refused request took nothing of bob's
    assert send(ingest, [activity(f"u{i}") for i in range(400)]).headers["ratelimit"].startswith('"subject"')
    other = token("service:other")
    assert send(ingest, [activity(f"u{i}") for i in range(400)], bearer=other).status == 202
    assert send(ingest, [activity(f"w{i}") for i in range(500)], bearer=token("service:third")).headers["ratelimit"].startswith('"tenant"')
    assert send(ingest, [activity(f"{i:0128}") for i in range(1000)], bearer=token("service:large", tenant="large")).status == 202  # the most buckets at once
    assert send(ingest, [activity()] * 100, bearer=token(tenant="other")).status == 202  # nobody else is concerned
    assert send(ingest, activity("a b")).status == 422 and send(ingest, activity(), bearer="").status == 401  # these take nothing
    with redis_client.Redis(port=redis_server.port) as redis:
        keys = {key.decode() for key in redis.keys("r:*")}
        assert {"r:{demo}", "r:{demo}/s/service:test", "r:{demo}/a/ann", "r:{other}"} <= keys
        assert all(redis.pttl(key) > 0 for key in keys)  # a full bucket takes no room
    counted = ingest.metrics()
    assert {counted[f'rate_limited_total{{limit="{k}"}}'] for k in ("actor", "subject", "tenant")} == {1}
    assert ingest.metric("rate_limit_local_total") == 0


def test_many_clients_of_two_instances(start, broker):
    """Not more than burst + rate x time is accepted, and 1 %, whoever asks where, and nearly so much."""
    ingests = [start(limit__tenant_per_s=PER_S, limit__tenant_burst=BURST) for _ in range(2)]
    bearer, statuses = token(), collections.Counter()
    began = time.monotonic()

    def work(worker):
        answers = collections.Counter()
        while time.monotonic() < began + SECONDS:
            answers[send(ingests[(worker + answers.total()) % 2], activity(f"u{worker}"), bearer=bearer).status] += 1
        return answers

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for answers in pool.map(work, range(CLIENTS)):
            statuses += answers
    elapsed = time.monotonic() - began
    assert statuses.keys() <= {202, 429}
    assert BURST <= statuses[202] <= (BURST + PER_S * elapsed) * 1.01
    assert len(records(broker.bootstrap)) == statuses[202]
    assert statuses[429] > 0, "so few came that nothing was limited"
    assert all(ingest.metric("rate_limit_local_total") == 0 for ingest in ingests)


def test_redis_is_away(start, redis_server):
    ingest = start(limit__tenant_per_s=1, limit__tenant_burst=100, limit__instances=4)
    assert send(ingest, [activity()] * 100).status == 202
    redis_server.kill9()
    wait_until(lambda: ingest.metric("redis_up") == 0, "it does not notice")
    assert send(ingest, [activity()] * 25).status == 202  # a quarter of the burst
    answer = send(ingest, [activity()] * 10)
    assert answer.status == 429 and answer.headers["ratelimit-policy"] == '"tenant";q=100;w=100'
    assert ingest.metric("rate_limit_local_total") == 2
    redis_server.start()
    wait_until(lambda: ingest.metric("redis_up") == 1, "it does not notice that Redis is back")
    assert send(ingest, [activity()] * 100).status == 429
    assert ingest.metric("rate_limit_local_total") == 2
