/* Feed state: the entries of one feed as slices, pushes and removals make them, newest first, no id twice. Pure.
 *
 * What must hold, whatever arrives in whatever order: the entries are a piece of the feed without a hole in it, down
 * to the oldest one here. So when the feed goes on below (`more`), an entry older than the oldest that was here is left
 * out, also when that one has been removed since: it would stand next to a gap. The same rule keeps memory bounded,
 * because what was trimmed cannot come back. And what was removed for good stays away, should it still arrive. */
import type { Entry, Page, Place, Push, Remove, Slice } from './protocol.js';

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
  /** There are, and a page would bring them. */
  canPage = false;
  /** What was seen so far, in the server's words; undefined before the first slice. */
  position: string | undefined;

  readonly #maxEntries: number;
  readonly #ids = new Set<string>();
  /* Removed for good since the last slice, the newest of them: as many as there may be entries. */
  readonly #gone = new Set<string>();
  /* While there is more: where this piece of the feed ends. */
  #floor: Entry | undefined;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  applySlice(slice: Slice): void {
    this.position = slice.position;
    if (!slice.reset) return;
    this.#ids.clear();
    this.#gone.clear();
    this.more = this.canPage = slice.more;
    this.#floor = undefined;
    this.#keep([...slice.entries].sort(compareEntries).filter((entry) => this.#isNew(entry)));
  }

  applyPush(push: Push): void {
    this.position = push.position;
    const next = [...this.entries];
    for (const entry of push.entries) {
      if (this.more && this.#floor !== undefined && compareEntries(entry, this.#floor) > 0) continue;
      if (!this.#gone.has(entry.id) && this.#isNew(entry)) next.splice(placeOf(entry, next), 0, entry);
    }
    if (next.length > this.entries.length) this.#keep(next);
  }

  applyRemove(remove: Remove): void {
    this.position = remove.position;
    const ids = new Set(remove.ids);
    if (remove.final) this.#forget(ids);
    const left = this.entries.filter((entry) => !ids.has(entry.id));
    if (left.length === this.entries.length) return;
    for (const id of ids) this.#ids.delete(id);
    this.entries = Object.freeze(left);
  }

  /** What a page of older entries is asked before; undefined: there are none. */
  get pageBefore(): Place | undefined {
    return this.canPage ? (this.#floor ?? this.entries.at(-1)) : undefined;
  }

  applyPage(page: Page): void {
    const next = [...this.entries];
    for (const entry of page.entries) {
      if (!this.#gone.has(entry.id) && this.#isNew(entry)) next.splice(placeOf(entry, next), 0, entry);
    }
    const last = page.entries.at(-1);
    this.more = this.more && page.more;
    this.canPage = this.more && page.next !== null;
    if (!this.more) this.#floor = undefined;
    else if (last !== undefined && (this.#floor === undefined || compareEntries(last, this.#floor) > 0)) this.#floor = last;
    this.#keep(next);
  }

  #forget(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#gone.add(id);
    for (const oldest of this.#gone) {
      if (this.#gone.size <= this.#maxEntries) break;
      this.#gone.delete(oldest);
    }
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
      /* A page would bring what there is no room for. */
      this.canPage = false;
      this.#floor = undefined;
    }
    if (this.more) this.#floor ??= entries.at(-1);
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
