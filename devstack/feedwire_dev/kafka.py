"""The Kafkas that the stack can start: the embedded broker, and a real single-node Apache Kafka. Both offer .bootstrap, .start() and what
Process has. And the one request of Kafka's protocol that the stack makes itself: creating topics."""

import pathlib
import socket
import struct
import subprocess
import uuid

from . import paths, ports
from .processes import NotReady, Process

EMBEDDED_IS_NOT_FOR = (
    "the embedded Kafka broker is for trying and testing only: it keeps nothing on disk, and forgets what exceeds 5 MiB or 100,000 records "
    "a partition; --kafka=apache or --kafka=HOST:PORT gives you a real one"
)


class EmbeddedBroker(Process):
    """librdkafka's mock cluster (devstack/broker.c) with the topics {name: partitions}: everything in memory, and bounded."""

    def __init__(self, directory: pathlib.Path, bin_dir: pathlib.Path, topics: dict[str, int], port: int | None = None, name: str = "broker"):
        self.port = port or ports.any_free()
        command = [bin_dir / "feedwire-dev-broker", f"--port={self.port}"]
        command += [f"--topic={topic}:{partitions}" for topic, partitions in topics.items()]
        super().__init__(name, command, pathlib.Path(directory) / f"{name}.log")

    @property
    def bootstrap(self) -> str:
        return f"{ports.LOOPBACK}:{self.port}"

    def start(self) -> "EmbeddedBroker":
        super().start()
        self.wait_until(lambda: '"listening"' in self.log_text(), "listening")
        return self


class ApacheKafka(Process):
    """One process that is broker and controller (KRaft). Its data are in `directory`, and survive kill9() and start()."""

    def __init__(self, directory: pathlib.Path, port: int | None = None):
        self.directory = pathlib.Path(directory)
        self.port, self.controller_port = port or ports.any_free(), ports.any_free()
        self.properties = self.directory / "kafka.properties"
        super().__init__("kafka", self._java("kafka.Kafka", self.properties), self.directory / "kafka.log")

    @property
    def bootstrap(self) -> str:
        return f"{ports.LOOPBACK}:{self.port}"

    def _java(self, *arguments) -> list:
        # One tier of compilation and one collector thread: it starts sooner, and leaves the machine to what is tried on it.
        options = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *options, "-cp", f"{paths.CACHE}/apache-kafka/lib/*", *arguments]

    def start(self) -> "ApacheKafka":
        if not self.properties.exists():
            self._format()
        super().start()
        self.wait_until(self._answers, "answering", 120)
        return self

    def _format(self) -> None:
        if not (paths.CACHE / "apache-kafka/lib").is_dir():
            raise NotReady("Apache Kafka's jars are missing; run scripts/setup apache")
        text = (paths.ROOT / "devstack/apache-kafka/server.properties").read_text()
        for name, value in {"port": self.port, "controller_port": self.controller_port, "data": self.directory / "kafka-data"}.items():
            text = text.replace(f"{{{name}}}", str(value))
        self.properties.write_text(text)
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", uuid.uuid4().hex[:22], "-c", self.properties),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            self.properties.unlink()
            raise NotReady(f"Apache Kafka could not format its data folder:\n{done.stdout}")

    def _answers(self) -> bool:
        try:
            create_topics(self.bootstrap, {})
            return True
        except (OSError, NotReady):
            return False

    def create_topics(self, topics: dict[str, int], configs: dict[str, dict[str, str]] | None = None) -> None:
        create_topics(self.bootstrap, topics, configs)


CREATE_TOPICS, CREATE_TOPICS_VERSION = 19, 4  # the newest version in the old, simple encoding; brokers from 2.4 to 4.x know it
OK, TOPIC_ALREADY_EXISTS = 0, 36
BROKERS_DEFAULT = -1
COMPACTED = {"cleanup.policy": "compact"}


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _read_text(data: bytes, at: int) -> tuple[str | None, int]:
    (length,) = struct.unpack_from(">h", data, at)
    at += 2
    return (None, at) if length < 0 else (data[at : at + length].decode(), at + length)


def _call(bootstrap: str, request: bytes, timeout_s: float) -> bytes:
    host, _, port = bootstrap.split(",")[0].strip().rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout_s) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            size = answers.read(4)
            return answers.read(struct.unpack(">i", size)[0]) if len(size) == 4 else b""


def create_topics(bootstrap: str, topics: dict[str, int], configs: dict[str, dict[str, str]] | None = None, timeout_s: float = 30) -> None:
    """Creates those of the topics {name: partitions} that are not there, with the broker's own replication factor, and with the settings {name: {..}} of
    configs. By hand, because the stack has no Kafka library; without TLS and passwords. OSError when nobody is there, NotReady with a sentence when the
    broker refuses."""
    body = struct.pack(">i", len(topics))
    for name, partitions in topics.items():
        settings = (configs or {}).get(name, {})
        body += _text(name) + struct.pack(">ihii", partitions, BROKERS_DEFAULT, 0, len(settings))
        body += b"".join(_text(setting) + _text(value) for setting, value in settings.items())
    body += struct.pack(">i?", int(timeout_s * 1000), False)
    answer = _call(bootstrap, struct.pack(">hhi", CREATE_TOPICS, CREATE_TOPICS_VERSION, 1) + _text("feedwire-dev") + body, timeout_s)
    if len(answer) < 12:
        raise NotReady(f"Kafka at {bootstrap} closed the connection without an answer; does it want TLS or a password?")
    _, _, count = struct.unpack_from(">iii", answer)
    at = 12
    for _ in range(count):
        name, at = _read_text(answer, at)
        (code,) = struct.unpack_from(">h", answer, at)
        reason, at = _read_text(answer, at + 2)
        if code not in (OK, TOPIC_ALREADY_EXISTS):
            raise NotReady(f"Kafka at {bootstrap} refused to create the topic {name}: {reason or f'error {code}'}")
