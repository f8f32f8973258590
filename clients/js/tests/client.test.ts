/* The whole client over real sockets, against a scripted server. Waits between attempts are cut to nothing by a host
 * whose random numbers are 0; no case depends on how long something takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { FeedClient } from '../dist/client.js';
import type { ConnectOptions } from '../dist/client.js';
import { defaultHost } from '../dist/host.js';
import type { Host } from '../dist/host.js';
import { connect } from '../dist/index.js';
import { entry, FakeServer, numbers, push, slice } from './fake-server.js';

/* Counts what the client holds, and can stretch or trigger what would need time. */
class TestHost implements Host {
  WebSocket = WebSocket;
  randomValue = 0;
  timers = new Map<object, { fn: () => void; ms: number }>();
  wakers = new Set<() => void>();

  random(): number {
    return this.randomValue;
  }

  timer(fn: () => void, ms: number): () => void {
    const key = {};
    const real = ms === 0 ? setTimeout(() => this.#fire(key), 0) : undefined;
    this.timers.set(key, { fn, ms });
    return () => {
      clearTimeout(real);
      this.timers.delete(key);
    };
  }

  #fire(key: object): void {
    const timer = this.timers.get(key);
    this.timers.delete(key);
    timer?.fn();
  }

  /** The length of the one timer there may be. */
  get waitingMs(): number | undefined {
    assert.ok(this.timers.size <= 1, 'more than one timer');
    return [...this.timers.values()][0]?.ms;
  }

  nowMs = 0;

  now(): number {
    return this.nowMs;
  }

  fire(): void {
    for (const key of [...this.timers.keys()]) this.#fire(key);
  }

  onWake(fn: () => void): () => void {
    this.wakers.add(fn);
    return () => this.wakers.delete(fn);
  }

  wake(): void {
    for (const fn of [...this.wakers]) fn();
  }
}

interface Case {
  server: FakeServer;
  host: TestHost;
  start(options?: Partial<ConnectOptions>): FeedClient;
}

function withServer(name: string, run: (it: Case) => Promise<void>): void {
  test(name, async (context: TestContext) => {
    const server = await FakeServer.start();
    const host = new TestHost();
    let client: FeedClient | undefined;
    context.after(async () => {
      client?.close();
      await server.stop();
    });
    await run({
      server,
      host,
      start: (options) =>
        (client = new FeedClient({ url: server.url, token: () => 'token-1', feeds: ['home'], ...options }, host)),
    });
  });
}

/* Resolves when `holds` does, which it is asked after each event of the client. */
function until(client: FeedClient, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error('waited in vain')), 20_000);
    const stops: (() => void)[] = [];
    const look = (): void => {
      if (!holds()) return;
      clearTimeout(deadline);
      queueMicrotask(() => stops.forEach((stop) => stop()));
      resolve();
    };
    stops.push(client.on('status', look), client.on('error', look), client.on('closed', look), client.feed('home').subscribe(look));
  });
}

const statusIs = (client: FeedClient, status: string): Promise<void> => until(client, () => client.status === status);

withServer('before the token ends the connection gets a new one', async ({ server, host, start }) => {
  let made = 0;
  const client = start({ token: () => `token-${(made += 1)}` });
  host.nowMs = Date.parse('2029-12-31T23:00:00.000Z');
  const peer = await server.next();
  await peer.greet({ home: { position: 'p1' } });
  await statusIs(client, 'live');
  const heartbeat = { type: 'heartbeat', positions: { home: 'p1' } };
  peer.send(heartbeat);
  host.nowMs = Date.parse('2029-12-31T23:59:00.000Z');
  peer.send(heartbeat, heartbeat);
  const refresh = await peer.received.take('refresh');
  assert.deepEqual(refresh, { type: 'refresh', id: 'refresh', token: 'token-2' });
  peer.send({ type: 'refreshed', id: 'refresh', expires: '2030-01-01T01:00:00.000Z' }, heartbeat);
  peer.send(push('home', 'p2', entry(1)));
  await until(client, () => client.feed('home').entries.length === 1);
  assert.equal(peer.received.length, 0);
  assert.equal(made, 2);
});

