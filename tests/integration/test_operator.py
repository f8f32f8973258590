"""What an operator sees: feedctl, the admin ports, metrics, logs."""

import json
import os
import shutil
import subprocess
import time
import uuid

import msgpack
import pytest
import redis
from confluent_kafka import Producer
from feedwire_dev import admin, paths, ports

DAEMONS = ("ingest", "fanout", "gateway")
REQUIRED_METRICS = {
    "ingest": {"activities_published_total", "loop_lag_seconds", "process_start_time_seconds"},
    "fanout": {"activities_fanout_success_total", "kafka_consumer_lag_records", "redis_command_seconds_count", "fanout_repeats_total", "loop_lag_seconds"},
    "gateway": {"websocket_messages_sent_total", "websocket_connections", "redis_command_seconds_count", "loop_lag_seconds"},
}


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker({"activities": 2, "activities.dlq": 1})


@pytest.fixture
def feedctl(bin_dir, broker, redis_server):
    def run(*arguments, expect=0):
        options = {"kafka.brokers": broker.bootstrap, **redis_server.options}
        command = [bin_dir / "feedctl", *arguments, *(f"--{name}={value}" for name, value in options.items())]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr

    return run


@pytest.fixture
def system(daemon, broker, redis_server):
    return {
        "fanout": daemon("fanout", kafka__brokers=broker.bootstrap, **redis_server.options),
        "ingest": daemon("ingest", kafka__brokers=broker.bootstrap),
        "gateway": daemon("gateway", **redis_server.options),
    }


def wait_for(condition, what, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)
    return value


def produce(broker, actor, verb, object_type, object_id, published, key=None, value=None):
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    ident = str(uuid.uuid4())
    value = value if value is not None else msgpack.packb({"actor": actor, "verb": verb, "object": {"type": object_type, "id": object_id}})
    headers = {"ce_id": ident, "ce_tenant": "demo", "ce_time": published, "content-type": "application/msgpack"}
    producer.produce("activities", value, key or f"demo/{actor}", headers=list(headers.items()))
    producer.flush(20)
    return ident


def finished(system, count):
    wait_for(lambda: system["fanout"].metric("fanout_records_total") >= count, f"{count} finished records")


def test_feed_show(feedctl, broker, system):
    produce(broker, "ann", "follow", "user", "bob", "2026-01-01T00:00:00Z")
    finished(system, 1)
    ident = produce(broker, "bob", "like", "post", "7", "2026-01-02T03:04:05.678Z")
    finished(system, 2)
    text = feedctl("feed", "show", "ann")
    assert f"2026-01-02T03:04:05.678Z  {ident}  bob like post:7\n" in text
    feed = json.loads(feedctl("feed", "show", "ann", "--json"))
    assert [(entry["id"], entry["actor"], entry["object"]) for entry in feed["entries"]] == [(ident, "bob", {"type": "post", "id": "7"})]
    assert feed["position"].startswith("v1.")
    notified = json.loads(feedctl("feed", "show", "bob", "--feed=notifications", "--json"))
    assert [entry["verb"] for entry in notified["entries"]] == ["follow"]
    outbox = json.loads(feedctl("feed", "show", "bob", "--feed=outbox", "--json"))
    assert [entry["id"] for entry in outbox["entries"]] == [ident]


def test_a_feed_that_does_not_exist(feedctl, system):
    assert "does not exist yet" in feedctl("feed", "show", "nobody")
    assert json.loads(feedctl("feed", "show", "nobody", "--json"))["entries"] == []


def test_followers(feedctl, broker, system):
    for follower in ("ann", "cy"):
        produce(broker, follower, "follow", "user", "bob", "2026-01-01T00:00:00Z")
    finished(system, 2)
    assert "2 followers of bob, 2 shown" in feedctl("followers", "bob")
    found = json.loads(feedctl("followers", "bob", "--json", "--limit=1"))
    assert found["total"] == 2
    assert found["followers"] == [{"user": "ann", "since": "2026-01-01T00:00:00.000Z"}]


def test_lag_before_and_after(feedctl, broker, daemon, redis_server):
    for number in range(30):
        produce(broker, f"user{number}", "like", "post", "1", "2026-01-01T00:00:00Z")
    lag = json.loads(feedctl("lag", "--json"))
    assert lag["waiting"] == 30
    assert [partition["partition"] for partition in lag["partitions"]] == [0, 1]
    daemon("fanout", kafka__brokers=broker.bootstrap, commit__interval_ms=50, **redis_server.options)
    wait_for(lambda: json.loads(feedctl("lag", "--json"))["waiting"] == 0, "a lag of 0")
    assert "0 records waiting" in feedctl("lag")


