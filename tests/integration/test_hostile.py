"""Bad input by the thousand against the real ingest and gateway (tables: hostile/): each gets exactly its answer, and nothing else happens. After each
group the processes are the same, a connection and a session that were open before still work, the counters rose by exactly what was sent, nothing was
produced, Redis has no new key, and no log line is broken or tells a token."""
import collections
import concurrent.futures
import http.client
import json
import pathlib
import re
import socket
import uuid

import msgpack
import pytest
import redis as redis_py
from feedwire_dev import admin
from hostile import body_cases, http_cases
from hostile.case import ACTIVITY, CANARY, CUT, LWS_REFUSES, TOKEN, handshake
from ingest_client import PATH, records, token
from ws_wire import Closed, WebSocket

LIBRARY = pathlib.Path(__file__).parents[2] / "schemas/redis/feedwire_v1.lua"
DEADLINE_S = 30
AT_ONCE = 8
CASES = [*http_cases.all_cases(), *body_cases.all_cases()]
MESSAGES = list(body_cases.messages())
START_MS = 1_700_000_000_000
STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3} ")
CLOSES = {4500: "bad_message", 4501: "unauthorized", 1007: "protocol_error"}


def raw(port, data):
    """All that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as s:
        answer = b""
        try:
            s.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            pass  # it was refused before it was complete
        try:
            while more := s.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
        return answer


def told(body):
    """What an answer says, in one text."""
    problem = json.loads(body)
    return " ".join([problem["detail"], *(error["field"] for error in problem.get("errors", []))])


def wrong_answer(case, answer):
    """What is not as it must be; None when it is."""
    if case.status == CUT:
        return None if answer == b"" else f"answered {answer[:80]}"
    head, _, body = answer.partition(b"\r\n\r\n")
    if not STATUS_LINE.match(answer) or int(answer[9:12]) != abs(case.status):
        return f"answered {answer[:400]}"
    if case.status == LWS_REFUSES:
        return None
    if len(STATUS_LINE.findall(answer)) != 1:
        return "answered twice"
    if b"content-type: application/problem+json" not in head.lower() or b"connection: close" not in head.lower() or b"x-evil" in head.lower():
        return f"head {head}"
    problem = json.loads(body)
    if problem["status"] != case.status or case.says not in told(body):
        return f"says {told(body)}"
    return None


class Control:
    """A connection to ingest and a session at the gateway, both open since before the attack."""

    def __init__(self, system):
        self.system, self.number = system, 0
        self.connection = http.client.HTTPConnection("127.0.0.1", system.ingest.http_port, timeout=DEADLINE_S)
        self.session = WebSocket(system.gateway.http_port, protocol="feedwire.v1.json")
        self.session.send(json.dumps({"type": "hello", "token": token("control", scope=None), "feeds": [{"feed": "home"}]}))
        assert [json.loads(self.session.message())["type"] for _ in range(2)] == ["welcome", "slice"]
        self.check()

    def check(self):
        """A request and an entry pass."""
        self.number += 1
        self.connection.request("POST", PATH, json.dumps(ACTIVITY), {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})
        answer = self.connection.getresponse()
        assert answer.status == 202, answer.read()
        answer.read()
        entry = uuid.UUID(int=self.number).bytes + msgpack.packb(["like", "cy", "post", f"p{self.number}"])
        self.system.redis.execute_command("FCALL", "feedwire_v1_add", 1, "f:{demo/control}", b"12345678", 100, 20, START_MS + self.number, entry)
        message = json.loads(self.session.message())
        assert message["type"] == "push" and [e["object"]["id"] for e in message["entries"]] == [f"p{self.number}"]


class System:
    def __init__(self, broker, redis_server, daemon, **options):
        self.broker, self.redis = broker, redis_py.Redis(port=redis_server.port)
        self.redis.function_load(LIBRARY.read_text())
        shared = {"log.level": "debug", "http.allowed_origins": http_cases.ALLOWED, **redis_server.options, **options}
        self.ingest = daemon("ingest", **{"kafka.brokers": broker.bootstrap, **shared})
        self.gateway = daemon("gateway", **{"heartbeat_ms": 3600000, **shared})
        self.daemons = {"ingest": self.ingest, "gateway": self.gateway}
        self.pids = [process.pid for process in self.daemons.values()]
        self.control = Control(self)
        self.keys, self.before = set(self.redis.keys("*")), self.counters()

    def counters(self):
        return {name: process.metrics() for name, process in self.daemons.items()}

    def rose(self, daemon, sample, total=False):
        """total: the sum over the labels of a metric."""
        now, before = (admin.total(samples[daemon], sample) if total else samples[daemon].get(sample, 0) for samples in (self.counters(), self.before))
        return now - before

    def assert_unharmed(self):
        self.control.check()
        assert [process.pid for process in self.daemons.values()] == self.pids and all(process.running for process in self.daemons.values())
        assert set(self.redis.keys("*")) == self.keys, "keys that were not there before"
        assert len(records(self.broker.bootstrap)) == self.control.number, "something was produced"
        for name, process in self.daemons.items():
            lines = process.log_lines()
            assert all({"time", "level", "service", "event"} <= set(line) for line in lines), [line for line in lines if "event" not in line][:3]
            told_ = process.log_text() + json.dumps(process.metrics())
            for secret in (TOKEN, CANARY):
                assert secret not in told_ and secret.rpartition(".")[2] not in told_, f"{name} tells a token"


@pytest.fixture
def system(embedded_broker, redis_server, daemon):
    system = System(embedded_broker(), redis_server, daemon)
    yield system
    for process in system.daemons.values():
        assert process.terminate() == 0, process.log_tail()


def test_there_are_enough_of_them():
    """And no two are the same."""
    assert len({(case.to, case.data) for case in CASES}) == len(CASES)
    assert len({message.data for message in MESSAGES}) == len(MESSAGES)
    assert len({case.data for case in CASES} | {message.data for message in MESSAGES}) >= 1500
    by_row = collections.Counter(case.row for case in CASES) + collections.Counter(message.row for message in MESSAGES)
    assert by_row["S1"] >= 20 and by_row["S16"] >= 60 and by_row["S18"] >= 300 and by_row["S20"] >= 60 and by_row["S29"] >= 319, by_row


@pytest.mark.parametrize("row", sorted({case.row for case in CASES}))
def test_requests(system, row):
    cases = [case for case in CASES if case.row == row]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda case: raw(system.daemons[case.to].http_port, case.data), cases))
    wrong = [(case.name, case.to, case.status, fault) for case, answer in zip(cases, answers) if (fault := wrong_answer(case, answer))]
    assert not wrong, f"{len(wrong)} of {len(cases)}: {wrong[:8]}"
    assert not [answer for answer in answers if CANARY.encode() in answer]
    expected = collections.Counter(case.status for case in cases if case.to == "ingest" and case.status > 0)
    for status, count in expected.items():
        assert system.rose("ingest", f'http_requests_total{{code="{status}"}}') == count, status
    refused = collections.Counter("origin" if case.status == 403 else "request" for case in cases if case.to == "gateway" and case.status > 0)
    for reason, count in refused.items():
        assert system.rose("gateway", f'websocket_handshakes_refused_total{{reason="{reason}"}}') == count, reason
    assert system.rose("ingest", "activities_published_total", True) == 0
    system.assert_unharmed()


def refusal(system, message):
    """(code of the error message, close code)"""
    with WebSocket(system.gateway.http_port, protocol="feedwire.v1.json", timeout=DEADLINE_S) as ws:
        ws.send(message.data, opcode=1)
        try:
            return json.loads(ws.message())["code"], ws.close_code()
        except Closed as closed:
            return "", closed.code


@pytest.mark.parametrize("row", sorted({message.row for message in MESSAGES}))
def test_first_messages(system, row):
    messages = [message for message in MESSAGES if message.row == row]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda message: refusal(system, message), messages))
    wrong = [(m.name, answer) for m, answer in zip(messages, answers) if answer != (m.error, m.close)]
    assert not wrong, f"{len(wrong)} of {len(messages)}: {wrong[:8]}"
    for code, count in collections.Counter(m.close for m in messages).items():
        assert system.rose("gateway", f'websocket_closes_total{{reason="{CLOSES[code]}"}}') == count, code
    system.assert_unharmed()
    assert system.gateway.metric("gateway_sessions") == 1  # the control's: nobody else is left


def later_refusal(system, message):
    """The same in a session; 0: it goes on."""
    with WebSocket(system.gateway.http_port, protocol="feedwire.v1.json", timeout=DEADLINE_S) as ws:
        ws.send(json.dumps({"type": "hello", "token": TOKEN, "feeds": [{"feed": "home"}]}))
        assert [json.loads(ws.message())["type"] for _ in range(2)] == ["welcome", "slice"]
        ws.send(message.data, opcode=1)
        code = json.loads(ws.message())["code"]
        try:
            ws.send('{"type":"nothing"}')
            return (code, 0) if json.loads(ws.message())["code"] == "unknown_type" else (code, "answered")
        except Closed as closed:
            return code, closed.code


def test_later_messages(system):
    messages = list(body_cases.later_messages())
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda message: later_refusal(system, message), messages))
    wrong = [(m.name, answer, (m.error, m.close)) for m, answer in zip(messages, answers) if answer != (m.error, m.close)]
    assert not wrong, wrong
    system.assert_unharmed()


def test_a_good_token_in_the_url_is_no_token(system):
    """S7: the handshake stands, since the token may still come, but this one does not count."""
    for query in ("access_token", "token", "authorization", "jwt"):
        with WebSocket(system.gateway.http_port, protocol="feedwire.v1.json", path=f"/v1/ws?{query}={CANARY}") as ws:
            assert ws.status == 101
            ws.send(json.dumps({"type": "hello", "feeds": [{"feed": "home"}]}))
            assert json.loads(ws.message())["code"] == "unauthorized" and ws.close_code() == 4501
    for headers in ([f"Cookie: token={CANARY}"], [f"X-Auth-Token: {CANARY}"], [f"Sec-WebSocket-Protocol: bearer.{CANARY[:40]}"]):
        with WebSocket(system.gateway.http_port, protocol="feedwire.v1.json", headers=headers) as ws:
            assert ws.status == 101
            ws.send(json.dumps({"type": "hello", "feeds": [{"feed": "home"}]}))
            assert json.loads(ws.message())["code"] == "unauthorized" and ws.close_code() == 4501
    assert system.rose("gateway", 'websocket_closes_total{reason="unauthorized"}') == 7
    system.assert_unharmed()