withServer('a new token that cannot be had is asked for again', async ({ server, host, start }) => {
  let made = 0;
  const client = start({
    token: () => {
      if ((made += 1) === 2) throw new Error('not now');
      return `token-${made}`;
    },
  });
  const codes: string[] = [];
  client.on('error', ({ code }) => codes.push(code));
  host.nowMs = Date.parse('2029-12-31T23:59:00.000Z');
  const peer = await server.next();
  await peer.greet({ home: { position: 'p1' } });
  await statusIs(client, 'live');
  peer.send({ type: 'heartbeat', positions: { home: 'p1' } });
  await until(client, () => codes.length === 1);
  peer.send({ type: 'heartbeat', positions: { home: 'p1' } });
  assert.equal((await peer.received.take('refresh'))['token'], 'token-3');
  assert.deepEqual(codes, ['token_failed']);
  assert.equal(client.status, 'live');
});

withServer('older entries are loaded when they are asked for', async ({ server, start }) => {
  const client = start();
  await assert.rejects(client.feed('home').loadOlder(), { code: 'offline' });
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(9)], more: true } });
  await statusIs(client, 'live');
  const feed = client.feed('home');
  assert.equal(feed.snapshot.more, true);
  const [first, second] = [feed.loadOlder(2), feed.loadOlder()];
  const asked = await peer.received.take('page');
  assert.deepEqual(asked, { type: 'page', id: 'page:home', feed: 'home', limit: 2, before: { published: entry(9).published, id: entry(9).id } });
  peer.send({ type: 'page', id: asked['id'], feed: 'home', entries: [entry(8), entry(7)], more: true, next: entry(7) });
  assert.deepEqual([await first, await second], [true, true]);
  assert.deepEqual(numbers(feed.entries), [9, 8, 7]);
  const last = feed.loadOlder();
  await peer.received.take('page');
  peer.send({ type: 'page', id: 'page:home', feed: 'home', entries: [entry(6)], more: false, next: null, end: 'no_archive' });
  assert.equal(await last, false);
  assert.equal(feed.snapshot.more, false);
  assert.equal(await feed.loadOlder(), false);
  assert.equal(peer.received.length, 0);
});

withServer('a page that does not come is an error, and can be asked for again', async ({ server, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(9)], more: true } });
  await statusIs(client, 'live');
  const refused = client.feed('home').loadOlder();
  const asked = await peer.received.take('page');
  peer.send({ type: 'error', id: asked['id'], code: 'unavailable', message: 'not now', retryable: true });
  await assert.rejects(refused, { code: 'unavailable', retryable: true });
  const cut = client.feed('home').loadOlder();
  await peer.received.take('page');
  const lost = assert.rejects(cut, { code: 'offline' });
  peer.socket.terminate();
  await lost;
  assert.equal(client.status, 'offline');
});

withServer('it connects, says hello, and its feeds are live', async ({ server, start }) => {
  const client = start({ feeds: ['home', 'notifications'] });
  assert.equal(client.status, 'connecting');
  const peer = await server.next();
  assert.equal(peer.protocol, 'feedwire.v1.json');
  assert.equal(peer.url, '/v1/ws');
  const hello = await peer.greet({ home: { entries: [entry(2), entry(1)] } });
  assert.equal(hello['token'], 'token-1');
  assert.deepEqual(hello['feeds'], [{ feed: 'home' }, { feed: 'notifications' }]);
  await statusIs(client, 'live');
  assert.equal(client.user, 'ann');
  assert.deepEqual(numbers(client.feed('home').entries), [2, 1]);
  assert.equal(client.feed('notifications').status, 'live');
  peer.send(push('home', 'p1', entry(3)));
  await until(client, () => client.feed('home').entries.length === 3);
  assert.deepEqual(numbers(client.feed('home').entries), [3, 2, 1]);
});

withServer('a subscriber gets the snapshot at once, then each change, until it leaves', async ({ server, start }) => {
  const client = start();
  const seen: string[] = [];
  const stop = client.feed('home').subscribe(({ entries, status }) => seen.push(`${status} ${numbers(entries)}`));
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'live');
  peer.send(push('home', 'p1', entry(2)), push('home', 'p2', entry(2)), push('home', 'p3', entry(3)));
  await until(client, () => client.feed('home').entries.length === 3);
  stop();
  peer.send(push('home', 'p4', entry(4)));
  await until(client, () => client.feed('home').entries.length === 4);
  assert.deepEqual(seen, ['connecting ', 'live 1', 'live 2,1', 'live 3,2,1']);
});

