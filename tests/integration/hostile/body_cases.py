"""Bodies: names that would be other keys, texts that would be other lines, JSON that is none. And the same as first messages to the gateway."""
import json
import pathlib
import urllib.parse

from hostile.case import ACTIVITY, Case, Message, head, post, request
from ingest_client import token

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAMES = json.loads((ROOT / "schemas/vectors/names.json").read_text())


def text_of(name):
    """As schemas/vectors/names.json writes names; None for bytes that are no text."""
    if isinstance(name, str):
        return name
    return name["repeat"] * name["times"] if "repeat" in name else None


USERS = [name for name in map(text_of, NAMES["user"]["invalid"]) if name is not None]
INJECTED = ["{demo/bob}", "f:{demo/bob}", "demo/bob", "../acme/bob", "acme/bob", "*", "bob\r\nDEL f:{demo/bob}\r\n", "$(id)", "`id`", "' OR 1=1 --", "\" .. redis.call('FLUSHALL') .. \"", "%s%s%n", "bob}", "{bob",
            "bоb", "bob\u200b", "\ufeffbob", "bob\u202e", "ＢＯＢ", "b\u0301ob", "<script>", "[x]", "a\tb", "a\x7fb"]
PATHS = {"follows": "follows", "blocks": "blocks", "mutes": "mutes"}


def quoted(text):
    return urllib.parse.quote(text, safe="")


def in_a_path(text):
    """libwebsockets cuts at a NUL, and joins slashes and dot segments before anybody sees them."""
    return "\0" not in text and "/" not in text and 0 < len(text.encode()) <= 128


def names():
    for user in [*USERS, *INJECTED]:
        label = ascii(user)[:60]
        yield Case("S20", f"actor {label}", "ingest", post({**ACTIVITY, "actor": user}), 422, "actor")
        yield Case("S20", f"owner {label}", "ingest", post({**ACTIVITY, "object": {"type": "post", "id": "7", "owner": user}}), 422, "object.owner")
        yield Case("S20", f"to {label}", "ingest", post({**ACTIVITY, "to": [user]}), 422, "to")
        yield Case("S20", f"followed {label}", "ingest", post({"actor": "ann", "verb": "follow", "object": {"type": "user", "id": user}}), 422, "object.id")
    for user in [*USERS, *INJECTED]:
        if in_a_path(user) and "\\" not in user and all(ord(c) >= 0x20 and ord(c) != 0x7F for c in user):
            yield Case("S20", f"DELETE actor {ascii(user)}", "ingest", head("DELETE", f"/v1/activities/x?actor={quoted(user)}"), 422, "actor") if "&" not in user else None
            yield Case("S20", f"PUT {ascii(user)}", "ingest", head("PUT", f"/v1/follows/ann/{quoted(user)}"), 400, "")


def log_lines():
    """What reaches logs and answers must stay inside of them."""
    lines = ("a\nb", "a\r\nb", "\x1b[31mred", "\x00", "\u2028", "\u202eevil", "x" * 1000, '","level":"error', "\\", "\ud800", "\x9b31m", "\x08" * 20)
    for text in lines:
        label = ascii(text)[:40]
        yield Case("S26", f"verb {label}", "ingest", post({**ACTIVITY, "verb": text}), 422 if text != "\ud800" else 400, "verb" if text != "\ud800" else "not JSON")
        yield Case("S26", f"type {label}", "ingest", post({**ACTIVITY, "object": {"type": text, "id": "7"}}), 422 if text != "\ud800" else 400, "object.type" if text != "\ud800" else "not JSON")
        yield Case("S26", f"published {label}", "ingest", post({**ACTIVITY, "published": text}), 422 if text != "\ud800" else 400, "published" if text != "\ud800" else "not JSON")


