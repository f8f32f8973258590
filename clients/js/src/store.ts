/* Store: one feed as the application sees it. The snapshot is immutable and keeps its identity until something
 * changes, which is what Svelte's stores, React's useSyncExternalStore and a plain callback all need. */
import type { FeedState } from './feed-state.js';
import { Listeners } from './listeners.js';
import type { Activity, AwaitEnd, Entry } from './protocol.js';

/** `connecting`: an attempt is under way. `live`: complete, and changes arrive. `stale`: as live, but the server says
 * that it is behind itself, so the newest entries may be missing for now. `offline`: waiting for the next attempt; the
 * entries are those of before. `closed`: for good. */
export type Status = 'connecting' | 'live' | 'stale' | 'offline' | 'closed';

export interface Snapshot {
  /** Newest first, no id twice. */
  readonly entries: readonly Entry[];
  readonly status: Status;
  /** The feed has older entries than these, and `loadOlder` brings them. */
  readonly more: boolean;
}

export interface Feed {
  readonly entries: readonly Entry[];
  readonly status: Status;
  readonly snapshot: Snapshot;
  /** Calls `listener` at once and after each change, until the function that it returns is called. */
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void;
  /** Adds up to `limit` older entries (50) to the feed. Gives whether there are more then. Rejects with a FeedError while
   * there is no connection, and when the server cannot read the feed. Calls in the meantime get the same answer. */
  readonly loadOlder: (limit?: number) => Promise<boolean>;
  /** Waits until activities, as the answer of `POST /v1/activities` lists them (at most 8), are in this feed: `visible`;
   * or are worked off and are not in it: `passed`; or for `timeoutMs` (10 s, at most 60 s): `timeout`. With `visible` they
   * are among the entries, unless they are older than these. Rejects with a FeedError when the connection is lost, or
   * there is none. */
  readonly await: (activities: readonly Activity[], timeoutMs?: number) => Promise<AwaitEnd>;
}

export class FeedStore implements Feed {
  snapshot: Snapshot;
  readonly #state: FeedState;
  readonly #listeners = new Listeners<Snapshot>();

  readonly loadOlder: Feed['loadOlder'];
  readonly await: Feed['await'];

  constructor(state: FeedState, status: Status, loadOlder: Feed['loadOlder'], awaitFn: Feed['await']) {
    this.#state = state;
    this.loadOlder = loadOlder;
    this.await = awaitFn;
    this.snapshot = Object.freeze({ entries: state.entries, more: state.canPage, status });
  }

  get entries(): readonly Entry[] {
    return this.snapshot.entries;
  }

  get status(): Status {
    return this.snapshot.status;
  }

  readonly subscribe = (listener: (snapshot: Snapshot) => void): (() => void) => {
    const stop = this.#listeners.add(listener);
    this.#listeners.call(listener, this.snapshot);
    return stop;
  };

  /** Takes over what the state and the connection have become. */
  refresh(status: Status): void {
    const { entries, canPage: more } = this.#state;
    const old = this.snapshot;
    if (old.entries === entries && old.more === more && old.status === status) return;
    this.snapshot = Object.freeze({ entries, more, status });
    this.#listeners.tell(this.snapshot);
  }
}
