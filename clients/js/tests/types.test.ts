/* Checked by the compiler: what applications write must fit the declarations, also without the DOM's types, and what
 * is wrong must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connect } from '../dist/index.js';
import type { ConnectOptions, Entry, FeedClient, Snapshot, WebSocketConstructor } from '../dist/index.js';

const ofWs: WebSocketConstructor = WebSocket;
const least: ConnectOptions = { url: 'ws://x/', token: () => 't' };
const all: Required<ConnectOptions> = {
  url: 'ws://x/',
  token: async () => 't',
  feeds: ['home', 'notifications'],
  limit: 50,
  maxEntries: 500,
  WebSocket: ofWs,
  backoff: { baseMs: 1 },
};

export function uses(client: FeedClient): void {
  const stop: () => void = client.feed('home').subscribe((snapshot: Snapshot) => snapshot.entries.map((one: Entry) => one.object.id));
  stop();
  client.on('closed', ({ code, reason }) => `${code.toFixed()} ${reason}`);
  client.on('status', ({ status, retryInMs }) => status === 'offline' && retryInMs?.toFixed());
  // @ts-expect-error no such event
  client.on('open', () => {});
  // @ts-expect-error no such feed
  client.feed('outbox');
  // @ts-expect-error snapshots cannot be changed
  client.feed('home').entries.push();
  // @ts-expect-error a token is text
  connect({ url: 'ws://x/', token: async () => 7 });
  // @ts-expect-error no token
  connect({ url: 'ws://x/' });
}

test('the declarations fit', () => {
  assert.equal(typeof least.token, 'function');
  assert.equal(all.limit, 50);
});