DEEP = 100_000
NOT_JSON = {
    "empty array open": "[", "object open": "{", "array closed twice": "[]]", "object closed twice": "{}}", "comma only": ",", "array comma": "[,]", "array comma end": "[1,]", "array comma begin": "[,1]",
    "array two commas": "[1,,2]", "array no comma": "[1 2]", "array colon": '["a":1]', "array mismatch": "[1}", "object mismatch": '{"a":1]', "object comma": "{,}", "object comma end": '{"a":1,}',
    "object two commas": '{"a":1,,"b":2}', "object no comma": '{"a":1 "b":2}', "object no colon": '{"a" 1}', "object two colons": '{"a"::1}', "object no value": '{"a":}', "object no key": "{:1}",
    "object key only": '{"a"}', "object number key": "{1:1}", "object bare key": "{a:1}", "object single quotes": "{'a':1}", "object null key": "{null:1}", "object array key": "{[]:1}", "object true key": "{true:1}",
    "string open": '"a', "string single quotes": "'a'", "string newline": '"a\nb"', "string tab": '"a\tb"', "string NUL": '"a\0b"', "string 1f": '"a\x1fb"', "string CR": '"a\rb"', "escape x": '"\\x41"',
    "escape a": '"\\a"', "escape 0": '"\\0"', "escape quote": '"\\\'"', "escape end": '"\\', "escape u": '"\\u"', "escape u0": '"\\u0"', "escape u00": '"\\u00"', "escape u000": '"\\u000"', "escape ug": '"\\u000g"',
    "escape U": '"\\U0041"', "escape u+": '"\\u+041"', "escape u-": '"\\u-041"', "escape blank": '"\\ "', "escape newline": '"\\\n"', "escape UTF-8": '"\\é"', "escape surrogate high": '"\\ud800"',
    "escape surrogate high text": '"\\ud800abc"', "escape surrogate low": '"\\udc00"', "escape surrogate high twice": '"\\ud800\\ud800"', "escape surrogate half": '"\\ud800\\u"',
    "escape surrogate half low": '"\\ud800\\udc"', "escape surrogate reversed": '"\\udc00\\ud800"',
    "number +": "+1", "number .": ".1", "number 1.": "1.", "number 01": "01", "number -01": "-01", "number 00": "00", "number -": "-", "number --": "--1", "number +-": "+-1", "number 1e": "1e", "number 1e+": "1e+",
    "number 1e-": "1e-", "number 1.e1": "1.e1", "number .e1": ".e1", "number 1ee1": "1ee1", "number 1e1.5": "1e1.5", "number 1.2.3": "1.2.3", "number hex": "0x1", "number HEX": "0X1F", "number octal": "0o7",
    "number binary": "0b1", "number _": "1_000", "number comma": "1,000", "number blank": "1 000", "number L": "1L", "number f": "1f", "number NaN": "NaN", "number -NaN": "-NaN", "number nan": "nan",
    "number Infinity": "Infinity", "number -Infinity": "-Infinity", "number +Infinity": "+Infinity", "number Inf": "Inf", "number inf": "inf", "number 1/2": "1/2", "number fullwidth": "１", "number arabic": "١",
    "number minus word": "-foo", "number minus blank": "- 1", "number 2.e+3": "2.e+3", "number 0e": "0e", "number 0e+": "0e+", "number 0.1.": "0.1.", "number 1+2": "1+2", "number 1e400": "1e400", "number -1e400": "-1e400",
    "number 1e999999": "1e999999", "number $": "$1", "number %": "1%", "number 1a": "1a", "number U+2212": "−1", "number 0x": "0x", "number .": ".", "number e": "e1", "number -.5": "-.5",
    "word true": "True", "word TRUE": "TRUE", "word tru": "tru", "word truee": "truee", "word fals": "fals", "word False": "False", "word nul": "nul", "word NULL": "NULL", "word None": "None", "word nil": "nil",
    "word undefined": "undefined", "word yes": "yes", "word on": "on", "word abc": "abc", "word é": "é", "word null null": "null null", "word true,": "true,", "word nullx": "nullx", "word _": "_", "word this": "this",
    "comment //": "[1] // x", "comment /*": "[1] /* x */", "comment #": "[1] # x", "comment inside": "[1, /* x */ 2]", "comment --": "[1] -- x", "comment <!--": "[1] <!-- x -->", "comment ;": "[1] ; x", "comment /": "[1] /",
    "two values": "1 2", "two objects": "{} {}", "two arrays": "[][]", "object and comma": "{},", "array and word": "[]x", "object and brace": "{}{", "string and string": '"a" "b"', "value and colon": "1:2",
    "value and quote": '1"', "value and NUL": "1\0", "array and NUL": "[]\0", "array and vertical tab": "[]\x0b", "array and form feed": "[]\x0c", "array and nbsp": "[]\u00a0", "array and U+2028": "[]\u2028",
    "array and zero width": "[]\u200b", "array and BOM": "[]\ufeff", "before: vertical tab": "\x0b[]", "before: form feed": "\x0c[]", "before: nbsp": "\u00a0[]", "before: U+2060": "\u2060[]", "before: BOM": "\ufeff[]",
    "before: BOM twice": "\ufeff\ufeff[]", "before: NUL": "\0[]", "before: U+3000": "\u3000[]", "template": "`a`", "function": "alert(1)", "call": "f({})", "JSONP": "f([]);", "assignment": "a=1", "angle": "<a>", "xml": "<?xml?>",
    "yaml": "a: 1", "toml": "a = 1", "ini": "[a]\nb=1", "csv": "a,b\n1,2", "star": "*", "question": "?", "backslash": "\\", "quote": '"', "colon": ":", "plus": "+", "closing brace": "}",
    "closing bracket": "]", "parentheses": "()", "tuple": "(1,2)", "regex": "/a/", "symbol": "@a", "date": "2020-01-01", "spread": "[...a]", "getter": '{"a"(){}}', "nested open": "[[[[", "nested object open": '{"a":{"a":{',
    "array open string": '["a', "array open number": "[1", "array open comma": "[1,", "object open key": '{"a', "object open colon": '{"a":', "object open value": '{"a":1', "object open comma": '{"a":1,',
    "array of newline": "[\n1,\n", "array of nulls": "[null,nul", "array minus": "[-]", "array word": "[a]", "array true": "[tru]", "array hex": "[0x1]", "array NaN": "[NaN]", "array plus": "[+1]", "array dot": "[.5]",
    "array zero": "[012]", "array escape": '["\\q"]', "array tab": '["\t"]', "array newline": '["\n"]', "object in array": "[{]", "array in object": '{"a":[}', "object dup colon": '{"a":1:2}', "object quote": '{"a:1}',
    "object value quote": '{"a":"b}', "object trailing word": '{"a":1}a', "object trailing quote": '{"a":1}"', "object trailing comment": '{"a":1}/**/', "object hash": '{"a":1}#', "object empty key bare": "{ : 1}",
}
NOT_TEXT = {
    "lone continuation": b'"\x80"', "lone lead": b'"\xc3"', "lead and quote": b'"\xc3', "overlong slash": b'"\xc0\xaf"', "overlong NUL": b'"\xc0\x80"', "overlong 3": b'"\xe0\x80\xaf"', "overlong 4": b'"\xf0\x80\x80\xaf"',
    "surrogate": b'"\xed\xa0\x80"', "surrogate pair": b'"\xed\xa0\x80\xed\xb0\x80"', "above U+10FFFF": b'"\xf4\x90\x80\x80"', "five bytes": b'"\xf8\x88\x80\x80\x80"', "six bytes": b'"\xfc\x84\x80\x80\x80\x80"',
    "fe": b'"\xfe"', "ff": b'"\xff"', "latin-1": b'"\xe9"', "cut 3": b'"\xe2\x82"', "cut 4": b'"\xf0\x9f\x98"', "key": b'{"\xff":1}', "outside": b"\xff", "array": b'["a\xe5"]', "UTF-16": '["a"]'.encode("utf-16"),
    "UTF-16 LE": '["a"]'.encode("utf-16-le"), "UTF-16 BE": '["a"]'.encode("utf-16-be"), "UTF-32": '["a"]'.encode("utf-32"),
}
# Good JSON that is no activity.
OTHER_JSON = ("null", "true", "false", "0", "-0", "1", "-1", "1.5", "1e5", "1E+5", "123456789012345678901234567890", '"text"', '""', '"\\u0000"', '"\\ud83d\\ude00"')
TOO_DEEP = {"arrays": b"[" * DEEP, "closed arrays": b"[" * 33 + b"]" * 33, "objects": b'{"a":' * 33 + b"1" + b"}" * 33, "mixed": b'[{"a":' * 17 + b"1" + b"}]" * 17, "in data": b'{"data":' + b"[" * 32 + b"]" * 32 + b"}"}


