"""Tiers: a file says what each tenant may use; it is read again while everything runs, and one tenant that uses all of its own takes nothing of another's."""
import concurrent.futures
import json
import os
import subprocess

import pytest
from feedwire_dev import paths
from ingest_client import activity, frozen, send, token, wait_until

SLOW = 1  # activities a second: what comes back while a test runs is less than what the tests ask for beyond a limit


def rate(burst):
    return {"per_s": SLOW, "burst": burst}


def first_limit(ask):
    """Asks until it is too often: the limit that it met. One activity a second may come back meanwhile."""
    for _ in range(100):
        answer = ask()
        if answer.status != 202:
            return limited_by(answer)
    raise AssertionError("nothing limits it")


class TiersFile:
    def __init__(self, path, **tiers):
        self.path = path
        self.write(tiers)

    def write(self, tiers, tenants=None, text=None):
        """As files are to be written: beside, then renamed. The first tier is that of everybody else."""
        beside = self.path.with_suffix(".new")
        beside.write_text(text or json.dumps({"default": next(iter(tiers)), "tiers": tiers, "tenants": tenants or {}}))
        os.replace(beside, self.path)


@pytest.fixture
def tiers(tmp_path):
    return TiersFile(tmp_path / "tiers.json", free={})


@pytest.fixture
def broker(embedded_broker):
    return embedded_broker()


@pytest.fixture
def start(daemon, broker, redis_server, tiers):
    return lambda **options: daemon("ingest", kafka__brokers=broker.bootstrap, **{**redis_server.options, "tiers.file": tiers.path, **options})


def limited_by(answer):
    """The limit that a 429 names."""
    assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1
    assert int(answer.headers["x-ratelimit-remaining"]) <= int(answer.headers["x-ratelimit-limit"]) and int(answer.headers["x-ratelimit-reset"]) >= 1
    name = answer.headers["ratelimit"].split('"')[1]
    assert answer.headers["ratelimit-policy"].startswith(f'"{name}";q={answer.headers["x-ratelimit-limit"]}')
    return name


def api_key(folder, bin_dir, names, tenant):
    """{name: key}, and the file that ingest knows them by."""
    keys, lines = {}, []
    for name in names:
        made = json.loads(subprocess.run([bin_dir / "feedctl", "key", "new", "service:shop", f"--tenant={tenant}", "--scope=publish", "--json"], capture_output=True, check=True, text=True).stdout)
        keys[name] = made["key"]
        lines.append(made["line"])
    path = folder / "api-keys"
    path.write_text("\n".join(lines) + "\n")
    return keys, path


def test_rates_and_sizes_of_a_tier(start, tiers, tmp_path, bin_dir):
    keys, keys_file = api_key(tmp_path, bin_dir, ("one", "two"), "shop")
    tiers.write(
        {
            "free": {"data_bytes": 16, "rates": {"tenant": rate(100)}},
            "gold": {"rates": {"tenant": rate(500)}},
            "keyed": {"rates": {"key": rate(100), "undo": rate(2), "relate": rate(3)}},
        },
        {"gold-inc": "gold", "shop": "keyed"},
    )
    ingest = start(auth__api_keys_file=keys_file)
    gold = token(tenant="gold-inc")
    assert send(ingest, [activity()] * 100).status == 202 and limited_by(send(ingest, [activity()] * 100)) == "tenant"
    assert send(ingest, [activity()] * 450, bearer=gold).status == 202 and limited_by(send(ingest, [activity()] * 100, bearer=gold)) == "tenant"
    # Two keys of one service are two buckets, and each endpoint is one for all of a tenant.
    assert send(ingest, [activity()] * 100, bearer=keys["one"]).status == 202 and limited_by(send(ingest, [activity()] * 100, bearer=keys["one"])) == "key"
    undo = {"method": "DELETE", "path": "/v1/activities/x?actor=ann"}
    assert first_limit(lambda: send(ingest, bearer=token(tenant="shop"), **undo)) == "undo"
    assert first_limit(lambda: send(ingest, bearer=keys["two"], method="PUT", path="/v1/follows/ann/dan")) == "relate"
    assert first_limit(lambda: send(ingest, bearer=keys["two"], **undo)) == "undo"
    assert send(ingest, activity(), bearer=keys["two"]).status == 202
    # Data: its size as msgpack.
    answer = send(ingest, activity(data={"text": "0123456789abcdef"}), bearer=token(tenant="small"))
    assert answer.status == 422 and answer.json["errors"][0]["field"] == "data" and "tier" in answer.json["errors"][0]["detail"]
    assert send(ingest, activity(data={"text": "01234567"}), bearer=token(tenant="small")).status == 202
    assert send(ingest, activity(data={"text": "0123456789abcdef"}), bearer=keys["two"]).status == 202


