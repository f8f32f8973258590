"""Requests that are wrong as HTTP, or in their headers and paths."""
from hostile.case import ACTIVITY, CANARY, CUT, LWS_REFUSES, Case, handshake, head, post, request

ALLOWED = "https://app.example"
FOREIGN = (
    "https://evil-app.example", "https://app.example.evil", "https://app.example.", "https://app.example/", "https://APP.example", "HTTPS://app.example", "https://app.example:443",
    "https://app.example:8443", "http://app.example", "https://sub.app.example", "https://app.example@evil.example", "https://evil.example@app.example", "null", "*", "https://*",
    "https://app.example https://evil.example", "https://app.example,https://evil.example", "https://app.example, https://app.example", "https://app.exampl\xe9", "https://\xd0\xb0pp.example",
    "https://app.example%00", "https://app.example\t.evil", "file://", "about:blank", "app.example", "//app.example", "https:app.example", "https://", "https://app.example?x", "https://app.example#x",
    "https://xn--pp-7kc.example", "chrome-extension://app.example", "wss://app.example", "https://[::1]", "https://127.0.0.1", "https://app.example;https://evil.example",
)


def origins():
    detail = "This origin is not allowed"
    for origin in FOREIGN:
        yield Case("S1", origin, "ingest", post(ACTIVITY, [("Origin", origin)]), 403, detail)
        yield Case("S1", f"preflight {origin}", "ingest", head("OPTIONS", "/v1/activities", [("Origin", origin), ("Access-Control-Request-Method", "POST")], bearer=None), 403, detail)
        yield Case("S1", origin, "gateway", handshake(headers=[("Origin", origin)]), 403, "refused")
    yield Case("S1", "two", "gateway", handshake(headers=[("Origin", ALLOWED), ("Origin", ALLOWED)]), 403, "refused")
    yield Case("S1", "two", "ingest", post(ACTIVITY, [("Origin", ALLOWED), ("Origin", "https://evil.example")]), 403, detail)


def misplaced_tokens():
    """A good token, where it would end up in the logs of others."""
    missing = "A token is required"
    for name in ("access_token", "token", "authorization", "Authorization", "jwt", "auth", "api_key", "key", "bearer", "id_token"):
        yield Case("S7", f"?{name}", "ingest", request("POST", f"/v1/activities?{name}={CANARY}", ACTIVITY, bearer=None), 401, missing)
    for name in ("Cookie", "X-Auth-Token", "X-Api-Key", "Proxy-Authorization", "X-Authorization", "Token", "X-Forwarded-Authorization", "Sec-WebSocket-Protocol", "WWW-Authenticate"):
        yield Case("S7", name, "ingest", post(ACTIVITY, [(name, f"Bearer {CANARY}")], bearer=None), 401, missing)
    for scheme in ("Basic", "Digest", "Token", "JWT", "bearer:", "Bearer,", "OAuth", "ApiKey"):
        yield Case("S7", f"scheme {scheme}", "ingest", post(ACTIVITY, [("Authorization", f"{scheme} {CANARY}")], bearer=None), 401, "Authorization must be")
    yield Case("S7", "two headers", "ingest", post(ACTIVITY, [("Authorization", f"Bearer {CANARY}"), ("Authorization", f"Bearer {CANARY}")], bearer=None), 401, "malformed")
    yield Case("S7", "in the body", "ingest", post({**ACTIVITY, "token": CANARY, "access_token": CANARY}, bearer=None), 401, missing)
    yield Case("S7", "in the path", "ingest", request("POST", f"/v1/activities/{CANARY}", ACTIVITY, bearer=None), 405, "DELETE")


BODY = b'{"actor":"ann","verb":"like","object":{"type":"post","id":"7"}}'
HIDDEN = post(ACTIVITY)  # must never be answered
SIZE = b"%x" % len(BODY)
CHUNKS = SIZE + b"\r\n" + BODY + b"\r\n0\r\n\r\n"


def framed(lines, body=BODY, version="HTTP/1.1"):
    return head("POST", "/v1/activities", [("Content-Type", "application/json"), *lines], version=version, close=False) + body + HIDDEN