def json_bodies():
    for name, text in NOT_JSON.items():
        yield Case("S29", name, "ingest", post(text.encode()), 400, "not JSON")
    for name, data in NOT_TEXT.items():
        yield Case("S29", f"no UTF-8: {name}", "ingest", post(data), 400, "not JSON")
    for name, data in TOO_DEEP.items():
        yield Case("S29", f"deep {name}", "ingest", post(data), 400, "nested deeper than 32")
    for text in OTHER_JSON:
        yield Case("S29", f"no activity: {text}", "ingest", post(text.encode()), 422, "must be an activity")
        yield Case("S29", f"list of {text}", "ingest", post(f"[{text}]".encode()), 422, "1 of 1")
    yield Case("S29", "no body", "ingest", post(b""), 400, "empty")
    yield Case("S29", "blanks", "ingest", post(b" \t\r\n"), 400, "not JSON")
    yield Case("S29", "empty list", "ingest", post(b"[]"), 422, "no activities")
    yield Case("S29", "1,001 activities", "ingest", post(b"[" + b",".join([b"{}"] * 1001) + b"]"), 413, "at most 1000")


def members():
    """An activity with one thing wrong; members that come twice count as they do in most readers: the first."""
    object_ = {"type": "post", "id": "7"}
    for field, wrong in {
        "actor": (None, 1, True, [], {}, ["ann"], 1.5), "verb": (None, 1, [], "", "Like!", "a b", "v" * 33, "1like"), "object": (None, 1, "post:7", [], ""),
        "id": (1, [], {}, "", "i" * 129, "a\nb", True), "published": (1, [], "", "now", "2020-01-01", "2020-13-01T00:00:00Z", "2020-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "2020-01-01T25:00:00Z",
                                                                "2020-01-01T00:00:00", "1969-12-31T23:59:59Z", "10000-01-01T00:00:00Z", True),
        "to": (1, {}, "bob", [1], [[]], [None], ["u"] * 101), "target": (1, "x", [], {}, {"type": "post"}, {"id": "7"}),
    }.items():
        for value in wrong:
            yield Case("S29", f"{field} {ascii(value)[:40]}", "ingest", post({**ACTIVITY, field: value}), 422, field)
    for field, value in (("type", 1), ("type", ""), ("type", "A B"), ("id", 7), ("id", ""), ("id", "x" * 257), ("id", "a\nb"), ("owner", 1), ("owner", [])):
        yield Case("S29", f"object.{field} {ascii(value)[:40]}", "ingest", post({**ACTIVITY, "object": {**object_, field: value}}), 422, f"object.{field}")
    for name, data in (("1,025 bytes", "x" * 1022), ("deep", [[[[[[[[[1]]]]]]]]]), ("20 KiB", ["x"] * 10000)):
        yield Case("S29", f"data {name}", "ingest", post({**ACTIVITY, "data": data}), 422, "data")
    yield Case("S29", "in the future", "ingest", post({**ACTIVITY, "id": "x", "published": "2999-01-01T00:00:00Z"}), 422, "published")
    yield Case("S29", "61 minutes east", "ingest", post({**ACTIVITY, "id": "x", "published": "2020-01-01T00:00:00+24:00"}), 422, "published")


