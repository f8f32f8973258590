"""The whole way of an activity, for tests that send by HTTP and watch by WebSocket: ingest, Kafka (embedded), fanout, Redis, gateway."""
import http.client
import json
import time
import urllib.parse

import redis
from websockets.sync.client import connect

DEADLINE_S = 60
TTL_S = 2592000  # feeds sleep until somebody connects, as they do when nothing else is said


class Viewer:
    """A client of one feed: keeps its entries, newest first, as the messages say."""

    def __init__(self, stack, user, feed="home", position=None):
        self.feed, self.entries, self.position, self.messages = feed, [], position, []
        self._socket = connect(f"ws://127.0.0.1:{stack.gateway.http_port}/v1/ws", subprotocols=["feedwire.v1.json"], compression=None).__enter__()
        ask = {"feed": feed, **({"position": position} if position else {})}
        self._socket.send(json.dumps({"type": "hello", "token": stack.token(user), "feeds": [ask]}))
        self.until(lambda: any(m["type"] == "slice" for m in self.messages), "the slice")

    def _take(self, message):
        self.messages.append(message)
        kind = message["type"]
        if kind == "slice" and message["reset"]:
            self.entries = message["entries"]
        elif kind == "push":
            self.entries = sorted(self.entries + message["entries"], key=lambda e: (e["published"], e["id"]), reverse=True)
            assert len({e["id"] for e in self.entries}) == len(self.entries), "an entry twice"
        elif kind == "remove":
            self.entries = [e for e in self.entries if e["id"] not in message["ids"]]
        self.position = message.get("position", self.position)

    def until(self, condition, what):
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"still waiting for {what}; got {self.messages[-3:]}"
            try:
                self._take(json.loads(self._socket.recv(timeout=left)))
            except TimeoutError:
                pass

    @property
    def ids(self):
        return [entry["id"] for entry in self.entries]

    def until_ids(self, ids):
        self.until(lambda: self.ids == ids, f"{ids}, having {self.ids}")

    @property
    def outcome(self):
        return next(m for m in self.messages if m["type"] == "slice")["outcome"]

    def close(self):
        self._socket.close()


class Stack:
    def __init__(self, embedded_broker, redis_server, daemon, make_token, partitions=1, **fanout):
        self.broker = embedded_broker({"activities": partitions, "activities.dlq": 1})
        self.redis = redis.Redis(port=redis_server.port)
        self.make_token = make_token
        self.fanout = daemon("fanout", **{"kafka.brokers": self.broker.bootstrap, "redis.url": redis_server.url, "feed.ttl_s": TTL_S, **fanout})
        self.ingest = daemon("ingest", kafka__brokers=self.broker.bootstrap)
        self.gateway = daemon("gateway", **{"redis.url": redis_server.url, "kafka.brokers": self.broker.bootstrap, "feed.ttl_s": TTL_S})
        self.sent = 0

    def token(self, user, **claims):
        return self.make_token(user, **claims)

    def _request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ingest.http_port, timeout=DEADLINE_S)
        head = {"Authorization": "Bearer " + self.token("service:test", scope="publish"), "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, head)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status == 202, text
        self.sent += 1
        return json.loads(text)["activities"][0]["id"]

    def send(self, actor, verb, object_id, kind=None, **more):
        kind = kind or ("user" if verb in ("follow", "unfollow", "mute", "unmute", "block", "unblock", "filter") else "post")
        return self._request("POST", "/v1/activities", {"actor": actor, "verb": verb, "object": {"type": kind, "id": object_id}, **more})

    def delete(self, actor, id_):
        return self._request("DELETE", f"/v1/activities/{urllib.parse.quote(id_, safe='')}?" + urllib.parse.urlencode({"actor": actor}))

    def settle(self):
        """Until everything that was sent has been worked off."""
        deadline = time.monotonic() + DEADLINE_S
        while self.fanout.metric("fanout_records_total") < self.sent:
            assert time.monotonic() < deadline, "fanout is not through"
            time.sleep(0.02)

    def viewer(self, user, feed="home", position=None):
        return Viewer(self, user, feed, position)
