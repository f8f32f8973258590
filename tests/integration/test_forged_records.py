"""What a producer of another team can do to fan-out: records that are forged or broken, each a dead letter with its reason, once for its position in the topic, and nobody's feed changes."""
import collections

import confluent_kafka
import msgpack
import pytest
from test_fanout import DLQ_TOPIC, TOPIC, activity, counts, drained, produce, window
from test_fanout import broker, fanout, redis  # noqa: F401  (fixtures)

MIB = 1024 * 1024


def forged():
    """name -> (record, reason, a word of the detail)"""
    key, value, headers = activity(1, "bob")
    body = msgpack.unpackb(value)

    def header(name, new):
        return key, value, [(header, new if header == name else old) for header, old in headers]

    def member(**changes):
        return key, msgpack.packb({**body, **changes}), headers

    def more(*added):
        return key, value, [*headers, *added]

    return {
        # whose activity it is
        "the key of another actor": ((b"demo/eve", value, headers), "invalid", "key"),
        "the key of another tenant": ((b"other/bob", value, headers), "invalid", "key"),
        "the tenant of another key": (header("ce_tenant", b"other"), "invalid", "key"),
        "the actor of another key": (member(actor="eve"), "invalid", "key"),
        "a key with a blank behind": ((b"demo/bob ", value, headers), "invalid", "key"),
        "a key with a NUL behind": ((b"demo/bob\0", value, headers), "invalid", "key"),
        "a key with a slash more": ((b"demo//bob", value, headers), "invalid", "key"),
        "a key in capitals": ((b"DEMO/bob", value, headers), "invalid", "key"),
        "no key": ((None, value, headers), "invalid", "key"),
        "two tenants": (more(("ce_tenant", b"other")), "malformed", "ce_tenant"),
        "two ids": (more(("ce_id", b"2")), "malformed", "ce_id"),
        "no tenant": ((key, value, [h for h in headers if h[0] != "ce_tenant"]), "invalid", "ce_tenant"),
        "an empty tenant": (header("ce_tenant", b""), "invalid", "ce_tenant"),
        "a tenant that closes a hash tag": (header("ce_tenant", b"demo}"), "invalid", "ce_tenant"),
        "an actor that closes a hash tag": ((b"demo/b}", msgpack.packb({**body, "actor": "b}"}), headers), "invalid", "actor"),
        "an actor with a slash": ((b"demo/../bob", msgpack.packb({**body, "actor": "../bob"}), headers), "invalid", "actor"),
        "a tenant in the value": ((key, msgpack.packb({**body, "tenant": "demo"}), [h for h in headers if h[0] != "ce_tenant"]), "invalid", "ce_tenant"),
        # line breaks and control characters
        "CRLF in the id": (header("ce_id", b"1\r\nce_tenant: other"), "invalid", "ce_id"),
        "CRLF in the source": (header("ce_source", b"/test\r\nce_tenant: other"), "invalid", "ce_source"),
        "CRLF in the tenant": (header("ce_tenant", b"demo\r\n"), "invalid", "ce_tenant"),
        "CRLF in the time": (header("ce_time", b"2026-01-02T03:04:05Z\r\n"), "invalid", "ce_time"),
        "CRLF in the type": (header("ce_type", b"feedwire.activity.v1\r\n"), "unsupported", "ce_type"),
        "CRLF in the key": ((b"demo/bob\r\n", value, headers), "invalid", "key"),
        "CRLF in the object": (member(object={"type": "note", "id": "1\r\n2"}), "invalid", "object.id"),
        "NUL in the id": (header("ce_id", b"1\0"), "invalid", "ce_id"),
        "an id that is not UTF-8": (header("ce_id", b"\xff\xfe"), "invalid", "ce_id"),
        # large
        "a source of 1 MiB": (header("ce_source", b"s" * MIB), "invalid", "ce_source"),
        "a tenant of 1 MiB": (header("ce_tenant", b"t" * MIB), "invalid", "ce_tenant"),
        "a key of 64 KiB": ((b"demo/" + b"b" * 65536, value, headers), "invalid", "key"),
        "a value of 1 MiB": ((key, msgpack.packb({**body, "more": "x" * MIB}), headers), "malformed", "value"),
        "a thousand headers": (more(*((f"x-{i}", b"1") for i in range(1000))), "malformed", "headers"),
        "17 headers": (more(*((f"x-{i}", b"1") for i in range(11))), "malformed", "headers"),
        # versions
        "a later version": (header("ce_type", b"feedwire.activity.v2"), "unsupported", "ce_type"),
        "a later CloudEvents": (header("ce_specversion", b"2.0"), "unsupported", "ce_specversion"),
        "another format": (more(("content-type", b"application/avro")), "unsupported", "content-type"),
        # what only ingest would see otherwise
        "an undo of something that is no activity": (member(verb="undo"), "invalid", "object"),
        "a follow of oneself": (member(verb="follow", object={"type": "user", "id": "bob"}), "invalid", "object"),
        "JSON said to be msgpack": ((key, b'{"actor": "bob"}', headers), "malformed", "value"),
    }


