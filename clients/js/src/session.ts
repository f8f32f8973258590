/* Session: the protocol from the client's side, without a socket. Frames and closes go in, what to do comes out; the
 * feeds and their positions live here and outlast each connection.
 *
 *            begin            welcome                a slice for every feed
 *   between ------> greeting --------> waiting --------------------------> live
 *      ^               |                  |                                 |
 *      '---------------+------------------+------------ end ---------------'                                        */
import { FeedState } from './feed-state.js';
import { awaitText, BadMessage, helloText, isFinalCode, pageText, readMessage, refreshText } from './protocol.js';
import type { Activity, AwaitEnd, FeedRequest, ServerError, ServerMessage } from './protocol.js';

/** What went wrong. `code` is the server's word, or one of `token_failed`, `bad_server_message`, `missed`,
 * `offline`. */
export interface FeedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export type Effect =
  | { readonly do: 'welcomed'; readonly user: string; readonly heartbeatMs: number }
  /** All feeds are complete on this connection. */
  | { readonly do: 'live' }
  /** The connection has lasted for a heartbeat. */
  | { readonly do: 'steady' }
  /** The token ends then, by the server's clock. */
  | { readonly do: 'expires'; readonly atMs: number }
  | { readonly do: 'report'; readonly error: FeedError }
  /** The page of this feed that was asked for is there, or will not come. */
  /** An await is over, one way or the other. */
  | { readonly do: 'awaited'; readonly number: number; readonly end?: AwaitEnd; readonly error?: FeedError }
  | { readonly do: 'paged'; readonly feed: string; readonly error?: FeedError }
  /** The connection cannot be trusted: leave it and come back. */
  | { readonly do: 'drop' };

/** What follows from the end of a connection. */
export type Ending =
  | { readonly final: true; readonly code: number; readonly reason: string }
  /** Come back after `afterMs`, or when there is none, after a backoff. */
  | { readonly final: false; readonly code: number; readonly reason: string; readonly afterMs?: number };

/* No server can send a client away, or keep it from noticing a dead connection, for longer than this. Also, setTimeout
 * takes what exceeds 2^31 ms for nothing at all. */
const SERVER_TIME_MAX_MS = 3_600_000;

/* Begins the id of a page message; its feed follows. */
const PAGE_ID = 'page:';
const AWAIT_ID = 'await:';

export class Session {
  readonly feeds: ReadonlyMap<string, FeedState>;
  readonly #limit: number | undefined;
  #welcomed = false;
  /* Feeds whose slice has come on this connection. */
  readonly #complete = new Set<string>();
  /* Feeds that the server called stale on it. */
  readonly #stale = new Set<string>();
  #retryAfterMs: number | undefined;
  #farewell: string | undefined;

  constructor(feeds: readonly string[], maxEntries: number, limit?: number) {
    this.feeds = new Map(feeds.map((feed) => [feed, new FeedState(maxEntries)]));
    this.#limit = limit;
  }

