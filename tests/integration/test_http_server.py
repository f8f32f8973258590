"""shared/http from outside, through the program http_echo (tests/integration/http/http_echo.c)."""
import http.client
import json
import os
import pathlib
import random
import socket
import subprocess
import time

import pytest
from ws_wire import BINARY, CLOSE, PING, PONG, TEXT, Closed, WebSocket, frame, handshake_request

BIN = pathlib.Path(os.environ.get("FEEDWIRE_BIN", pathlib.Path(__file__).parents[2] / "build/release/bin"))
MESSAGE_MAX = 8192
DEADLINE_S = 30


class Server:
    def __init__(self, **settings):
        self.process = subprocess.Popen([BIN / "http_echo", *(f"{k}={v}" for k, v in settings.items())],
                                        stdout=subprocess.PIPE, text=True)
        line = json.loads(self.process.stdout.readline())
        self.port, self.admin_port = line["port"], line["admin_port"]

    def stop(self):
        self.process.terminate()
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        return code

    def request(self, method, path, body=None, headers=(), port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            connection.close()

    def stats(self):
        return json.loads(self.request("GET", "/stats")[2])

    def wait(self, **wanted):
        """Until the counters are as wanted."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            stats = self.stats()
            if all(stats[k] == v for k, v in wanted.items()):
                return stats
            assert time.monotonic() < deadline, (wanted, stats)
            time.sleep(0.02)

    def raw(self, data, half_close=False):
        """Sends bytes on a connection of its own; all that comes back until the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as s:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                try:
                    more = s.recv(65536)
                except ConnectionResetError:
                    return answer
                if not more:
                    return answer
                answer += more

    def ws(self, **options):
        return WebSocket(self.port, **options)


@pytest.fixture(scope="module")
def server():
    s = Server()
    yield s
    assert s.stop() == 0  # a sanitizer that found something ends it otherwise


@pytest.fixture
def make():
    """Servers with settings of their own."""
    made = []

    def start(**settings):
        made.append(Server(**settings))
        return made[-1]

    yield start
    for s in made:
        assert s.stop() == 0


def status_of(answer):
    return int(answer.split()[1]) if answer else None


# ---- plain HTTP ----

def test_headers_and_path_reach_the_handler(server):
    status, headers, body = server.request("PUT", "/head", b"", {
        "Authorization": "Bearer abc", "Content-Type": "application/json", "Content-Encoding": "gzip",
        "Origin": "http://here", "traceparent": "00-aa-bb-01"})
    assert status == 200
    assert json.loads(body) == {"method": 3, "path": "/head", "authorization": "Bearer abc", "content-type": "application/json",
                                "content-encoding": "gzip", "origin": "http://here", "traceparent": "00-aa-bb-01"}
    assert headers["cache-control"] == "no-store" and "date" in headers
    assert not any(name.lower() == "server" for name in headers)


def test_query_is_not_part_of_the_path_and_percent_is_decoded_once(server):
    assert json.loads(server.request("GET", "/he%61d?user=ann&x=%2e%2e")[2])["path"] == "/head"
    assert server.request("GET", "/he%2561d")[0] == 404


@pytest.mark.parametrize("size", [0, 1, 255, 256, 4096, 65536, 1024 * 1024 - 1, 1024 * 1024])
def test_body_comes_back(server, size):
    body = os.urandom(size)
    assert server.request("POST", "/echo", body)[2] == body


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "PATCH"])
def test_body_with_any_method(server, method):
    assert server.request(method, "/echo", b"some body")[2] == b"some body"


def test_long_answer_in_full(server):
    body = server.request("GET", "/bytes/20000000")[2]
    assert len(body) == 20000000 and body == (bytes(range(97, 123)) * 800000)[:20000000]
    assert server.stats()["write_full"] > 0


