"""Who sends slowly, who does not read, who only connects, and who writes what looks internal: real ingest and gateway, a control beside them."""
import select
import socket
import time
import uuid

import pytest
import redis as redis_py
from hostile.case import head
from ingest_client import activity, records, send, token, wait_until
from test_hostile import System

SLOW = 40  # sockets of each kind
FLOOD, ALLOWED = 300, 40
DEADLINE_S = 90


@pytest.fixture
def start(embedded_broker, redis_server, daemon):
    systems = []

    def start(**options):
        systems.append(System(embedded_broker(), redis_server, daemon, **options))
        return systems[-1]

    yield start
    for system in systems:
        for process in system.daemons.values():
            assert process.terminate() == 0, process.log_tail()


def ended(sock):
    """Whether the server has ended it; what it sent is thrown away, unless it is still coming."""
    try:
        while data := sock.recv(65536):
            assert data
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def open_with(port, data):
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.sendall(data)
    sock.setblocking(False)
    return sock


LENGTH = head("POST", "/v1/activities", [("Content-Type", "application/json"), ("Content-Length", "100000")], close=False)
CHUNKED = head("POST", "/v1/activities", [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")], close=False)
SLOWLY = {  # what they begin with, and what they go on with, a byte now and then
    "no byte": (b"", b""), "head": (b"POST /v1/activities HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"), "body": (LENGTH, b" "), "chunks": (CHUNKED + b"fff\r\n", b" "), "extension": (CHUNKED + b"f;", b"x"),
}


def test_slow_senders_are_cut_and_nobody_waits_for_them(start):
    """The head and the body of a request have one deadline, however many bytes come before it."""
    system = start()
    base = system.ingest.metric("http_connections")
    slow = {open_with(system.ingest.http_port, begin): more for begin, more in SLOWLY.values() for _ in range(SLOW)}
    slow |= {open_with(system.gateway.http_port, b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nX-A: "): b"a" for _ in range(SLOW)}
    deadline = time.monotonic() + DEADLINE_S
    while slow:
        assert time.monotonic() < deadline, f"{len(slow)} are still there"
        system.control.check()
        for sock, more in list(slow.items()):
            if ended(sock):
                sock.close()
                del slow[sock]
                continue
            try:
                sock.send(more)
            except OSError:
                pass
        select.select([], [], [], 0.2)
    wait_until(lambda: system.ingest.metric("http_connections") == base, "their connections to be free")
    assert system.rose("ingest", 'http_requests_total{code="202"}') == system.control.number - 1
    system.assert_unharmed()


def memory_kb(process):
    return int(next(line for line in open(f"/proc/{process.pid}/status") if line.startswith("VmRSS:")).split()[1])


def test_who_only_connects_is_refused_beyond_the_limit(start):
    system = start(**{"http.connections_max": ALLOWED})
    sockets, before = [], {name: memory_kb(process) for name, process in system.daemons.items()}
    for name, process in system.daemons.items():
        for _ in range(FLOOD):
            sockets.append((name, open_with(process.http_port, b"")))
    for name, process in system.daemons.items():
        mine = [sock for where, sock in sockets if where == name]
        wait_until(lambda mine=mine: sum(map(ended, mine)) >= FLOOD - ALLOWED, f"{name} to refuse")
        assert process.ready(), "probes have connections of their own"
        assert memory_kb(process) < before[name] + 8192
    system.control.check()
    assert system.rose("ingest", "http_connections_refused_total") == FLOOD - (ALLOWED - 1)  # the control has one
    refused = system.rose("gateway", "websocket_handshakes_refused_total", True)
    assert refused == FLOOD - ALLOWED * 80 // 100  # limit.unauthenticated_percent; the control has said hello
    for _, sock in sockets:
        sock.close()
    wait_until(lambda: system.ingest.metric("http_connections") == 1, "the connections to be free")
    assert send(system.ingest, activity()).status == 202
    system.control.number += 1  # one more was produced
    system.assert_unharmed()


# ---- S20, S22: nothing of what a caller says becomes a key of others, or a header that is ours ----

NAMES = ("a:b", "a@b", "a|b", "a+b=c", "did:plc:x", "..", "-", "f:o", "b:demo", "~", "u" * 128, "A", "_.-", "i:x", "0")


def test_all_keys_are_the_tenants_own(start):
    """Good names that look like keys, in every place: MONITOR sees no key outside of the tenant."""
    system = start()
    seen = []
    with redis_py.Redis(port=system.redis.connection_pool.connection_kwargs["port"]).monitor() as monitor:
        for name in NAMES:
            for number, body in enumerate((activity(name), activity("ann", to=[name]), activity("ann", verb="follow", object={"type": "user", "id": name}), activity("ann", object={"type": "post", "id": "{x}*\u00e9", "owner": name}))):
                answer = send(system.ingest, body, f"{name[:60]}/{number}", bearer=token(name, scope="publish"))
                assert answer.status == 202, answer.text
                system.control.number += 1
        mark = uuid.uuid4().hex
        system.redis.echo(mark)
        for command in monitor.listen():
            if mark in command["command"]:
                break
            seen.append(command["command"])
    calls = [command.split() for command in seen if command.startswith("FCALL")]
    keys = {call[3] for call in calls if call[1].startswith("feedwire_ingest_v1")}
    assert len(keys) >= 4 * len(NAMES) and all(call[2] == "1" for call in calls if call[1].startswith("feedwire_ingest_v1"))
    assert not [key for key in keys if not key.startswith("i:{demo/")]
    new = set(system.redis.keys("*")) - system.keys
    assert len(new) == 4 * len(NAMES) and all(key.startswith(b"i:{demo/") for key in new)


def test_internal_headers_are_set_by_the_server_alone(start):
    """What a caller sends as headers of CloudEvents or of our own does not reach the record."""
    system = start()
    forged = {"ce_tenant": "acme", "ce-tenant": "acme", "ce-tenants": "acme", "x-attempt": "99", "x-origin": "dlq", "feedwire-attempts": "9", "dlq-reason": "x", "ce-x": "y" * 4000, "tenant": "acme", "X-Forwarded-Tenant": "acme"}
    for headers in (forged, {**forged, "ce-specversion": "1.0", "ce-type": "feedwire.activity.v1", "ce-source": "/shop", "ce-id": "1"}):
        assert send(system.ingest, activity(data={"tenant": "acme"}, tenant="acme", imported=True), headers=headers).status == 202
    found = [record for record in records(system.broker.bootstrap) if record.value.get("data")]
    assert len(found) == 2
    for record in found:
        assert record.headers["ce_tenant"] == b"demo" and record.key == "demo/ann"
        assert not [value for name, value in record.headers.items() if value in (b"acme", b"99", b"dlq", b"9", b"x") or name.startswith(("x-", "feedwire", "dlq"))], record.headers
        assert "tenant" not in record.value and "imported" not in record.value
