/* A scripted gateway over real sockets: the test takes each connection as it comes and says what the server does. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

export interface Message {
  type: string;
  [member: string]: any;
}

/* A queue that can be waited for, with a deadline so that a missing message is a failure and not a hang. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  get length(): number {
    return this.#items.length;
  }

  async take(what: string): Promise<T> {
    if (this.#items.length > 0) return this.#items.shift()!;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), 20_000);
      this.#waiting.push((item) => {
        clearTimeout(timer);
        resolve(item);
      });
    });
  }
}

export class Peer {
  readonly received = new Inbox<Message>();
  readonly closed = new Inbox<number>();
  readonly protocol: string;
  readonly url: string;

  constructor(
    readonly socket: WebSocket,
    url: string,
  ) {
    this.url = url;
    this.protocol = socket.protocol;
    socket.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('a client never sends binary frames');
      this.received.put(JSON.parse(String(data)));
    });
    socket.on('close', (code) => this.closed.put(code));
  }

  send(...messages: Message[]): void {
    for (const message of messages) this.socket.send(JSON.stringify(message));
  }

  /** The usual beginning: takes hello, welcomes, gives each feed its slice. */
  async greet(slices: Record<string, Partial<Message>> = {}, heartbeat_ms = 25_000): Promise<Message> {
    const hello = await this.received.take('hello');
    this.send({ type: 'welcome', id: hello['id'], session: 's1', tenant: 'demo', user: 'ann', heartbeat_ms, expires: '2030-01-01T00:00:00.000Z', features: [] });
    for (const { feed } of hello['feeds']) this.send(slice(feed, slices[feed]));
    return hello;
  }
}

export class FakeServer {
  readonly peers = new Inbox<Peer>();
  refuse = false;
  requests = 0;

  private constructor(readonly server: WebSocketServer) {
    server.on('connection', (socket, request) => this.peers.put(new Peer(socket, request.url ?? '')));
  }

  static async start(port = 0): Promise<FakeServer> {
    let fake: FakeServer | undefined;
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port,
      verifyClient: () => {
        fake!.requests++;
        return !fake!.refuse;
      },
    });
    fake = new FakeServer(server);
    await once(server, 'listening');
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/v1/ws`;
  }

  async next(): Promise<Peer> {
    return this.peers.take('a connection');
  }

  async stop(): Promise<void> {
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Entry number n of a made-up feed; a greater n is younger. */
export function entry(n: number, more: Record<string, unknown> = {}): any {
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    actor: 'bob',
    verb: 'like',
    object: { type: 'post', id: String(n) },
    published: new Date(1_700_000_000_000 + n * 1_000).toISOString(),
    ...more,
  };
}

export function slice(feed: string, more: Partial<Message> = {}): Message {
  return { type: 'slice', feed, outcome: 'new', reset: true, entries: [], position: 'p0', more: false, ...more };
}

export function push(feed: string, position: string, ...entries: unknown[]): Message {
  return { type: 'push', feed, entries, position };
}

/** Of entries made by `entry`. */
export function remove(feed: string, position: string, final: boolean, ...entries: { id: string }[]): Message {
  return { type: 'remove', feed, ids: entries.map(({ id }) => id), final, position };
}

/** The numbers of entries made by `entry`. */
export function numbers(entries: readonly { object: { id: string } }[]): number[] {
  return entries.map((one) => Number(one.object.id));
}
