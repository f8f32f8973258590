// Kafka: acks=all, idempotent, and records wait for others as long as the linger says. The client sends one request at a
// time when it is idempotent, so what comes meanwhile goes into the next.
import { Producer, ProduceAcks, murmur2 } from '@platformatic/kafka';

const LINGER_MS = 2;
const RECORDS_MAX = 10_000; // in one request

export class Log {
  #producer;
  #topic;
  #partitions;
  #waiting = [];
  #busy = false;
  #timer = null;

  constructor({ brokers, topic, partitions }) {
    this.#producer = new Producer({
      clientId: 'feedwire-ingest-node',
      bootstrapBrokers: brokers.split(','),
      idempotent: true,
      acks: ProduceAcks.ALL,
    });
    this.#topic = topic;
    this.#partitions = partitions;
  }

  /** Resolves to the place [{partition, offset}] of each record {key, value, headers} once all are acknowledged. */
  append(records) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      if (!this.#busy) this.#timer ??= setTimeout(() => this.#send(), LINGER_MS);
    });
  }

  async #send() {
    this.#timer = null;
    this.#busy = true;
    while (this.#waiting.length > 0) await this.#sendSome(this.#take());
    this.#busy = false;
  }

  #take() {
    let records = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || records + this.#waiting[count].records.length <= RECORDS_MAX)) {
      records += this.#waiting[count++].records.length;
    }
    return this.#waiting.splice(0, count);
  }

  async #sendSome(appends) {
    const behind = new Int32Array(this.#partitions); // records of each partition so far
    const messages = [];
    const places = appends.map(({ records }) =>
      records.map(({ key, value, headers }) => {
        const partition = (murmur2(key) & 0x7fffffff) % this.#partitions;
        messages.push({ topic: this.#topic, partition, key, value, headers });
        return { partition, offset: behind[partition]++ };
      }),
    );
    try {
      const { offsets } = await this.#producer.send({ messages });
      const first = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
      appends.forEach(({ resolve }, i) => {
        for (const place of places[i]) place.offset += first.get(place.partition);
        resolve(places[i]);
      });
    } catch (error) {
      for (const { reject } of appends) reject(error);
    }
  }

  close() {
    return this.#producer.close();
  }
}
