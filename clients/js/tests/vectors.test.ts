/* What schemas/ says to all clients: close codes, and the golden vectors that the servers are tested with too. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compareEntries } from '../dist/feed-state.js';
import { isFinalCode, readMessage } from '../dist/protocol.js';
import { Session } from '../dist/session.js';
import { push, slice } from './fake-server.js';

const read = (path: string): any => JSON.parse(readFileSync(new URL(`../../../schemas/${path}`, import.meta.url), 'utf8'));

interface EntryVector {
  name: string;
  hex: string;
  json: any;
  published_ms: number;
}

const entries: EntryVector[] = [...read('vectors/entry.json').encode, ...read('vectors/entry.json').decode].filter((one) => one.json);

test('close codes: each row, and the ranges for codes made later', () => {
  const { come_back, stay_away, codes } = read('close-codes.json');
  const received = codes.filter((row: any) => row.sent_by !== 'client');
  assert.ok(received.length > 5);
  for (const { code, come_back } of received) assert.equal(isFinalCode(code), !come_back, String(code));
  for (let code = come_back[0]; code <= come_back[1]; code++) assert.equal(isFinalCode(code), false, String(code));
  for (let code = stay_away[0]; code <= stay_away[1]; code++) assert.equal(isFinalCode(code), true, String(code));
});

test('every entry is read as it is', () => {
  assert.ok(entries.length > 5);
  for (const { name, json } of entries) {
    const message = push('home', 'p', json);
    assert.deepEqual(readMessage(JSON.stringify(message)), message, name);
  }
});

test('every removal is read as it is', () => {
  const { removed } = read('vectors/notice.json');
  assert.ok(removed.length > 1);
  for (const { name, message } of removed) assert.deepEqual(readMessage(JSON.stringify(message)), message, name);
});

test('the order by time and id text is that by score and id bytes', () => {
  const bytes = ({ published_ms, hex }: EntryVector): string => String(published_ms).padStart(20, '0') + hex.slice(0, 32);
  for (const a of entries) {
    for (const b of entries) {
      const expected = bytes(a) === bytes(b) ? 0 : bytes(a) > bytes(b) ? -1 : 1;
      assert.equal(Math.sign(compareEntries(a.json, b.json)), expected, `${a.name} and ${b.name}`);
    }
  }
});

test('positions are returned letter for letter', () => {
  const { valid } = read('vectors/position.json');
  assert.ok(valid.length > 0);
  for (const { text } of valid) {
    const session = new Session(['home'], 10);
    session.begin('t');
    session.receive(JSON.stringify({ type: 'welcome', session: 's', tenant: 't', user: 'u', heartbeat_ms: 1, expires: '2030-01-01T00:00:00.000Z' }));
    session.receive(JSON.stringify(slice('home', { position: text })));
    session.end(1006, '');
    assert.equal(JSON.parse(session.begin('t')).feeds[0].position, text);
  }
});

const versions = read('vectors/versions.json');

test('messages of an older and of a newer server are read, with what is known in its place', () => {
  for (const list of ['messages_older', 'messages_newer']) {
    assert.ok(versions[list].length > 5);
    for (const { name, message } of versions[list]) assert.deepEqual(readMessage(JSON.stringify(message)), message, name);
  }
});

test('messages of types made later are skipped', () => {
  assert.ok(versions.messages_unknown.length > 0);
  for (const { name, message } of versions.messages_unknown) assert.equal(readMessage(JSON.stringify(message)), undefined, name);
});

test('a session with a newer server has the same feed as with an older one', () => {
  const feedAfter = (list: string): string[] => {
    const session = new Session(['home'], 10);
    session.begin('t');
    for (const { message } of [...versions[list], ...versions.messages_unknown]) if (message.type !== 'bye') session.receive(JSON.stringify(message));
    return session.feeds.get('home')!.entries.map(({ id }) => id);
  };
  assert.equal(feedAfter('messages_newer').length, 1);
  assert.deepEqual(feedAfter('messages_newer'), feedAfter('messages_older'));
});
