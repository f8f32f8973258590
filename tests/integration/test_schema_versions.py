"""Schema evolution with real parts: older and newer records through fan-out, entries of a newer writer through today's gateway, verbs that nobody knows, and what is too new."""
import datetime
import json
import uuid

import confluent_kafka
import msgpack
import pytest
from feeds import FIELDS, decode
from feedwire_dev import paths
from whole_stack import DEADLINE_S, TTL_S, Stack

VECTORS = json.loads((paths.ROOT / "schemas/vectors/versions.json").read_text())


@pytest.fixture
def stack(embedded_broker, redis_server, daemon, make_token):
    return Stack(embedded_broker, redis_server, daemon, make_token)


def produce(stack, vectors):
    producer = confluent_kafka.Producer({"bootstrap.servers": stack.broker.bootstrap})
    for vector in vectors:
        producer.produce("activities", bytes.fromhex(vector["value_hex"]), vector["key"], headers=[(name, value.encode()) for name, value in vector["headers"].items()])
    assert producer.flush(DEADLINE_S) == 0
    stack.sent += len(vectors)


def with_ids(vectors):
    """Each with an id of its own, as they would come from different activities; and the JSON that a client must get for it."""
    made = []
    for number, vector in enumerate(vectors):
        new, headers, value = str(uuid.UUID(int=number + 1)), dict(vector["headers"]), vector["value_hex"]
        if "ce_id" in headers:
            headers["ce_id"] = new
        else:
            value = value.replace(vector["id"].encode().hex(), new.encode().hex())
        made.append({**vector, "headers": headers, "value_hex": value, "id": new})
    return made


def shown(vector):
    """The entry of a vector as clients see it, read without Feedwire's code."""
    _, fields = decode(bytes.fromhex(vector["entry_hex"]))
    assert set(fields) <= set(FIELDS)
    entry = {"id": vector["id"], "actor": fields["actor"], "verb": fields["verb"], "object": {"type": fields["object_type"], "id": fields["object_id"]}}
    if "owner" in fields:
        entry["object"]["owner"] = fields["owner"]
    if "target_type" in fields:
        entry["target"] = {"type": fields["target_type"], "id": fields["target_id"]}
    if "data" in fields:
        entry["data"] = fields["data"]
    time = datetime.datetime.fromtimestamp(vector["published_ms"] / 1000, datetime.timezone.utc)
    return {**entry, "published": time.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def test_older_and_newer_records_reach_the_client_alike(stack):
    stack.send("ann", "follow", "ana", published="2026-01-01T00:00:00Z", id="follow")
    stack.settle()
    ann = stack.viewer("ann")
    own = [entry["id"] for entry in ann.entries]
    records = with_ids(VECTORS["records_older"] + VECTORS["records_newer"])
    produce(stack, records)
    ann.until(lambda: len(ann.entries) == len(own) + len(records), "all records")
    got = {entry["id"]: entry for entry in ann.entries}
    for vector in records:
        assert got[vector["id"]] == shown(vector), vector["name"]
    again = stack.viewer("ann")
    assert {entry["id"]: entry for entry in again.entries} == got, "a slice shows what was pushed"


def test_records_that_are_too_new_are_dead_letters_with_that_reason(stack):
    too_new = VECTORS["records_too_new"]
    produce(stack, too_new)
    stack.settle()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": stack.broker.bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.assign([confluent_kafka.TopicPartition("activities.dlq", 0, 0)])
    letters = consumer.consume(len(too_new), DEADLINE_S)
    consumer.close()
    assert len(letters) == len(too_new)
    found = {dict(letter.headers())["dlq_source"].decode(): letter for letter in letters}
    for offset, vector in enumerate(too_new):
        letter = found[f"activities/0/{offset}"]
        headers = dict(letter.headers())
        assert headers["dlq_reason"] == b"unsupported", vector["name"]
        assert vector["field"].encode() in headers["dlq_detail"], vector["name"]
        assert letter.value() == bytes.fromhex(vector["value_hex"]), "it can be produced again"
    assert not stack.redis.exists("o:{demo/ana}")


def test_verbs_that_nobody_knows_travel_through(stack):
    stack.send("ann", "follow", "bob")
    stack.settle()
    ann = stack.viewer("ann")
    known = len(ann.entries)
    sent = {stack.send("bob", verb, f"p-{verb}", audience=["x"], data={"n": 1}): verb for verb in ("recite", "x", "a-b_c9", "z" * 32, "undone", "followed")}
    ann.until(lambda: len(ann.entries) == known + len(sent), "the new verbs")
    for entry in ann.entries:
        if entry["id"] in sent:
            verb = sent[entry["id"]]
            assert (entry["verb"], entry["object"]["id"], entry["data"]) == (verb, f"p-{verb}", {"n": 1})
    removed = next(iter(sent))
    stack.delete("bob", removed)
    ann.until(lambda: removed not in ann.ids, "the undo of an unknown verb")


def test_entries_and_positions_of_a_newer_version_are_read_by_this_gateway(stack):
    """As if a newer fan-out had written them: through the same function, with elements that are not known here."""
    stack.redis.fcall("feedwire_v1_wake", 1, "f:{demo/ann}", b"12345678", TTL_S * 1000)
    ann = stack.viewer("ann")
    newer = {}
    for number, vector in enumerate(VECTORS["entries_older"] + VECTORS["entries_newer"]):
        new = uuid.UUID(int=number + 1)
        entry = new.bytes + bytes.fromhex(vector["hex"])[16:]
        newer[str(new)] = {**vector["json"], "id": str(new)}
        assert stack.redis.fcall("feedwire_v1_add", 1, "f:{demo/ann}", b"12345678", 100, 20, vector["published_ms"] + number, entry) >= 1
    ann.until(lambda: set(newer) <= set(ann.ids), "the pushes")
    for entries in (ann.entries, stack.viewer("ann").entries):
        for entry in entries:
            if entry["id"] in newer:
                assert {**entry, "published": None} == {**newer[entry["id"]], "published": None}
    assert stack.viewer("ann", position=ann.position).outcome == "current"
    for vector in VECTORS["positions_too_new"]:
        anew = stack.viewer("ann", position=vector["text"])
        assert anew.outcome == "future", vector["name"]
        assert set(newer) <= set(anew.ids), "the whole feed comes with it"


def test_the_vectors_are_read_alike_by_the_reader_in_python():
    for vector in VECTORS["entries_older"] + VECTORS["entries_newer"]:
        id_bytes, fields = decode(bytes.fromhex(vector["hex"]))
        entry = vector["json"]
        assert str(uuid.UUID(bytes=id_bytes)) == entry["id"]
        assert (fields["verb"], fields["actor"], fields["object_id"], fields.get("data")) == (entry["verb"], entry["actor"], entry["object"]["id"], entry.get("data")), vector["name"]
    for vector in VECTORS["notices_older"] + VECTORS["notices_newer"]:
        kind, epoch, seq, *rest = msgpack.unpackb(bytes.fromhex(vector["hex"]), raw=True)
        assert (kind, epoch.hex(), str(seq)) == (vector["kind"], vector["epoch"], vector["seq"]), vector["name"]
        if kind != 3:
            assert (rest[0], rest[1].hex()) == (vector["published_ms"], vector["member_hex"]), vector["name"]