  /** A connection has opened; gives the first frame. */
  begin(token: string): string {
    return helloText(token, [...this.feeds].map(([feed, state]) => this.#request(feed, state)));
  }

  #request(feed: string, state: FeedState): FeedRequest {
    return {
      feed,
      ...(state.position !== undefined && { position: state.position }),
      ...(this.#limit !== undefined && { limit: this.#limit }),
    };
  }

  isLive(feed: string): boolean {
    return this.#complete.has(feed);
  }

  /** Gives the frame that offers a new token. */
  refresh(token: string): string {
    return refreshText('refresh', token);
  }

  /** Asks for older entries; gives the frame. Undefined: there are none. The feed is live, and no page of it under way. */
  page(feed: string, limit?: number): string | undefined {
    const before = this.feeds.get(feed)?.pageBefore;
    return before === undefined ? undefined : pageText(PAGE_ID + feed, feed, before, limit);
  }

  /** Asks whether these activities have got into the feed; gives the frame. `number` names it in the effect `awaited`. */
  await(number: number, feed: string, activities: readonly Activity[], timeoutMs?: number): string {
    return awaitText(AWAIT_ID + number, feed, activities, timeoutMs);
  }

  /** The server says that this feed may be behind; without a name: that any of them may. */
  isStale(feed?: string): boolean {
    return feed === undefined ? this.#stale.size > 0 : this.#stale.has(feed);
  }

  receive(data: unknown): Effect[] {
    try {
      const message = readMessage(data);
      return message === undefined ? [] : this.#take(message);
    } catch (problem) {
      if (!(problem instanceof BadMessage)) throw problem;
      return distrust('bad_server_message', `the server sent a message that cannot be used: ${problem.message}`);
    }
  }

  #take(message: ServerMessage): Effect[] {
    switch (message.type) {
      case 'welcome':
        if (this.#welcomed) throw new BadMessage('a second welcome');
        if (!(message.heartbeat_ms > 0)) throw new BadMessage('"heartbeat_ms" is not positive');
        this.#welcomed = true;
        return [
          { do: 'welcomed', user: message.user, heartbeatMs: Math.min(message.heartbeat_ms, SERVER_TIME_MAX_MS) },
          { do: 'expires', atMs: Date.parse(message.expires) },
        ];
      case 'refreshed':
        return [{ do: 'expires', atMs: Date.parse(message.expires) }];
      case 'slice': {
        const state = this.#stateOf(message.feed);
        state.applySlice(message);
        if (this.#complete.has(message.feed)) return [];
        this.#complete.add(message.feed);
        return this.#complete.size === this.feeds.size ? [{ do: 'live' }] : [];
      }
      case 'push':
      case 'remove': {
        const state = this.#completeStateOf(message);
        if (message.type === 'push') state.applyPush(message);
        else state.applyRemove(message);
        return [];
      }
      case 'page':
        this.#completeStateOf(message).applyPage(message);
        return [{ do: 'paged', feed: message.feed }];
      case 'heartbeat':
        return this.#checkPositions(message.positions);
      case 'visible':
      case 'passed':
      case 'timeout':
        if (!message.id?.startsWith(AWAIT_ID)) throw new BadMessage('an answer to nothing');
        return [{ do: 'awaited', number: Number(message.id.slice(AWAIT_ID.length)), end: message.type }];
      case 'stale':
      case 'fresh':
        for (const feed of message.feed === undefined ? this.feeds.keys() : [message.feed]) {
          this.#stateOf(feed);
          if (message.type === 'stale') this.#stale.add(feed);
          else this.#stale.delete(feed);
        }
        return [];
      case 'error':
        return this.#takeError(message);
      case 'bye':
        this.#farewell = message.reason;
        if (message.retry_after_ms !== undefined) {
          this.#retryAfterMs = Math.min(Math.max(message.retry_after_ms, 0), SERVER_TIME_MAX_MS);
        }
        return [];
    }
  }

  #takeError({ code, message, retryable, id }: ServerError): Effect[] {
    const error = { code, message, retryable };
    if (typeof id === 'string' && id.startsWith(PAGE_ID)) return [{ do: 'paged', feed: id.slice(PAGE_ID.length), error }];
    if (typeof id === 'string' && id.startsWith(AWAIT_ID)) return [{ do: 'awaited', number: Number(id.slice(AWAIT_ID.length)), error }];
    /* Before welcome it tells why the close that follows will come. */
    this.#farewell = `${code}: ${message}`;
    return [{ do: 'report', error }];
  }

  #completeStateOf({ type, feed }: { type: string; feed: string }): FeedState {
    const state = this.#stateOf(feed);
    if (!this.#complete.has(feed)) throw new BadMessage(`a ${type} before the slice of its feed`);
    return state;
  }

  #stateOf(feed: string): FeedState {
    const state = this.feeds.get(feed);
    if (!this.#welcomed) throw new BadMessage('entries before the welcome');
    if (state === undefined) throw new BadMessage('a feed that was not asked for');
    return state;
  }

  /* A connection that pings but does not deliver is found by the positions: frames come in order, so what a heartbeat
   * says must be what we have. */
  #checkPositions(positions: Readonly<Record<string, string>>): Effect[] {
    for (const [feed, state] of this.feeds) {
      const theirs = Object.hasOwn(positions, feed) ? positions[feed] : undefined;
      if (theirs !== undefined && this.#complete.has(feed) && theirs !== state.position) {
        return distrust('missed', `something of "${feed}" did not arrive`);
      }
    }
    return [{ do: 'steady' }];
  }

  /** The connection, or the attempt at one, is over. */
  end(code: number, reason: string): Ending {
    const why = reason || this.#farewell || '';
    const afterMs = this.#retryAfterMs;
    this.#welcomed = false;
    this.#complete.clear();
    this.#stale.clear();
    this.#retryAfterMs = undefined;
    this.#farewell = undefined;
    if (isFinalCode(code)) return { final: true, code, reason: why };
    return { final: false, code, reason: why, ...(afterMs !== undefined && { afterMs }) };
  }
}

function distrust(code: string, message: string): Effect[] {
  return [{ do: 'report', error: { code, message, retryable: true } }, { do: 'drop' }];
}