def test_the_file_changes(start, tiers):
    ingest = start()
    assert send(ingest, [activity()] * 100).status == 202
    tiers.write({"free": {"rates": {"tenant": rate(500)}}})
    wait_until(lambda: ingest.metric('tiers_reloads_total{result="ok"}') == 1, "it is not read again")
    assert send(ingest, [activity()] * 500).status == 202 and limited_by(send(ingest, [activity()] * 200)) == "tenant"
    tiers.write({}, text='{"default": "free",\n "tiers": {"free": {"rates": {"tenant": {"per_s": "many"}}}}}')
    wait_until(lambda: ingest.metric('tiers_reloads_total{result="failed"}') == 1, "the fault is not counted")
    told = [line for line in ingest.log_lines() if line["event"] == "tiers_not_loaded"]
    assert len(told) == 1 and "tiers.free.rates.tenant.per_s must be an integer" in told[0]["message"]
    assert limited_by(send(ingest, [activity()] * 200)) == "tenant"  # what was there before holds
    tiers.write({"free": {}})
    wait_until(lambda: ingest.metric('tiers_reloads_total{result="ok"}') == 2, "it is not read again")
    assert send(ingest, [activity()] * 100).status == 202
    os.remove(tiers.path)
    wait_until(lambda: ingest.metric('tiers_reloads_total{result="failed"}') == 2, "that it is away is not counted")
    assert send(ingest, [activity()] * 100).status == 202


def test_a_wrong_file_at_the_start(tmp_path, secret_file):
    path = tmp_path / "tiers.json"
    path.write_text('{"default": "free",\n "tiers": {"free": }}')
    command = [paths.bin_dir() / "feedwire-ingest", f"--tiers.file={path}", f"--auth.hs256_secret_file={secret_file}", "--http.port=0", "--admin.port=0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and "tiers.file: line 2: it is not JSON" in done.stderr


def test_a_full_share_is_its_tenants_own(start, tiers, broker):
    """While Kafka takes nothing, a tenant fills its share of what is under way and meets 429; others still come in, and everything that did is acknowledged in the end."""
    tiers.write({"free": {"in_flight_percent": 10}, "gold": {"in_flight_percent": 30}}, {"gold-inc": "gold"})
    ingest = start(kafka__queue_records_max=1000, http__connections_max=40, kafka__delivery_timeout_ms=120000)
    assert send(ingest, activity()).status == 202  # the connection to Kafka stands
    free, gold = token(), token(tenant="gold-inc")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        under_way = []

        def begin(count, bearer):
            before = ingest.metric("kafka_queue_records")
            under_way.append(pool.submit(send, ingest, [activity()] * count, bearer=bearer))
            wait_until(lambda: ingest.metric("kafka_queue_records") == before + count, "it is not under way")

        with frozen(broker):
            begin(60, free)
            answer = send(ingest, [activity()] * 41, bearer=free)  # 60 of 100
            assert limited_by(answer) == "in_flight" and answer.headers["x-ratelimit-limit"] == "100" and answer.headers["x-ratelimit-remaining"] == "40"
            begin(40, free)
            assert limited_by(send(ingest, activity(), bearer=free)) == "in_flight"
            for _ in range(3):
                begin(2, token(tenant="other"))
            begin(1, token(tenant="other"))
            assert limited_by(send(ingest, activity(), bearer=token(tenant="other"))) == "in_flight"  # 4 requests of 40 connections
            begin(300, gold)
            assert limited_by(send(ingest, activity(), bearer=gold)) == "in_flight"
        assert [answer.result().status for answer in under_way] == [202] * 7
    assert send(ingest, [activity()] * 100, bearer=free).status == 202  # everything was given back
    assert ingest.metric('rate_limited_total{limit="in_flight"}') == 4


def test_figures_and_logs_by_tenant(start, tiers):
    tiers.write({"free": {"rates": {"tenant": rate(100)}}})
    ingest = start(log__level="debug")
    for tenant in ("acme", "beta"):
        assert send(ingest, [activity()] * 100, bearer=token(tenant=tenant)).status == 202
    assert limited_by(send(ingest, [activity()] * 100, bearer=token(tenant="beta"))) == "tenant"
    samples = ingest.metrics()
    assert samples['activities_published_total{tenant="acme"}'] == samples['activities_published_total{tenant="beta"}'] == 100
    assert samples['activities_published_total{tenant="other"}'] == 0 and samples['tenant_limited_total{tenant="beta"}'] == 1
    told = [line for line in ingest.log_lines() if line["event"] == "request_limited"]
    assert [(line["tenant"], line["user"], line["limit"]) for line in told] == [("beta", "service:test", "tenant")]
    assert send(ingest, activity(), bearer="x.y.z", headers={"X-Forwarded-For": "203.0.113.9"}).status == 401
    refused = [line for line in ingest.log_lines() if line["event"] == "request_refused"]
    assert [line["address"] for line in refused] == ["127.0.0.1"]  # nobody is believed about where it comes from


def test_the_tenants_share_of_fanout(daemon, broker, redis_server, tiers):
    """With one command under way at a time everything is done all the same, and it is counted whose it was."""
    tiers.write({"free": {"in_flight_percent": 1}})
    ingest = daemon("ingest", kafka__brokers=broker.bootstrap, **redis_server.options)
    fanout = daemon("fanout", kafka__brokers=broker.bootstrap, **{**redis_server.options, "tiers.file": tiers.path, "fanout.commands_max": 100})
    for tenant in ("acme", "beta"):
        assert send(ingest, [activity(f"u{n}") for n in range(50)], bearer=token(tenant=tenant)).status == 202
    wait_until(lambda: fanout.metric("activities_fanout_success_total") == 100, "not all is done")
    samples = fanout.metrics()
    assert samples['activities_fanout_success_total{tenant="acme"}'] == samples['activities_fanout_success_total{tenant="beta"}'] == 50
    tiers.write({}, text="{}")
    wait_until(lambda: fanout.metric('tiers_reloads_total{result="failed"}') == 1, "it is not looked at again")
