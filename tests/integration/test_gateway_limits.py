"""How many connections there may be: of an address, a tenant, a user, and of those that have not said who they are."""
import contextlib
import itertools
import json
import pathlib
import socket

import pytest
import redis as redis_py
from ingest_client import wait_until
from ws_wire import Closed, WebSocket

LIBRARY = pathlib.Path(__file__).parents[2] / "schemas/redis/feedwire_v1.lua"
TENANT_FULL, USER_FULL, TOO_MANY_FEEDS = 4029, 4030, 4504


class Gateway:
    def __init__(self, process, make_token, sockets):
        self.process, self.make_token, self.sockets = process, make_token, sockets

    def connect(self, *headers):
        """A handshake."""
        return self.sockets.enter_context(WebSocket(self.process.http_port, protocol="feedwire.v1.json", headers=headers))

    def hello(self, user="ann", tenant="demo", feeds=("home",), ws=None):
        ws = ws or self.connect()
        assert ws.status == 101
        ws.send(json.dumps({"type": "hello", "token": self.make_token(user, tenant=tenant), "feeds": [{"feed": name} for name in feeds]}))
        return ws

    def welcomed(self, *arguments, **options):
        ws = self.hello(*arguments, **options)
        assert json.loads(ws.message())["type"] == "welcome"
        return ws

    def refused(self, *arguments, **options):
        """(code of the error, close code)"""
        ws = self.hello(*arguments, **options)
        error = json.loads(ws.message())
        assert error["type"] == "error"
        code = ws.close_code()
        ws.socket.close()
        return error["code"], code

    def quiet(self):
        """A connection that says nothing."""
        peer = self.sockets.enter_context(contextlib.closing(socket.create_connection(("127.0.0.1", self.process.http_port))))
        peer.settimeout(30)
        return peer

    def count(self, metric, reason):
        return self.process.metric(f'{metric}{{reason="{reason}"}}')

    def sessions(self, n):
        wait_until(lambda: self.process.metric("websocket_connections") == n, f"there are not {n} connections")


@pytest.fixture
def start(daemon, redis_server, make_token):
    redis_py.Redis(port=redis_server.port).function_load(LIBRARY.read_text())
    with contextlib.ExitStack() as sockets:
        yield lambda **options: Gateway(daemon("gateway", **{**redis_server.options, **options}), make_token, sockets)


def test_tenants_and_users(start, tmp_path):
    tiers = tmp_path / "tiers.json"
    tiers.write_text(json.dumps({"default": "free", "tiers": {"free": {"connections": 3, "user_connections": 2, "feeds": 1}, "gold": {"connections": 5}}, "tenants": {"gold-inc": "gold"}}))
    gateway = start(**{"tiers.file": tiers, "limit.user_connections": 4})
    first = gateway.welcomed("ann")
    gateway.welcomed("ann")
    assert gateway.refused("ann") == ("too_many", USER_FULL)
    assert gateway.refused("ann", feeds=("home", "notifications")) == ("forbidden", TOO_MANY_FEEDS)
    gateway.welcomed("bob")  # what was refused holds nothing
    assert gateway.refused("cy") == ("too_many", TENANT_FULL)
    # Another tenant, and the same name in it, are not concerned; what its tier does not say is as the options say.
    for _ in range(4):
        gateway.welcomed("ann", tenant="gold-inc", feeds=("home", "notifications"))
    assert gateway.refused("ann", tenant="gold-inc") == ("too_many", USER_FULL)
    gateway.welcomed("bob", tenant="gold-inc")
    assert gateway.refused("cy", tenant="gold-inc") == ("too_many", TENANT_FULL)
    first.socket.close()
    gateway.sessions(7)
    gateway.welcomed("ann")
    samples = gateway.process.metrics()
    assert [samples[f'gateway_sessions{{tenant="{tenant}"}}'] for tenant in ("demo", "gold-inc")] == [3, 5]
    assert [samples[f'tenant_refused_total{{tenant="{tenant}"}}'] for tenant in ("demo", "gold-inc")] == [3, 2]
    assert [gateway.count("websocket_closes_total", reason) for reason in ("user_full", "tenant_full", "too_many_feeds")] == [2, 2, 1]


def addresses(kind):
    """Ever new ones."""
    return (kind.format(n) for n in itertools.count(1))


def assert_refused(ws):
    assert ws.status == 429 and int(ws.headers["retry-after"]) > 0 and ws.headers["content-type"] == "application/problem+json"


def test_nobody_gets_a_new_address_by_saying_so(start):
    """Without trusted proxies: all come from one address, whatever they claim."""
    gateway = start(limit__address_connections=3)
    for address in itertools.islice(addresses("203.0.113.{}"), 3):
        gateway.welcomed(ws=gateway.connect(f"X-Forwarded-For: {address}"))
    for claim in ("X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9", "X-Forwarded-For: 10.0.0.1, 203.0.113.9"):
        assert_refused(gateway.connect(claim))
    assert gateway.count("websocket_handshakes_refused_total", "address") == 4
    told = [line for line in gateway.process.log_lines() if line["event"] == "address_refused"]
    assert [line["address"] for line in told] == ["127.0.0.1"] * 4


