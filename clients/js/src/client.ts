/* Client: brings the session together with sockets, timers and the application. There is at most one socket and at
 * most one timer at any moment, and both belong to the present state:
 *
 *   state        socket    timer
 *   connecting   one       gives the attempt up, from asking for the token to the last slice
 *   live, stale  one       nothing was heard for two heartbeats
 *   offline      none      begins the next attempt
 *   closed       none      none
 *
 * A socket that was left, and a token that comes too late, find that `#link` is another one, and have no effect. */
import { Backoff } from './backoff.js';
import type { BackoffOptions } from './backoff.js';
import type { Host, WebSocketConstructor, WebSocketLike } from './host.js';
import { Listeners } from './listeners.js';
import { SUBPROTOCOL } from './protocol.js';
import type { Activity, AwaitEnd } from './protocol.js';
import { Session } from './session.js';
import type { FeedError } from './session.js';
import { FeedStore } from './store.js';
import type { Feed, Status } from './store.js';

export type FeedName = 'home' | 'notifications';

export interface ConnectOptions {
  /** Of the gateway, e.g. `wss://feed.example.org/v1/ws`. */
  url: string;
  /** Called before each attempt; has 30 s. */
  token: () => string | Promise<string>;
  /** Both, unless told otherwise. */
  feeds?: readonly FeedName[];
  /** Entries of the first slice; the server's default is 50. */
  limit?: number;
  /** Kept of a feed; the oldest go. 500. */
  maxEntries?: number;
  /** Where there is none, as in Node before 22: that of the package `ws`. */
  WebSocket?: WebSocketConstructor;
  /** Limits of the random waits between attempts: the first, and all. 1 s and 30 s. */
  backoff?: Partial<BackoffOptions>;
}

export interface StatusEvent {
  readonly status: Status;
  /** While offline: when the next attempt begins. */
  readonly retryInMs?: number;
  /** Close code and reason of the connection that ended, when one did. */
  readonly code?: number;
  readonly reason?: string;
}

export interface ClosedEvent {
  /** 1000 when the application closed, else the server's code. */
  readonly code: number;
  readonly reason: string;
}

export interface ClientEvents {
  status: StatusEvent;
  error: FeedError;
  closed: ClosedEvent;
}

const ATTEMPT_MS = 30_000;
/* A token that ends within so many heartbeats is renewed with the next one. */
const RENEW_HEARTBEATS = 3;
const BACKOFF: BackoffOptions = { baseMs: 1_000, maxMs: 30_000 };

/* A promise with its two ends. */
class Waiting<T> {
  resolve!: (value: T) => void;
  reject!: (error: FeedError) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

function offline(): FeedError {
  return { code: 'offline', message: 'there is no connection', retryable: true };
}

interface Link {
  socket?: WebSocketLike;
  /* Unknown while a new token is on its way: it is offered once. */
  tokenEndsMs?: number;
}

export class FeedClient {
  status: Status = 'connecting';
  /** Whose feeds these are; known after the first welcome. */
  user: string | undefined;

  readonly #options: ConnectOptions;
  readonly #host: Host;
  readonly #WebSocket: WebSocketConstructor;
  readonly #session: Session;
  readonly #backoff: Backoff;
  readonly #stores = new Map<string, FeedStore>();
  readonly #listeners = {
    status: new Listeners<StatusEvent>(),
    error: new Listeners<FeedError>(),
    closed: new Listeners<ClosedEvent>(),
  };
  readonly #stopWaking: () => void;
  #link: Link | undefined;
  #stopTimer: () => void = () => {};
  /* Pages that were asked for on this connection, one a feed. */
  readonly #pages = new Map<string, Waiting<boolean>>();
  readonly #awaits = new Map<number, Waiting<AwaitEnd>>();
  #awaitNumber = 0;
  #heartbeatMs = 0;
  /* The server said when to come back: not earlier, whatever happens here. */
  #obliged = false;