def smuggling():
    length = f"Content-Length: {len(BODY)}"
    chunked = "Transfer-Encoding: chunked"
    both, number, coding, bytes_ = "must not have both", "one decimal number", "only transfer coding", "not in the chunked coding"
    heads = (
        ("CL+TE", [length, chunked], both), ("TE+CL", [chunked, length], both), ("CL+TE identity", [length, "Transfer-Encoding: identity"], both),
        ("CL+TE xchunked", [length, "Transfer-Encoding: xchunked"], both), ("two CL", [length, "Content-Length: 0"], number), ("two equal CL", [length, length], number),
        ("CL list", [f"Content-Length: {len(BODY)}, {len(BODY)}"], number), ("CL +", [f"Content-Length: +{len(BODY)}"], number), ("CL -", ["Content-Length: -1"], number),
        ("CL hex", [f"Content-Length: 0x{len(BODY):x}"], number), ("CL float", [f"Content-Length: {len(BODY)}.0"], number), ("CL e", ["Content-Length: 1e2"], number),
        ("CL blank inside", ["Content-Length: 6 3"], number), ("CL quoted", [f'Content-Length: "{len(BODY)}"'], number), ("CL underscore", ["Content-Length: 6_3"], number),
        ("CL word", ["Content-Length: abc"], number), ("CL vertical tab", [f"Content-Length: \x0b{len(BODY)}"], number), ("CL form feed", [f"Content-Length: {len(BODY)}\x0c"], number),
        ("CL nbsp", [f"Content-Length: \xa0{len(BODY)}"], number), ("CL semicolon", [f"Content-Length: {len(BODY)};"], number),
        ("TE.TE", [chunked, "Transfer-Encoding: identity"], coding), ("TE twice", [chunked, chunked], coding), ("TE gzip", ["Transfer-Encoding: gzip"], coding),
        ("TE gzip, chunked", ["Transfer-Encoding: gzip, chunked"], coding), ("TE chunked, gzip", ["Transfer-Encoding: chunked, gzip"], coding),
        ("TE xchunked", ["Transfer-Encoding: xchunked"], coding), ("TE chunkedx", ["Transfer-Encoding: chunkedx"], coding), ("TE cow", ["Transfer-Encoding: cow"], coding),
        ("TE quoted", ['Transfer-Encoding: "chunked"'], coding), ("TE vertical tab", ["Transfer-Encoding: \x0bchunked"], coding), ("TE nbsp", ["Transfer-Encoding: \xa0chunked"], coding),
        ("TE parameter", ["Transfer-Encoding: chunked;q=1"], coding), ("TE comma", ["Transfer-Encoding: ,chunked"], coding), ("TE identity", ["Transfer-Encoding: identity"], coding),
        ("TE trailers", ["Transfer-Encoding: trailers"], coding), ("TE deflate", ["Transfer-Encoding: deflate"], coding),
    )
    for name, lines, says in heads:
        yield Case("S16", name, "ingest", framed(lines, CHUNKS if "TE" in name else BODY), 400, says)
    yield Case("S16", "TE in HTTP/1.0", "ingest", framed([chunked], CHUNKS, "HTTP/1.0"), 400, "HTTP/1.0 has no")
    yield Case("S16", "TE with blank before the colon", "ingest", framed(["Transfer-Encoding : chunked"], CHUNKS), 400, "header's name")
    yield Case("S16", "CL with blank before the colon", "ingest", framed([f"Content-Length : {len(BODY)}"]), 400, "header's name")
    yield Case("S16", "no length", "ingest", framed([]), 411, "needs Content-Length")
    yield Case("S16", "CL of 2^64", "ingest", framed(["Content-Length: 18446744073709551616"]), 413, "longer than")
    yield Case("S16", "CL of 30 digits", "ingest", framed(["Content-Length: " + "9" * 30]), 413, "longer than")
    yield Case("S16", "CL of 100 digits", "ingest", framed(["Content-Length: " + "0" * 99 + "1"]), 400, "too long")
    for name, chunks in (
        ("size LF only", SIZE + b"\n" + BODY + b"\n0\n\n"), ("size +", b"+" + CHUNKS), ("size 0x", b"0x" + CHUNKS), ("size of blanks", b" " + CHUNKS), ("size of tab", b"\t" + CHUNKS),
        ("blank behind the size", SIZE + b" \r\n" + BODY + b"\r\n0\r\n\r\n"), ("size -1", b"-1\r\n"), ("no size", b"\r\n" + CHUNKS), ("size overflow", b"FFFFFFFFFFFFFFFF" + CHUNKS),
        ("size overflow by one", b"100000000" + CHUNKS), ("nine digits", b"0000000" + CHUNKS), ("chunk too long", b"3\r\n" + BODY + b"\r\n0\r\n\r\n"),
        ("CR only", SIZE + b"\r" + BODY + b"\r0\r\r"), ("extension of 2 KiB", SIZE + b";" + b"x" * 2048 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
        ("LF in the extension", SIZE + b";a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"), ("trailers of 2 KiB", SIZE + b"\r\n" + BODY + b"\r\n0\r\n" + b"A: b\r\n" * 400 + b"\r\n"),
        ("LF in a trailer", SIZE + b"\r\n" + BODY + b"\r\n0\r\nA: b\n\r\n"), ("NUL in the size", b"\0" + CHUNKS), ("semicolon only", b";\r\n" + CHUNKS), ("comment", SIZE + b"#\r\n" + BODY),
    ):
        yield Case("S16", f"chunked: {name}", "ingest", framed([chunked], chunks), 400, bytes_)
    yield Case("S16", "chunked: 4 GiB announced", "ingest", framed([chunked], b"FFFFFFFF\r\n" + b"x" * (1024 * 1024 + 1)), 413, "longer than")
    yield Case("S16", "extensions of 1 MiB", "ingest", framed([chunked], SIZE + b";" + b"x" * (1024 * 1024)), 400, bytes_)
    yield Case("S16", "chunked GET", "ingest", head("GET", "/v1/activities", [chunked], close=False) + CHUNKS + HIDDEN, 411, "needs Content-Length")
    yield Case("S16", "chunked DELETE", "ingest", head("DELETE", "/v1/activities/x?actor=ann", [chunked], close=False) + CHUNKS + HIDDEN, 411, "needs Content-Length")
    yield Case("S16", "body behind Upgrade", "gateway", handshake(headers=["Content-Length: 5"]) + b"hello" + HIDDEN, 413, "longer than")
    yield Case("S16", "chunked Upgrade", "gateway", handshake(headers=[chunked]) + CHUNKS + HIDDEN, 411, "needs Content-Length")
    yield Case("S16", "CL+TE to the gateway", "gateway", framed([length, chunked], CHUNKS), 400, both)


def heads():
    line = b"GET /v1/openapi.json HTTP/1.1\r\n"
    folded = "header's name"
    for name, data, status, says in (
        ("no host", head("POST", "/v1/activities", [("Content-Length", "2")], host=None) + b"{}", 400, "Host header is missing"),
        ("HTTP/2.0", head("GET", "/v1/openapi.json", version="HTTP/2.0"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("HTTP/1.2", head("GET", "/v1/openapi.json", version="HTTP/1.2"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("HTTP/0.9", head("GET", "/v1/openapi.json", version="HTTP/0.9"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("http/1.1", head("GET", "/v1/openapi.json", version="http/1.1"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("HTTP/1.1x", head("GET", "/v1/openapi.json", version="HTTP/1.1x"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("HTTPS/1.1", head("GET", "/v1/openapi.json", version="HTTPS/1.1"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("blank in a name", head("POST", "/v1/activities", ["Bad Name: x"]), 400, folded),
        ("folded", head("POST", "/v1/activities", ["X-A: b", " c: d"]), 400, folded),
        ("folded with a tab", head("POST", "/v1/activities", ["X-A: b", "\tc: d"]), 400, folded),
        ("brackets in a name", head("POST", "/v1/activities", ["X[a]: x"]), 400, folded),
        ("quote in a name", head("POST", "/v1/activities", ['X"a: x']), 400, folded),
        ("slash in a name", head("POST", "/v1/activities", ["X/a: x"]), 400, folded),
        ("at in a name", head("POST", "/v1/activities", ["X@a: x"]), 400, folded),
        ("8 bits in a name", head("POST", "/v1/activities", ["X-\xe9: x"]), 400, folded),
        ("vertical tab in a name", head("POST", "/v1/activities", ["X-\x0b: x"]), 400, folded),
        ("DEL in a name", head("POST", "/v1/activities", ["X-\x7f: x"]), 400, folded),
        ("expect magic", head("POST", "/v1/activities", [("Content-Type", "application/json"), "Content-Length: 2", "Expect: magic"]), 417, "only expectation"),
        ("connection of 1 KiB", head("POST", "/v1/activities", [("Connection", "a" * 1024)]), 400, "too long"),
        ("coding of 1 KiB", head("POST", "/v1/activities", [("Transfer-Encoding", "a" * 1024)]), 400, "too long"),
        ("path of 600", head("GET", "/" + "a" * 600), 414, "path is too long"),
        ("path of 4 KiB", head("GET", "/" + "a" * 4096), 414, "path is too long"),
        ("two ce-id", post(ACTIVITY, ["ce-id: a", "ce-id: b"]), 400, "there twice"),
        ("two idempotency keys", post(ACTIVITY, ["Idempotency-Key: a", "Idempotency-Key: b"]), 400, "there twice"),
        ("* target", head("OPTIONS", "*"), LWS_REFUSES, ""),
        ("absolute form", head("GET", "http://x/v1/openapi.json"), LWS_REFUSES, ""),
        ("authority form", head("CONNECT", "x:443"), CUT, ""),
        ("unknown method", head("BREW", "/pot"), LWS_REFUSES, ""),
        ("two hosts", head("GET", "/v1/openapi.json", ["Host: y"]), 400, "must be one host"),
        ("the same host twice", head("GET", "/v1/openapi.json", ["Host: x"]), 400, "must be one host"),
        ("a list of hosts", head("GET", "/v1/openapi.json", host="x, y"), 400, "must be one host"),
        ("host with a path", head("GET", "/v1/openapi.json", host="x/../y"), 400, "must be one host"),
        ("host with a user", head("GET", "/v1/openapi.json", host="u@x"), 400, "must be one host"),
        ("host with a blank", head("GET", "/v1/openapi.json", host="x y"), 400, "must be one host"),
        ("host of 8 bits", head("GET", "/v1/openapi.json", host="\xe9"), 400, "must be one host"),
        ("host of 300", head("GET", "/v1/openapi.json", host="x" * 300), 400, "too long"),
        ("empty host", head("GET", "/v1/openapi.json", host=""), 400, "Host header is missing"),
        ("NUL in a value", head("GET", "/v1/openapi.json", [("Authorization", "Bearer a\0b")], bearer=None), 400, "header's value"),
        ("ESC in a value", head("GET", "/v1/openapi.json", [("Authorization", "Bearer a\x1bb")], bearer=None), 400, "header's value"),
        ("CR before a header", head("GET", "/v1/openapi.json", ["X-A: b\rX-B: c"]), 400, folded),
        ("LF before a header", head("GET", "/v1/openapi.json", ["X-A: b\nX-B: c"]), 400, folded),
        ("no name", head("GET", "/v1/openapi.json", [": x", "X-A: b"]), 400, folded),
        ("no colon", head("GET", "/v1/openapi.json", ["Nothing", "X-A: b"]), 400, folded),
        ("a word behind the version", head("GET", "/v1/openapi.json", version="HTTP/1.1 x"), 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("no version", b"GET /v1/openapi.json\r\nHost: x\r\n\r\n", 400, "Only HTTP/1.0 and HTTP/1.1"),
        ("CR for all line ends", b"GET /v1/openapi.json HTTP/1.1\rHost: x\r\r", CUT, ""),
        ("TRACE", head("TRACE", "/v1/activities"), LWS_REFUSES, ""),
        ("head of 16 KiB", head("GET", "/v1/openapi.json", [("X-A", "a" * 16384)]), CUT, ""),
        ("200 headers of 100 bytes", head("GET", "/v1/openapi.json", [(f"X-{n}", "a" * 100) for n in range(200)]), CUT, ""),
        ("no path", b"GET HTTP/1.1\r\nHost: x\r\n\r\n", LWS_REFUSES, ""),
        ("only blanks", b"    \r\n\r\n", LWS_REFUSES, ""),
        ("a TLS hello", bytes.fromhex("16030100c8010000c40303") + bytes(range(200)) + b"\r\n\r\n", LWS_REFUSES, ""),
        ("an SSH banner", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", LWS_REFUSES, ""),
        ("an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", LWS_REFUSES, ""),
        ("Redis", b"*1\r\n$7\r\nCOMMAND\r\n\r\n", LWS_REFUSES, ""),
    ):
        yield Case("S17", name, "ingest", data, status, says)
    yield Case("S17", "no request line", "ingest", b"\x00" * 64 + line + b"Host: x\r\n\r\n", LWS_REFUSES, "")


# Ways to write "one folder up", and what becomes of a path that has them: resolved inside the root and not found, or refused. An encoded end of
# a line is one to lws, and then there is no HTTP version.
UPWARD = {
    404: ("..", "%2e%2e", ".%2e", "%2E.", "..%2f", "%2e%2e%2f", "..;", "..;x=y", "%252e%252e", "..%252f", "..%255c", "%c0%ae%c0%ae", "..%c0%af", "..%c1%9c", "%e0%80%ae%e0%80%ae", "..%20", "...",
          "....", "..../", "....//", "..//", "./.", "/.", "%2f..%2f", "\xef\xbc\x8e\xef\xbc\x8e", "~", "%7e", "..%ff", "..%fe", "..#", "..?", "..%3f", "..%23", "%2e", "%2e/", "..%c0%2f", "..%e2%81%84",
          "..%ef%bc%8f", "C:", "file:", "http:", "::$DATA"),
    400: ("..%5c", "..\\", "%2e%2e%5c", "..%0d", "..%0a", "..%09", "..%7f", "..%0d%0a", "%5c%5c", "..%1f", "%01"),
    LWS_REFUSES: ("%uff0e%uff0e", "..%u2215", "%zz..", "%2", "%", "..%1", "%g0", "..%2x"),
    CUT: ("..%00", "%00", "x%00.json"),
}


NO_VERSION = "Only HTTP/1.0 and HTTP/1.1"


def says_of(way, status):
    return {404: "nothing at this path", 400: NO_VERSION if "%0d" in way or "%0a" in way else "character that is not allowed"}.get(status, "")


def paths():
    for status, ways in UPWARD.items():
        for way in ways:
            for path in (f"/{way}/etc/passwd", f"/v1/{way}/{way}/metrics", "/" + (way + "/") * 8 + "etc/passwd", f"/web/{way}/.env", f"/v2/{way}"):
                yield Case("S18", path, "ingest", head("GET", path), status, says_of(way, status))
            yield Case("S18", f"/{way}", "gateway", head("GET", f"/{way}/v2", bearer=None), status, says_of(way, status))


def injected():
    """What would end a header or a line, where it would be repeated."""
    bad_key = "Idempotency-Key must be"
    ends = {"CRLF": "%0d%0aX-Evil: 1", "LF": "%0aX-Evil: 1", "CR": "%0dX-Evil: 1", "NUL": "%00", "ESC": "%1b[2J"}
    for name, text in ends.items():
        yield Case("S19", f"ce-id {name}", "ingest", post(ACTIVITY, [("ce-specversion", "1.0"), ("ce-type", "feedwire.activity.v1"), ("ce-source", "/x"), ("ce-id", "a" + text)]), 422, "ce-id")
        yield Case("S19", f"ce-source {name}", "ingest", post(ACTIVITY, [("ce-specversion", "1.0"), ("ce-type", "feedwire.activity.v1"), ("ce-source", "a" + text), ("ce-id", "1")]), 422, "ce-source")
        if name != "NUL":
            end = text.replace(" ", "%20")
            line_end, path = name in ("CRLF", "LF", "CR"), "/v1/activities/a"
            yield Case("S19", f"id in a path {name}", "ingest", head("DELETE", f"{path}{end}?actor=ann"), 400, NO_VERSION if line_end else "character that is not allowed")
            for parameter, field in ((f"actor=ann{end}", "actor"), (f"actor=ann&published=2020-01-01T00:00:00Z{end}", "object.published")):
                yield Case("S19", f"{field} in a query {name}", "ingest", head("DELETE", f"{path}?{parameter}"), 400 if line_end else 422, NO_VERSION if line_end else field)
    for name, text in (("ESC", "\x1b[2J"), ("bell", "\x07"), ("DEL", "\x7f"), ("8 bits", "\xe9"), ("vertical tab", "\x0b")):
        yield Case("S19", f"key {name}", "ingest", post(ACTIVITY, [("Idempotency-Key", f"a{text}b")]), 400, bad_key if name == "8 bits" else "header's value")
        yield Case("S19", f"traceparent {name}", "ingest", post(ACTIVITY, [("traceparent", f"00-{'1' * 32}-{'2' * 16}-01{text}")]), 400, "header's value") if name != "8 bits" else None
        yield Case("S19", f"subprotocol {name}", "gateway", handshake(headers=[("Sec-WebSocket-Protocol", f"x{text}y")]), 400, "must offer the subprotocol")
    for name, media in (("foreign", "text/html"), ("form", "application/x-www-form-urlencoded"), ("multipart", "multipart/form-data; boundary=x"), ("xml", "application/xml"),
                        ("charset", "application/json; charset=utf-16"), ("utf-7", "application/json; charset=utf-7"), ("parameter", "application/json; x=y"), ("twice", "application/json, text/html"),
                        ("blank", "application /json"), ("suffix", "application/vnd.api+json"), ("msgpack", "application/msgpack"), ("yaml", "application/yaml"), ("wildcard", "*/*")):
        yield Case("S19", f"media {name}", "ingest", post(ACTIVITY, content_type=media), 415, "Content-Type must be")


def idempotency_keys():
    for name, key in (("empty", ""), ("quotes only", '""'), ("129", "k" * 129), ("300", "k" * 300), ("10 KiB", "k" * 10240), ("blank inside", "a b"), ("braces", "{a}"), ("brace", "a{b"), ("comma", "a,b"),
                      ("star", "a*"), ("question mark", "a?b"), ("brackets", "[a]"), ("percent", "a%b"), ("backslash", "a\\b"), ("open quote", '"ab'), ("quote inside", 'a"b'), ("closed twice", '"a""'),
                      ("parameter", '"a";x=1'), ("semicolon", "a;b"), ("UTF-8", "\xc3\xa9"), ("hash", "a#b"), ("dollar", "a$b"), ("tab", "a\tb"), ("parentheses", "a(b)"), ("lower than", "a<b"), ("apostrophe", "'a'")):
        yield Case("S24", name, "ingest", post(ACTIVITY, [f"Idempotency-Key: {key}"]), 400, "Idempotency-Key must be")


def compressed():
    import gzip
    import zlib

    bomb = gzip.compress(b" " * 10_000_000)
    for coding, body in (("gzip", bomb), ("x-gzip", bomb), ("GZIP", bomb), ("deflate", zlib.compress(b" " * 10_000_000)), ("br", b"x"), ("zstd", b"x"), ("compress", b"x"), ("gzip, gzip", gzip.compress(bomb)),
                         ("identity, gzip", bomb), ("gzip;q=0", bomb), ("chunked", b"x"), ("aes128gcm", b"x"), ("unknown", b"{}"), ("*", b"{}")):
        yield Case("S30", coding, "ingest", post(body, [("Content-Encoding", coding)]), 415, "without Content-Encoding")


def all_cases():
    for table in (origins, misplaced_tokens, smuggling, heads, paths, injected, idempotency_keys, compressed):
        yield from (case for case in table() if case)
