"""Who may come in: hostile credentials by the hundred against the real ingest and gateway, keys that rotate under load, API keys."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest
import redis as redis_py
from feedwire_dev import kafka, redis_server as redis_servers, tokens
from feedwire_dev.daemon import Daemon
from ingest_client import PATH, activity
from ws_wire import WebSocket

ROOT = pathlib.Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "schemas/vectors/credentials.json").read_text())
LIBRARY = ROOT / "schemas/redis/feedwire_v1.lua"
HOSTILE = VECTORS["hostile"] + VECTORS["api_keys"]["hostile"]
DEADLINE_S = 60
AT_ONCE = 8
UNAUTHORIZED, FORBIDDEN, TOKEN_EXPIRED = 4501, 4503, 4401
DETAILS = {
    "malformed": "The token is malformed.",
    "algorithm": "The token is not signed with the algorithm of its key.",
    "key": "The credential belongs to no key that is known here.",
    "signature": "The token's signature is wrong.",
    "expired": "The credential has expired.",
    "not_yet": "The token is not valid yet.",
    "audience": "The token is not for this audience.",
    "claims": "The token lacks a valid tenant, sub or exp, or has another claim of the wrong type.",
}
GOOD_TOKEN = VECTORS["valid"][0]["token"]


def replace(path, text):
    """As files of keys are to be written: beside, then renamed."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


def key_set(*keys):
    return json.dumps({"keys": keys})


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