  /** Throws if the options cannot work. */
  constructor(options: ConnectOptions, host: Host) {
    const feeds = options.feeds ?? ['home', 'notifications'];
    const maxEntries = options.maxEntries ?? 500;
    const WebSocket = options.WebSocket ?? host.WebSocket;
    if (!/^wss?:$/.test(new URL(options.url).protocol)) throw new TypeError('url must begin with ws: or wss:');
    if (WebSocket === undefined) throw new TypeError('There is no WebSocket here: pass one, e.g. that of the package "ws"');
    if (feeds.length === 0) throw new TypeError('feeds is empty');
    if (!(maxEntries >= 1)) throw new RangeError('maxEntries must be at least 1');
    this.#options = options;
    this.#host = host;
    this.#WebSocket = WebSocket;
    this.#session = new Session(feeds, maxEntries, options.limit);
    this.#backoff = new Backoff({ ...BACKOFF, ...options.backoff }, () => host.random());
    for (const [feed, state] of this.#session.feeds) {
      this.#stores.set(feed, new FeedStore(state, 'connecting', (limit) => this.#loadOlder(feed, limit), (activities, timeoutMs) => this.#await(feed, activities, timeoutMs)));
    }
    this.#stopWaking = host.onWake(() => this.#wake());
    void this.#attempt();
  }

  /** One of the feeds that were asked for. */
  feed(name: FeedName): Feed {
    const store = this.#stores.get(name);
    if (store === undefined) throw new RangeError(`"${name}" is not among the feeds of this client`);
    return store;
  }

  /** Calls `listener` for each event, until the function that it returns is called. */
  on<Name extends keyof ClientEvents>(event: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return (this.#listeners[event] as unknown as Listeners<ClientEvents[Name]>).add(listener);
  }

  async #loadOlder(feed: string, limit?: number): Promise<boolean> {
    const underWay = this.#pages.get(feed);
    if (underWay !== undefined) return underWay.promise;
    if (this.#link?.socket === undefined || !this.#session.isLive(feed)) throw offline();
    const frame = this.#session.page(feed, limit);
    if (frame === undefined) return false;
    const page = new Waiting<boolean>();
    this.#pages.set(feed, page);
    this.#link.socket.send(frame);
    return page.promise;
  }

  async #await(feed: string, activities: readonly Activity[], timeoutMs?: number): Promise<AwaitEnd> {
    if (this.#link?.socket === undefined || !this.#session.isLive(feed)) throw offline();
    const waiting = new Waiting<AwaitEnd>();
    const number = ++this.#awaitNumber;
    this.#awaits.set(number, waiting);
    this.#link.socket.send(this.#session.await(number, feed, activities, timeoutMs));
    return waiting.promise;
  }

  #endAwait(number: number, end?: AwaitEnd, error: FeedError = offline()): void {
    const waiting = this.#awaits.get(number);
    this.#awaits.delete(number);
    if (end === undefined) waiting?.reject(error);
    else waiting?.resolve(end);
  }

