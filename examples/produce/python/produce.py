"""Puts activities into Kafka without ingest: one activity as JSON on each line of standard input. docs/produce-from-kafka.md is the contract.

    pip install confluent-kafka
    python3 produce.py 127.0.0.1:9092 activities demo < activities.ndjson
"""

import datetime
import json
import sys
import uuid

from confluent_kafka import Producer


def headers(activity, tenant):
    """CloudEvents, binary mode. Who sends an activity again sends the same id, source and time, and nothing is doubled."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "ce_specversion": "1.0",
        "ce_type": "feedwire.activity.v1",
        "ce_source": "/examples/python",
        "ce_id": activity.get("id") or str(uuid.uuid4()),
        "ce_time": activity.get("published") or now,
        "ce_tenant": tenant,
        "content-type": "application/json",
    }


def main(brokers, topic, tenant):
    failures = []

    def report(error, message):
        if error:
            failures.append(error)
        else:
            print(json.dumps({"key": message.key().decode(), "partition": message.partition(), "offset": message.offset()}))

    producer = Producer(
        {
            "bootstrap.servers": brokers,
            "enable.idempotence": True,  # and with it acks=all
            "partitioner": "murmur2_random",  # librdkafka's own default is another one: an author's activities would not stay in order with those by ingest
        }
    )
    for line in sys.stdin:
        activity = json.loads(line)
        while True:
            try:
                producer.produce(topic, json.dumps(activity), f"{tenant}/{activity['actor']}", headers=headers(activity, tenant), on_delivery=report)
                break
            except BufferError:  # its queue is full
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    if failures:
        sys.exit(f"{len(failures)} activities were not acknowledged; the first: {failures[0]}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: produce.py BROKERS TOPIC TENANT < activities.ndjson")
    main(*sys.argv[1:])
