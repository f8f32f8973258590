/* @feedwire/client: a live feed from a Feedwire gateway. */
import { FeedClient } from './client.js';
import type { ConnectOptions } from './client.js';
import { defaultHost } from './host.js';

/** Begins to connect, and stays connected until `close()` or until the server says that coming back is of no use. */
export function connect(options: ConnectOptions): FeedClient {
  return new FeedClient(options, defaultHost());
}

export type { ClientEvents, ClosedEvent, ConnectOptions, FeedClient, FeedName, StatusEvent } from './client.js';
export type { WebSocketConstructor, WebSocketLike } from './host.js';
export type { Activity, AwaitEnd, Entry, ObjectRef } from './protocol.js';
export type { FeedError } from './session.js';
export type { Feed, Snapshot, Status } from './store.js';
