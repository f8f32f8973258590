"""The gateway from outside: a real process, a real Redis, entries written by the function library as fanout writes them."""
import asyncio
import datetime
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import uuid

import msgpack
import pytest
import redis as redis_py
import websockets
from feedwire_dev import admin, tokens
from oracle import milliseconds
from ws_wire import BINARY, Closed, WebSocket, frame

LIBRARY = pathlib.Path(__file__).parents[2] / "schemas/redis/feedwire_v1.lua"
CLOSE_CODES = json.loads((pathlib.Path(__file__).parents[2] / "schemas/close-codes.json").read_text())
CODE = {row["name"]: row["code"] for row in CLOSE_CODES["codes"]}
CAP, SLACK = 100, 20
DEADLINE_S = 60
START_MS = 1_700_000_000_000


def wait_for(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)


class Feeds:
    """Writes timelines as fanout does."""

    def __init__(self, port):
        self.client = redis_py.Redis(port=port)
        self.load()

    def load(self):
        self.client.function_load(LIBRARY.read_text(), replace=True)

    @staticmethod
    def entry(number, data=None):
        fields = ["like", "cy", "post", f"p{number}"]
        if data is not None:
            fields += [None, None, None, data]
        return uuid.UUID(int=number).bytes + msgpack.packb(fields)

    def add_command(self, user, *numbers, prefix="f", data=None, at=None):
        """Entries with these numbers as ids, published at START_MS + number ms unless `at` says otherwise."""
        pairs = [part for n in numbers for part in (START_MS + (n if at is None else at), self.entry(n, data))]
        return "FCALL", "feedwire_v1_add", 1, self.key(user, prefix), os.urandom(8), CAP, SLACK, *pairs

    def add(self, user, *numbers, **options):
        return self.client.execute_command(*self.add_command(user, *numbers, **options))

    def window(self, user, prefix="f", limit=CAP):
        """(position as text, [(ms, id)] newest first)"""
        epoch, seq, found = self.client.execute_command("FCALL_RO", "feedwire_v1_window", 1, self.key(user, prefix), limit)
        entries = [(int(found[i + 1]), str(uuid.UUID(bytes=found[i][:16]))) for i in range(0, len(found), 2)]
        return f"v1.{epoch.hex() or '0' * 16}.{seq}", entries

    @staticmethod
    def key(user, prefix="f"):
        return f"{prefix}:{{demo/{user}}}"


