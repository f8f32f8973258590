/* The messages of feedwire.v1.json (schemas/protocol.md) as types, and the reading of what the server sends. The
 * server may be newer than this client: unknown members are carried along and unknown types are skipped. What is known
 * but malformed is refused as a whole, because a feed with a hole in it must never look complete. */

export const SUBPROTOCOL = 'feedwire.v1.json';

export interface ObjectRef {
  readonly type: string;
  readonly id: string;
  readonly owner?: string;
}

/** One activity as it stands in a feed. */
export interface Entry {
  readonly id: string;
  readonly actor: string;
  readonly verb: string;
  readonly object: ObjectRef;
  readonly target?: { readonly type: string; readonly id: string };
  /** RFC 3339, UTC. */
  readonly published: string;
  readonly data?: unknown;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly session: string;
  readonly tenant: string;
  readonly user: string;
  readonly heartbeat_ms: number;
  /** When the token ends, RFC 3339. */
  readonly expires: string;
}

export interface Refreshed {
  readonly type: 'refreshed';
  readonly expires: string;
}

export interface Slice {
  readonly type: 'slice';
  readonly feed: string;
  /** `new`, `current`, `window` or `future`. */
  readonly outcome: string;
  /** True: the entries replace what is there. */
  readonly reset: boolean;
  readonly entries: readonly Entry[];
  readonly position: string;
  /** The feed has older entries than the last one of these. */
  readonly more: boolean;
}

export interface Push {
  readonly type: 'push';
  readonly feed: string;
  readonly entries: readonly Entry[];
  readonly position: string;
}

export interface Remove {
  readonly type: 'remove';
  readonly feed: string;
  readonly ids: readonly string[];
  /** True: they will not come again. Otherwise they may, as after an unfollow and another follow. */
  readonly final: boolean;
  readonly position: string;
}

/** Names an entry's place in a feed, whether it is there or not. */
export interface Place {
  readonly published: string;
  readonly id: string;
}

export interface Page {
  readonly type: 'page';
  readonly feed: string;
  readonly entries: readonly Entry[];
  /** The feed goes on below the last one of these, or below what was asked for if there are none. */
  readonly more: boolean;
  /** Where the next page begins; null: there is none. */
  readonly next: Place | null;
}

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly positions: Readonly<Record<string, string>>;
}

export interface ServerError {
  readonly type: 'error';
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** Of the message that caused it. */
  readonly id?: unknown;
}

export interface Bye {
  readonly type: 'bye';
  readonly reason: string;
  readonly retry_after_ms?: number;
}

/** The feed may be behind. */
export interface Stale {
  readonly type: 'stale';
  /** Undefined: all feeds. */
  readonly feed?: string;
  readonly lag_ms: number;
}

/** It is not any more. */
export interface Fresh {
  readonly type: 'fresh';
  readonly feed?: string;
}

/** The end of an `await`: the activities are in the feed, or are worked off and not in it, or nobody knows yet. */
export interface Awaited {
  readonly type: AwaitEnd;
  readonly id?: string;
  readonly feed: string;
}
export type AwaitEnd = 'visible' | 'passed' | 'timeout';

export type ServerMessage = Welcome | Refreshed | Slice | Push | Remove | Page | Heartbeat | Stale | Fresh | Awaited | ServerError | Bye;

/** The server sent something that is against the protocol. */
export class BadMessage extends Error {}

type Members = Record<string, unknown>;

function members(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadMessage(`${what} is not an object`);
  return value as Members;
}

function need(from: Members, name: string, type: 'string' | 'boolean' | 'number'): void {
  if (typeof from[name] !== type) throw new BadMessage(`"${name}" is not a ${type}`);
}

function checkRef(value: unknown, what: string): void {
  const ref = members(value, what);
  need(ref, 'type', 'string');
  need(ref, 'id', 'string');
}

function checkTime(from: Members, name: string): void {
  need(from, name, 'string');
  if (Number.isNaN(Date.parse(from[name] as string))) throw new BadMessage(`"${name}" is not a time`);
}

function checkEntry(value: unknown): void {
  const entry = members(value, 'an entry');
  for (const name of ['id', 'actor', 'verb']) need(entry, name, 'string');
  checkTime(entry, 'published');
  checkRef(entry['object'], '"object"');
  if (entry['target'] !== undefined) checkRef(entry['target'], '"target"');
}