@pytest.mark.parametrize("trusted", ["127.0.0.0/8,10.0.0.0/8", "1"])
def test_behind_a_proxy(start, trusted):
    """The proxy writes the right-most address; what stands left of it is the client's own invention."""
    gateway = start(**{"http.trusted_proxies": trusted, "limit.address_connections": 2})
    inventions = addresses("198.51.100.{}")
    sent = (
        f"X-Forwarded-For: {next(inventions)}, 203.0.113.1",
        f"X-Forwarded-For: {next(inventions)},203.0.113.1:4711",
    )
    kept = [gateway.connect(header) for header in sent]
    assert [ws.status for ws in kept] == [101, 101]
    for _ in range(3):
        assert_refused(gateway.connect(f"X-Forwarded-For: {next(inventions)}, 203.0.113.1"))
    # A proxy that adds a line of its own instead.
    assert_refused(gateway.connect(f"X-Forwarded-For: {next(inventions)}", "X-Forwarded-For: 203.0.113.1"))
    assert_refused(gateway.connect(f"Forwarded: for={next(inventions)}", "X-Forwarded-For: 203.0.113.1"))
    assert gateway.connect("X-Forwarded-For: 203.0.113.2").status == 101  # somebody else
    kept[0].socket.close()
    gateway.sessions(2)
    assert gateway.connect("X-Forwarded-For: 203.0.113.1").status == 101
    # A network of IPv6 is one address.
    statuses = [gateway.connect(f"X-Forwarded-For: 2001:db8:1:2::{n}").status for n in range(3)]
    assert statuses == [101, 101, 429]


def test_forwarded(start):
    gateway = start(**{"http.trusted_proxies": "127.0.0.1", "http.forwarded_header": "forwarded", "limit.address_connections": 1})
    assert gateway.connect('Forwarded: for="[2001:db8::7]:4711";proto=https').status == 101
    assert_refused(gateway.connect('Forwarded: for=198.51.100.1, for="[2001:db8::7]"'))
    assert_refused(gateway.connect("Forwarded: for=2001:db8::7", "X-Forwarded-For: 203.0.113.1"))
    # Two lines: which is the proxy's cannot be told, so it is the proxy that counts.
    assert gateway.connect("Forwarded: for=203.0.113.1", "Forwarded: for=203.0.113.2").status == 101
    assert_refused(gateway.connect("Forwarded: for=203.0.113.3", "Forwarded: for=203.0.113.4"))


def closed_at_once(peer):
    return peer.recv(1) == b""


def test_those_who_say_nothing(start):
    """They have a part of the places only, and who says hello leaves it."""
    gateway = start(http__connections_max=20, limit__unauthenticated_percent=25)  # five
    members = [gateway.welcomed(f"u{n}") for n in range(8)]
    quiet = [gateway.quiet() for _ in range(3)]
    shaken = [gateway.connect() for _ in range(2)]
    assert [ws.status for ws in shaken] == [101, 101]
    assert closed_at_once(gateway.quiet())
    assert gateway.count("websocket_handshakes_refused_total", "unauthenticated") == 1
    gateway.welcomed("cy", ws=shaken[0])
    shaken.append(gateway.connect())
    assert shaken[-1].status == 101 and closed_at_once(gateway.quiet())
    with pytest.raises(Closed):  # they are sent away in the end, and leave room
        while True:
            shaken[1].message()
    quiet[0].close()
    wait_until(lambda: gateway.connect().status == 101, "the place does not become free")
    for ws in members:
        ws.send(b"", opcode=9)
        assert ws.frame()[0] in (1, 10)


def test_those_of_one_address_who_say_nothing(start):
    gateway = start(limit__address_unauthenticated=2)
    quiet = [gateway.quiet() for _ in range(2)]
    assert closed_at_once(gateway.quiet())
    assert gateway.count("websocket_handshakes_refused_total", "address_unauthenticated") == 1
    quiet[0].close()

    def free():
        ws = gateway.connect()
        return ws.status == 101 and gateway.welcomed(ws=ws)

    wait_until(free, "the place does not become free")


def test_those_behind_a_proxy_who_say_nothing(start):
    """There the address is known with the head of the handshake."""
    gateway = start(**{"http.trusted_proxies": "127.0.0.1", "limit.address_unauthenticated": 2})
    mute = [gateway.connect("X-Forwarded-For: 203.0.113.1") for _ in range(2)]
    assert [ws.status for ws in mute] == [101, 101]
    assert_refused(gateway.connect("X-Forwarded-For: 203.0.113.1"))
    assert gateway.connect("X-Forwarded-For: 203.0.113.2").status == 101
    gateway.welcomed(ws=mute[0])
    assert gateway.connect("X-Forwarded-For: 203.0.113.1").status == 101
