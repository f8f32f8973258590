"""The servers and daemons of a run: Apache Kafka, a Redis Cluster of three masters with a replica each, three workers with static membership, two
gateways; what they do, as far as one can see it from outside; and their memory."""

import itertools
import shutil
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from feedwire_dev import kafka, paths, tokens
from feedwire_dev.daemon import Daemon
from redis_cluster import RedisCluster

from . import poison
from .workload import TENANT, Act

SECRET = b"only for chaos tests, 0123456789abcdef"
TOPIC, DLQ, GRAPH, GROUP = "activities", "activities.dlq", "graph", "feedwire-fanout"
AWAKE = {"feed.ttl_s": 0}  # every feed is compared with the oracle, so none may sleep
WORKERS, GATEWAYS, PARTITIONS, GRAPH_PARTITIONS = 3, 2, 4, 4
SESSION_MS = 6_000
QUIET = 3  # looks in a row that must find nothing left to do
TOKEN_S = 24 * 3600


class Failed(Exception):
    """The run has found something wrong, or cannot go on. The text says what."""


class Deadline:
    def __init__(self, what, seconds):
        self.what, self.seconds, self.at = what, seconds, time.monotonic() + seconds

    def check(self, detail=lambda: ""):
        if time.monotonic() > self.at:
            raise Failed(f"{self.what} did not come within {self.seconds:.0f} s {detail()}")


def wait_for(condition, what, seconds, every_s=0.05, detail=lambda: ""):
    deadline = Deadline(what, seconds)
    while not (value := condition()):
        deadline.check(detail)
        time.sleep(every_s)
    return value


class Memory:
    """The most resident memory that each process ever had, over all its lives."""

    def __init__(self, processes):
        self._processes, self.peaks, self._over = processes, {}, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._over.wait(0.5):
            for process in list(self._processes):
                peak = process.peak_memory_mib() if process.running else 0
                name = process.log.parent.name if process.log.stem == "redis" else process.log.stem
                self.peaks[name] = max(peak, self.peaks.get(name, 0))

    def stop(self):
        self._over.set()
        self._thread.join()


class World:
    def __init__(self, folder, say=print, fanout_options=None):
        self.folder, self.say, self.started, self.log = folder, say, [], None
        self._bin_dir, self._fanout_options = paths.bin_dir(), fanout_options or {}
        self._secret = folder / "hs256.key"
        tokens.write_secret(self._secret, SECRET)
        self.memory = Memory(self.started)

    def start(self):
        self.say("starting Kafka and the Redis Cluster")
        self.kafka = kafka.ApacheKafka(self.folder)
        self.started.append(self.kafka)
        self.kafka.start()
        self.kafka.create_topics({TOPIC: PARTITIONS, DLQ: 1, GRAPH: GRAPH_PARTITIONS}, {GRAPH: kafka.COMPACTED})
        self.cluster = RedisCluster(self.folder, self.started, maxmemory="4gb")
        brokers = {"kafka.brokers": self.kafka.bootstrap}
        fanout = {**brokers, **self.cluster.options, "kafka.properties": f"session.timeout.ms={SESSION_MS};heartbeat.interval.ms=1000", **self._fanout_options}
        self.workers = [self._daemon("fanout", f"worker{i}", {**fanout, **AWAKE, "kafka.instance": f"worker{i}"}) for i in range(WORKERS)]
        secret = {"auth.hs256_secret_file": self._secret}
        self.gateways = [self._daemon("gateway", f"gateway{i}", {**secret, **self.cluster.options, **AWAKE}) for i in range(GATEWAYS)]
        self.log = Log(self.kafka.bootstrap)

    def _daemon(self, program, name, options):
        daemon = Daemon(program, self.folder, self._bin_dir, options, log_name=name)
        self.started.append(daemon)
        return daemon.start()

    def stop(self):
        self.memory.stop()
        if self.log:
            self.log.close()
        for process in reversed(self.started):
            process.kill9()

    def forget_data(self):
        """Deletes what the servers have on disk; after stop()."""
        for folder in [self.folder / "kafka-data", *self.folder.glob("*/redis-data")]:
            shutil.rmtree(folder, ignore_errors=True)

    def token(self, user):
        return tokens.make_token(SECRET, user, TENANT, expires_s=TOKEN_S)

    # ---- what fan-out does ----

    def look(self):
        """(records that wait or are in hand, workers that are not ready); asks each worker."""
        left, away = 0, 0
        for worker in self.workers:
            samples = worker.metrics()
            away += not samples or not worker.ready()
            left += sum(value for name, value in samples.items() if name in ("kafka_consumer_lag_records", "fanout_in_flight_records", "fanout_recovering") or name.startswith("kafka_consumer_lag_records{"))
        return left, away

    def worked_off(self):
        """Records that the present lives of the workers have finished."""
        return sum(worker.metric("fanout_records_total") for worker in self.workers if worker.running)

    def wait_ready(self, seconds=120):
        wait_for(lambda: all(worker.ready() for worker in self.workers), "all workers being ready", seconds, detail=self.why_not_ready)

    def why_not_ready(self):
        return "; ".join(f"{worker.log.stem}: {worker.not_ready_because() if worker.running else worker.how_it_ended()}" for worker in self.workers)

    def wait_drained(self, seconds):
        """Until everything is committed, and every worker says, some times in a row, that it has nothing to do."""
        deadline, quiet, said = Deadline("the end of the log", seconds), 0, time.monotonic()
        while quiet < QUIET:
            left, away = self.look()
            behind = self.log.behind()
            quiet = quiet + 1 if left == 0 and away == 0 and behind == 0 else 0
            if time.monotonic() - said > 15:
                said = time.monotonic()
                self.say(f"  {behind} records are not committed, {left:.0f} wait or are in hand, {away} workers not ready")
            deadline.check(lambda: f"({behind} not committed, {left:.0f} in hand, {self.why_not_ready()}; positions {self.log.positions()})")
            time.sleep(0.5)

    def lines(self, event):
        """How often the workers and gateways have written a line with this event."""
        return sum(daemon.log.read_text(errors="replace").count(f'"event":"{event}"') for daemon in self.workers + self.gateways)