def harmless():
    """Headers that pretend to be our own, or belong to nobody: carried by no one, and the activity is worked off as it is."""
    key, value, headers = activity(2, "bob")
    return [
        (key, value, [*headers, ("dlq_reason", b"failed"), ("dlq_source", b"activities/0/0"), ("dlq_attempts", b"99")]),
        activity(3, "bob")[:2] + ([*activity(3, "bob")[2], ("x-large", b"x" * MIB)],),
        activity(4, "bob")[:2] + ([*activity(4, "bob")[2], ("x-crlf\r\nce_tenant: other", b"a\r\nce_tenant: other")],),
    ]


def large(broker, records):
    """As produce() of test_fanout, by a producer that has no limits of its own."""
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "message.max.bytes": 10 * MIB})
    failures = []
    for key, value, headers in records:
        producer.produce(TOPIC, value, key, 0, headers=headers, on_delivery=lambda error, _: error and failures.append(error))
    assert producer.flush(60) == 0 and not failures, failures


def letters(broker, count):
    """source -> the letters of that position, in the topic now; waits until there are `count` positions."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "test", "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition(DLQ_TOPIC, 0, 0)])
    found = collections.defaultdict(list)
    try:
        while True:
            message = consumer.poll(30)
            assert message is not None, f"{len(found)} dead letters instead of {count}"
            if message.error():
                if len(found) >= count:
                    return found
                continue
            found[dict(message.headers())["dlq_source"].decode()].append(message)
    finally:
        consumer.close()


@pytest.fixture
def forged_records():
    return forged()


def test_forged_records_are_dead_letters_with_their_reason_once(broker, redis, fanout, forged_records):  # noqa: F811
    process = fanout()
    good = [activity(100 + i, "bob") for i in range(3)]
    large(broker, [good[0], *(record for record, _, _ in forged_records.values()), *harmless(), *good[1:]])
    total = len(forged_records) + len(harmless()) + len(good)
    drained(process, total)
    assert counts(process) == {"done": len(good) + len(harmless()), "repeat": 0, "dead_letter": len(forged_records)}

    found = letters(broker, len(forged_records))
    assert set(found) == {f"{TOPIC}/0/{1 + i}" for i in range(len(forged_records))}
    for i, (name, ((key, value, headers), reason, word)) in enumerate(forged_records.items()):
        (letter,) = found[f"{TOPIC}/0/{1 + i}"]
        got = dict(letter.headers())
        assert got["dlq_reason"] == reason.encode(), (name, got["dlq_detail"])
        assert word in got["dlq_detail"].decode(), (name, got["dlq_detail"])
        assert letter.key() == key, name
        assert letter.value() in (value, None), name
        assert letter.value() == value or b"left out" in got["dlq_detail"], (name, got["dlq_detail"])
    assert len(window(redis, "o", "bob")[2]) == len(good) + len(harmless())
    assert redis("KEYS", "*eve*") == redis("KEYS", "*other*") == [], "nobody else has anything"


def test_a_letter_carries_no_header_that_pretends_to_be_ours(broker, redis, fanout):  # noqa: F811
    fanout()
    key, value, headers = activity(1, "bob")
    produce(broker, [(b"demo/eve", value, [*headers, ("dlq_reason", b"failed"), ("dlq_source", b"activities/9/9"), ("dlq_time", b"never")])])
    ((letter,),) = letters(broker, 1).values()
    names = [name for name, _ in letter.headers()]
    assert len(names) == len(set(names))
    assert dict(letter.headers())["dlq_reason"] == b"invalid"
    assert dict(letter.headers())["dlq_source"] == f"{TOPIC}/0/0".encode()


def test_killed_in_the_middle_each_position_still_has_a_letter_and_they_agree(broker, redis, fanout, forged_records):  # noqa: F811
    records = [record for record, _, _ in forged_records.values()]
    process = fanout()
    large(broker, records)
    letters(broker, len(records) // 3)
    process.kill9()
    process.start()
    produce(broker, [activity(500, "bob")])  # whatever was committed before, the one behind it all
    drained(process, 1)
    found = letters(broker, len(records))
    assert set(found) == {f"{TOPIC}/0/{i}" for i in range(len(records))}, "one for each position, once those that came again are taken as one"
    for same in found.values():
        assert len({dict(letter.headers())["dlq_reason"] for letter in same}) == 1