def test_head_has_length_but_no_body(server):
    answer = server.raw(b"HEAD /bytes/1000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 1000" in answer and answer.endswith(b"\r\n\r\n")


def test_many_requests_on_one_connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    accepted = server.stats()["accepted"]
    for i in range(50):
        body = b"x" * (i * 100)
        connection.request("POST", "/echo", body)
        assert connection.getresponse().read() == body
        connection.request("GET", "/later")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()
    assert server.stats()["accepted"] == accepted + 2


def test_pipelined_requests_are_answered_in_order(server):
    paths = [b"/bytes/5", b"/later", b"/head", b"/bytes/300000", b"/nothing", b"/later", b"/bytes/7"]
    last = b"GET /bytes/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = server.raw(b"".join(b"GET " + p + b" HTTP/1.1\r\nHost: x\r\n\r\n" for p in paths) + last)
    lengths = []
    while answer:
        head, _, answer = answer.partition(b"\r\n\r\n")
        n = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        lengths.append(n)
        answer = answer[n:]
    assert [n for n in lengths if n not in (lengths[2], lengths[4])] == [5, 3, 300000, 3, 7, 3]
    assert len(lengths) == 8


def test_what_follows_a_body_is_never_taken_for_a_part_of_it(server):
    """lws gives the server all that it has read as body, so the second request is dropped and the connection closed."""
    second = b"GET /bytes/9 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + second)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\nhello")
    assert b"connection: close" in answer


def test_body_in_small_pieces(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
        for piece in (b"POST /ec", b"ho HTTP/1.1\r\nHo", b"st: x\r\nContent-Length: 6\r\n", b"\r\n", b"ab", b"cd", b"ef"):
            s.sendall(piece)
            time.sleep(0.01)
        answer = b""
        while not answer.endswith(b"\r\n\r\nabcdef"):
            more = s.recv(65536)
            assert more
            answer += more


def test_expect_continue(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert s.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b"abc")
        assert s.recv(1000).startswith(b"HTTP/1.1 200 OK")
    refused = server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
    assert status_of(refused) == 413
    assert status_of(server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: magic\r\n\r\n")) == 417


CHUNKED = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_chunked_bodies(server):
    body = random.Random(1).randbytes(1024 * 1024)
    cuts = sorted(random.Random(2).sample(range(1, len(body)), 200))
    parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)])]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    behind = b"GET /bytes/9 HTTP/1.1\r\nHost: x\r\n\r\n"
    for more in (b"", behind):  # what follows is never answered: the connection ends with a chunked request
        answer = server.raw(CHUNKED + coded + more)
        head, _, got = answer.partition(b"\r\n\r\n")
        assert status_of(answer) == 200 and got == body and b"connection: close" in head
    one_more = b"%x\r\n%s\r\n" % (len(body), body) + b"1\r\nx\r\n"
    assert status_of(server.raw(CHUNKED + one_more)) == 413
    for bad in (b"5\nhello", b"g\r\n", b"5\r\nhello!", b"5;" + b"x" * 2000, b"0\r\n" + b"X: y\r\n" * 500):
        answer = server.raw(CHUNKED + bad)
        assert status_of(answer) == 400 and b"chunked coding" in answer, bad
    for unfinished in (b"", b"5", b"5\r\nhel", b"5\r\nhello\r\n0\r\n"):
        assert server.raw(CHUNKED + unfinished, half_close=True) == b""


def test_too_long_a_body_gets_413_and_the_client_can_read_it(server):
    status, headers, body = server.request("POST", "/echo", b"x" * (10 * 1024 * 1024))
    assert status == 413 and headers["content-type"] == "application/problem+json"
    assert json.loads(body)["status"] == 413
    assert server.request("POST", "/echo", b"x" * (1024 * 1024 + 1))[0] == 413


