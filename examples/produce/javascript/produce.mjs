// Puts activities into Kafka without ingest: one activity as JSON on each line of standard input. docs/produce-from-kafka.md
// is the contract.
//
//   npm install
//   node produce.mjs 127.0.0.1:9092 activities demo < activities.ndjson
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Producer, ProduceAcks, compatibilityPartitioner, stringSerializers } from '@platformatic/kafka';

const AT_ONCE = 500; // activities in one request

const [brokers, topic, tenant] = process.argv.slice(2);
if (!tenant) {
  console.error('usage: node produce.mjs BROKERS TOPIC TENANT < activities.ndjson');
  process.exit(2);
}

/** CloudEvents, binary mode. Who sends an activity again sends the same id, source and time, and nothing is doubled. */
function record(activity) {
  return {
    topic,
    key: `${tenant}/${activity.actor}`,
    value: JSON.stringify(activity),
    headers: {
      ce_specversion: '1.0',
      ce_type: 'feedwire.activity.v1',
      ce_source: '/examples/javascript',
      ce_id: activity.id ?? randomUUID(),
      ce_time: activity.published ?? new Date().toISOString(),
      ce_tenant: tenant,
      'content-type': 'application/json',
    },
  };
}

const producer = new Producer({
  clientId: 'feedwire-example',
  bootstrapBrokers: brokers.split(','),
  serializers: stringSerializers,
  idempotent: true,
  acks: ProduceAcks.ALL,
  // As Java's. The default of this client is another one: an author's activities would not stay in order with those by ingest.
  partitioner: compatibilityPartitioner,
});

async function send(messages) {
  if (messages.length === 0) return;
  const { offsets } = await producer.send({ messages });
  for (const { partition, offset } of offsets) console.log(JSON.stringify({ partition, offset: Number(offset) }));
}

let messages = [];
for await (const line of createInterface({ input: process.stdin })) {
  messages.push(record(JSON.parse(line)));
  if (messages.length < AT_ONCE) continue;
  await send(messages); // one request after the other: what an author does stays in order
  messages = [];
}
await send(messages);
await producer.close();
