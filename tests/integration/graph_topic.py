"""Reads and writes the topic `graph` as schemas/kafka.md describes it, without Feedwire's code."""
import confluent_kafka
import msgpack


def partitions_of(bootstrap, topic):
    client = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "test-graph", "enable.auto.commit": False})
    try:
        return sorted(client.list_topics(topic, 20).topics[topic].partitions)
    finally:
        client.close()


def read_records(bootstrap, topic="graph"):
    """Every record until the ends of the partitions: [(key, value or None)], in order within a partition."""
    numbers = partitions_of(bootstrap, topic)
    consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "test-graph", "enable.auto.commit": False,
                                         "enable.partition.eof": True})
    consumer.assign([confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING) for number in numbers])
    records, ends = [], set()
    try:
        while len(ends) < len(numbers):
            message = consumer.poll(20)
            assert message is not None, "Kafka gave nothing for 20 s"
            if message.error() and message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                ends.add(message.partition())
                continue
            assert not message.error(), message.error()
            records.append((message.key().decode(), message.value()))
    finally:
        consumer.close()
    return records


def read_edges(bootstrap, topic="graph"):
    """What compaction would leave: key -> (since ms, ended ms)."""
    return {key: tuple(msgpack.unpackb(value)[:2]) for key, value in read_records(bootstrap, topic)}


def write_records(bootstrap, records, topic="graph"):
    """[(key, value bytes or None)]; returns when all are acknowledged."""
    failures = []
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for key, value in records:
        producer.produce(topic, value, key.encode(), on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    assert producer.flush(120) == 0
    assert not failures, failures[:3]


def edge(since_ms, ended_ms=0, *latest_ms):
    return msgpack.packb([since_ms, ended_ms, *latest_ms])
