"""Kafka, ingest and fan-out around a Redis: what makes feed writes of activities."""

import contextlib
import pathlib
import signal
import time
from collections.abc import Callable, Iterator

from feedwire_dev import paths, tokens
from feedwire_dev.daemon import Daemon
from feedwire_dev.kafka import ApacheKafka, EmbeddedBroker
from feedwire_dev.play import Player
from feedwire_dev.processes import Process

from .steady import Wrong

TOPICS = {"activities": 4, "activities.dlq": 1, "graph": 1, "feed.commands": 1}
# It is held for seconds at a time, and must stay in its group.
SESSION = "session.timeout.ms=45000"
# The embedded broker answers a request for records that it has not got when its time is over, though one may have come meanwhile.
ATTENTIVE = "fetch.wait.max.ms=2"


class Stack:
    """start: starts a process and sees to its end. name: of the logs."""

    def __init__(self, directory: pathlib.Path, name: str, kafka: str, redis_options: dict, start: Callable[[Process], Process], fanout_options: dict):
        bin_dir = paths.bin_dir()
        self._directory, self._name, self._start = directory, name, start
        if kafka == "embedded":
            broker = start(EmbeddedBroker(directory, bin_dir, TOPICS, name=f"{name}-broker"))
        else:
            broker = start(ApacheKafka(directory))
            broker.create_topics(TOPICS)
        secret, secret_file = tokens.new_secret(), directory / f"{name}-hs256.key"
        tokens.write_secret(secret_file, secret)
        self.ingest = start(Daemon("ingest", directory, bin_dir, {"kafka.brokers": broker.bootstrap, "auth.hs256_secret_file": secret_file}, log_name=f"{name}-ingest"))
        self._options = {"kafka.brokers": broker.bootstrap, "kafka.properties": SESSION, **redis_options, **fanout_options}
        self.player = Player(self.ingest.http_port, lambda: tokens.make_token(secret, "service:bench", scope="publish"))
        self._start_fanout()

    def _start_fanout(self) -> None:
        self._done_before = self.published()
        self.fanout = self._start(Daemon("fanout", self._directory, paths.bin_dir(), self._options, log_name=f"{self._name}-fanout"))

    def be_attentive(self) -> None:
        """From here on fan-out asks for records so often that no time passes until it has them. That costs it CPU time."""
        self.fanout.terminate()
        self._options["kafka.properties"] = f"{SESSION};{ATTENTIVE}"
        self._start_fanout()

    def published(self) -> int:
        return int(self.ingest.metric("activities_published_total"))

    def added(self) -> int:
        """Entries, since fan-out was started."""
        return int(self.fanout.metrics().get('fanout_feed_writes_total{result="added"}', 0))

    def until_fanned_out(self) -> None:
        """Everything that was published."""
        records = self.published() - self._done_before
        deadline = time.monotonic() + 60
        while self.fanout.metric("fanout_records_total") < records:
            if time.monotonic() > deadline or not self.fanout.running:
                raise Wrong(f"fanout has not worked off its records; its log ends with:\n{self.fanout.log_tail()}")
            time.sleep(0.02)

    def hold(self) -> None:
        """Fan-out stands still: a backlog can be made."""
        self.fanout.popen.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.fanout.popen.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self.hold()
        yield
        self.go_on()