def test_dead_letters(feedctl, broker, system):
    assert json.loads(feedctl("dlq", "list", "--json")) == []
    produce(broker, "ann", "like", "post", "7", "2026-01-01T00:00:00Z", value=b"\xc1 no msgpack \x1b[2J")
    produce(broker, "ann", "like", "post", "7", "2026-01-01T00:00:00Z", key="demo/somebody-else")
    finished(system, 2)
    letters = wait_for(lambda: len(found := json.loads(feedctl("dlq", "list", "--json"))) == 2 and found, "two dead letters")
    assert {letter["reason"] for letter in letters} <= {"malformed", "invalid", "unsupported"}
    assert all(letter["source"].startswith("activities/") and letter["detail"] for letter in letters)
    text = feedctl("dlq", "list")
    assert "2 dead letters shown" in text
    assert "\x1b" not in text
    assert system["fanout"].metrics()['fanout_records_total{result="dead_letter"}'] == 2


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((), "a command is expected"),
        (("feed",), "unknown command"),
        (("feed", "show"), "exactly one USER"),
        (("feed", "show", "a", "b"), "exactly one USER"),
        (("feed", "show", "f:{x}"), "USER must be"),
        (("feed", "show", "ann", "--feed=inbox"), "--feed must be"),
        (("followers", "ann", "--limit=0"), "limit"),
        (("followers", "ann", "--tenant=Demo"), "--tenant must be"),
        (("lag", "--lmit=3"), "limit"),
    ],
)
def test_wrong_use_is_explained(feedctl, arguments, sentence):
    assert sentence in feedctl(*arguments, expect=2)


def test_what_is_away_is_named(bin_dir):
    port = ports.any_free()
    for command, word in ((["followers", "ann", f"--redis.url=redis://127.0.0.1:{port}"], "Redis"), (["lag", f"--kafka.brokers=127.0.0.1:{port}"], "Kafka")):
        done = subprocess.run([str(bin_dir / "feedctl"), *command, "--timeout_ms=1000"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert word in done.stderr


def test_a_password_on_the_command_line_is_refused_and_not_repeated(bin_dir):
    done = subprocess.run([str(bin_dir / "feedctl"), "followers", "ann", "--redis.url=redis://:canary-password@127.0.0.1:1"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_metrics_are_well_formed_and_there(system, name):
    status, text = admin.get(system[name].admin_port, "/metrics")
    assert status == 200
    promtool = shutil.which("promtool") or str(paths.CACHE / "prefix/bin/promtool") if hasattr(paths, "CACHE") else shutil.which("promtool")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {sample.partition("{")[0] for sample in system[name].metrics()}
    assert REQUIRED_METRICS[name] <= names


@pytest.mark.parametrize("name", DAEMONS)
def test_admin_pages(system, name):
    port = system[name].admin_port
    assert admin.get(port, "/livez")[0] == 200
    status, text = admin.get(port, "/readyz")
    assert status == 200 and json.loads(text)["ready"] is True
    assert admin.get(port, "/nonsense")[0] == 404


@pytest.mark.parametrize("name, options, condition", [
    ("ingest", {"kafka.brokers": "127.0.0.1:1"}, "kafka"),
    ("fanout", {"kafka.brokers": "127.0.0.1:1", "redis.url": "redis://127.0.0.1:1"}, "redis"),
    ("gateway", {"redis.url": "redis://127.0.0.1:1"}, "redis"),
])
def test_who_is_not_ready_says_why(daemon, name, options, condition):
    process = daemon(name, wait="/livez", **options)
    def reason():
        status, text = admin.get(process.admin_port, "/readyz")
        assert status == 503
        return next((c["reason"] for c in json.loads(text)["conditions"] if c["name"] == condition and not c["ok"] and c["reason"] != "starting"), None)
    assert wait_for(reason, f"a reason for {condition}")
    assert process.terminate() == 0


def test_logs_are_json_and_hold_no_token(system, make_token):
    token = make_token("ann")
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", system["ingest"].http_port, timeout=20)
    for body, authorization in (("{", f"Bearer {token}"), ('{"actor":"ann"}', f"Bearer {token}"), ("{}", f"Bearer {token}x")):
        connection.request("POST", "/v1/activities", body, {"Content-Type": "application/json", "Authorization": authorization})
        connection.getresponse().read()
    for process in system.values():
        assert process.terminate() == 0
        for line in process.log_lines():
            assert {"time", "level", "service", "event"} <= set(line), line
        assert token[:20] not in process.log_text()


def test_command_lines_hold_no_secret(system):
    for process in system.values():
        command = open(f"/proc/{process.pid}/cmdline", "rb").read()
        assert b"only for integration tests" not in command
    assert os.environ.get("FEEDWIRE_AUTH_HS256_SECRET") is None