withServer('the snapshot keeps its identity while nothing changes', async ({ server, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'live');
  const before = client.feed('home').snapshot;
  peer.send(push('home', 'p1', entry(1)), { type: 'heartbeat', positions: { home: 'p1' } }, { type: 'later' });
  peer.send({ type: 'error', code: 'unknown_type', message: '', retryable: false });
  await new Promise((resolve) => client.on('error', resolve));
  assert.equal(client.feed('home').snapshot, before);
});

withServer('after a cut it comes back with its position; a current slice keeps the entries', async ({ server, start }) => {
  const tokens = ['first', 'second'];
  const client = start({ token: async () => tokens.shift()! });
  const first = await server.next();
  await first.greet({ home: { entries: [entry(1)] } });
  first.send(push('home', 'p1', entry(2)));
  await until(client, () => client.feed('home').entries.length === 2);
  const before = client.feed('home').entries;
  const statuses: string[] = [];
  client.on('status', ({ status }) => statuses.push(status));
  first.socket.terminate();
  const second = await server.next();
  const hello = await second.greet({ home: { outcome: 'current', reset: false, position: 'p1' } });
  assert.equal(hello['token'], 'second');
  assert.deepEqual(hello['feeds'], [{ feed: 'home', position: 'p1' }]);
  await statusIs(client, 'live');
  assert.equal(client.feed('home').entries, before);
  assert.deepEqual(statuses, ['offline', 'connecting', 'live']);
});

withServer('who waits for their own activities hears how it ended', async ({ server, start }) => {
  const client = start();
  const feed = client.feed('home');
  const mine = [{ index: 0, id: entry(2).id, published: '', partition: 3, offset: 70 }];
  await assert.rejects(feed.await(mine), { code: 'offline' });
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'live');
  const [first, second, third] = [feed.await(mine), feed.await(mine, 500), feed.await(mine)];
  const asked = [await peer.received.take('await'), await peer.received.take('await'), await peer.received.take('await')];
  assert.deepEqual(asked[0], { type: 'await', id: 'await:1', feed: 'home', positions: [{ id: entry(2).id, partition: 3, offset: 70 }] });
  assert.equal(asked[1]!['timeout_ms'], 500);
  peer.send({ type: 'timeout', id: 'await:2', feed: 'home' }, push('home', 'p1', entry(2)), { type: 'visible', id: 'await:1', feed: 'home' });
  assert.equal(await second, 'timeout');
  assert.equal(await first, 'visible');
  assert.deepEqual(numbers(feed.entries), [2, 1]);
  const refused = feed.await(mine);
  peer.send({ type: 'error', code: 'busy', message: 'too many', retryable: true, id: 'await:4' });
  await assert.rejects(refused, { code: 'busy' });
  peer.socket.terminate();
  await assert.rejects(third, { code: 'offline' });
});

withServer('a feed that the server calls stale is, until it is fresh again', async ({ server, start }) => {
  const client = start({ feeds: ['home', 'notifications'] });
  const seen: string[] = [];
  client.on('status', ({ status }) => seen.push(status));
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'live');
  peer.send({ type: 'stale', feed: 'home', lag_ms: 7000 });
  await statusIs(client, 'stale');
  assert.equal(client.feed('home').status, 'stale');
  assert.equal(client.feed('notifications').status, 'live');
  peer.send(push('home', 'p1', entry(2)), { type: 'stale', lag_ms: 9000 });
  await until(client, () => client.feed('home').entries.length === 2);
  assert.equal(client.feed('home').status, 'stale');
  peer.send({ type: 'fresh', feed: 'home' });
  await until(client, () => client.feed('home').status === 'live');
  assert.equal(client.feed('notifications').status, 'stale');
  assert.equal(client.status, 'stale');
  peer.send({ type: 'fresh' });
  await statusIs(client, 'live');
  assert.equal(client.feed('notifications').status, 'live');
  assert.deepEqual(seen, ['live', 'stale', 'live']);
});

