// The API of feedwire-ingest written in Node: what bench/ingest asks of it. POST /v1/activities with one activity or a
// list, checked against the same JSON Schema, put into Kafka as the records of schemas/kafka.md, and answered when they
// are acknowledged. The value of a record is JSON, which the contract allows and which Node makes fastest.
//
//   node server.mjs PORT BROKERS TOPIC PARTITIONS SECRET_FILE
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fastify from 'fastify';
import { Tokens } from './auth.mjs';
import { Log } from './log.mjs';

const ACTIVITIES_MAX = 1000;
const BODY_MAX = 1024 * 1024;
const FUTURE_MS = 60_000;
const [port, brokers, topic, partitions, secretFile] = process.argv.slice(2);

const tokens = new Tokens(readFileSync(secretFile));
const log = new Log({ brokers, topic, partitions: Number(partitions) });
const schema = JSON.parse(readFileSync(new URL('../../../schemas/activity.schema.json', import.meta.url)));
const ajv = new Ajv2020({ strict: false, formats: { 'date-time': (text) => !Number.isNaN(Date.parse(text)) } });
const valid = ajv.compile(schema);

const answerSchema = {
  202: {
    type: 'object',
    properties: {
      accepted: { type: 'integer' },
      activities: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            index: { type: 'integer' },
            id: { type: 'string' },
            published: { type: 'string' },
            partition: { type: 'integer' },
            offset: { type: 'integer' },
          },
        },
      },
    },
  },
};

const CONSTANT = [
  ['ce_specversion', '1.0'],
  ['ce_source', '/feedwire'],
  ['ce_type', 'feedwire.activity.v1'],
  ['content-type', 'application/json'],
].map((pair) => pair.map((text) => Buffer.from(text)));
const [CE_ID, CE_TIME, CE_TENANT, TRACEPARENT] = ['ce_id', 'ce_time', 'ce_tenant', 'traceparent'].map((text) => Buffer.from(text));

/** UUIDv7: the time, the index, and what is random for the request. */
function makeId(ms, index, random) {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${index.toString(16).padStart(3, '0')}-${random}`;
}

function randomPart() {
  const bytes = randomBytes(8);
  bytes[0] = 0x80 | (bytes[0] & 0x3f);
  const text = bytes.toString('hex');
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

function traceparent() {
  const text = randomBytes(24).toString('hex');
  return Buffer.from(`00-${text.slice(0, 32)}-${text.slice(32)}-00`);
}

/** What is wrong with the activities, or null. */
function problem(activities, claims, now) {
  for (let index = 0; index < activities.length; index++) {
    const activity = activities[index];
    if (!valid(activity)) return { status: 422, detail: `activity ${index}: ${ajv.errorsText(valid.errors)}` };
    if (activity.id && Date.parse(activity.published) > now + FUTURE_MS) return { status: 422, detail: `activity ${index}: published is in the future` };
    if (!claims.mayPublish && activity.actor !== claims.sub) return { status: 403, detail: `activity ${index}: is not the token's user` };
  }
  return null;
}

async function take(activities, claims, reply) {
  const now = Date.now();
  const wrong = problem(activities, claims, now);
  if (wrong) return reply.code(wrong.status).send(wrong);
  const random = randomPart();
  const tenant = Buffer.from(claims.tenant);
  const trace = traceparent();
  const present = new Date(now).toISOString();
  const items = [];
  const records = activities.map((activity, index) => {
    const id = activity.id ?? makeId(now, index, random);
    const published = activity.id && activity.published ? new Date(activity.published).toISOString() : present;
    items.push({ index, id, published, partition: 0, offset: 0 });
    const headers = new Map(CONSTANT);
    headers.set(CE_ID, Buffer.from(id)).set(CE_TIME, Buffer.from(published)).set(CE_TENANT, tenant).set(TRACEPARENT, trace);
    return { key: Buffer.from(`${claims.tenant}/${activity.actor}`), value: Buffer.from(JSON.stringify(activity)), headers };
  });
  const places = await log.append(records);
  for (let i = 0; i < items.length; i++) Object.assign(items[i], places[i]);
  return reply.code(202).send({ accepted: items.length, activities: items });
}

const app = fastify({ bodyLimit: BODY_MAX });
app.post('/v1/activities', { schema: { response: answerSchema } }, (request, reply) => {
  const claims = tokens.claims(request.headers.authorization);
  if (!claims) return reply.code(401).send({ status: 401, detail: 'The token does not hold.' });
  const activities = Array.isArray(request.body) ? request.body : [request.body];
  if (activities.length === 0 || activities.length > ACTIVITIES_MAX) return reply.code(422).send({ status: 422, detail: '1 to 1,000 activities' });
  return take(activities, claims, reply);
});
await app.listen({ host: '127.0.0.1', port: Number(port) });
console.log(JSON.stringify({ event: 'listening' }));