def imports():
    """POST /v1/follows, which needs the scope admin."""
    admin = token("service:import", scope="admin")

    def follows(body, bearer=admin, **options):
        return request("POST", "/v1/follows", body, bearer=bearer, **options)

    edge = {"actor": "ann", "object": "bob"}
    for scope in (None, "publish", "read", "publish read"):
        yield Case("S20", f"import with {scope}", "ingest", follows(edge, token("ann", scope=scope)), 403, "scope")
    for user in INJECTED:
        yield Case("S20", f"import actor {ascii(user)}", "ingest", follows({**edge, "actor": user}), 422, "actor")
        yield Case("S20", f"import object {ascii(user)}", "ingest", follows({**edge, "object": user}), 422, "object")
    for value in (True, "", "now", "2999-01-01T00:00:00Z", [], {}, -1, 0, 1.5, "2020-02-30T00:00:00Z"):
        yield Case("S29", f"import since {ascii(value)}", "ingest", follows({**edge, "since": value}), 422, "since")
    for name, body in (("oneself", {"actor": "ann", "object": "ann"}), ("no object", {"actor": "ann"}), ("no actor", {"object": "bob"}), ("a list of lists", [[]]), ("one bad of two", [edge, {"actor": "a b", "object": "bob"}])):
        yield Case("S29", f"import {name}", "ingest", follows(body), 422, "")
    yield Case("S29", "import of nothing", "ingest", follows([]), 422, "")
    yield Case("S29", "import of 1,001", "ingest", follows([edge] * 1001), 413, "at most 1000")
    yield Case("S19", "import as an event", "ingest", follows(edge, content_type="application/cloudevents+json"), 415, "Content-Type must be")
    yield Case("S30", "import compressed", "ingest", follows(edge, headers=[("Content-Encoding", "gzip")]), 415, "without Content-Encoding")