withServer('what was stale is not after a cut, unless it is said again', async ({ server, start }) => {
  const client = start();
  const first = await server.next();
  await first.greet({ home: { entries: [entry(1)] } });
  first.send({ type: 'stale', feed: 'home', lag_ms: 7000 });
  await statusIs(client, 'stale');
  first.socket.terminate();
  await statusIs(client, 'offline');
  const second = await server.next();
  await second.greet({ home: { outcome: 'current', reset: false, position: 'p0' } });
  await statusIs(client, 'live');
  second.send({ type: 'stale', feed: 'home', lag_ms: 7000 });
  await statusIs(client, 'stale');
});

withServer('after a cut a window replaces the entries', async ({ server, start }) => {
  const client = start();
  const first = await server.next();
  await first.greet({ home: { entries: [entry(2), entry(1)] } });
  await statusIs(client, 'live');
  first.socket.terminate();
  const second = await server.next();
  await second.greet({ home: { outcome: 'window', entries: [entry(5), entry(4), entry(2)], position: 'p5' } });
  await until(client, () => client.feed('home').entries.length === 3 && client.status === 'live');
  assert.deepEqual(numbers(client.feed('home').entries), [5, 4, 2]);
});

for (const code of [1001, 1011, 1012, 4000, 4001, 4401, 4499]) {
  withServer(`close code ${code} comes back`, async ({ server, start }) => {
    const client = start();
    const peer = await server.next();
    await peer.greet();
    await statusIs(client, 'live');
    peer.socket.close(code);
    await (await server.next()).greet();
    await statusIs(client, 'live');
  });
}

for (const code of [1002, 4500, 4501, 4503, 4999]) {
  withServer(`close code ${code} is final`, async ({ server, host, start }) => {
    const client = start();
    const peer = await server.next();
    await peer.received.take('hello');
    const closed: unknown[] = [];
    client.on('closed', (event) => closed.push(event));
    peer.send({ type: 'error', code: 'unauthorized', message: 'the token is wrong', retryable: false });
    peer.socket.close(code);
    await statusIs(client, 'closed');
    host.wake();
    client.close();
    assert.deepEqual(closed, [{ code, reason: 'unauthorized: the token is wrong' }]);
    assert.equal(client.feed('home').status, 'closed');
    assert.equal(host.timers.size, 0);
    assert.equal(host.wakers.size, 0);
    assert.equal(server.requests, 1);
  });
}

