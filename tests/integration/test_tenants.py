"""Nobody sees or touches what another tenant has: two tenants, every route of the HTTP API and every message to the gateway, every kind of name that
they take. In each cell a stranger names what the other tenant has, and then what nobody has: both get the same answer, to the letter. Afterwards the
other tenant's keys in Redis are what they were, its clients were told nothing, and nothing was produced in its name.

Routes come from the OpenAPI document and messages from the table in schemas/protocol.md: a new one without a row here fails."""
import json
import pathlib
import re
import subprocess
import uuid

import pytest
from ingest_client import activity, records, send
from whole_stack import Stack, Viewer
from ws_wire import Closed, WebSocket

SCHEMAS = pathlib.Path(__file__).parents[2] / "schemas"
DOCUMENT = json.loads((SCHEMAS / "ingest.openapi.json").read_text())
METHODS = ("get", "put", "post", "delete", "patch")
DEADLINE_S = 30
PUBLISHED = "2020-01-02T03:04:05.678Z"
KEYS = 20  # idempotency keys that the owner has used: one for each cell that takes one, and more


# ---- the HTTP API ----

def post(**members):
    return {"method": "POST", "path": "/v1/activities", "body": activity(**members)}


def follows(**edge):
    return {"method": "POST", "path": "/v1/follows", "body": edge}


def relation(method, kind):
    return {
        "actor": lambda user: {"method": method, "path": f"/v1/{kind}/{user}/somebody"},
        "object": lambda user: {"method": method, "path": f"/v1/{kind}/somebody/{user}"},
        "idempotency key": lambda key: {"method": method, "path": f"/v1/{kind}/somebody/other", "key": key},
        "API key": lambda key: {"method": method, "path": f"/v1/{kind}/somebody/other", "bearer": key},
    }


# What each route takes: a part of the request -> how it names a thing. The first word of a part's kind is looked up in KINDS.
ROUTES = {
    ("post", "/v1/activities"): {
        "actor": lambda user: post(actor=user),
        "object": lambda user: post(verb="follow", object={"type": "user", "id": user}),
        "blocked": lambda user: post(verb="block", object={"type": "user", "id": user}),
        "muted": lambda user: post(verb="mute", object={"type": "user", "id": user}),
        "owner": lambda user: post(object={"type": "post", "id": "7", "owner": user}),
        "to": lambda user: post(to=[user]),
        "activity": lambda id_: post(id=id_, published=PUBLISHED),
        "undone activity": lambda id_: post(actor="vic", verb="undo", object={"type": "activity", "id": id_}),
        "idempotency key": lambda key: {**post(), "key": key},
        "idempotency key with another body": lambda key: {**post(actor="bob"), "key": key},
        "API key": lambda key: {**post(), "bearer": key},
    },
    ("post", "/v1/follows"): {
        "actor": lambda user: follows(actor=user, object="somebody"),
        "object": lambda user: follows(actor="somebody", object=user),
        "idempotency key": lambda key: {**follows(actor="somebody", object="other"), "key": key},
        "API key": lambda key: {**follows(actor="somebody", object="other"), "bearer": key},
    },
    ("delete", "/v1/activities/{id}"): {
        "activity": lambda id_: {"method": "DELETE", "path": f"/v1/activities/{id_}?actor=vic"},
        "actor": lambda user: {"method": "DELETE", "path": f"/v1/activities/x?actor={user}"},
        "idempotency key": lambda key: {"method": "DELETE", "path": "/v1/activities/x?actor=ann", "key": key},
        "API key": lambda key: {"method": "DELETE", "path": "/v1/activities/x?actor=ann", "bearer": key},
    },
    **{(method, f"/v1/{kind}/{{actor}}/{{object}}"): relation(method.upper(), kind) for method in ("put", "delete") for kind in ("follows", "blocks", "mutes")},
    ("get", "/v1/openapi.json"): {"API key": lambda key: {"method": "GET", "path": "/v1/openapi.json", "bearer": key}},
}
KINDS = {"actor": "user", "object": "user", "blocked": "user", "muted": "user", "owner": "user", "to": "user", "activity": "activity", "undone": "activity", "idempotency": "key", "API": "api_key"}


