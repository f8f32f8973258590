import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session } from '../dist/session.js';
import { entry, numbers, push, remove, slice } from './fake-server.js';

const WELCOME = { type: 'welcome', session: 's', tenant: 'demo', user: 'ann', heartbeat_ms: 25_000, expires: '2030-01-01T00:00:00.000Z' };

function receive(session: Session, message: unknown): any[] {
  return session.receive(JSON.stringify(message));
}

function liveSession(feeds = ['home']): Session {
  const session = new Session(feeds, 500);
  session.begin('t');
  receive(session, WELCOME);
  for (const feed of feeds) receive(session, slice(feed, { entries: [entry(1)], position: 'p1' }));
  return session;
}

function assertDistrust(effects: any[], code: string): void {
  assert.deepEqual(effects.map((effect) => effect.do), ['report', 'drop']);
  assert.equal(effects[0].error.code, code);
}

test('the first hello has no positions; limit only if asked for', () => {
  assert.deepEqual(JSON.parse(new Session(['home'], 500).begin('t')).feeds, [{ feed: 'home' }]);
  assert.deepEqual(JSON.parse(new Session(['home'], 500, 10).begin('t')).feeds, [{ feed: 'home', limit: 10 }]);
});

test('welcome, then slices, then live once every feed is complete', () => {
  const session = new Session(['home', 'notifications'], 500);
  session.begin('t');
  assert.deepEqual(receive(session, WELCOME), [
    { do: 'welcomed', user: 'ann', heartbeatMs: 25_000 },
    { do: 'expires', atMs: Date.parse(WELCOME.expires) },
  ]);
  assert.deepEqual(receive(session, slice('notifications')), []);
  assert.equal(session.isLive('notifications'), true);
  assert.equal(session.isLive('home'), false);
  assert.deepEqual(receive(session, slice('home')), [{ do: 'live' }]);
  assert.deepEqual(receive(session, slice('home', { outcome: 'window', entries: [entry(4)] })), []);
  assert.deepEqual(numbers(session.feeds.get('home')!.entries), [4]);
});

test('positions outlast the connection, each feed with its own', () => {
  const session = liveSession(['home', 'notifications']);
  receive(session, push('home', 'p2', entry(2)));
  session.end(1006, '');
  assert.equal(session.isLive('home'), false);
  assert.deepEqual(JSON.parse(session.begin('t')).feeds, [
    { feed: 'home', position: 'p2' },
    { feed: 'notifications', position: 'p1' },
  ]);
  assert.deepEqual(numbers(session.feeds.get('home')!.entries), [2, 1]);
});

test('a heartbeat with our positions proves the connection', () => {
  const session = liveSession();
  assert.deepEqual(receive(session, { type: 'heartbeat', positions: { home: 'p1', other: 'x' } }), [{ do: 'steady' }]);
});

test('a heartbeat with another position means that something did not arrive', () => {
  assertDistrust(receive(liveSession(), { type: 'heartbeat', positions: { home: 'p2' } }), 'missed');
});

test('messages against the protocol end the connection', () => {
  const before = new Session(['home'], 500);
  before.begin('t');
  assertDistrust(receive(before, slice('home')), 'bad_server_message');
  assertDistrust(receive(before, push('home', 'p', entry(1))), 'bad_server_message');
  receive(before, WELCOME);
  assertDistrust(receive(before, push('home', 'p', entry(1))), 'bad_server_message');
  assertDistrust(receive(before, WELCOME), 'bad_server_message');
  assertDistrust(receive(before, slice('other')), 'bad_server_message');
  assertDistrust(receive(new Session(['home'], 500), { ...WELCOME, heartbeat_ms: 0 }), 'bad_server_message');
  assertDistrust(liveSession().receive('nonsense'), 'bad_server_message');
});

test('a malformed push changes nothing, not even the position', () => {
  const session = liveSession();
  assertDistrust(receive(session, push('home', 'p2', entry(2), { id: 7 })), 'bad_server_message');
  assert.deepEqual(numbers(session.feeds.get('home')!.entries), [1]);
  assert.equal(session.feeds.get('home')!.position, 'p1');
});

test('errors of the server are passed on', () => {
  const error = { code: 'unknown_type', message: 'what is that', retryable: false };
  assert.deepEqual(receive(liveSession(), { type: 'error', ...error }), [{ do: 'report', error }]);
});

test('the end: final or not, with the best reason there is', () => {
  const session = liveSession();
  assert.deepEqual(session.end(1006, ''), { final: false, code: 1006, reason: '' });
  receive(session, { type: 'error', code: 'unauthorized', message: 'the token has ended', retryable: false });
  assert.deepEqual(session.end(4501, ''), { final: true, code: 4501, reason: 'unauthorized: the token has ended' });
  assert.deepEqual(session.end(4503, 'forbidden'), { final: true, code: 4503, reason: 'forbidden' });
});

test('bye says when to come back, once, within reason', () => {
  const session = liveSession();
  const afterBye = (retry_after_ms?: number): unknown => {
    receive(session, { type: 'bye', reason: 'shutdown', retry_after_ms });
    return session.end(1012, '');
  };
  assert.deepEqual(afterBye(1234), { final: false, code: 1012, reason: 'shutdown', afterMs: 1234 });
  assert.deepEqual(afterBye(), { final: false, code: 1012, reason: 'shutdown' });
  assert.deepEqual(afterBye(-5), { final: false, code: 1012, reason: 'shutdown', afterMs: 0 });
  assert.deepEqual(afterBye(1e15), { final: false, code: 1012, reason: 'shutdown', afterMs: 3_600_000 });
  assert.deepEqual(session.end(1006, ''), { final: false, code: 1006, reason: '' });
});

test('a removal changes its feed, and needs its slice first', () => {
  const session = liveSession();
  assert.deepEqual(receive(session, remove('home', 'p2', true, { id: session.feeds.get('home')!.entries[0]!.id })), []);
  assert.deepEqual(numbers(session.feeds.get('home')!.entries), []);
  assert.equal(session.feeds.get('home')!.position, 'p2');
  const before = new Session(['home'], 500);
  receive(before, WELCOME);
  assertDistrust(receive(before, remove('home', 'p', true)), 'bad_server_message');
});
