/* Feed state: the entries of one feed as the slices and pushes make them, newest first, no id twice. Pure.
 *
 * What must hold, whatever arrives in whatever order: the entries are a piece of the feed without a hole in it, down
 * to the oldest one here. So when the feed goes on below (`more`), an entry older than the oldest here is left out: it
 * would stand next to a gap. The same rule keeps memory bounded, because what was trimmed cannot come back. */
import type { Entry, Push, Slice } from './protocol.js';

/** Order of a feed: by (published, id), newest first. */
export function compareEntries(a: Entry, b: Entry): number {
  const later = Date.parse(b.published) - Date.parse(a.published);
  if (later !== 0) return later;
  return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}

export class FeedState {
  /** Replaced, never changed in place. */
  entries: readonly Entry[] = Object.freeze([]);
  /** There are older entries in the feed than the last one here. */
  more = false;
  /** What was seen so far, in the server's words; undefined before the first slice. */
  position: string | undefined;

  readonly #maxEntries: number;
  readonly #ids = new Set<string>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  applySlice(slice: Slice): void {
    this.position = slice.position;
    if (!slice.reset) return;
    this.#ids.clear();
    this.more = slice.more;
    this.#keep([...slice.entries].sort(compareEntries).filter((entry) => this.#isNew(entry)));
  }

  applyPush(push: Push): void {
    this.position = push.position;
    const oldest = this.more ? this.entries.at(-1) : undefined;
    const next = [...this.entries];
    for (const entry of push.entries) {
      if (oldest !== undefined && compareEntries(entry, oldest) > 0) continue;
      if (this.#isNew(entry)) next.splice(placeOf(entry, next), 0, entry);
    }
    if (next.length > this.entries.length) this.#keep(next);
  }

  #isNew(entry: Entry): boolean {
    if (this.#ids.has(entry.id)) return false;
    this.#ids.add(entry.id);
    return true;
  }

  #keep(entries: Entry[]): void {
    for (const trimmed of entries.splice(this.#maxEntries)) {
      this.#ids.delete(trimmed.id);
      this.more = true;
    }
    this.entries = Object.freeze(entries);
  }
}

/* New entries mostly belong at the front, but a late one may go anywhere. */
function placeOf(entry: Entry, entries: readonly Entry[]): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareEntries(entries[middle]!, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
