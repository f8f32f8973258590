"""What a case is, and how the bytes of a request are put together."""
import dataclasses
import json

from ingest_client import token

CUT = 0  # the connection ends without an answer: libwebsockets refuses the bytes itself
LWS_REFUSES = -403  # the same with its own page, which is no problem+json
TOKEN = token("ann", scope=None)
CANARY = token("ann", scope=None, tenant="canary")  # good, but never where it may count; in no log, metric or answer

ACTIVITY = {"actor": "ann", "verb": "like", "object": {"type": "post", "id": "7"}}


@dataclasses.dataclass(frozen=True)
class Case:
    """One request and its answer: its status, and words that the detail has or the field of its first error is."""

    row: str
    name: str
    to: str  # ingest or gateway
    data: bytes
    status: int
    says: str = ""


@dataclasses.dataclass(frozen=True)
class Message:
    """A first message to the gateway, and the error and close code that it gets."""

    row: str
    name: str
    data: bytes
    error: str
    close: int


def latin(text):
    return text if isinstance(text, bytes) else text.encode("latin1")


def head(method, path, headers=(), version="HTTP/1.1", host="x", bearer=TOKEN, close=True):
    """Headers: (name, value) or a whole line; text stands for its bytes in Latin-1."""
    lines = [latin(method) + b" " + latin(path) + b" " + latin(version)]
    lines += [b"Host: " + latin(host)] if host is not None else []
    lines += [b"Authorization: Bearer " + latin(bearer)] if bearer else []
    lines += [b"Connection: close"] if close else []
    lines += [latin(h[0]) + b": " + latin(h[1]) if isinstance(h, tuple) else latin(h) for h in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def request(method, path, body=None, headers=(), content_type="application/json", **options):
    """With a body (bytes, or what becomes JSON) and its length."""
    if body is None:
        return head(method, path, headers, **options)
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    extra = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return head(method, path, [*extra, *headers], **options) + body


def post(body, headers=(), **options):
    return request("POST", "/v1/activities", body, headers, **options)


def handshake(path="/v1/ws", headers=(), bearer=None):
    lines = [("Upgrade", "websocket"), "Connection: Upgrade", ("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0ODw=="), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Protocol", "feedwire.v1.json")]
    return head("GET", path, [*lines, *headers], bearer=bearer, close=False)