class Log:
    """The topic of the activities: what was put into it, where, and how far the group has committed."""

    def __init__(self, bootstrap):
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
        self._group = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP, "enable.auto.commit": False})
        self._partitions = [TopicPartition(TOPIC, i) for i in range(PARTITIONS)]
        self._errors = []
        self.bootstrap, self.sent = bootstrap, 0

    def send(self, records):
        """Acts and poison; returns when Kafka has acknowledged all of them."""
        for record in records:
            key, value, headers = poison.record_of(record, TENANT) if isinstance(record, Act) else (record.key, record.value, record.headers)
            self._producer.produce(TOPIC, value, key, headers=headers, on_delivery=lambda error, message, record=record: self._delivered(record, error, message))
            self._producer.poll(0)
        if self._producer.flush(120) or self._errors:
            raise Failed(f"Kafka did not take everything: {self._errors[:3]}")
        self.sent += len(records)

    def _delivered(self, record, error, message):
        if error:
            self._errors.append(error)
        else:
            record.places.append((message.partition(), message.offset()))

    def close(self):
        self._group.close()
        self._producer.flush(0)

    def positions(self):
        """[(committed, end)] of each partition."""
        committed = self._group.committed(self._partitions, timeout=30)
        ends = [self._group.get_watermark_offsets(partition, timeout=30)[1] for partition in self._partitions]
        return [(max(position.offset, 0), end) for position, end in zip(committed, ends)]

    def behind(self):
        return sum(end - committed for committed, end in self.positions())

    def read_dlq(self):
        """Every record of the topic of dead letters: [(headers, key, value)]."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "chaos-dlq", "enable.auto.commit": False, "enable.partition.eof": True})
        consumer.assign([TopicPartition(DLQ, 0, 0)])
        found = []
        try:
            for _ in itertools.count():
                message = consumer.poll(30)
                if message is None or (message.error() and message.error().name() == "_PARTITION_EOF"):
                    return found
                if message.error():
                    raise Failed(f"the topic of dead letters cannot be read: {message.error()}")
                found.append((dict(message.headers() or []), message.key(), message.value()))
        finally:
            consumer.close()