def post(ingest, credential, actor="ann"):
    """(status, detail)"""
    connection = http.client.HTTPConnection("127.0.0.1", ingest.http_port, timeout=DEADLINE_S)
    try:
        connection.request("POST", PATH, json.dumps(activity(actor)), {"Content-Type": "application/json", "Authorization": f"Bearer {credential}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read()).get("detail")
    finally:
        connection.close()


def connect(gateway, credential, in_header=False):
    headers = [f"Authorization: Bearer {credential}"] if in_header else []
    ws = WebSocket(gateway.http_port, protocol="feedwire.v1.json", headers=headers)
    assert ws.status == 101
    if not in_header:
        ws.send(json.dumps({"type": "hello", "token": credential, "feeds": [{"feed": "home"}]}))
    return ws


def welcomed(ws, in_header=False):
    if in_header:
        ws.send(json.dumps({"type": "hello", "feeds": [{"feed": "home"}]}))
    return json.loads(ws.message())


def refusal(gateway, credential, in_header=False):
    """(code and text of the error message, close code)"""
    with connect(gateway, credential, in_header) as ws:
        message = json.loads(ws.message())
        return message.get("code"), message.get("message"), ws.close_code()


class System:
    def __init__(self, folder, bin_dir, started):
        self.folder = folder
        self.jwks, self.api_keys = folder / "jwks.json", folder / "api-keys"
        secret = folder / "hs256.key"
        tokens.write_secret(secret, VECTORS["hs256_secret"].encode())
        replace(self.jwks, json.dumps(VECTORS["jwks"]))
        replace(self.api_keys, VECTORS["api_keys"]["file"])

        def start(process):
            started.append(process)
            return process.start()

        self.broker = start(kafka.EmbeddedBroker(folder, bin_dir, {"activities": 1}))
        self.redis = start(redis_servers.RedisServer(folder))
        redis_py.Redis(port=self.redis.port).function_load(LIBRARY.read_text())
        options = {"auth.jwks_file": self.jwks, "auth.api_keys_file": self.api_keys, "auth.hs256_secret_file": secret, "log.level": "debug", **self.redis.options}
        self.ingest = start(Daemon("ingest", folder, bin_dir, {"kafka.brokers": self.broker.bootstrap, **options}))
        self.gateway = start(Daemon("gateway", folder, bin_dir, options | {"feed.ttl_s": 0}))
        self.pids = [daemon.pid for daemon in (self.ingest, self.gateway)]

    def assert_unharmed(self):
        assert post(self.ingest, GOOD_TOKEN)[0] == 202
        with connect(self.gateway, GOOD_TOKEN) as ws:
            assert welcomed(ws)["user"] == "ann"
        assert [daemon.pid for daemon in (self.ingest, self.gateway)] == self.pids
        assert self.ingest.running and self.gateway.running


@pytest.fixture
def system(tmp_path, bin_dir, started):
    return System(tmp_path, bin_dir, started)


def wrong_answers(system, case):
    """Those of ingest and gateway that are not exactly what the case wants."""
    refused = "unauthorized", f"the token is not accepted ({case['reason']})", UNAUTHORIZED
    answers = {"ingest": (post(system.ingest, case["token"]), (401, DETAILS[case["reason"]]))}
    for in_header in (False, True):
        answers[f"gateway, in_header={in_header}"] = refusal(system.gateway, case["token"], in_header), refused
    return [(where, case["name"], got) for where, (got, expected) in answers.items() if got != expected]


def test_hostile_credentials(system):
    assert len(HOSTILE) >= 150
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(HOSTILE), 100):
            wrong = sum(pool.map(lambda case: wrong_answers(system, case), HOSTILE[start : start + 100]), [])
            assert not wrong
            system.assert_unharmed()
    for daemon, times in ((system.ingest, 1), (system.gateway, 2)):
        samples = daemon.metrics()
        for reason in DETAILS:
            assert samples[f'auth_refused_total{{reason="{reason}"}}'] == times * sum(case["reason"] == reason for case in HOSTILE), reason
    assert_no_secrets_told(system)


def assert_no_secrets_told(system):
    """What was sent as a credential, or its secret part, is in no log line and no metric."""
    cases = HOSTILE + VECTORS["valid"] + VECTORS["api_keys"]["valid"]
    secrets = {case["token"] for case in cases if len(case["token"]) > 20} | {case["token"].rpartition(".")[2] for case in cases}
    secrets |= {case["token"][21:] for case in cases if case["token"].startswith("fwk_")} | {VECTORS["hs256_secret"]}
    for daemon in (system.ingest, system.gateway):
        told = daemon.log_text() + json.dumps(daemon.metrics())
        assert "request_refused" in told or "session_closed" in told
        assert not [secret for secret in secrets if len(secret) > 20 and secret in told]


def test_good_credentials_and_their_scopes(system):
    for case in VECTORS["valid"] + VECTORS["api_keys"]["valid"]:
        subject = case.get("subject") or ("a" * 128 if "128" in case["name"] else "ann")
        assert post(system.ingest, case["token"], subject)[0] == (202 if case["post"] else 403), case["name"]
        assert post(system.ingest, case["token"], "bob")[0] == (202 if case["publish"] else 403), case["name"]
        for in_header in (False, True):
            if case["read"]:
                with connect(system.gateway, case["token"], in_header) as ws:
                    message = welcomed(ws, in_header)
                    assert (message["type"], message["tenant"], message["user"]) == ("welcome", "demo", subject), case["name"]
            else:
                with connect(system.gateway, case["token"], in_header) as ws:
                    assert welcomed(ws, in_header)["code"] == "forbidden" and ws.close_code() == FORBIDDEN, case["name"]
    assert_no_secrets_told(system)


def rotate(system, stop, turns):
    """Both keys stay in the file, which changes all the time, and is sometimes wrong or away."""
    old, new = VECTORS["rotation"]["old"], VECTORS["rotation"]["new"]
    for turn in range(turns):
        replace(system.jwks, key_set(*((old, new) if turn % 2 else (new, old))) + " " * (turn % 7))
        if turn % 5 == 3:
            replace(system.jwks, key_set(old, new)[: turn + 10])
        if turn % 10 == 9:
            system.jwks.unlink()
        time.sleep(0.02)
    replace(system.jwks, key_set(old, new))
    stop.set()


def load(system, stop, credential):
    """The answers' statuses that were not 202; how many there were."""
    bad, count = [], 0
    while not stop.is_set():
        status = post(system.ingest, credential)[0]
        with connect(system.gateway, credential) as ws:
            kind = welcomed(ws)["type"]
        count += 1
        if (status, kind) != (202, "welcome"):
            bad.append((status, kind))
    return bad, count


def test_keys_rotate_under_load(system):
    rotation = VECTORS["rotation"]
    replace(system.jwks, key_set(rotation["old"]))
    wait_for(lambda: post(system.ingest, rotation["old_token"])[0] == 202, "the old key")
    assert post(system.ingest, rotation["new_token"]) == (401, DETAILS["key"])
    assert refusal(system.gateway, rotation["new_token"])[2] == UNAUTHORIZED
    replace(system.jwks, key_set(rotation["old"], rotation["new"]))
    # At once, though the file is looked at once a second: an unknown key is worth a look.
    assert post(system.ingest, rotation["new_token"])[0] == 202
    with connect(system.gateway, rotation["old_token"]) as old_session, connect(system.gateway, rotation["new_token"]) as new_session:
        for ws in (old_session, new_session):
            assert welcomed(ws)["type"] == "welcome"
            assert json.loads(ws.message())["type"] == "slice"
        stop = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            results = [pool.submit(load, system, stop, rotation[name]) for name in ("old_token", "new_token")]
            pool.submit(rotate, system, stop, 100).result()
        for result in results:
            bad, count = result.result()
            assert not bad and count >= 20
        replace(system.jwks, key_set(rotation["new"]))
        assert old_session.close_code() == TOKEN_EXPIRED
        wait_for(lambda: post(system.ingest, rotation["old_token"]) == (401, DETAILS["key"]), "the old key to be refused")
        assert refusal(system.gateway, rotation["old_token"])[2] == UNAUTHORIZED
        new_session.send(json.dumps({"type": "nothing", "id": "x"}))
        assert json.loads(new_session.message())["code"] == "unknown_type"
    assert post(system.ingest, rotation["new_token"])[0] == 202
    for daemon in (system.ingest, system.gateway):
        assert daemon.metrics()['auth_keys{kind="token"}'] == 1


def test_a_wrong_file_changes_nothing_and_is_told(system):
    replace(system.jwks, "{")
    replace(system.api_keys, "hunter2")
    good_key = VECTORS["api_keys"]["valid"][0]["token"]
    for daemon in (system.ingest, system.gateway):
        wait_for(lambda daemon=daemon: daemon.metrics()['auth_reloads_total{result="failed"}'] == 2, "both files to be refused")
        told = [line for line in daemon.log_lines() if line.get("event") == "credentials_not_loaded"]
        assert {line["option"] for line in told} == {"auth.jwks_file", "auth.api_keys_file"}
        assert "hunter2" not in daemon.log_text()
    assert post(system.ingest, good_key)[0] == 202
    system.assert_unharmed()
    replace(system.api_keys, VECTORS["api_keys"]["file"] + "# again\n")
    replace(system.jwks, json.dumps(VECTORS["jwks"]) + "\n")
    for daemon in (system.ingest, system.gateway):
        wait_for(lambda daemon=daemon: daemon.metrics()['auth_reloads_total{result="ok"}'] == 2, "both files to be taken")


def feedctl(bin_dir, *arguments):
    return subprocess.run([bin_dir / "feedctl", "key", "new", *arguments], capture_output=True, text=True, timeout=DEADLINE_S)


def test_an_api_key_from_its_making_to_its_end(system, bin_dir):
    made = json.loads(feedctl(bin_dir, "service:shop", "--tenant=acme", "--scope=publish,read", "--days=30", "--json=true").stdout)
    key, line = made["key"], made["line"]
    assert key.startswith("fwk_") and key[21:] not in line and "tenant=acme sub=service:shop scope=publish,read expires=" in line
    assert post(system.ingest, key) == (401, DETAILS["key"])
    before = system.api_keys.read_text()
    replace(system.api_keys, before + line + "\n")
    assert post(system.ingest, key, "anybody")[0] == 202
    with connect(system.gateway, key) as ws:
        message = welcomed(ws)
        assert (message["tenant"], message["user"]) == ("acme", "service:shop")
        assert json.loads(ws.message())["type"] == "slice"
        opened = [line for line in system.gateway.log_lines() if line.get("event") == "session_opened"]
        assert opened[-1]["api_key"] == key[4:20]
        replace(system.api_keys, before)
        assert ws.close_code() == TOKEN_EXPIRED
    wait_for(lambda: post(system.ingest, key) == (401, DETAILS["key"]), "the key to be refused")
    assert key[21:] not in system.ingest.log_text() + system.gateway.log_text()


def test_making_keys_is_refused_clearly(bin_dir):
    text = feedctl(bin_dir, "service:shop").stdout
    assert "fwk_" in text and "scope=publish" in text and "expires" not in text
    assert feedctl(bin_dir, "service:shop").stdout != text
    for arguments, words in ((["service:shop", "--scope=write"], "--scope must be"), (["a b"], "USER must be"), ([], "exactly one USER"),
                             (["x", "--tenant=A"], "--tenant must be"), (["x", "--days=-1"], "days")):
        done = feedctl(bin_dir, *arguments)
        assert done.returncode == 2 and words in done.stderr and "fwk_" not in done.stdout


@pytest.mark.parametrize("name, text, words", [
    ("auth.jwks_file", None, "No such file"),
    ("auth.jwks_file", '{"keys":[]}', "auth.jwks_file: it has no key"),
    ("auth.jwks_file", json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "c2VjcmV0"}]}), "keys[0]: it holds a secret"),
    ("auth.api_keys_file", "fwk_0000000000000000_hunter2\n", "auth.api_keys_file: line 1"),
    ("auth.hs256_secret_file", "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n", "must hold a secret"),
    ("log.level", None, "one of auth.jwks_file"),
])
@pytest.mark.parametrize("daemon_name", ["ingest", "gateway"])
def test_wrong_files_stop_the_start(bin_dir, tmp_path, daemon_name, name, text, words):
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    value = "info" if name == "log.level" else path
    done = subprocess.run([bin_dir / f"feedwire-{daemon_name}", "--http.port=0", "--admin.port=0", f"--{name}={value}"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "hunter2" not in done.stderr and "c2VjcmV0" not in done.stderr


def test_files_as_kubernetes_replaces_them(system, tmp_path):
    """A mounted secret is a symbolic link through a directory that is a symbolic link, which is exchanged."""
    for version, keys in (("v1", [VECTORS["rotation"]["old"]]), ("v2", [VECTORS["rotation"]["new"]])):
        (tmp_path / version).mkdir()
        (tmp_path / version / "jwks.json").write_text(key_set(*keys))
    (tmp_path / "data").symlink_to("v1")
    system.jwks.unlink()
    system.jwks.symlink_to("data/jwks.json")
    wait_for(lambda: post(system.ingest, VECTORS["rotation"]["old_token"])[0] == 202, "the first version")
    (tmp_path / "data.new").symlink_to("v2")
    os.replace(tmp_path / "data.new", tmp_path / "data")
    assert post(system.ingest, VECTORS["rotation"]["new_token"])[0] == 202
    wait_for(lambda: post(system.ingest, VECTORS["rotation"]["old_token"])[0] == 401, "the first version to end")
