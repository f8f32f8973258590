"""Producers of other teams write into Kafka themselves: the examples in examples/produce and the command of docs/produce-from-kafka.md, run as they are against a real Kafka, beside
ingest. One author's activities must go to one partition, whoever writes them, and all of them must arrive in the feeds."""
import json
import re
import shlex
import shutil
import subprocess
import sys

import confluent_kafka
import ingest_client
import pytest
import redis as redis_clients
from feedwire_dev import paths

EXAMPLES = paths.ROOT / "examples/produce"
PARTITIONS = 6  # no power of two: there, a hash with its sign would look right
ACTORS = [f"author{i}" for i in range(24)] + ["a", "x" * 128, "did:plc:x@y|z+1=~-"]
BUILD_S = 300  # the first time, packages are fetched


def lines(example):
    """Two activities of each author, with ids and times of their own, the second one younger."""
    made = []
    for number in range(2):
        for i, actor in enumerate(ACTORS):
            made.append({"id": f"{example}-{i}-{number}", "actor": actor, "verb": "post", "object": {"type": "note", "id": f"{example}{number}"}, "published": f"2026-01-02T03:04:0{number}Z"})
    return made


def run(command, activities, cwd=None):
    text = "".join(json.dumps(activity) + "\n" for activity in activities)
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, cwd=cwd, timeout=BUILD_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def python_example(kafka, _):
    run([sys.executable, EXAMPLES / "python/produce.py", kafka.bootstrap, kafka.topic, "demo"], lines("python"))


def javascript_example(kafka, folder):
    if not shutil.which("npm"):
        pytest.skip("needs Node with npm")
    package = folder / "javascript"
    shutil.copytree(EXAMPLES / "javascript", package, ignore=shutil.ignore_patterns("node_modules"))
    run(["npm", "ci", "--no-audit", "--no-fund"], [], package)
    run(["node", "produce.mjs", kafka.bootstrap, kafka.topic, "demo"], lines("javascript"), package)


def go_example(kafka, folder):
    version = re.search(r"go(\d+)\.(\d+)", subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout if shutil.which("go") else "")
    wanted = re.search(r"^go (\d+)\.(\d+)", (EXAMPLES / "go/go.mod").read_text(), re.M)
    if not version or tuple(map(int, version.groups())) < tuple(map(int, wanted.groups())):
        pytest.skip(f"needs Go {'.'.join(wanted.groups())}")
    run(["go", "build", "-o", folder / "produce", "."], [], EXAMPLES / "go")
    run([folder / "produce", kafka.bootstrap, kafka.topic, "demo"], lines("go"))


def kcat_command(kafka, _):
    """The command of the page, with another broker, topic, author and id."""
    if not shutil.which("kcat"):
        pytest.skip("needs kcat")
    page = (paths.ROOT / "docs/produce-from-kafka.md").read_text()
    command = re.search(r"```sh\n([^`]*kcat [^`]*)```", page)[1]
    for activity in lines("kcat"):
        text = command.replace("127.0.0.1:9092", kafka.bootstrap).replace("-t activities", f"-t {kafka.topic}").replace("demo/ann", shlex.quote(f"demo/{activity['actor']}")).replace("order-7", activity["id"])
        text = re.sub(r"ce_time=\S+", f"ce_time={activity['published']}", text).replace('"actor": "ann"', f'"actor": {json.dumps(activity["actor"])}')
        assert text.count(activity["actor"]) >= 2 and "ann" not in text and kafka.bootstrap in text and activity["id"] in text
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, timeout=ingest_client.DEADLINE_S)
        assert done.returncode == 0, done.stderr


def partitions_of_keys(kafka):
    """key -> the partitions in which it is."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": f"{kafka.group}-test", "enable.auto.commit": False})
    found = {}
    try:
        for partition in range(PARTITIONS):
            _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(kafka.topic, partition), ingest_client.DEADLINE_S)
            consumer.assign([confluent_kafka.TopicPartition(kafka.topic, partition, 0)])
            at = 0
            while at < end:
                message = consumer.poll(ingest_client.DEADLINE_S)
                assert message is not None and not message.error()
                found.setdefault(message.key().decode(), set()).add(partition)
                at = message.offset() + 1
    finally:
        consumer.close()
    return found


@pytest.mark.parametrize("example", [python_example, javascript_example, go_example, kcat_command])
def test_an_example_writes_what_reaches_the_feeds_in_the_partitions_of_ingest(example, apache_kafka, redis_server, daemon, tmp_path):
    kafka = apache_kafka(PARTITIONS)
    ingest = daemon("ingest", **kafka.ingest_options)
    fanout = daemon("fanout", **kafka.fanout_options, redis__url=redis_server.url)
    for start in range(0, len(ACTORS), 10):
        answer = ingest_client.send(ingest, [ingest_client.activity(actor) for actor in ACTORS[start : start + 10]])
        assert answer.status == 202, answer.text
    example(kafka, tmp_path)
    total = 3 * len(ACTORS)
    ingest_client.wait_until(lambda: fanout.metric("fanout_records_total") >= total, "all records are worked off")
    assert fanout.metrics()['fanout_records_total{result="done"}'] == total, fanout.log_tail()

    found = partitions_of_keys(kafka)
    assert set(found) == {f"demo/{actor}" for actor in ACTORS}
    assert {key: where for key, where in found.items() if len(where) > 1} == {}, "an author in two partitions"
    assert len(set.union(*found.values())) > PARTITIONS // 2, "they are spread"

    redis = redis_clients.Redis(port=redis_server.port)
    for actor in ACTORS:
        assert redis.zcard(f"o:{{demo/{actor}}}") == 1 + 3, actor  # with the member that holds the epoch