withServer('it obeys bye: not earlier, also when the network wakes up', async ({ server, host, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet();
  await statusIs(client, 'live');
  const offline = new Promise((resolve) => client.on('status', resolve));
  peer.send({ type: 'bye', reason: 'shutdown', retry_after_ms: 12_345 });
  peer.socket.close(1012);
  assert.deepEqual(await offline, { status: 'offline', retryInMs: 12_345, code: 1012, reason: 'shutdown' });
  assert.equal(host.waitingMs, 12_345);
  host.wake();
  assert.equal(client.status, 'offline');
  host.fire();
  await (await server.next()).greet();
  await statusIs(client, 'live');
});

withServer('the waits double while nothing answers, and begin anew after a heartbeat', async ({ server, host, start }) => {
  host.randomValue = 0.5;
  server.refuse = true;
  const client = start();
  for (const ms of [500, 1_000, 2_000]) {
    await statusIs(client, 'offline');
    assert.equal(host.waitingMs, ms);
    host.fire();
    assert.equal(client.status, 'connecting');
  }
  await statusIs(client, 'offline');
  server.refuse = false;
  host.fire();
  const second = await server.next();
  await second.greet();
  await statusIs(client, 'live');
  second.socket.terminate();
  await statusIs(client, 'offline');
  assert.equal(host.waitingMs, 8_000, 'a welcome alone is no proof');
  host.fire();
  const third = await server.next();
  await third.greet();
  third.send({ type: 'heartbeat', positions: {} }, { type: 'error', code: 'x', message: '', retryable: true });
  await new Promise((resolve) => client.on('error', resolve));
  third.socket.terminate();
  await statusIs(client, 'offline');
  assert.equal(host.waitingMs, 500);
});

withServer('it comes back at once when the network or the page wakes up', async ({ server, host, start }) => {
  host.randomValue = 0.5;
  const client = start();
  const peer = await server.next();
  await peer.greet();
  await statusIs(client, 'live');
  host.wake();
  assert.equal(client.status, 'live');
  peer.socket.terminate();
  await statusIs(client, 'offline');
  host.wake();
  host.wake();
  assert.equal(client.status, 'connecting');
  await (await server.next()).greet();
  await statusIs(client, 'live');
  assert.equal(server.requests, 2, 'one attempt at a time');
});

withServer('a connection that fell silent is left after two heartbeats', async ({ server, host, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet({}, 7_000);
  await statusIs(client, 'live');
  assert.equal(host.waitingMs, 14_000);
  const watch = [...host.timers.keys()][0];
  peer.send({ type: 'heartbeat', positions: { home: 'p0' } }, push('home', 'p1', entry(1)));
  await until(client, () => client.feed('home').entries.length === 1);
  assert.equal(host.waitingMs, 14_000);
  assert.notEqual([...host.timers.keys()][0], watch, 'what is heard begins the watch anew');
  host.fire();
  assert.equal(client.status, 'offline');
  await peer.closed.take('the end of the silent connection');
  await (await server.next()).greet({ home: { outcome: 'current', reset: false, position: 'p1' } });
  await statusIs(client, 'live');
});

withServer('what an abandoned socket still says has no effect', async ({ server, host, start }) => {
  /* A socket like a browser's, which cannot be terminated: the closing handshake gives the server time to speak. */
  class Polite extends WebSocket {
    override terminate = undefined as unknown as () => void;
  }
  const client = start({ WebSocket: Polite });
  const first = await server.next();
  await first.greet();
  await statusIs(client, 'live');
  host.fire();
  first.send(push('home', 'p9', entry(9)));
  const second = await server.next();
  first.send(push('home', 'p9', entry(9)));
  const hello = await second.greet({ home: { outcome: 'current', reset: false } });
  await statusIs(client, 'live');
  assert.deepEqual(hello['feeds'], [{ feed: 'home', position: 'p0' }]);
  assert.deepEqual(numbers(client.feed('home').entries), []);
});

withServer('a heartbeat that tells of something missed leads to a new window', async ({ server, start }) => {
  const client = start();
  const codes: string[] = [];
  client.on('error', ({ code }) => codes.push(code));
  const first = await server.next();
  await first.greet();
  first.send({ type: 'heartbeat', positions: { home: 'p5' } });
  const second = await server.next();
  await second.greet({ home: { outcome: 'window', entries: [entry(1)], position: 'p5' } });
  await until(client, () => client.feed('home').entries.length === 1);
  assert.deepEqual(codes, ['missed']);
});

withServer('nonsense from the server ends the connection, not the client', async ({ server, start }) => {
  const client = start();
  const codes: string[] = [];
  client.on('error', ({ code }) => codes.push(code));
  for (const nonsense of ['{', Buffer.from([1, 2, 3]), '{"type":"push","feed":"home"}']) {
    const peer = await server.next();
    await peer.greet();
    peer.socket.send(nonsense);
    await peer.closed.take('the end of the connection');
  }
  await (await server.next()).greet();
  await statusIs(client, 'live');
  assert.deepEqual(codes, Array(3).fill('bad_server_message'));
});

withServer('an attempt that gets nowhere is given up', async ({ server, host, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.received.take('hello');
  assert.equal(host.waitingMs, 30_000);
  host.fire();
  assert.equal(client.status, 'offline');
  await (await server.next()).greet();
  await statusIs(client, 'live');
});

withServer('a token function that fails is asked again', async ({ server, start }) => {
  let calls = 0;
  const client = start({
    token: () => {
      if (++calls === 1) throw new Error('thrown');
      return calls === 2 ? Promise.reject(new Error('rejected')) : 'token-3';
    },
  });
  const messages: string[] = [];
  client.on('error', ({ code, message }) => messages.push(`${code}, ${message}`));
  const peer = await server.next();
  assert.equal((await peer.greet())['token'], 'token-3');
  await statusIs(client, 'live');
  assert.deepEqual(messages, ['token_failed, no token: thrown', 'token_failed, no token: rejected'].slice(-messages.length));
  assert.ok(messages.length >= 1);
});

withServer('a token that comes too late is not used', async ({ server, host, start }) => {
  const givers: ((token: string) => void)[] = [];
  const client = start({ token: () => new Promise((resolve) => givers.push(resolve)) });
  host.fire();
  for (let i = 0; givers.length < 2 && i < 10_000; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  givers[0]!('late');
  givers[1]!('in time');
  assert.equal((await (await server.next()).greet())['token'], 'in time');
  await statusIs(client, 'live');
  assert.equal(server.requests, 1);
});

withServer('close() ends everything: socket, timer, listeners outside', async ({ server, host, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet();
  await statusIs(client, 'live');
  const closed: unknown[] = [];
  client.on('closed', (event) => closed.push(event));
  client.close();
  client.close();
  assert.equal(await peer.closed.take('the close'), 1000);
  assert.deepEqual(closed, [{ code: 1000, reason: 'closed by the application' }]);
  assert.equal(client.status, 'closed');
  assert.equal(host.timers.size, 0);
  assert.equal(host.wakers.size, 0);
});

withServer('close() at any earlier moment leaves nothing behind', async ({ server, host, start }) => {
  start({ token: () => new Promise(() => {}) }).close();
  assert.equal(host.timers.size, 0);
  const opening = start();
  await Promise.resolve();
  opening.close();
  host.randomValue = 0.5;
  server.refuse = true;
  const waiting = start();
  await statusIs(waiting, 'offline');
  waiting.close();
  assert.equal(host.timers.size, 0);
  assert.equal(host.wakers.size, 0);
});

withServer('a listener may close the client in the middle of a message', async ({ server, host, start }) => {
  const client = start();
  client.feed('home').subscribe(({ entries }) => entries.length > 0 && client.close());
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'closed');
  await peer.closed.take('the close');
  assert.equal(host.timers.size, 0);
});

withServer('a listener that throws disturbs nobody', async ({ server, start }) => {
  const shown = console.error;
  let complaints = 0;
  console.error = () => complaints++;
  try {
    const client = start();
    client.feed('home').subscribe(() => {
      throw new Error('mine');
    });
    const peer = await server.next();
    await peer.greet({ home: { entries: [entry(1)] } });
    await statusIs(client, 'live');
    assert.equal(complaints, 2);
  } finally {
    console.error = shown;
  }
});

withServer('slices in the middle of a session replace', async ({ server, start }) => {
  const client = start();
  const peer = await server.next();
  await peer.greet({ home: { entries: [entry(1)] } });
  await statusIs(client, 'live');
  peer.send(slice('home', { outcome: 'window', entries: [entry(3), entry(2)], position: 'p3' }));
  await until(client, () => client.feed('home').entries.length === 2);
  assert.deepEqual(numbers(client.feed('home').entries), [3, 2]);
  assert.equal(server.requests, 1);
});

test('options that cannot work are refused at once', () => {
  const token = (): string => 't';
  assert.throws(() => connect({ url: 'http://localhost/', token, WebSocket }), /ws: or wss:/);
  assert.throws(() => connect({ url: 'nonsense', token, WebSocket }), TypeError);
  assert.throws(() => connect({ url: 'ws://localhost/', token, WebSocket, feeds: [] }), /feeds is empty/);
  assert.throws(() => connect({ url: 'ws://localhost/', token, WebSocket, maxEntries: 0 }), RangeError);
  assert.throws(
    () => new FeedClient({ url: 'ws://localhost/', token }, { ...defaultHost(), WebSocket: undefined }),
    /no WebSocket/,
  );
});

test('connect() with the real timers, and a feed that was not asked for', async () => {
  const server = await FakeServer.start();
  const client = connect({ url: server.url, token: () => 't', WebSocket, backoff: { baseMs: 1 } });
  assert.throws(() => client.feed('profile' as 'home'), RangeError);
  (await server.next()).socket.terminate();
  await (await server.next()).greet();
  await statusIs(client, 'live');
  client.close();
  await server.stop();
});