def all_cases():
    for table in (names, log_lines, json_bodies, members, imports):
        yield from (case for case in table() if case)


BAD_JSON, BAD_MESSAGE, UNKNOWN_TYPE, UNKNOWN_FEED, CLOSE = "bad_json", "bad_message", "unknown_type", "unknown_feed", 4500


def hello(**members):
    return json.dumps({"type": "hello", "feeds": [{"feed": "home"}], **members}).encode()


def messages():
    for name, text in NOT_JSON.items():
        yield Message("S29", name, text.encode(), BAD_JSON, CLOSE)
    for name, data in NOT_TEXT.items():
        is_text = name in ("UTF-16 LE", "UTF-16 BE")  # with NULs between
        yield Message("S29", f"no UTF-8: {name}", data, BAD_JSON if is_text else "", CLOSE if is_text else 1007)
    for text in (*OTHER_JSON, "[]", "[{}]", "{}"):
        yield Message("S29", f"no message: {text}", text.encode(), BAD_MESSAGE, CLOSE)
    for name, data, error in (
        ("no feeds", b'{"type":"hello"}', BAD_MESSAGE), ("feeds null", hello(feeds=None), BAD_MESSAGE), ("feeds empty", hello(feeds=[]), BAD_MESSAGE), ("feeds text", hello(feeds="home"), BAD_MESSAGE),
        ("9 feeds", hello(feeds=[{"feed": "home"}] * 9), BAD_MESSAGE), ("300 feeds", hello(feeds=[{"feed": "home"}] * 300), BAD_MESSAGE), ("a feed twice", hello(feeds=[{"feed": "home"}] * 2), BAD_MESSAGE),
        ("feed of text", hello(feeds=["home"]), BAD_MESSAGE), ("feed a number", hello(feeds=[{"feed": 1}]), BAD_MESSAGE), ("no feed", hello(feeds=[{}]), BAD_MESSAGE),
        ("limit 0", hello(feeds=[{"feed": "home", "limit": 0}]), BAD_MESSAGE), ("limit 101", hello(feeds=[{"feed": "home", "limit": 101}]), BAD_MESSAGE), ("limit -1", hello(feeds=[{"feed": "home", "limit": -1}]), BAD_MESSAGE),
        ("limit 1.5", hello(feeds=[{"feed": "home", "limit": 1.5}]), BAD_MESSAGE), ("limit text", hello(feeds=[{"feed": "home", "limit": "5"}]), BAD_MESSAGE), ("limit 2^64", b'{"type":"hello","feeds":[{"feed":"home","limit":18446744073709551616}]}', BAD_MESSAGE),
        ("position a number", hello(feeds=[{"feed": "home", "position": 1}]), BAD_MESSAGE), ("position of 1 KiB", hello(feeds=[{"feed": "home", "position": "v" * 1024}]), BAD_MESSAGE),
        ("position a list", hello(feeds=[{"feed": "home", "position": []}]), BAD_MESSAGE), ("token a number", hello(token=1), BAD_MESSAGE), ("token a list", hello(token=[]), BAD_MESSAGE), ("id a list", hello(id=[]), BAD_MESSAGE),
        ("id an object", hello(id={}), BAD_MESSAGE), ("id of 129", hello(id="i" * 129), BAD_MESSAGE), ("id true", hello(id=True), BAD_MESSAGE), ("type a number", b'{"type":1}', BAD_MESSAGE), ("type null", b'{"type":null}', BAD_MESSAGE),
        ("type HELLO", b'{"type":"HELLO"}', UNKNOWN_TYPE), ("type empty", b'{"type":""}', UNKNOWN_TYPE), ("type subscribe", b'{"type":"subscribe"}', UNKNOWN_TYPE), ("type with NUL", b'{"type":"hello\\u0000"}', UNKNOWN_TYPE),
    ):
        yield Message("S31", name, data, error, CLOSE)
    for feed in ("", "HOME", "home ", "Home", "*", "home*", "f:{demo/bob}", "home/bob", "../home", "profiles:bob", "outbox", "all", "%", "home\u0000", "homé", "notification", "feed", "f", "n", "o", "g", "i", "home:bob"):
        yield Message("S31", f"feed {ascii(feed)}", hello(feeds=[{"feed": feed}]), UNKNOWN_FEED, CLOSE)