def test_refused_from_the_head(server):
    status, headers, body = server.request("POST", "/denied", b"x" * 100000)
    assert status == 401 and headers["connection"] == "close"
    assert json.loads(body) == {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Not for you."}


def test_unknown_path(server):
    status, headers, _ = server.request("GET", "/nothing")
    assert status == 404 and headers["retry-after"] == "7"


@pytest.mark.parametrize("head,status", [
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked", 400),
    (b"GET /head HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", 411),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
    (b"POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked", 400),
    (b"GET /head HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x", 411),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -3", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3", 400),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999", 413),
    (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding : chunked", 400),
    (b"GET /head HTTP/1.1\r\nHost: x\r\nBad Name: y", 400),
    (b"GET /head HTTP/1.1\r\nHost: x\r\nX-Fold: a\r\n b: c", 400),
    (b"GET /head HTTP/1.1", 400),
    (b"GET /head HTTP/2.0\r\nHost: x", 400),
    (b"GET /a%5cb HTTP/1.1\r\nHost: x", 400),
    (b"GET /a%0d%0aX: y HTTP/1.1\r\nHost: x", 400),
    (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: x", 414),
])
def test_doubtful_heads_are_refused_and_the_connection_ends(server, head, status):
    answer = server.raw(head + b"\r\n\r\nGET /head HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(answer) == status, answer
    assert b"HTTP/1.1 200" not in answer


@pytest.mark.parametrize("head", [
    b"GET /%00 HTTP/1.1\r\nHost: x", b"GET /%zz HTTP/1.1\r\nHost: x", b"GET http://x/head HTTP/1.1\r\nHost: x",
    b"BREW /pot HTTP/1.1\r\nHost: x", b"CONNECT example.org:443 HTTP/1.1\r\nHost: x",
    b"GET /head HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000, b"GET /head HTTP/1.1\r\nHost: x\r\nUpgrade: tls\r\nConnection: upgrade",
])
def test_what_lws_refuses_itself_is_closed_without_reaching_the_handler(server, head):
    before = server.stats()["http_requests"]
    answer = server.raw(head + b"\r\n\r\n")
    assert status_of(answer) in (None, 400, 403), answer
    assert server.stats()["http_requests"] == before + 1  # that of stats itself


def test_dot_segments_do_not_leave_the_root(server):
    """lws resolves them before anybody sees the path."""
    for path in (b"/a/../head", b"/./head", b"/../../head", b"/%2e%2e/head", b"//head"):
        answer = server.raw(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b'"path":"/head"' in answer or status_of(answer) in (400, 403, 404), (path, answer)
        assert b".." not in answer


def test_unknown_upgrade_on_a_kept_connection(server):
    """Twice on one connection: lws once read freed memory there."""
    one = b"GET /head HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
        s.sendall(one)
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
        s.sendall(b"GET /head HTTP/1.1\r\nHost: x\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n")
        while s.recv(65536):
            pass
    assert server.request("GET", "/head")[0] == 200


def test_offer_of_h2c_is_ignored(server):
    answer = server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nContent-Length: 3\r\n\r\nabc", half_close=True)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"abc")


def test_http_1_0_is_answered_and_closed(server):
    assert b"connection: close" in server.raw(b"GET /later HTTP/1.0\r\n\r\n")


def test_client_that_leaves_before_the_answer(server):
    for _ in range(20):
        s = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        s.sendall(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # close sends RST
        s.close()
    server.wait(open=1)
    assert server.request("GET", "/later")[0] == 200


def test_client_that_leaves_inside_head_or_body(server):
    for part in (b"GET /he", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b""):
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
            s.sendall(part)
    server.wait(open=1)


def test_answer_much_later_from_another_request(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
        s.sendall(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\nGET /bytes/4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)  # the second one must wait for the first
        server.request("GET", "/release")
        answer = b""
        while True:
            more = s.recv(65536)
            if not more:
                break
            answer += more
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and answer.endswith(b"abcd") and answer.index(b"ok\n") < answer.index(b"abcd")


def test_unanswered_request_when_the_server_ends(make):
    s = make()
    with socket.create_connection(("127.0.0.1", s.port), DEADLINE_S) as c:
        c.sendall(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        s.wait(messages=1)
        assert s.process.poll() is None
        # make() ends it, and sees that nothing was touched after it was freed


def test_binary_garbage(server):
    for seed in range(30):
        garbage = random.Random(seed).randbytes(seed * 50 + 1) if seed else bytes(range(256))
        answer = server.raw(garbage + b"\r\n\r\n", half_close=True)
        assert status_of(answer) in (None, 400, 403, 411, 414)
    assert server.request("GET", "/head")[0] == 200


def test_slow_head_and_slow_body_are_closed_at_the_timeout(make):
    s = make(handshake_timeout_ms=700)
    for part in (b"", b"GET /head HTTP/1.1\r\nX: ", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", s.port), DEADLINE_S) as c:
            start = time.monotonic()
            c.sendall(part)
            c.settimeout(0.1)
            while True:
                try:
                    if c.recv(1000) == b"":
                        break
                except TimeoutError:
                    if part:
                        c.sendall(b"y")  # a byte now and then does not help
                except OSError:
                    break
                assert time.monotonic() - start < DEADLINE_S
    with socket.create_connection(("127.0.0.1", s.port), DEADLINE_S) as c:  # the same for a later request
        c.sendall(b"GET /head HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.recv(65536).startswith(b"HTTP/1.1 200")
        c.sendall(b"GET /he")
        assert c.recv(1000) == b""
    assert s.request("GET", "/later")[0] == 200


def test_connections_max(make):
    s = make(connections_max=10)
    held = [socket.create_connection(("127.0.0.1", s.port), DEADLINE_S) for _ in range(9)]
    s.wait(open=10)
    held.append(socket.create_connection(("127.0.0.1", s.port), DEADLINE_S))
    extra = socket.create_connection(("127.0.0.1", s.port), DEADLINE_S)
    assert extra.recv(10) == b""
    extra.close()
    for c in held[:5]:
        c.close()
    deadline = time.monotonic() + DEADLINE_S
    while True:  # the closed ones have to be noticed first
        try:
            stats = s.stats()
            break
        except (http.client.HTTPException, OSError):
            assert time.monotonic() < deadline
    assert stats["refused_full"] >= 1
    for c in held:
        c.close()


def test_port_that_is_taken_is_a_clear_error(server):
    p = subprocess.run([BIN / "http_echo", f"port={server.port}"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert p.returncode == 1 and "cannot listen on 127.0.0.1 port" in p.stderr and "in use" in p.stderr


def test_admin_port(make):
    s = make(ready=0)
    assert s.request("GET", "/livez", port=s.admin_port)[2] == b"ok\n"
    status, _, body = s.request("GET", "/readyz", port=s.admin_port)
    assert status == 503 and json.loads(body)["conditions"][0]["reason"] == "told not to be"
    status, headers, body = s.request("GET", "/metrics", port=s.admin_port)
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4") and b"echo_up 0" in body
    assert s.request("GET", "/echo", port=s.admin_port)[0] == 404
    assert s.request("POST", "/livez", b"", port=s.admin_port)[0] == 405
    assert s.request("POST", "/livez", b"x", port=s.admin_port)[0] == 413
    with WebSocket(s.admin_port) as ws:
        assert ws.status == 404


# ---- WebSocket: the handshake ----

def test_handshake_names_the_subprotocol_and_no_extension(server):
    offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
    with server.ws(protocol="other, echo.v1", headers=offer) as ws:
        assert ws.status == 101 and ws.headers["sec-websocket-protocol"] == "echo.v1"
        assert "sec-websocket-extensions" not in ws.headers


@pytest.mark.parametrize("options,status", [
    ({"protocol": None}, 400), ({"protocol": "other"}, 400), ({"protocol": "feedwire/http, echo.v1"}, 400), ({"protocol": "ECHO.V1"}, 400),
    ({"protocol": "echo.v1, " + "x" * 200}, 400), ({"path": "/v1/other"}, 404), ({"path": "/v1/ws/"}, 404),
    ({"headers": ["Origin: http://evil.example"]}, 403), ({"headers": ["Authorization: Bearer bad"]}, 401),
    ({"headers": ["Content-Length: 5"], "first": b"hello"}, 400),
])
def test_handshakes_that_are_refused(server, options, status):
    with server.ws(**options) as ws:
        assert ws.status == status
        if status != 404:
            assert ws.headers["content-type"] == "application/problem+json" and ws.headers["connection"] == "close"


@pytest.mark.parametrize("old,new,status", [
    (b"Version: 13", b"Version: 8", 426), (b"GET", b"POST", 405), (b"Connection: Upgrade", b"Connection: close", 400),
    (b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x", 400), (b"Host: localhost\r\n", b"", 400),
])
def test_broken_handshakes(server, old, new, status):
    request = handshake_request().replace(old, new)
    if new == b"POST":
        request = request.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")
    assert status_of(server.raw(request)) == status


def test_handshake_after_a_request_on_the_same_connection(server):
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as s:
        s.sendall(b"GET /head HTTP/1.1\r\nHost: x\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 200")
        s.sendall(handshake_request() + frame(TEXT, b"right away"))
        answer = b""
        while not answer.endswith(b"right away"):
            answer += s.recv(65536)
        assert answer.startswith(b"HTTP/1.1 101")


def test_session_that_cannot_be_made(server):
    with server.ws(headers=["Origin: http://unlucky.example"]) as ws:
        assert ws.close_code() == 1011


# ---- WebSocket: messages ----

@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 255, 256, 257, 272, 273, 4096, MESSAGE_MAX - 1, MESSAGE_MAX])
def test_echo(server, size):
    payload = os.urandom(size)
    with server.ws() as ws:
        for _ in range(3):
            ws.send(payload)
            assert ws.message() == payload
        ws.send("ü" * (size // 2))
        assert ws.message().decode() == "ü" * (size // 2)


def test_fragments_are_put_together(server):
    payload = os.urandom(5000)
    with server.ws() as ws:
        ws.send(payload[:10], BINARY, fin=False)
        ws.send(payload[10:300], 0, fin=False)
        ws.send(b"between", PING)
        ws.send(b"", 0, fin=False)
        ws.send(payload[300:], 0)
        assert ws.frame() == (PONG, True, b"between")
        assert ws.message() == payload
        ws.send(b"", TEXT, fin=False)
        ws.send(b"", 0)
        assert ws.message() == b""


def test_frame_in_single_bytes(server):
    data = frame(TEXT, "schön".encode()) + frame(BINARY, b"z" * 300)
    with server.ws() as ws:
        for i in range(len(data)):
            ws.socket.sendall(data[i:i + 1])
        assert ws.message().decode() == "schön"
        assert ws.message() == b"z" * 300


@pytest.mark.parametrize("pieces", [
    [(b"x" * (MESSAGE_MAX + 1), BINARY, True)],
    [(b"x" * 5000, BINARY, False), (b"x" * 5000, 0, False)],
    [(b"x" * MESSAGE_MAX, BINARY, False), (b"x", 0, True)],
])
def test_too_large_a_message_closes_with_1009(server, pieces):
    longest = server.stats()["longest"]
    with server.ws() as ws:
        for payload, opcode, fin in pieces:
            ws.send(payload, opcode, fin=fin)
        assert ws.close_code() == 1009
    server.wait(open=1, last_code=1009)
    assert server.stats()["longest"] == longest <= MESSAGE_MAX


def test_too_large_a_message_is_closed_from_its_announcement(server):
    with server.ws() as ws:
        ws.socket.sendall(frame(BINARY, b"x", length=2 ** 40))
        assert ws.close_code() == 1009


@pytest.mark.parametrize("frames", [
    [frame(TEXT, b"\xff")], [frame(TEXT, b"ok\xc3")], [frame(TEXT, b"\xed\xa0\x80")], [frame(TEXT, b"\xc0\xaf")],
    [frame(TEXT, b"\xf4\x90\x80\x80")], [frame(TEXT, b"\xc3", fin=False), frame(0, b"x")],
    [frame(TEXT, b"\xc3", fin=False), frame(0, b"")], [frame(TEXT, b"a" * 300 + b"\xe2\x82")],
])
def test_bad_utf8_closes_with_1007(server, frames):
    messages = server.stats()["messages"]
    with server.ws() as ws:
        for f in frames:
            ws.socket.sendall(f)
        assert ws.close_code() == 1007
    assert server.wait(open=1, last_code=1007)["messages"] == messages


def test_utf8_character_across_fragments_is_fine(server):
    with server.ws() as ws:
        ws.send(b"\xe2", TEXT, fin=False)
        ws.send(b"\x82", 0, fin=False)
        ws.send(b"\xac", 0)
        assert ws.message().decode() == "€"


@pytest.mark.parametrize("data", [
    frame(3, b"x"), frame(TEXT, b"x", rsv=4), frame(0, b"x"), frame(PING, b"x", fin=False),
    frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
])
def test_breach_of_the_protocol_closes_with_1002(server, data):
    with server.ws() as ws:
        ws.socket.sendall(data)
        assert ws.close_code() == 1002
    server.wait(open=1, last_code=1002)


def test_ping_is_answered(server):
    with server.ws() as ws:
        ws.send(b"are you there", PING)
        assert ws.frame() == (PONG, True, b"are you there")


def test_garbage_after_the_handshake(server):
    dice = random.Random(1)
    for _ in range(40):
        with server.ws() as ws:
            try:
                ws.socket.sendall(dice.randbytes(2000))
                ws.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed already
            ws.close_code()
    server.wait(open=1)


# ---- WebSocket: the end ----

def test_server_closes_with_code_and_reason(server):
    with server.ws() as ws:
        ws.send("close 4001 go_away")
        with pytest.raises(Closed) as closed:
            ws.message()
        assert (closed.value.code, closed.value.reason) == (4001, "go_away")
        ws.send(b"\x0f\xa1", CLOSE)
        assert ws.socket.recv(10) == b""
    stats = server.wait(open=1, last_code=4001)
    assert stats["ws_opened"] == stats["ws_closed"]


def test_server_closes_a_client_that_does_not_answer_the_close(server):
    with server.ws() as ws:
        ws.send("close 4002")
        assert ws.close_code() == 4002
        assert ws.socket.recv(10) == b""  # cut after a while


def test_server_closes_in_the_middle_of_a_flood(server):
    """Frames that were not taken from the session are not sent; the one on its way is completed; then comes the close."""
    with server.ws(receive_buffer=4096) as ws:
        ws.send("flood 100000 50000")
        ws.message()
        ws.send("close 4003 enough")
        n = 1
        with pytest.raises(Closed) as closed:
            while True:
                assert ws.message().startswith(b"%d " % n)
                n += 1
        assert closed.value.code == 4003 and n < 100000
    server.wait(open=1, last_code=4003)


def test_client_closes(server):
    with server.ws() as ws:
        ws.send(b"\x0f\xa0bye", CLOSE)
        assert ws.close_code() == 4000
    server.wait(open=1, last_code=4000)
    with server.ws() as ws:
        ws.send(b"", CLOSE)
        assert ws.close_code() == 1005
    server.wait(open=1, last_code=1005)


def test_client_vanishes(server):
    with server.ws():
        pass
    stats = server.wait(open=1, last_code=1006)
    assert stats["ws_opened"] == stats["ws_closed"]


def test_close_while_the_client_sends_a_flood(server):
    """What comes after the close is read and ignored, so that the close frame is not lost by a reset."""
    with server.ws() as ws:
        ws.socket.sendall(frame(TEXT, b"hello") * 2000 + frame(TEXT, b"close 4004") + frame(TEXT, b"hello") * 2000)
        assert ws.close_code() == 4004
    server.wait(open=1, last_code=4004)


# ---- WebSocket: load ----

def test_slow_reader_gets_everything_in_order(server):
    full = server.stats()["write_full"]
    with server.ws(receive_buffer=65536) as ws:
        ws.send("flood 2000 10000")
        while server.stats()["write_full"] == full:
            time.sleep(0.02)  # the socket is full and the server goes on with others
        for i in range(2000):
            message = ws.message()
            assert len(message) == 10000 and message.startswith(b"%d x" % i)
        ws.send("still there")
        assert ws.message() == b"still there"


def test_frames_of_a_megabyte(server):
    with server.ws() as ws:
        ws.send("flood 20 1000000")
        for i in range(20):
            message = ws.message()
            assert len(message) == 1000000 and message.startswith(b"%d x" % i) and message.endswith(b"x")


def test_frame_leaves_in_one_piece(server):
    """lws cuts what it sends by the size of its read buffer, if it is not told otherwise."""
    with server.ws() as ws:
        full = server.stats()["write_full"]
        ws.send("flood 5 5000")
        assert [len(ws.message()) for _ in range(5)] == [5000] * 5
        assert server.stats()["write_full"] == full


def test_500_connections(make):
    s = make(connections_max=600)
    sockets = [s.ws() for _ in range(500)]
    assert all(ws.status == 101 for ws in sockets)
    assert s.wait(ws_opened=500)["open"] == 501
    for i, ws in enumerate(sockets):
        ws.send(f"hello {i}")
    for i, ws in enumerate(sockets):
        assert ws.message() == b"hello %d" % i
    for _ in range(3):
        s.request("GET", "/push")
    for ws in sockets:
        assert [ws.message() for _ in range(3)] == [b"pushed"] * 3
    s.request("GET", "/close/4005")
    for ws in sockets:
        assert ws.close_code() == 4005
        ws.socket.close()
    stats = s.wait(open=1)
    assert stats["ws_closed"] == 500


def test_a_peer_that_does_not_read_has_longer_than_one_that_is_silent(make):
    s = make(ping_after_s=1, hangup_after_s=2, stall_after_s=6)
    with s.ws(receive_buffer=4096) as stalled:
        stalled.send("flood 1000 10000")
        with s.ws() as silent:
            with pytest.raises(Closed):
                while True:
                    silent.frame()
        assert s.stats()["open"] == 2  # the stalled one, and the one that asks
        s.wait(ws_closed=2, last_code=1006)


def test_a_peer_that_reads_again_in_time_has_lost_nothing(make):
    s = make(ping_after_s=1, hangup_after_s=2, stall_after_s=60)
    with s.ws(receive_buffer=4096) as stalled:
        stalled.send("flood 500 10000")
        for _ in range(2):
            with s.ws() as silent, pytest.raises(Closed):
                while True:
                    silent.frame()
        for i in range(500):
            while (got := stalled.frame())[0] == PING:
                stalled.send(got[2], PONG)
            assert got[2].startswith(b"%d x" % i)


def test_idle_client_is_pinged_and_hung_up(make):
    s = make(ping_after_s=1, hangup_after_s=2)
    with s.ws() as quiet, s.ws() as polite:
        pings = 0
        while pings < 3:
            opcode, _, payload = polite.frame()
            assert opcode == PING
            polite.send(payload, PONG)
            pings += 1
        assert quiet.frame()[0] == PING
        with pytest.raises(Closed):  # it never answered
            while True:
                quiet.frame()
        assert s.wait(ws_closed=1)["last_code"] == 1006
        polite.send("here")
        while (got := polite.frame())[0] == PING:
            pass
        assert got[2] == b"here"


def test_server_ends_with_open_connections(make):
    s = make()
    sockets = [s.ws() for _ in range(20)]
    sockets[0].send("flood 1000 100000")
    s.wait(ws_opened=20)
    # make() ends it with all of them open, and sees the exit code