function checkEntries(value: unknown): void {
  if (!Array.isArray(value)) throw new BadMessage('"entries" is not an array');
  value.forEach(checkEntry);
}

function checkIds(value: unknown): void {
  if (!Array.isArray(value)) throw new BadMessage('"ids" is not an array');
  if (value.some((id) => typeof id !== 'string')) throw new BadMessage('an id is not a string');
}

function checkAwaited(message: Members): void {
  need(message, 'feed', 'string');
  if (message['id'] !== undefined) need(message, 'id', 'string');
}

const CHECKS: Record<ServerMessage['type'], (message: Members) => void> = {
  welcome(message) {
    for (const name of ['session', 'tenant', 'user']) need(message, name, 'string');
    need(message, 'heartbeat_ms', 'number');
    checkTime(message, 'expires');
  },
  refreshed(message) {
    checkTime(message, 'expires');
  },
  slice(message) {
    for (const name of ['feed', 'outcome', 'position']) need(message, name, 'string');
    for (const name of ['reset', 'more']) need(message, name, 'boolean');
    checkEntries(message['entries']);
  },
  push(message) {
    for (const name of ['feed', 'position']) need(message, name, 'string');
    checkEntries(message['entries']);
  },
  remove(message) {
    for (const name of ['feed', 'position']) need(message, name, 'string');
    need(message, 'final', 'boolean');
    checkIds(message['ids']);
  },
  page(message) {
    need(message, 'feed', 'string');
    need(message, 'more', 'boolean');
    checkEntries(message['entries']);
    if (message['next'] === null) return;
    const next = members(message['next'], '"next"');
    for (const name of ['published', 'id']) need(next, name, 'string');
  },
  heartbeat(message) {
    const positions = members(message['positions'], '"positions"');
    for (const name of Object.keys(positions)) need(positions, name, 'string');
  },
  visible: checkAwaited,
  passed: checkAwaited,
  timeout: checkAwaited,
  stale(message) {
    if (message['feed'] !== undefined) need(message, 'feed', 'string');
    need(message, 'lag_ms', 'number');
  },
  fresh(message) {
    if (message['feed'] !== undefined) need(message, 'feed', 'string');
  },
  error(message) {
    for (const name of ['code', 'message']) need(message, name, 'string');
    need(message, 'retryable', 'boolean');
  },
  bye(message) {
    need(message, 'reason', 'string');
    if (message['retry_after_ms'] !== undefined) need(message, 'retry_after_ms', 'number');
  },
};

/** Reads one frame. Undefined: a type that this version does not know. Throws BadMessage. */
export function readMessage(data: unknown): ServerMessage | undefined {
  if (typeof data !== 'string') throw new BadMessage('a binary frame');
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new BadMessage('not JSON');
  }
  const message = members(value, 'a message');
  need(message, 'type', 'string');
  const type = message['type'] as string;
  if (!Object.hasOwn(CHECKS, type)) return undefined;
  CHECKS[type as ServerMessage['type']](message);
  return message as unknown as ServerMessage;
}

/** What a client may ask for in `hello`. */
export interface FeedRequest {
  feed: string;
  position?: string;
  limit?: number;
}

export function helloText(token: string, feeds: readonly FeedRequest[]): string {
  return JSON.stringify({ type: 'hello', id: 'hello', token, feeds });
}

export function refreshText(id: string, token: string): string {
  return JSON.stringify({ type: 'refresh', id, token });
}

export function pageText(id: string, feed: string, before: Place, limit?: number): string {
  return JSON.stringify({ type: 'page', id, feed, before: { published: before.published, id: before.id }, limit });
}

/** Where an activity is, as the answer of `POST /v1/activities` lists it. */
export interface Activity {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
}

export function awaitText(id: string, feed: string, activities: readonly Activity[], timeoutMs?: number): string {
  const positions = activities.map(({ id, partition, offset }) => ({ id, partition, offset }));
  return JSON.stringify({ type: 'await', id, feed, positions, timeout_ms: timeoutMs });
}

/* What the WebSocket protocol itself says to a peer that breaks it or sends too much: trying again cannot mend it. */
const OUR_FAULT = new Set([1002, 1007, 1009]);

/** Whether a client must not come back by itself (schemas/close-codes.json). All of 4500-4999, so that codes made later
 * are obeyed too. */
export function isFinalCode(code: number): boolean {
  return (code >= 4500 && code <= 4999) || OUR_FAULT.has(code);
}