STAYS = 0
BEFORE = {"published": "2020-01-02T03:04:05.678Z", "id": "00000000-0000-0000-0000-000000000001"}


def page(**members):
    return json.dumps({"type": "page", "feed": "home", "before": BEFORE, **members}).encode()


def later_messages():
    """In a session of ann's home feed."""
    for name, before in (("null", None), ("text", "x"), ("list", []), ("empty", {}), ("without id", {"published": BEFORE["published"]}), ("without published", {"id": BEFORE["id"]}), ("number", 1),
                         ("published a number", {**BEFORE, "published": 1}), ("published now", {**BEFORE, "published": "now"}), ("13th month", {**BEFORE, "published": "2020-13-01T00:00:00Z"}), ("id a number", {**BEFORE, "id": 1}),
                         ("id empty", {**BEFORE, "id": ""})):
        yield Message("S31", f"page before {name}", page(before=before), BAD_MESSAGE, CLOSE)
    for limit in (0, 101, -1, 1.5, "5", True, [], 2**64):
        yield Message("S31", f"page limit {limit}", page(limit=limit), BAD_MESSAGE, CLOSE)
    for feed in (None, 1, [], {}):
        yield Message("S31", f"page feed {feed}", page(feed=feed), BAD_MESSAGE, CLOSE)
    for feed in ("notifications", "home:bob", "f:{demo/bob}", "*", "", "HOME"):
        yield Message("S31", f"page of {feed}", page(feed=feed), UNKNOWN_FEED, STAYS)
    for value in (None, 1, [], {}, True):
        yield Message("S4", f"refresh with {value}", json.dumps({"type": "refresh", "token": value}).encode(), BAD_MESSAGE, CLOSE)
    yield Message("S4", "refresh without", b'{"type":"refresh"}', BAD_MESSAGE, CLOSE)
    for name, bad in (("nothing", ""), ("garbage", "x.y.z"), ("an expired token", token("ann", scope=None, expires_s=-3600)), ("a cut token", token("ann", scope=None)[:-1]), ("no key", "fwk_0000000000000000_" + "A" * 43)):
        yield Message("S4", f"refresh with {name}", json.dumps({"type": "refresh", "token": bad}).encode(), "unauthorized", STAYS)
    for name, bad in (("another's token", token("bob", scope=None)), ("another tenant's token", token("ann", scope=None, tenant="acme")), ("a token that may not read", token("ann", scope="publish")),
                      ("a token for notifications", token("ann", scope=None, feeds=["notifications"]))):
        yield Message("S4", f"refresh with {name}", json.dumps({"type": "refresh", "token": bad}).encode(), "forbidden", STAYS)
    yield Message("S31", "hello twice", hello(), BAD_MESSAGE, CLOSE)
