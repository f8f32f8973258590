"""Reads feeds from Redis as schemas/redis.md and schemas/entry.md describe them, without Feedwire's code."""

import msgpack

FIELDS = ("verb", "actor", "object_type", "object_id", "target_type", "target_id", "owner", "data")


def decode(entry):
    """id bytes and the fields that are there."""
    values = msgpack.unpackb(entry[16:], raw=False)
    return entry[:16], {name: value for name, value in zip(FIELDS, values) if value is not None}


def fields_of(activity):
    """What the entry of an activity must hold."""
    fields = {"verb": activity["verb"], "actor": activity["actor"], "object_type": activity["object"]["type"], "object_id": activity["object"]["id"]}
    if "target" in activity:
        fields |= {"target_type": activity["target"]["type"], "target_id": activity["target"]["id"]}
    if "owner" in activity["object"]:
        fields["owner"] = activity["object"]["owner"]
    if "data" in activity:
        fields["data"] = activity["data"]
    return fields


def read(client, prefix, users, tenant="demo", limit=100):
    """user -> [(ms, id bytes, fields)], newest first."""
    users = list(users)
    feeds = {}
    for start in range(0, len(users), 500):
        some = users[start : start + 500]
        pipeline = client.pipeline(transaction=False)
        for user in some:
            pipeline.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"{prefix}:{{{tenant}/{user}}}", limit)
        for user, (_epoch, _seq, found) in zip(some, pipeline.execute()):
            feeds[user] = [(int(found[i + 1]), *decode(found[i])) for i in range(0, len(found), 2)]
    return feeds
