"""Records that can never be worked off, of many kinds; and how acts are written as records, as schemas/kafka.md describes it."""

import datetime
import hashlib
import json
import uuid

import msgpack

REASONS = {"malformed", "invalid", "unsupported"}


def id_bytes(source, ident):
    try:
        return uuid.UUID(ident).bytes if len(ident) == 36 else hashlib.sha256(source.encode() + b"\0" + ident.encode()).digest()[:16]
    except ValueError:
        return hashlib.sha256(source.encode() + b"\0" + ident.encode()).digest()[:16]


def rfc3339(ms):
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def value_of(act):
    thing = {"type": act.object_type, "id": act.object_id}
    if act.owner:
        thing["owner"] = act.owner
    if act.object_ms:
        thing["published"] = rfc3339(act.object_ms)
    value = {"actor": act.actor, "verb": act.verb, "object": thing}
    if act.to:
        value["to"] = list(act.to)
    if act.data is not None:
        value["data"] = act.data
    return value


def headers_of(ident, ms, tenant, source, kind="application/msgpack"):
    return [("ce_specversion", b"1.0"), ("ce_id", ident.encode()), ("ce_source", source.encode()), ("ce_type", b"feedwire.activity.v1"),
            ("ce_time", rfc3339(ms).encode()), ("ce_tenant", tenant.encode()), ("content-type", kind.encode())]


def record_of(act, tenant):
    """(key, value, headers): every fourth one in JSON."""
    as_json = act.ms % 4 == 0
    value = json.dumps(value_of(act)).encode() if as_json else msgpack.packb(value_of(act))
    return f"{tenant}/{act.actor}".encode(), value, headers_of(act.ident, act.ms, tenant, act.source, "application/json" if as_json else "application/msgpack")


def _with(headers, name, value):
    return [(header, value if header == name else old) for header, old in headers]


def _without(headers, *names):
    return [(header, value) for header, value in headers if header not in names]


def _value(**changes):
    def spoil(key, value, headers):
        return key, msgpack.packb({**value, **changes}), headers

    return spoil


def _header(name, new):
    return lambda key, value, headers: (key, msgpack.packb(value), _with(headers, name, new))


def _raw(make):
    return lambda key, value, headers: (key, make(value), headers)


def _json(make):
    return lambda key, value, headers: (key, make(value), _with(headers, "content-type", b"application/json"))


KINDS = {
    "no value": lambda key, value, headers: (key, None, headers),
    "an empty value": _raw(lambda value: b""),
    "msgpack cut off": _raw(lambda value: msgpack.packb(value)[:-3]),
    "bytes behind the msgpack": _raw(lambda value: msgpack.packb(value) + b"\xc0"),
    "a count of four billion": _raw(lambda value: b"\xdf\xff\xff\xff\xff" + msgpack.packb(value)[1:]),
    "msgpack nested 10,000 deep": _raw(lambda value: b"\x91" * 10_000 + b"\xc0"),
    "a list for a map": _raw(lambda value: msgpack.packb([value])),
    "no JSON": _json(lambda value: b'{"actor": "ann", '),
    "JSON that is not UTF-8": _json(lambda value: b'{"actor": "\xff\xfe", "verb": "post", "object": {"type": "note", "id": "1"}}'),
    "larger than 32 KiB": _raw(lambda value: msgpack.packb({**value, "more": "x" * 33_000})),
    "no tenant": lambda key, value, headers: (key, msgpack.packb(value), _without(headers, "ce_tenant")),
    "a tenant with a brace": _header("ce_tenant", b"de}mo"),
    "another version of CloudEvents": _header("ce_specversion", b"0.3"),
    "another type of event": _header("ce_type", b"feedwire.activity.v9"),
    "an unknown content type": _header("content-type", b"text/csv"),
    "a time that is none": _header("ce_time", b"yesterday"),
    "an id with a line break": _header("ce_id", b"a\nb"),
    "a header twice": lambda key, value, headers: (key, msgpack.packb(value), headers + [("ce_tenant", b"demo")]),
    "20 headers": lambda key, value, headers: (key, msgpack.packb(value), headers + [(f"more{i}", b"1") for i in range(20)]),
    "no id anywhere": lambda key, value, headers: (key, msgpack.packb(value), _without(headers, "ce_id")),
    "the key of another": lambda key, value, headers: (key + b"x", msgpack.packb(value), headers),
    "no key": lambda key, value, headers: (None, msgpack.packb(value), headers),
    "no actor": _raw(lambda value: msgpack.packb({name: part for name, part in value.items() if name != "actor"})),
    "an actor with a brace": _value(actor="a}{b"),
    "a verb with a blank": _value(verb="to post"),
    "an object that is text": _value(object="note"),
    "`to` that is text": _value(to="ann"),
    "101 recipients": _value(to=[f"x{i}" for i in range(101)]),
    "data that is too large": _value(data="x" * 2_000),
    "following oneself": lambda key, value, headers: (key, msgpack.packb({**value, "verb": "follow", "object": {"type": "user", "id": value["actor"]}}), headers),
    "a follow of a note": _value(verb="follow"),
    "an undo of a note": _value(verb="undo"),
    "a filter without a list": _value(verb="filter", object={"type": "feed", "id": "home"}, data={"exclude": "like"}),
}


def make(rng, record_type, actor, ms):
    """One bad record with the key of this actor, so that good ones of the same author wait behind it."""
    kind = rng.choice(sorted(KINDS))
    ident = str(uuid.UUID(int=rng.getrandbits(128)))
    value = {"actor": actor, "verb": "post", "object": {"type": "note", "id": f"poison:{ident}"}}
    key, value, headers = KINDS[kind](f"demo/{actor}".encode(), value, headers_of(ident, ms, "demo", "/feedwire"))
    return record_type(kind, key, value, headers)
