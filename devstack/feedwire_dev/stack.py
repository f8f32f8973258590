"""The whole system as processes: Redis, Kafka, ingest, fanout, gateway; started in order, each waited for, and stopped in an order in which
nobody loses what they stand on."""

import pathlib
import socket
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

from . import paths, ports, tokens
from .daemon import Daemon
from .kafka import COMPACTED, ApacheKafka, EmbeddedBroker, create_topics
from .processes import NotReady, Process
from .redis_server import RedisServer

STOP_ORDER = ("ingest", "fanout", "gateway", "broker", "kafka", "redis")
READY_TIMEOUT_S = 60
REDIS_PORT, LOOK_TIMEOUT_S = 6379, 5
SIGTERM_EXIT_OF_JAVA = 143


def _look_for_redis(url: str) -> None:
    """Says at once that nobody is there; whatever else is wrong, the daemons tell. The password in the URL, if any, is not repeated."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port or REDIS_PORT
    except ValueError:
        raise NotReady("the URL of Redis must look like redis://HOST:PORT") from None
    if parts.scheme not in ("redis", "rediss") or not host:
        raise NotReady("the URL of Redis must look like redis://HOST:PORT")
    try:
        socket.create_connection((host, port), LOOK_TIMEOUT_S).close()
    except OSError as error:
        raise NotReady(f"Redis at {host}:{port} cannot be reached: {error}") from None


@dataclass
class StackSettings:
    kafka: str = "embedded"  # "embedded", "apache", or host:port of one that runs elsewhere
    redis: str = ""  # "": a private one; else a URL
    page_port: int = 0  # whose origin ingest and gateway allow; 0: none
    preferred_ports: dict[str, int] = field(default_factory=dict)


class Stack:
    def __init__(self, directory: pathlib.Path, settings: StackSettings, say: Callable[[str], None]):
        self.directory = directory
        self.settings = settings
        self._say = say
        self._bin = paths.bin_dir()
        self.processes: list[Process] = []
        self.redis: RedisServer | None = None
        self.redis_options: dict[str, object] = {}
        self.redis_env: dict[str, str] = {}
        self.brokers = ""
        self.secret = tokens.new_secret()
        self.secret_file = directory / "hs256.key"
        tokens.write_secret(self.secret_file, self.secret)
        self.ingest: Daemon
        self.fanout: Daemon
        self.gateway: Daemon

    def start(self) -> None:
        self._start_redis()
        self._start_kafka()
        self._start_daemons()

    def _port(self, name: str) -> int:
        wanted = self.settings.preferred_ports[name]
        port = ports.prefer(wanted)
        if port != wanted:
            self._say(f"port {wanted} ({name}) is taken; using {port}")
        return port

    def _start(self, process: Process, *arguments) -> None:
        self._say(f"starting {process.name}")
        self.processes.append(process)
        process.start(*arguments)

    def _start_redis(self) -> None:
        if self.settings.redis:
            _look_for_redis(self.settings.redis)
            # By the environment: a URL may hold a password, and command lines can be read by everybody.
            self.redis_env = {"FEEDWIRE_REDIS_URL": self.settings.redis}
            return
        self.redis = RedisServer(self.directory, self._port("redis"))
        self._start(self.redis)
        self.redis_options = self.redis.options

    def _start_kafka(self) -> None:
        topics = {"activities": 4, "activities.dlq": 1, "graph": 4, "feed.commands": 4}
        if self.settings.kafka == "embedded":
            broker = EmbeddedBroker(self.directory, self._bin, topics, self._port("kafka"))
            self._start(broker)
            self.brokers = broker.bootstrap
            return
        self.brokers = self.settings.kafka
        if self.settings.kafka == "apache":
            kafka = ApacheKafka(self.directory, self._port("kafka"))
            self._start(kafka)
            self.brokers = kafka.bootstrap
        try:
            create_topics(self.brokers, topics, {"graph": COMPACTED})
        except OSError as error:
            raise NotReady(f"Kafka at {self.brokers} cannot be reached: {error}") from None

    def _daemon(self, name: str, options: dict[str, object], env: dict[str, str] | None = None) -> Daemon:
        options = {"admin.port": self._port(f"{name} admin"), **options}
        if name != "fanout":
            origins = [f"http://{host}:{self.settings.page_port}" for host in ("127.0.0.1", "localhost")] if self.settings.page_port else []
            options |= {"http.port": self._port(name), "http.allowed_origins": ",".join(origins), "auth.hs256_secret_file": self.secret_file}
        daemon = Daemon(name, self.directory, self._bin, options, env)
        self._start(daemon, None)
        return daemon

    def _start_daemons(self) -> None:
        self.fanout = self._daemon("fanout", {"kafka.brokers": self.brokers, **self.redis_options}, self.redis_env)
        self.ingest = self._daemon("ingest", {"kafka.brokers": self.brokers, **self.redis_options}, self.redis_env)
        self.gateway = self._daemon("gateway", {"kafka.brokers": self.brokers, **self.redis_options}, self.redis_env)
        deadline = time.monotonic() + READY_TIMEOUT_S
        for daemon in (self.fanout, self.ingest, self.gateway):
            self._wait_ready(daemon, deadline)

    def _wait_ready(self, daemon: Daemon, deadline: float) -> None:
        while not daemon.ready():
            dead = self.dead()
            if dead:
                raise NotReady(f"{dead.name} {dead.how_it_ended()}; its log ends with:\n{dead.log_tail()}")
            if time.monotonic() > deadline:
                raise NotReady(f"{daemon.name} is not ready after {READY_TIMEOUT_S} s: {daemon.not_ready_because()}; its log ends with:\n{daemon.log_tail()}")
            time.sleep(0.05)
        self._say(f"{daemon.name} is ready")

    def service_token(self) -> str:
        return tokens.make_token(self.secret, "service:play-in", scope="publish")

    def dead(self) -> Process | None:
        """A part that has ended though nobody asked it to."""
        return next((process for process in self.processes if not process.running), None)

    def stop(self) -> list[Process]:
        """Stops what runs; those that did not stop in order are returned."""
        bad = []
        for process in sorted(self.processes, key=lambda process: STOP_ORDER.index(process.name)):
            if process.running and process.terminate() not in (0, SIGTERM_EXIT_OF_JAVA):
                bad.append(process)
        return bad