  /* What was asked over a connection that is gone. */
  #endAll(): void {
    for (const feed of [...this.#pages.keys()]) this.#endPage(feed, offline());
    for (const number of [...this.#awaits.keys()]) this.#endAwait(number);
  }

  #endPage(feed: string, error?: FeedError): void {
    const page = this.#pages.get(feed);
    this.#pages.delete(feed);
    if (error === undefined) page?.resolve(this.#session.feeds.get(feed)!.canPage);
    else page?.reject(error);
  }

  /** Ends it for good. */
  close(): void {
    if (this.status === 'closed') return;
    this.#leave((socket) => socket.close(1000));
    this.#finish({ code: 1000, reason: 'closed by the application' });
  }

  async #attempt(): Promise<void> {
    const link: Link = {};
    this.#link = link;
    this.#obliged = false;
    this.#setTimer(ATTEMPT_MS, () => this.#lose(0, 'the attempt took too long'));
    this.#become({ status: 'connecting' });
    if (this.#link !== link) return;
    let token: string;
    try {
      token = await this.#options.token();
    } catch (problem) {
      if (this.#link === link) this.#fail('token_failed', `no token: ${textOf(problem)}`);
      return;
    }
    if (this.#link === link) this.#open(link, token);
  }

  #open(link: Link, token: string): void {
    let socket: WebSocketLike;
    try {
      socket = new this.#WebSocket(this.#options.url, SUBPROTOCOL);
    } catch (problem) {
      this.#fail('connect_failed', `no connection: ${textOf(problem)}`);
      return;
    }
    link.socket = socket;
    socket.onopen = () => {
      if (this.#link === link) socket.send(this.#session.begin(token));
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (this.#link === link) this.#receive(link, event.data);
    };
    socket.onclose = (event: { code: number; reason: string }) => {
      if (this.#link === link) this.#end(event.code, event.reason);
    };
    /* A close follows and says more. Without a listener `ws` would throw. */
    socket.onerror = () => {};
  }

  #receive(link: Link, data: unknown): void {
    if (this.#isOpen()) this.#watch();
    for (const effect of this.#session.receive(data)) {
      /* A listener may have closed the client. */
      if (this.#link !== link) return;
      if (effect.do === 'welcomed') {
        this.user = effect.user;
        this.#heartbeatMs = effect.heartbeatMs;
      } else if (effect.do === 'live') {
        this.#watch();
        this.#become({ status: 'live' });
      } else if (effect.do === 'steady') {
        this.#backoff.reset();
        this.#renewToken(link);
      } else if (effect.do === 'expires') {
        link.tokenEndsMs = effect.atMs;
      } else if (effect.do === 'report') {
        this.#listeners.error.tell(effect.error);
      } else if (effect.do === 'paged') {
        this.#refresh();
        this.#endPage(effect.feed, effect.error);
      } else if (effect.do === 'awaited') {
        this.#refresh();
        this.#endAwait(effect.number, effect.end, effect.error);
      } else {
        this.#lose(0, 'the connection cannot be trusted');
      }
    }
    if (this.#isOpen()) this.#become({ status: this.#session.isStale() ? 'stale' : 'live' });
    this.#refresh();
  }

  /* Before the token ends, the connection gets a new one, and lives on. Without it the server ends the connection, and the
   * next one comes with a new token. */
  #renewToken(link: Link): void {
    const endsMs = link.tokenEndsMs;
    if (endsMs === undefined || endsMs - this.#host.now() > RENEW_HEARTBEATS * this.#heartbeatMs) return;
    delete link.tokenEndsMs;
    const renew = async (): Promise<void> => {
      const token = await this.#options.token();
      if (this.#link === link) link.socket!.send(this.#session.refresh(token));
    };
    renew().catch((problem: unknown) => {
      if (this.#link !== link) return;
      link.tokenEndsMs = endsMs;
      this.#listeners.error.tell({ code: 'token_failed', message: `no new token: ${textOf(problem)}`, retryable: true });
    });
  }

  #isOpen(): boolean {
    return this.status === 'live' || this.status === 'stale';
  }

  #watch(): void {
    this.#setTimer(2 * this.#heartbeatMs, () => this.#lose(0, 'nothing was heard for two heartbeats'));
  }

  #fail(code: string, message: string): void {
    const link = this.#link;
    this.#listeners.error.tell({ code, message, retryable: true });
    if (this.#link === link) this.#lose(0, message);
  }

  /* Gives the present connection or attempt up, from this side. Closing in good order may take a dead peer's time,
   * so nobody waits for it. */
  #lose(code: number, reason: string): void {
    this.#leave((socket) => (socket.terminate === undefined ? socket.close() : socket.terminate()));
    this.#end(code, reason);
  }

  #leave(how: (socket: WebSocketLike) => void): void {
    const socket = this.#link?.socket;
    this.#link = undefined;
    if (socket !== undefined) how(socket);
  }

  #end(code: number, reason: string): void {
    this.#link = undefined;
    const ending = this.#session.end(code, reason);
    this.#endAll();
    if (ending.final) {
      this.#finish(ending);
      return;
    }
    const retryInMs = ending.afterMs ?? this.#backoff.nextMs();
    this.#obliged = ending.afterMs !== undefined;
    this.#setTimer(retryInMs, () => void this.#attempt());
    this.#become({ status: 'offline', retryInMs, code: ending.code, reason: ending.reason });
  }

  #finish({ code, reason }: ClosedEvent): void {
    this.#session.end(code, reason);
    this.#endAll();
    this.#stopTimer();
    this.#stopWaking();
    this.#become({ status: 'closed', code, reason });
    this.#listeners.closed.tell({ code, reason });
  }

  #wake(): void {
    if (this.status === 'offline' && !this.#obliged) void this.#attempt();
  }

  #setTimer(ms: number, fn: () => void): void {
    this.#stopTimer();
    this.#stopTimer = this.#host.timer(fn, ms);
  }

  /* The stores first, so that whoever hears of a status finds the feeds in it. */
  #become(event: StatusEvent): void {
    if (this.status === event.status) return;
    this.status = event.status;
    this.#refresh();
    if (this.status === event.status) this.#listeners.status.tell(Object.freeze(event));
  }

  #refresh(): void {
    for (const [feed, store] of this.#stores) {
      const live = this.#isOpen() || (this.status === 'connecting' && this.#session.isLive(feed));
      store.refresh(!live ? this.status : this.#session.isStale(feed) ? 'stale' : 'live');
    }
  }
}

function textOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
