"""Fixtures: real servers and real daemons, each private to its test, all stopped at its end, also when it fails.

    def test_something(embedded_broker, redis_server, daemon, make_token):
        broker = embedded_broker({"activities": 1, "activities.dlq": 1})
        fanout = daemon("fanout", kafka__brokers=broker.bootstrap, redis__url=redis_server.url)

The kernel kills them when the test run itself is killed (devstack/feedwire_dev/processes.py)."""
import itertools
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "devstack"))

from feedwire_dev import kafka, paths, ports, redis_server as redis_servers, tokens  # noqa: E402
from feedwire_dev.daemon import Daemon  # noqa: E402

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Set before anything starts a server, and inherited by what the tests start.
    os.environ[ports.RANGE_VARIABLE] = ports.share(int(worker.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))

SECRET = b"only for integration tests: 0123456789"
TOPICS = {"activities": 4, "activities.dlq": 1}
GRAPH_PARTITIONS = 2
COMMANDS_PARTITIONS = 2


def pytest_collection_modifyitems(items):
    """Where tests run side by side: those that share an Apache Kafka, or want the ports that ./run prefers, one after the other."""
    for item in items:
        if "apache_kafka" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("apache-kafka"))
        elif item.path.name == "test_run.py":
            item.add_marker(pytest.mark.xdist_group("run"))


@pytest.fixture(scope="session")
def bin_dir():
    folder = paths.bin_dir()
    assert folder.is_dir(), f"{folder} is missing; build first: cmake --preset release && cmake --build --preset release"
    return folder


@pytest.fixture(scope="session")
def asan_bin_dir():
    """The programs of the asan preset."""
    folder = pathlib.Path(os.environ.get("FEEDWIRE_ASAN_BIN", ROOT / "build/asan/bin"))
    assert folder.is_dir(), f"{folder} is missing; build first: cmake --preset asan && cmake --build --preset asan"
    return folder


@pytest.fixture(scope="session")
def feedwire_secret():
    return SECRET


@pytest.fixture(scope="session")
def secret_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "hs256.key"
    tokens.write_secret(path, SECRET)
    return path


@pytest.fixture(scope="session")
def make_token():
    """make_token(sub, tenant="demo", scope=None, expires_s=3600)"""
    return lambda sub, **claims: tokens.make_token(SECRET, sub, **claims)


@pytest.fixture
def started():
    """A list of what must end with the test: anything with kill9(). The last one ends first."""
    processes = []
    yield processes
    for process in reversed(processes):
        process.kill9()


@pytest.fixture
def redis_server(tmp_path, started):
    """.url, .port, .options, .kill9(), and .start() again; what was written survives a kill."""
    server = redis_servers.RedisServer(tmp_path, keep_data=True)
    started.append(server)
    return server.start()


@pytest.fixture
def embedded_broker(tmp_path, bin_dir, started):
    """embedded_broker({"activities": 4, "activities.dlq": 1}) -> .bootstrap; the topics graph and feed.commands are always there."""
    numbers = itertools.count()

    def start(topics=None):
        broker = kafka.EmbeddedBroker(tmp_path, bin_dir, {"graph": GRAPH_PARTITIONS, "feed.commands": COMMANDS_PARTITIONS} | (topics or TOPICS), name=f"broker{next(numbers)}")
        started.append(broker)
        return broker.start()

    return start


@pytest.fixture(scope="session")
def apache_kafka_server(tmp_path_factory):
    """A real Apache Kafka, one for all tests; it starts with the first one that asks for it."""
    server = kafka.ApacheKafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield server.start()
    finally:
        server.kill9()


class Topics:
    """Topics and a group of one's own on a Kafka that others use too."""

    def __init__(self, server, number, partitions):
        self.bootstrap = server.bootstrap
        self.topic, self.dlq_topic, self.group = f"activities-{number}", f"activities-{number}.dlq", f"fanout-{number}"
        self.graph_topic, self.commands_topic = f"graph-{number}", f"feed.commands-{number}"
        server.create_topics({self.topic: partitions, self.dlq_topic: 1, self.graph_topic: GRAPH_PARTITIONS, self.commands_topic: COMMANDS_PARTITIONS}, {self.graph_topic: kafka.COMPACTED})

    @property
    def ingest_options(self):
        return {"kafka.brokers": self.bootstrap, "kafka.topic": self.topic}

    @property
    def fanout_options(self):
        return {**self.ingest_options, "kafka.dlq_topic": self.dlq_topic, "kafka.graph_topic": self.graph_topic, "kafka.commands_topic": self.commands_topic, "kafka.group": self.group}


_topic_numbers = itertools.count(1)


@pytest.fixture
def apache_kafka(apache_kafka_server):
    """apache_kafka(partitions=1) -> .bootstrap, .topic, .dlq_topic, .graph_topic, .group, .ingest_options, .fanout_options"""
    return lambda partitions=1: Topics(apache_kafka_server, next(_topic_numbers), partitions)


@pytest.fixture
def daemon(tmp_path, bin_dir, secret_file, started):
    """daemon("gateway", redis__url=.., wait="/readyz", bin_dir=None, env=None) -> Daemon: started, and ready.

    Feeds do not sleep, unless feed.ttl_s is given: most tests are about what is written into a feed that is there. Clients are not told that feeds are stale, unless
    stale_after_ms is given: most tests of the gateway have no fan-out, of which nothing would be heard.
    Options have their own names with __ for the point, or come by **{"redis.url": ..}. Ports that are not given are free ones: .http_port,
    .admin_port. wait="/livez" or wait=None for a daemon that cannot be ready. Also .kill9(), .terminate() -> exit code, .start(),
    .metrics() -> dict, .metric(name) -> sum over labels, .log_text(), .log_tail(), .log_lines()."""
    numbers = itertools.count()
    default_bin_dir = bin_dir

    def start(name, wait="/readyz", bin_dir=None, env=None, **options):
        options = {option.replace("__", "."): value for option, value in options.items()}
        if name in ("fanout", "gateway"):
            options.setdefault("feed.ttl_s", 0)
        if name == "gateway":
            options.setdefault("stale_after_ms", 0)
        if name != "fanout":
            options.setdefault("auth.hs256_secret_file", secret_file)
        process = Daemon(name, tmp_path, bin_dir or default_bin_dir, options, env, log_name=f"{name}{next(numbers)}")
        started.append(process)
        return process.start(wait)

    return start