# ---- the messages to the gateway ----

def hello(feed="home", **members):
    return {"type": "hello", "feeds": [{"feed": feed, **members}]}


def wait_for(id_, offset):
    return {"type": "await", "id": 1, "feed": "home", "positions": [{"id": id_, "partition": 0, "offset": offset}], "timeout_ms": 60000}


# How each message names a thing: a thing -> (the sub of the session's token, or its whole credential; what is sent, where a token may be that "of" a
# user in the stranger's own tenant)
MESSAGES = {
    "hello": {
        "user": lambda user: (user, [hello()]),
        "user, notifications": lambda user: (user, [hello("notifications")]),
        "position": lambda position: ("stranger", [hello(position=position)]),
        "position, notifications": lambda position: ("stranger", [hello("notifications", position=position)]),
        "position with the user": lambda position: ("vic", [hello(position=position)]),
        "user as a feed": lambda user: ("stranger", [hello(f"profile:{user}")]),
        "user as a feed of the tenant": lambda user: ("stranger", [hello(f"home:{user}")]),
        "api_key": lambda key: (key, [hello()]),
    },
    "page": {
        "activity": lambda id_: ("stranger", [hello(), {"type": "page", "id": 1, "feed": "home", "before": {"published": PUBLISHED, "id": id_}}]),
        "activity with the user": lambda id_: ("vic", [hello(), {"type": "page", "id": 1, "feed": "home", "before": {"published": PUBLISHED, "id": id_}}]),
        "user as a feed": lambda user: ("stranger", [hello(), {"type": "page", "id": 1, "feed": f"profile:{user}", "before": {"published": PUBLISHED, "id": str(uuid.UUID(int=1))}}]),
    },
    "await": {
        # Where something stands in the log is no secret of a tenant: the log is one for all. What stands there is.
        "activity": lambda id_: ("stranger", [hello(), wait_for(id_, 1)]),
        "activity with the user": lambda id_: ("vic", [hello(), wait_for(id_, 1)]),
        "user as a feed": lambda user: ("stranger", [hello(), {**wait_for(str(uuid.UUID(int=2)), 1), "feed": f"profile:{user}"}]),
    },
    "refresh": {
        "user": lambda user: ("stranger", [hello(), {"type": "refresh", "id": 1, "token": f"token of {user}"}]),
        "api_key": lambda key: ("stranger", [hello(), {"type": "refresh", "id": 1, "token": key}]),
    },
}


def routes_of(document):
    return {(method, path) for path, item in document["paths"].items() for method in item if method in METHODS}


