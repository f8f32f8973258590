/* Host: what the client needs of the place where it runs, so that tests can be that place. */

/** The part of a WebSocket that is used. The browser's own, Node's and that of the package `ws` all fit. */
export interface WebSocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Of `ws`: ends the connection without a word. */
  terminate?(): void;
}

export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;

export interface Host {
  WebSocket: WebSocketConstructor | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to, but not including, 1. */
  random(): number;
  /** Runs `fn` once after `ms`; gives the function that prevents it. */
  timer(fn: () => void, ms: number): () => void;
  /** Calls `fn` when waiting any longer makes no sense: the network is back, or somebody looks at the page. Gives the
   * function that ends it. */
  onWake(fn: () => void): () => void;
}

export function defaultHost(): Host {
  return {
    WebSocket: (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket,
    now: Date.now,
    random: Math.random,
    timer(fn, ms) {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    onWake,
  };
}

function onWake(fn: () => void): () => void {
  if (typeof document === 'undefined') return () => {};
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') fn();
  };
  addEventListener('online', fn);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    removeEventListener('online', fn);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
