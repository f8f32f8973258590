"""A tenant in which one user has done everything that names them somewhere, and the look for what is left of a name; also for other tests that
send activities and commands to a running fan-out and wait until they are worked off."""
import datetime
import json
import subprocess
import time
import uuid

import confluent_kafka
import msgpack
import redis as redis_client

DEADLINE_S = 90
START_MS = 1_700_000_000_000
GONE = "gone-7f3"  # like no other name, so that its bytes are found nowhere by chance


def until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.02)
    return value


class World:
    def __init__(self, topics, redis_url, client, daemon, bin_dir, **options):
        self.topics, self.redis, self.bin_dir = topics, client, bin_dir
        self.options = {**topics.fanout_options, "redis.url": redis_url}
        self._daemon, self._extra = daemon, {"fanout.page_followers": 10, "commit.interval_ms": 50, **{name.replace("__", "."): value for name, value in options.items()}}
        self.fanout = self.another()
        self._producer = confluent_kafka.Producer({"bootstrap.servers": topics.bootstrap, "enable.idempotence": True})
        self.records, self.clock = [], 0

    def another(self):
        """One more member of the fan-out."""
        return self._daemon("fanout", **self.options, **self._extra)

    # ---- sending ----

    def produce(self, topic, key, value, headers=None):
        self._producer.produce(topic, value, key, headers=headers)

    def send(self, record):
        self.produce(self.topics.topic, *record)

    def activity(self, actor, verb, object_id, kind="note", published_ms=None, owner=None, **more):
        self.clock += 1
        ms = published_ms or START_MS + 1000 * self.clock
        published = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        id_ = str(uuid.UUID(int=self.clock))
        headers = {"ce_id": id_, "ce_source": "/test", "ce_time": published, "ce_tenant": "demo"}
        value = {"actor": actor, "verb": verb, "object": {"type": kind, "id": object_id, **({"owner": owner} if owner else {})}, **more}
        record = (f"demo/{actor}".encode(), msgpack.packb(value), [(name, text.encode()) for name, text in headers.items()])
        self.records.append(record)
        self.send(record)
        return uuid.UUID(int=self.clock).bytes

    def again(self):
        """Every activity comes once more, as after a replay."""
        for record in self.records:
            self.send(record)
        self.settle()

    def flush(self):
        """Until Kafka has everything."""
        assert self._producer.flush(DEADLINE_S) == 0

    def settle(self):
        """Until everything that was sent is worked off."""
        self.flush()
        until(lambda: self.lag(self.topics.topic, self.topics.group) == 0, "the fan-out")

    def lag(self, topic, group):
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.topics.bootstrap, "group.id": group})
        try:
            parts = [confluent_kafka.TopicPartition(topic, number) for number in consumer.list_topics(topic, 20).topics[topic].partitions]
            total = 0
            for part in consumer.committed(parts, 20):
                low, high = consumer.get_watermark_offsets(part, 20)
                total += high - max(part.offset, low)
            return total
        finally:
            consumer.close()

    # ---- feedctl ----

    def feedctl_command(self, *arguments):
        known = {"kafka.topic", "kafka.dlq_topic", "kafka.commands_topic", "kafka.group", "kafka.brokers", "redis.url"}
        options = [f"--{name}={value}" for name, value in self.options.items() if name in known]
        return [str(word) for word in (self.bin_dir / "feedctl", *arguments, "--timeout_ms=60000", *options)]

    def feedctl(self, *arguments, expect=0, stdin=""):
        done = subprocess.run(self.feedctl_command(*arguments), capture_output=True, text=True, timeout=DEADLINE_S, input=stdin)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr

    def purge(self, user=GONE):
        return json.loads(self.feedctl("purge", user, "--yes", "--json"))

    # ---- looking ----

    def entries(self, prefix, user):
        """The ids in a timeline, newest first."""
        found = self.redis.execute_command("FCALL_RO", "feedwire_v1_window", 1, f"{prefix}:{{demo/{user}}}", 100)[2]
        return [member[:16] for member in found[::2]]

    def traces(self, name=GONE):
        """Every key of Redis that has this name in it, or in what it holds."""
        return traces(self.redis, name)


def contents(client, key):
    kind = client.type(key)
    read = {b"zset": lambda: client.zrange(key, 0, -1), b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
            b"string": lambda: [client.get(key)], b"none": list}
    return [part for part in read[kind]() if part is not None]


def traces(client, name):
    wanted = name.encode()
    return sorted(key.decode() for key in client.scan_iter(count=1000) if wanted in key or any(wanted in part for part in contents(client, key)))


def live(world, fans=35):
    """Everything that names the user: follows in both directions over several pages, what was kept, mutes and blocks of both sides, mentions in the
    feeds of others that the outbox has forgotten long since, entries of others about the user, undone and removed ones."""
    act = world.activity
    act(GONE, "post", "first", to=["old-friend"])
    for number in range(fans):
        act(f"fan{number}", "follow", GONE, "user")
    for other in ("ann", "bob", "cy"):
        act(GONE, "follow", other, "user")
        act("ann" if other != "ann" else "bob", "follow", other, "user")
    act("kept", "follow", GONE, "user")
    act(GONE, "post", "kept-note")
    act("kept", "unfollow", GONE, "user", data={"entries": "keep"})
    act("left", "follow", GONE, "user")
    act("left", "unfollow", GONE, "user")
    for number in range(130):
        act(GONE, "post", f"note{number}", data={"text": "hello"})
    act("ann", "like", "note1", owner=GONE)
    act("ann", "post", "for-two", to=[GONE, "dan"], data={"n": 1})
    act("ann", "post", "for-one", to=[GONE])
    act("cy", "report", GONE, "user")
    act("cy", "post", "unharmed")
    act("bob", "mute", GONE, "user")
    act("cy", "block", GONE, "user")
    act(GONE, "mute", "dan", "user")
    act(GONE, "block", "eve", "user")
    act(GONE, "filter", "home", "feed", data={"exclude": ["like"]})
    undone = act(GONE, "post", "sorry", to=["dan"])
    act(GONE, "undo", str(uuid.UUID(bytes=undone)), "activity")
    world.settle()


def connect(redis_server):
    return redis_client.Redis(port=redis_server.port)