def messages_of(text):
    """The names in the table below "Client to server"."""
    table = text.split("## Client to server")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z]+)` \|", table, re.M))


def test_every_route_and_message_has_its_rows():
    assert set(ROUTES) == routes_of(DOCUMENT), "a route of schemas/ingest.openapi.json has no row in ROUTES, or the other way round"
    assert set(MESSAGES) == messages_of((SCHEMAS / "protocol.md").read_text()), "a message of schemas/protocol.md has no row in MESSAGES, or the other way round"
    used = {KINDS[part.split()[0]] for parts in ROUTES.values() for part in parts}
    assert used == {"user", "activity", "key", "api_key"}
    assert {part.split()[0].strip(",") for parts in MESSAGES.values() for part in parts} == {"user", "position", "activity", "api_key"}


# ---- the cells ----

class World:
    """Two tenants on one installation: `owner` has things, and somebody in `other` knows their names."""

    def __init__(self, stack, owner, other, bin_dir, api_keys):
        self.stack, self.owner, self.other = stack, owner, other
        made = json.loads(subprocess.run([bin_dir / "feedctl", "key", "new", "service:shop", f"--tenant={owner}", "--scope=publish,read", "--json=true"], capture_output=True, text=True, check=True).stdout)
        api_keys.write_text(made["line"] + "\n")
        self.service, self.stranger = self.token("service:shop", owner, "publish admin"), self.token("service:shop", other, "publish admin")
        self.activity_id = str(uuid.uuid4())
        self.produce(owner, activity("fan", verb="follow", object={"type": "user", "id": "vic"}, id="follow", published="2019-01-01T00:00:00Z"), None)
        self.produce(owner, activity("vic", id=self.activity_id, published=PUBLISHED, to=["fan"]), None)
        for number in range(KEYS):
            self.produce(owner, activity(), f"their-key-{number}")
        stack.settle()  # so that slices have all of it, and nothing is still to be pushed
        self.viewers = [Viewer(OfTenant(self, owner), user, feed) for user in ("fan", "vic") for feed in ("home", "notifications")]
        self.viewers[0].until(lambda: self.viewers[0].ids == [self.activity_id], "the activity")
        self.things = {  # what the owner has, and what nobody has
            "user": ("vic", "nix"),
            "activity": (self.activity_id, str(uuid.uuid4())),
            "key": [(f"their-key-{number}", f"noones-key-{number}") for number in range(KEYS)],
            "api_key": (made["key"][:-5] + "AAAAA", "fwk_" + "0" * 16 + made["key"][20:]),
            "position": (self.viewers[0].position, re.sub(r"[0-9a-f]{8,}", "0123456789abcdef", self.viewers[0].position, count=1)),
        }

    def token(self, sub, tenant, scope=None):
        return self.stack.make_token(sub, tenant=tenant, scope=scope)

    def produce(self, tenant, body, key):
        answer = send(self.stack.ingest, body, key, bearer=self.token("service:shop", tenant, "publish"))
        assert answer.status == 202, answer.text
        self.stack.sent += 1

    def keys(self):
        """The owner's keys and what is in them."""
        return {key: self.stack.redis.dump(key) for key in self.stack.redis.keys("*") if f"{{{self.owner}/".encode() in key or f"{{{self.owner}}}".encode() in key}

    def ask(self, request):
        """Status, names of headers, and the body without what is new in each answer."""
        answer = send(self.stack.ingest, **{"bearer": self.stranger, **request})
        if answer.status == 202 and "idempotent-replayed" not in answer.headers:
            self.stack.sent += 1
        return answer.status, sorted(answer.headers), answer.text.decode()

    def talk(self, credential, messages):
        """What the gateway answers, and how it ends."""
        sub = credential if not credential.startswith("fwk_") else None
        bearer = self.token(sub, self.other) if sub else credential
        told = []
        with WebSocket(self.stack.gateway.http_port, protocol="feedwire.v1.json", timeout=DEADLINE_S, headers=[f"Authorization: Bearer {bearer}"]) as ws:
            try:
                for message in [*messages, {"type": "nothing", "id": "last"}]:  # whether the session still stands
                    if message.get("token", "").startswith("token of "):
                        message = {**message, "token": self.token(message["token"].removeprefix("token of "), self.other)}
                    ws.send(json.dumps(message))
                    told.append(json.loads(ws.message()))
                    if told[-1]["type"] == "welcome":
                        told.append(json.loads(ws.message()))
            except (Closed, OSError) as closed:
                told.append(getattr(closed, "code", 1006))
        return json.dumps(told)


class OfTenant:
    """What a Viewer needs of a stack, for users of one tenant."""

    def __init__(self, world, tenant):
        self.gateway, self.token = world.stack.gateway, lambda user: world.token(user, tenant)


NEW = ((r'"(id|published|session|expires|position)": ?"[^"]*"', r'"\1":"?"'), (r'"(offset|partition)": ?[0-9]+', r'"\1":0'))


def normal(answer, thing):
    text = json.dumps(answer).replace('\\"', '"').replace(thing, "THING")
    for pattern, to in NEW:
        text = re.sub(pattern, to, text)
    return text


@pytest.fixture(params=[("acme", "demo"), ("demo", "acme")], ids=["acme's things", "demo's things"])
def world(request, embedded_broker, redis_server, daemon, make_token, bin_dir, tmp_path):
    api_keys = tmp_path / "api-keys"
    api_keys.write_text("")
    stack = Stack(embedded_broker, redis_server, daemon_with_keys(daemon, redis_server, api_keys), make_token)
    return World(stack, *request.param, bin_dir, api_keys)


def daemon_with_keys(daemon, redis_server, api_keys):
    return lambda name, **options: daemon(name, **{"redis.url": redis_server.url, **({} if name == "fanout" else {"auth.api_keys_file": api_keys}), **options})


def differences(world, cells, ask):
    """Cells whose two answers are not the same. What nobody has is asked for first, and what the owner has last."""
    wrong = []
    for where, part, kind, make in cells:
        theirs, nobodys = world.things[kind].pop() if kind == "key" else world.things[kind]
        absent, foreign = (normal(ask(make(thing)), thing) for thing in (nobodys, theirs))
        if absent != foreign:
            wrong.append((where, part, absent, foreign))
    return wrong


def told(viewer):
    return [message for message in viewer.messages if message["type"] != "heartbeat"]


def test_no_cell_leaks(world):
    before = world.keys()
    assert before, "the owner has something"
    offset = len(records(world.stack.broker.bootstrap, 1))
    requests = [(route, part, KINDS[part.split()[0]], make) for route, parts in ROUTES.items() for part, make in parts.items()]
    wrong = differences(world, requests, world.ask)
    assert not wrong, wrong[:3]
    messages = [(message, part, part.split()[0].strip(","), make) for message, parts in MESSAGES.items() for part, make in parts.items()]
    wrong = differences(world, messages, lambda made: world.talk(*made))
    assert not wrong, wrong[:3]
    assert len(requests) + len(messages) >= 40
    world.stack.settle()
    produced = records(world.stack.broker.bootstrap, 1)[offset:]
    assert len(produced) >= 46 and all(r.key.startswith(f"{world.other}/") and r.headers["ce_tenant"].decode() == world.other for r in produced)
    assert world.keys() == before, "the owner's keys have changed"
    # Their clients were told nothing: the next message of each is what happens now.
    counts = [len(told(viewer)) for viewer in world.viewers]
    world.produce(world.owner, activity("vic", to=["fan", "vic"], object={"type": "post", "id": "after"}), None)
    for viewer, count in zip(world.viewers, counts):
        if viewer.feed == "home" and viewer is not world.viewers[0]:
            continue  # vic's own home feed does not have it
        viewer.until(lambda viewer=viewer, count=count: len(told(viewer)) > count, "the next activity")
        message = told(viewer)[count]
        assert message["type"] == "push" and [e["object"]["id"] for e in message["entries"]] == ["after"], message


def test_a_cell_that_leaks_is_found(world):
    """In the owner's own tenant the things are there, and answers do differ: so would those of a leak."""
    world.stranger, world.other = world.service, world.owner
    keyed = [(route, part, KINDS[part.split()[0]], make) for route, parts in ROUTES.items() for part, make in parts.items() if part.startswith("idempotency")]
    assert len(differences(world, keyed, world.ask)) == len(keyed) > 5
    rows = [("hello", part, kind, MESSAGES["hello"][part]) for part, kind in (("position with the user", "position"), ("user, notifications", "user"))]
    world.produce(world.owner, activity("fan", to=["vic"]), None)
    world.stack.settle()
    assert {part for _, part, *_ in differences(world, rows, lambda made: world.talk(*made))} >= {"user, notifications"}
