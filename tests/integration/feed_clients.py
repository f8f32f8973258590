"""Many clients of the gateway in one thread: each keeps the feed that it is told, and notes whatever a client must never see.

Written from schemas/protocol.md, without the client package.
"""

import asyncio
import json
import threading
import time
import uuid

import websockets
from oracle import milliseconds

PREFIX = {"home": "f", "notifications": "n"}


def parse_position(text):
    version, epoch, seq = text.split(".")
    assert version == "v1"
    return epoch, int(seq)


def key_of(entry):
    return milliseconds(entry["published"]), uuid.UUID(entry["id"]).bytes


class Feed:
    def __init__(self):
        self.entries = {}  # id -> key
        self.position = None
        self.truncated = False  # the gateway holds entries below the last slice back
        self.floor = None  # and this is where it ended


class Client:
    def __init__(self, user, token):
        self.user = user
        self.token = token
        self.feeds = {"home": Feed(), "notifications": Feed()}
        self.wrong = []
        self.pushes = 0
        self.windows = 0
        self.closed = None

    def newest(self, feed, count):
        return sorted(self.feeds[feed].entries.values(), reverse=True)[:count]

    def hello(self):
        feeds = []
        for name, feed in self.feeds.items():
            feeds.append({"feed": name} if feed.position is None else {"feed": name, "position": feed.position})
        return {"type": "hello", "id": 1, "token": self.token, "feeds": feeds}

    def take(self, message):
        kind = message["type"]
        if kind == "slice":
            self._slice(message)
        elif kind == "push":
            self._push(message)
        elif kind == "remove":
            self._remove(message)
        elif kind == "heartbeat":
            for name, position in message["positions"].items():
                if position != self.feeds[name].position:
                    self.wrong.append(f"{name}: heartbeat at {position}, but told {self.feeds[name].position}")
        elif kind not in ("welcome", "bye", "stale", "fresh"):
            self.wrong.append(f"unexpected {message}")

    def _slice(self, message):
        feed = self.feeds[message["feed"]]
        if message["reset"]:
            feed.entries = {}
            self.windows += message["outcome"] == "window"
            feed.truncated = message["more"]
        elif message["outcome"] != "current" or message["entries"]:
            self.wrong.append(f"{message['feed']}: a slice {message['outcome']} without reset")
        keys = [key_of(entry) for entry in message["entries"]]
        if keys != sorted(keys, reverse=True):
            self.wrong.append(f"{message['feed']}: a slice out of order")
        if message["reset"]:
            feed.floor = keys[-1] if message["more"] else None
        for entry in message["entries"]:
            self._add(message["feed"], entry)
        feed.position = message["position"]

    def _push(self, message):
        self.pushes += 1
        feed = self.feeds[message["feed"]]
        old_epoch, old_seq = parse_position(feed.position)
        epoch, seq = parse_position(message["position"])
        step, count = seq - old_seq, len(message["entries"])
        # A change that is not an entry here was either held back, because it is older than the slice, or lost.
        if (epoch != old_epoch and old_seq != 0) or step < count or (step != count and not feed.truncated):
            self.wrong.append(f"{message['feed']}: a gap from {feed.position} to {message['position']} with {count} entries")
        for entry in message["entries"]:
            self._add(message["feed"], entry)
        feed.position = message["position"]

    def _remove(self, message):
        feed = self.feeds[message["feed"]]
        for removed in message["ids"]:
            feed.entries.pop(removed, None)
        feed.position = message["position"]

    def _add(self, name, entry):
        entries = self.feeds[name].entries
        if entry["id"] in entries:
            self.wrong.append(f"{name}: {entry['id']} shown twice")
        entries[entry["id"]] = key_of(entry)


class FeedClients:
    def __init__(self, port, users_and_tokens):
        self._url = f"ws://127.0.0.1:{port}/v1/ws"
        self.by_user = {user: Client(user, token) for user, token in users_and_tokens}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks = []

    def start(self):
        self._thread.start()
        connected = [asyncio.run_coroutine_threadsafe(self._connect(client), self._loop) for client in self.by_user.values()]
        for future in connected:
            future.result(60)

    async def _connect(self, client):
        connection = await websockets.connect(self._url, subprotocols=["feedwire.v1.json"], max_size=2**22, compression=None, ping_interval=None)
        await connection.send(json.dumps(client.hello()))
        wanted = set(client.feeds)
        while wanted:
            message = json.loads(await asyncio.wait_for(connection.recv(), 30))
            client.take(message)
            if message["type"] == "slice":
                wanted.discard(message["feed"])
            assert message["type"] in ("welcome", "slice", "push"), message
        self._tasks.append(self._loop.create_task(self._listen(client, connection)))

    async def _listen(self, client, connection):
        try:
            async for text in connection:
                client.take(json.loads(text))
        except websockets.ConnectionClosed:
            pass
        client.closed = (connection.close_code, connection.close_reason)

    def wait_until_current(self, redis, tenant="demo", timeout_s=60):
        """Until every client's position is that of its feed in Redis."""
        deadline = time.monotonic() + timeout_s
        while True:
            behind = [client.user for client in self.by_user.values() if not self._current(client, redis, tenant)]
            if not behind:
                return
            assert time.monotonic() < deadline, f"{len(behind)} clients are not at the position of their feeds, e.g. {behind[:5]}"
            time.sleep(0.2)

    @staticmethod
    def _current(client, redis, tenant):
        for name, feed in client.feeds.items():
            epoch, seq, _ = redis.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"{PREFIX[name]}:{{{tenant}/{client.user}}}", 0)
            expected = (epoch.hex() or "0" * 16, seq)
            if feed.position is None or parse_position(feed.position) != expected:
                return False
        return True

    def stop(self):
        async def cancel():
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def check_nothing_was_wrong(self):
        wrong = [(client.user, client.wrong[:3]) for client in self.by_user.values() if client.wrong]
        assert not wrong, wrong[:5]
        closed = [(client.user, client.closed) for client in self.by_user.values() if client.closed]
        assert not closed, f"{len(closed)} connections were closed, e.g. {closed[:3]}"
