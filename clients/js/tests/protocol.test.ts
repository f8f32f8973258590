import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadMessage, helloText, isFinalCode, readMessage } from '../dist/protocol.js';
import { entry, slice } from './fake-server.js';

const read = (message: unknown): unknown => readMessage(JSON.stringify(message));
const good = { type: 'push', feed: 'home', position: 'p', entries: [entry(1)] };

test('hello carries the token and the feeds', () => {
  const hello = JSON.parse(helloText('t', [{ feed: 'home', position: 'p' }]));
  assert.deepEqual(hello, { type: 'hello', id: 'hello', token: 't', feeds: [{ feed: 'home', position: 'p' }] });
});

test('known messages are read, unknown members stay', () => {
  const message = { ...good, extra: 1, entries: [entry(1, { target: { type: 'list', id: 'l' }, data: { a: [1] }, later: true })] };
  assert.deepEqual(read(message), message);
});

test('unknown types are skipped', () => {
  for (const type of ['marked', 'toString', '__proto__', '']) assert.equal(read({ type }), undefined);
});

test('malformed messages are refused', () => {
  const bad: unknown[] = [
    null,
    [],
    'text',
    7,
    {},
    { type: 7 },
    { ...good, feed: 1 },
    { type: 'remove', feed: 'home', position: 'p', final: true, ids: 'x' },
    { type: 'remove', feed: 'home', position: 'p', final: true, ids: [7] },
    { type: 'remove', feed: 'home', position: 'p', ids: [] },
    { ...good, position: undefined },
    { ...good, entries: {} },
    { ...good, entries: [null] },
    { ...good, entries: [entry(1, { id: 5 })] },
    { ...good, entries: [entry(1, { published: 'yesterday' })] },
    { ...good, entries: [entry(1, { object: null })] },
    { ...good, entries: [entry(1, { object: { type: 'post' } })] },
    { ...good, entries: [entry(1, { target: 'list' })] },
    { ...slice('home'), reset: 'true' },
    { ...slice('home'), more: undefined },
    { type: 'welcome', session: 's', tenant: 't', user: 'u', heartbeat_ms: '25000' },
    { type: 'heartbeat' },
    { type: 'heartbeat', positions: { home: 3 } },
    { type: 'error', code: 'x' },
    { type: 'bye', reason: 'r', retry_after_ms: 'soon' },
  ];
  for (const message of bad) assert.throws(() => read(message), BadMessage, JSON.stringify(message));
  assert.throws(() => readMessage('{"type":'), BadMessage);
  assert.throws(() => readMessage(new ArrayBuffer(3)), BadMessage);
});

test('which codes are final', () => {
  for (const code of [4500, 4501, 4503, 4777, 4999, 1002, 1007, 1009]) assert.equal(isFinalCode(code), true, String(code));
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4000, 4001, 4401, 4499, 5000]) {
    assert.equal(isFinalCode(code), false, String(code));
  }
});