class Client:
    """A blocking client that keeps what it is told as schemas/protocol.md says."""

    def __init__(self, gateway, token, feeds=("home",), positions=None, hello=True, limit=None, **handshake):
        self.socket = WebSocket(gateway.http_port, timeout=DEADLINE_S, protocol="feedwire.v1.json", **handshake)
        self.entries = {name: {} for name in feeds}
        self.more = dict.fromkeys(feeds, False)
        self.positions = dict(positions or {})
        self.messages, self.heartbeats = [], []
        self.wanted = feeds
        if hello and self.socket.status == 101:
            asked = [{"feed": name} | ({"position": self.positions[name]} if name in self.positions else {}) | ({"limit": limit} if limit else {})
                     for name in feeds]
            self.say({"type": "hello", "id": 1, "feeds": asked} | ({"token": token} if token else {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.socket.close()

    def say(self, message):
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def take(self):
        """The next message. Heartbeats come at any time, so they are kept apart."""
        while (message := self.take_any())["type"] == "heartbeat":
            pass
        return message

    def take_any(self):
        message = json.loads(self.socket.message())
        if message["type"] == "heartbeat":
            self.heartbeats.append(message)
        else:
            self.messages.append(message)
            self.apply(message)
        return message

    def apply(self, message):
        if message["type"] not in ("slice", "push", "page"):
            return
        name = message["feed"]
        entries = self.entries[name]
        if message["type"] == "page":
            entries.update({entry["id"]: (milliseconds(entry["published"]), entry["id"]) for entry in message["entries"]})
            self.more[name] = message["more"]
            return
        self.positions[name] = message["position"]
        if message["type"] == "slice" and message["reset"]:
            entries.clear()
            self.more[name] = message["more"]
        oldest = min(entries.values(), default=None) if message["type"] == "push" and self.more[name] else None
        for entry in message["entries"]:
            key = (milliseconds(entry["published"]), entry["id"])
            assert entry["id"] not in entries, "shown twice"
            if oldest is None or key > oldest:
                entries[entry["id"]] = key

    def take_until(self, condition):
        while not condition():
            self.take()
        return self

    def opened(self):
        """Until all slices are there."""
        return self.take_until(lambda: sum(m["type"] == "slice" for m in self.messages) >= len(self.wanted))

    def caught_up(self, feeds, user, name="home"):
        return self.take_until(lambda: self.positions.get(name) == feeds.window(user, name[0].replace("h", "f"))[0])

    def newest_first(self, name="home"):
        return sorted(self.entries[name].values(), reverse=True)

    def last(self, kind):
        return [m for m in self.messages if m["type"] == kind][-1]

    def ends_with(self, error=None):
        """Reads to the end: (code of the close, the last error)."""
        try:
            while True:
                self.take()
        except Closed as closed:
            errors = [m for m in self.messages if m["type"] == "error"]
            if error:
                assert errors and errors[-1]["code"] == error, self.messages
            return closed.code


@pytest.fixture
def feeds(redis_server):
    return Feeds(redis_server.port)


@pytest.fixture
def gateway(daemon, redis_server, feeds):
    return daemon("gateway", redis__url=redis_server.url)


@pytest.fixture
def connect(gateway, make_token):
    """connect("ann", ...) -> Client with a good token."""
    clients = []

    def new(user, **options):
        clients.append(Client(gateway, make_token(user), **options))
        return clients[-1]

    yield new
    for client in clients:
        client.socket.socket.close()


# ---- the normal way ----


def test_hello_slice_and_push(gateway, feeds, connect):
    feeds.add("ann", 1, 2, 3)
    feeds.add("ann", 9, prefix="n", data={"text": "h\u00e9", "n": [1, None, 2.5]})
    client = connect("ann", feeds=("home", "notifications")).opened()
    welcome = client.messages[0]
    assert welcome["type"] == "welcome" and welcome["id"] == 1 and welcome["user"] == "ann" and welcome["tenant"] == "demo"
    assert len(welcome["session"]) == 32 and welcome["features"] == [] and welcome["heartbeat_ms"] == 25000
    slices = {m["feed"]: m for m in client.messages if m["type"] == "slice"}
    assert [e["object"]["id"] for e in slices["home"]["entries"]] == ["p3", "p2", "p1"]
    assert (slices["home"]["outcome"], slices["home"]["reset"], slices["home"]["more"]) == ("new", True, False)
    assert slices["notifications"]["entries"][0]["data"] == {"text": "h\u00e9", "n": [1, None, 2.5]}
    feeds.add("ann", 4)
    push = client.take()
    assert push == {"type": "push", "feed": "home", "position": feeds.window("ann")[0],
                    "entries": [{"id": str(uuid.UUID(int=4)), "actor": "cy", "verb": "like", "object": {"type": "post", "id": "p4"},
                                 "published": "2023-11-14T22:13:20.004Z"}]}
    feeds.add("ann", 10, prefix="n")
    assert client.take()["feed"] == "notifications"


def test_the_token_may_come_in_the_header(gateway, feeds, make_token):
    with Client(gateway, None, headers=(f"Authorization: Bearer {make_token('bob')}",)) as client:
        assert client.opened().messages[0]["user"] == "bob"


def test_an_empty_feed_has_a_position_and_gets_its_first_entry(feeds, connect):
    client = connect("ann").opened()
    assert client.positions["home"] == "v1.0000000000000000.0"
    feeds.add("ann", 1)
    client.caught_up(feeds, "ann")
    assert [m["type"] for m in client.messages] == ["welcome", "slice", "push"]


def test_a_slice_is_cut_and_what_is_below_is_not_pushed(feeds, connect):
    feeds.add("ann", *range(1, 91))
    client = connect("ann").opened()
    assert len(client.entries["home"]) == 50 and client.last("slice")["more"]
    feeds.add("ann", 500, at=5)  # older than the 50th
    client.caught_up(feeds, "ann")
    assert client.last("push")["entries"] == []
    feeds.add("ann", 501)
    client.caught_up(feeds, "ann")
    assert client.newest_first()[:50] == feeds.window("ann")[1][:50]


def page_below(client, limit, before=None, name="home"):
    published_ms, oldest = before or min(client.entries[name].values())
    published = datetime.datetime.fromtimestamp(published_ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    client.say({"type": "page", "id": "p", "feed": name, "limit": limit, "before": {"published": published, "id": oldest}})
    while True:
        message = client.take()
        if message["type"] in ("page", "error"):
            return message


def test_pages_lead_to_the_end_of_the_window(feeds, connect):
    feeds.add("ann", *range(1, 91))
    client = connect("ann").opened()
    page = page_below(client, 30)
    assert (page["id"], page["feed"], page["more"], len(page["entries"])) == ("p", "home", True, 30) and "end" not in page
    assert page["next"] == {key: page["entries"][-1][key] for key in ("published", "id")}
    feeds.add("ann", 500, at=15)  # older than the first slice, in the page
    client.caught_up(feeds, "ann")
    assert len(client.last("push")["entries"]) == 1
    last = page_below(client, 30)
    assert (last["more"], last["next"], last["end"], len(last["entries"])) == (False, None, "no_archive", 10)
    assert client.newest_first() == feeds.window("ann")[1]
    feeds.client.zrem(feeds.key("ann"), feeds.entry(40))  # `before` need not be there
    assert page_below(client, 2, before=(START_MS + 40, str(uuid.UUID(int=40))))["entries"][0]["object"]["id"] == "p39"


def test_pages_that_make_no_sense(feeds, connect):
    feeds.add("ann", 1)
    client = connect("ann").opened()
    assert page_below(client, 10, before=(START_MS, str(uuid.UUID(int=0))))["entries"] == []
    refused = page_below(client, 10, before=(START_MS, str(uuid.UUID(int=0))), name="notifications")
    assert (refused["code"], refused["id"]) == ("unknown_feed", "p")
    client.say({"type": "page", "feed": "home", "before": "the last one"})
    assert client.take()["code"] == "bad_message"
    with pytest.raises(Closed) as closed:
        client.take()
    assert closed.value.code == CODE["bad_message"]


def test_resume(feeds, connect):
    feeds.add("ann", *range(1, 61))
    client = connect("ann").opened()
    positions = client.positions
    again = connect("ann", positions=positions).opened()
    assert again.last("slice")["outcome"] == "current" and again.last("slice")["entries"] == [] and not again.last("slice")["reset"]
    feeds.add("ann", 100)
    again = connect("ann", positions=positions).opened()
    assert again.last("slice")["outcome"] == "window" and again.newest_first() == feeds.window("ann")[1]
    for nonsense in ("v1.0123456789abcdef.1", positions["home"] + "9", "v9.what"):
        again = connect("ann", positions={"home": nonsense}).opened()
        assert again.last("slice")["outcome"] == "future" and len(again.entries["home"]) == 50


def test_heartbeats_carry_positions(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url, heartbeat_ms=1000)
    feeds.add("ann", 1)
    with Client(gateway, make_token("ann")) as client:
        client.opened()
        position = feeds.window("ann")[0]
        wait_for(lambda: gateway.metric("websocket_messages_sent_total") >= 3, "a heartbeat")
        client.say({"type": "dance"})
        client.take()  # the answer, and the heartbeat before it
        assert client.heartbeats and all(h == {"type": "heartbeat", "positions": {"home": position}} for h in client.heartbeats)


def test_many_devices_share_one_subscription(gateway, feeds, connect):
    devices = [connect("ann").opened() for _ in range(5)]
    assert feeds.client.execute_command("PUBSUB", "SHARDNUMSUB", "f:{demo/ann}") == [b"f:{demo/ann}", 1]
    feeds.add("ann", 1)
    for device in devices:
        device.caught_up(feeds, "ann")
    assert gateway.metrics()['gateway_feeds{state="live"}'] == 1


# ---- completeness ----


class Hammer:
    """Publishes to some users as fast as it can."""

    def __init__(self, port, users, first=1):
        self.feeds, self.users, self.number = Feeds(port), users, first
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            pipeline = self.feeds.client.pipeline(transaction=False)
            for user in self.users:
                pipeline.execute_command(*self.feeds.add_command(user, self.number, self.number + 1, self.number + 2))
            pipeline.execute()
            self.number += 3

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Crowd:
    """50 clients of 50 users, who come, leave and come back while entries come without a pause."""

    def __init__(self, gateway, feeds, make_token, users):
        self.url, self.feeds, self.make_token, self.users = f"ws://127.0.0.1:{gateway.http_port}/v1/ws", feeds, make_token, users
        self.clients = []

    async def connect(self, user, positions=None):
        connection = await websockets.connect(self.url, subprotocols=["feedwire.v1.json"], compression=None, max_size=2**22, max_queue=None)
        keeper = Client.__new__(Client)
        keeper.entries, keeper.more, keeper.positions = {"home": {}}, {"home": False}, {}
        feed = {"feed": "home"} | ({"position": positions["home"]} if positions else {})
        await connection.send(json.dumps({"type": "hello", "token": self.make_token(user), "feeds": [feed]}))
        return user, connection, keeper

    @staticmethod
    async def read(connection, keeper, until):
        while not until():
            keeper.apply(json.loads(await asyncio.wait_for(connection.recv(), DEADLINE_S)))

    async def read_some(self, clients, count):
        await asyncio.gather(*(self.read(connection, keeper, lambda keeper=keeper: len(keeper.entries["home"]) >= count) for _, connection, keeper in clients))

    async def come_and_go(self):
        first = await asyncio.gather(*(self.connect(user) for user in self.users))
        await self.read_some(first, 1)
        for user, connection, keeper in first[::2]:  # back at once, with the position
            await connection.close()
            self.clients.append(await self.connect(user, keeper.positions))
        self.clients.extend(first[1::2])
        await self.read_some(self.clients, 60)

    async def finish(self):
        for user, connection, keeper in self.clients:
            position, entries = self.feeds.window(user)
            await self.read(connection, keeper, lambda position=position, keeper=keeper: keeper.positions.get("home") == position)
            assert keeper.newest_first()[:50] == entries[:50]
            await connection.close()


def test_nothing_falls_between_subscription_and_read(gateway, redis_server, feeds, make_token):
    """Crowds come until notices have overtaken the read often enough to call it a race."""
    loop = asyncio.new_event_loop()
    deadline = time.monotonic() + DEADLINE_S
    try:
        for number in itertools.count():
            users = [f"user{number}-{i}" for i in range(50)]
            crowd = Crowd(gateway, feeds, make_token, users)
            with Hammer(redis_server.port, users):
                loop.run_until_complete(crowd.come_and_go())
            loop.run_until_complete(crowd.finish())
            assert gateway.metric("gateway_seq_gaps_total") == 0
            if gateway.metrics()['gateway_notices_total{result="kept"}'] >= 20:
                break
            assert time.monotonic() < deadline, "no race came about"
    finally:
        loop.close()


def test_a_lost_notice_is_found(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url, check_interval_ms=500)
    feeds.add("ann", 1)
    with Client(gateway, make_token("ann")) as client:
        client.opened()
        # Writes behind the function's back: the state moves on, and no notice tells it.
        epoch = bytes.fromhex(client.positions["home"].split(".")[1])
        feeds.client.zadd("f:{demo/ann}", {feeds.entry(2): START_MS + 2, b"\0" + epoch: -2})
        client.caught_up(feeds, "ann")
        assert client.last("slice")["outcome"] == "window" and client.newest_first() == feeds.window("ann")[1]
    assert gateway.metric("gateway_seq_gaps_total") == 1


def test_a_lost_timeline_empties_the_client(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url, check_interval_ms=500)
    feeds.add("ann", 1, 2)
    with Client(gateway, make_token("ann")) as client:
        client.opened()
        feeds.client.delete("f:{demo/ann}")
        client.caught_up(feeds, "ann")
        assert client.entries["home"] == {}
        feeds.add("ann", 3)
        client.caught_up(feeds, "ann")
        assert client.newest_first() == feeds.window("ann")[1]


def test_redis_killed_and_started_again(gateway, redis_server, feeds, connect):
    feeds.add("ann", *range(1, 11))
    feeds.add("bob", 1)
    ann, bob = connect("ann").opened(), connect("bob").opened()
    redis_server.kill9()
    wait_for(lambda: admin.get(gateway.admin_port, "/readyz")[0] == 503, "not ready")
    assert "redis" in admin.get(gateway.admin_port, "/readyz")[1]
    redis_server.start()
    feeds.add("ann", 11)
    wait_for(lambda: admin.get(gateway.admin_port, "/readyz")[0] == 200, "ready")
    ann.caught_up(feeds, "ann")
    assert ann.newest_first() == feeds.window("ann")[1]
    feeds.add("ann", 12)
    feeds.add("bob", 2)
    ann.caught_up(feeds, "ann")
    bob.caught_up(feeds, "bob")
    assert ann.newest_first() == feeds.window("ann")[1] and bob.newest_first() == feeds.window("bob")[1]
    assert sum(m["type"] == "slice" for m in bob.messages) == 1, "nothing had changed for bob, so he hears nothing"


def test_pubsub_connections_cut_while_entries_come(gateway, redis_server, feeds, connect):
    client = connect("ann").opened()
    with Hammer(redis_server.port, ["ann"]) as hammer:
        for _ in range(10):
            number = hammer.number
            feeds.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            wait_for(lambda number=number: hammer.number > number + 30, "entries")
    client.caught_up(feeds, "ann")
    assert client.newest_first()[:50] == feeds.window("ann")[1][:50]


def test_without_redis_hello_ends_in_unavailable(daemon, redis_server, make_token):
    redis_server.kill9()
    gateway = daemon("gateway", wait="/livez", redis__url=redis_server.url)
    with Client(gateway, make_token("ann")) as client:
        assert client.ends_with("unavailable") == CODE["unavailable"]
        assert client.last("error")["retryable"]
    redis_server.start()
    wait_for(lambda: admin.get(gateway.admin_port, "/readyz")[0] == 200, "ready")
    Feeds(redis_server.port)
    with Client(gateway, make_token("ann")) as client:
        client.opened()


def test_the_function_library_comes_later(daemon, redis_server, make_token):
    """fanout loads it, and may start after the gateway."""
    gateway = daemon("gateway", redis__url=redis_server.url)
    with Client(gateway, make_token("ann")) as client:
        wait_for(lambda: gateway.metric("gateway_read_failures_total") > 0, "a failed read")
        feeds = Feeds(redis_server.port)
        client.opened()
        feeds.add("ann", 1)
        client.caught_up(feeds, "ann")


def test_a_slow_reader_falls_behind_and_nobody_else(gateway, redis_server, feeds, connect, make_token):
    quick = connect("ann").opened()
    behind = "gateway_fell_behind_total"
    with Client(gateway, make_token("ann"), receive_buffer=4096) as slow:
        slow.opened()
        number, largest = 1, 0
        deadline = time.monotonic() + DEADLINE_S
        while not gateway.metrics()[behind] and time.monotonic() < deadline:
            feeds.add("ann", *range(number, number + 50), data="x" * 900)
            number += 50
            quick.caught_up(feeds, "ann")
            largest = max(largest, gateway.metrics()["websocket_queue_bytes"])
        feeds.add("ann", *range(number, number + 500))
        quick.caught_up(feeds, "ann")
        assert gateway.metrics()[behind] == 1
        assert largest <= 65536
        slices = sum(m["type"] == "slice" for m in slow.messages)
        slow.caught_up(feeds, "ann")
        assert slow.newest_first() == feeds.window("ann")[1]
        assert sum(m["type"] == "slice" for m in slow.messages) == slices + 1
        feeds.add("ann", number + 500)
        assert slow.take()["type"] == "push"
    quick.caught_up(feeds, "ann")
    assert quick.newest_first()[:CAP] == feeds.window("ann")[1]


# ---- nonsense ----


@pytest.fixture
def control(connect, feeds):
    """A connection that must not notice anything."""
    client = connect("control").opened()
    yield client
    feeds.add("control", 1)
    client.caught_up(feeds, "control")
    assert [m["type"] for m in client.messages] == ["welcome", "slice", "push"]


@pytest.mark.parametrize("text, error, close", [
    ("nonsense", "bad_json", "bad_message"),
    ('{"type":"hello"', "bad_json", "bad_message"),
    ("[]", "bad_message", "bad_message"),
    ('{"type":5}', "bad_message", "bad_message"),
    ('{"type":"hello","feeds":"home"}', "bad_message", "bad_message"),
    ('{"type":"hello","feeds":[{"feed":"home","limit":"all"}]}', "bad_message", "bad_message"),
    ('{"type":"hello","feeds":[{"feed":"secrets"}]}', "unknown_feed", "bad_message"),
    ('{"type":"dance"}', "unknown_type", "bad_message"),
    ('{"type":"hello","feeds":[{"feed":"home"}]}', "unauthorized", "unauthorized"),
    ('{"type":"hello","token":"wrong","feeds":[{"feed":"home"}]}', "unauthorized", "unauthorized"),
    ("[" * 8000, "bad_json", "bad_message"),
])
def test_bad_first_messages(gateway, control, text, error, close):
    with Client(gateway, None, hello=False) as client:
        client.say(text)
        assert client.ends_with(error) == CODE[close]
        assert not client.last("error")["retryable"]


def test_bad_frames(gateway, control):
    for send, code in (
        (frame(BINARY, os.urandom(500)), CODE["bad_message"]),
        (frame(1, b"x" * 9000), CODE["too_large"]),
        (frame(1, b"x" * 300, length=2**62), CODE["too_large"]),
        (frame(1, b"\xff\xfe"), 1007),
        (frame(3, b"hi"), 1002),
    ):
        with Client(gateway, None, hello=False) as client:
            client.socket.socket.sendall(send)
            assert client.ends_with() in (code, 1006), (send[:20], code)


def test_wrong_tokens(gateway, control, feedwire_secret, make_token):
    good = make_token("ann")
    head, claims, signature = good.split(".")
    wrong = [tokens.make_token(b"another secret of enough bytes...", "ann"), make_token("ann", expires_s=-3600), f"{head}.{claims}.", "..", good[:-2],
             f"eyJhbGciOiJub25lIn0.{claims}."]
    for token in wrong:
        with Client(gateway, token) as client:
            assert client.ends_with("unauthorized") == CODE["unauthorized"]
        with Client(gateway, None, headers=(f"Authorization: Bearer {token}",)) as client:
            assert client.ends_with("unauthorized") == CODE["unauthorized"]
    # The URL is not a place for tokens.
    with Client(gateway, None, path=f"/v1/ws?token={good}") as client:
        assert client.ends_with("unauthorized") == CODE["unauthorized"]


def test_a_token_that_ends_while_connected(gateway, control, make_token):
    with Client(gateway, make_token("ann", expires_s=-57)) as client:  # within the leeway of 60 s, for three more
        client.opened()
        assert client.ends_with() == CODE["token_expired"]


def test_a_new_token_lengthens_the_connection(gateway, feeds, make_token):
    with Client(gateway, make_token("ann", expires_s=-52)) as client:
        client.opened()
        for token, code in ((make_token("bob"), "forbidden"), (make_token("ann", feeds=["notifications"]), "forbidden"), ("nonsense", "unauthorized")):
            client.say({"type": "refresh", "id": 1, "token": token})
            refused = client.take()
            assert (refused["type"], refused["code"], refused["id"]) == ("error", code, 1)
        client.say({"type": "refresh", "id": 2, "token": make_token("ann", expires_s=600)})
        refreshed = client.take()
        assert (refreshed["type"], refreshed["id"]) == ("refreshed", 2)
        assert 500 < milliseconds(refreshed["expires"]) / 1000 - time.time() < 700
        ended = time.monotonic() + 10  # the first token is refused after eight seconds
        while time.monotonic() < ended:
            feeds.add("ann", int(time.monotonic() * 1000))
            assert client.take()["type"] == "push"
            time.sleep(0.2)


def test_unknown_messages_do_not_end_a_session(feeds, connect, control):
    client = connect("ann").opened()
    for i in range(16):
        client.say({"type": "dance", "id": i})
        assert client.take() | {"message": ""} == {"type": "error", "code": "unknown_type", "message": "", "retryable": False, "id": i}
    feeds.add("ann", 1)
    client.caught_up(feeds, "ann")
    client.say({"type": "dance"})
    assert client.ends_with("unknown_type") == CODE["bad_message"]


def test_hello_twice(connect, control, make_token):
    client = connect("ann").opened()
    client.say({"type": "hello", "id": "x", "token": make_token("ann"), "feeds": [{"feed": "home"}]})
    assert client.ends_with("bad_message") == CODE["bad_message"]
    assert client.last("error")["id"] == "x"


def test_silence(gateway, control):
    with Client(gateway, None, hello=False) as client:
        assert client.ends_with() == CODE["hello_timeout"]


def test_origins(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url, http__allowed_origins="https://app.example,http://localhost:3000")
    for origin in ("https://app.example", "http://localhost:3000"):
        with Client(gateway, make_token("ann"), headers=(f"Origin: {origin}",)) as client:
            client.opened()
    foreign = ("https://evil.example", "https://evil-app.example", "https://app.example.evil", "null", "https://app.example:8443", "http://app.example")
    for origin in foreign:
        with Client(gateway, make_token("ann"), headers=(f"Origin: {origin}",)) as client:
            assert client.socket.status == 403
    assert gateway.metrics()['websocket_handshakes_refused_total{reason="origin"}'] == len(foreign)


def test_handshakes_that_are_none(gateway, control):
    assert WebSocket(gateway.http_port, protocol="feedwire.v9").status == 400
    assert WebSocket(gateway.http_port, protocol="feedwire.v1.json", path="/v2/ws").status == 404
    assert admin.get(gateway.http_port, "/metrics")[0] == 404, "the admin pages are not on the public port"


# ---- ends ----


def test_sigterm_says_bye(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url)
    clients = [Client(gateway, make_token(f"u{i}")).opened() for i in range(20)] + [Client(gateway, None, hello=False)]
    os.kill(gateway.pid, signal.SIGTERM)
    retries = set()
    for client in clients:
        assert client.ends_with() == CODE["shutdown"]
        bye = client.last("bye")
        assert bye["reason"] == "shutdown" and 0 < bye["retry_after_ms"] <= 10000
        retries.add(bye["retry_after_ms"])
        client.socket.socket.close()
    assert len(retries) > 10, "they must not all come back at the same time"
    assert gateway.popen.wait(DEADLINE_S) == 0


def test_sigterm_does_not_wait_for_a_dead_client(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url)
    with Client(gateway, make_token("ann")) as client:
        client.opened()
        assert gateway.terminate(seconds=DEADLINE_S) == 0  # the client never answers the close


def test_kill_9_and_resume(gateway, feeds, connect):
    feeds.add("ann", *range(1, 11))
    client = connect("ann").opened()
    quiet = connect("bob").opened()
    gateway.kill9()
    assert client.ends_with() == 1006
    feeds.add("ann", 11)
    gateway.start()
    back = connect("ann", positions=client.positions).opened()
    assert back.last("slice")["outcome"] == "window" and back.newest_first() == feeds.window("ann")[1]
    assert connect("bob", positions=quiet.positions).opened().last("slice")["outcome"] == "current"


def test_feeds_are_let_go(daemon, redis_server, feeds, make_token):
    gateway = daemon("gateway", redis__url=redis_server.url, check_interval_ms=200)
    with Client(gateway, make_token("ann")) as client:
        client.opened()
        assert feeds.client.execute_command("PUBSUB", "SHARDCHANNELS", "f:*") == [b"f:{demo/ann}"]
    wait_for(lambda: feeds.client.execute_command("PUBSUB", "SHARDCHANNELS", "f:*") == [], "the subscription's end")
    assert gateway.metric("gateway_feeds") == 0 and gateway.metric("websocket_connections") == 0


# ---- for operators ----


def test_metrics_are_well_formed(gateway, feeds, connect):
    connect("ann").opened()
    text = admin.get(gateway.admin_port, "/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    samples = gateway.metrics()
    assert samples["websocket_connections"] == samples['gateway_sessions{tenant="demo"}'] == 1
    assert samples['websocket_messages_sent_total{tenant="demo"}'] >= 2
    assert samples["gateway_windows_read_total"] == 1 and samples["redis_command_seconds_count"] >= 1


def test_no_token_in_the_log(daemon, redis_server, feeds, make_token, feedwire_secret):
    gateway = daemon("gateway", redis__url=redis_server.url, log__level="debug")
    token = make_token("ann")
    with Client(gateway, token, headers=(f"Authorization: Bearer {token}",)) as client:
        client.opened()
        client.say({"type": token})
        client.take()
    with Client(gateway, token + "x") as client:
        client.ends_with("unauthorized")
    assert gateway.terminate() == 0
    log = gateway.log_text()
    events = {json.loads(line)["event"] for line in log.splitlines()}
    assert {"started", "session_opened", "session_closed", "stopping", "stopped"} <= events
    for part in token.split("."):
        assert part not in log
    assert feedwire_secret.decode() not in log


@pytest.mark.parametrize("options, text", [
    ([], "auth.hs256_secret_file"),
    (["--auth.hs256_secret_file={secret}", "--http.port=70000"], "http.port"),
    (["--auth.hs256_secret_file={secret}", "--log.level=loud"], "log.level"),
    (["--auth.hs256_secret_file={secret}", "--what=1"], "what"),
    (["--auth.hs256_secret_file={short}"], "auth.hs256_secret_file"),
    (["--auth.hs256_secret_file={secret}", "--redis.url=redis://:pw@localhost"], "redis.url"),
])
def test_bad_options(bin_dir, secret_file, tmp_path, options, text):
    short = tmp_path / "short"
    short.write_text("too short")
    short.chmod(0o600)
    arguments = [option.format(secret=secret_file, short=short) for option in options]
    ended = subprocess.run([bin_dir / "feedwire-gateway", *arguments], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert ended.returncode == 2 and text in ended.stderr, ended


def test_a_taken_port_is_a_clear_failure(gateway, bin_dir, secret_file):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run([bin_dir / "feedwire-gateway", f"--auth.hs256_secret_file={secret_file}", f"--http.port={port}", "--admin.port=0"],
                               capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert ended.returncode == 1 and str(port) in ended.stderr
