/* Feed view: shows a feed's snapshot as a list. Items are kept by id, so that nothing flickers, the scroll position
 * holds, and only what is really new is highlighted. Several snapshots within one frame are drawn once. */
import { plainText, quoteOf, sentenceOf } from './sentences.js';
import { absoluteTime, fullTime, relativeTime } from './times.js';

const HUES = 12;

export class FeedView {
  #list;
  #foot;
  #older;
  #viewer;
  #onArrive;
  #items = new Map();
  #snapshot;
  #drawing = 0;
  #oldest;
  /* The first entries of a feed are not news. */
  #shownBefore = false;

  /** `onArrive` is called with the new entries, newest first; `loadOlder` adds older ones to the feed. */
  constructor(section, viewer, onArrive, loadOlder) {
    this.#list = section.querySelector('.entries');
    this.#foot = section.querySelector('.foot');
    this.#viewer = viewer;
    this.#onArrive = onArrive;
    this.#list.replaceChildren();
    this.#foot.textContent = '';
    this.#older = section.querySelector('.older');
    this.#older.hidden = true;
    this.#older.onclick = () => this.#loadOlder(loadOlder);
  }

  show(snapshot) {
    this.#snapshot = snapshot;
    if (this.#drawing === 0) this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  stop() {
    cancelAnimationFrame(this.#drawing);
  }

  #draw() {
    this.#drawing = 0;
    const { entries, more, status } = this.#snapshot;
    const known = this.#items;
    const oldest = this.#oldest;
    this.#oldest = entries.at(-1)?.published;
    const added = entries.filter(({ id }) => !known.has(id));
    /* What is older than all that was there was asked for, and is no news. */
    const fresh = added.filter(({ published }) => oldest === undefined || published >= oldest);
    this.#items = new Map(entries.map((entry) => [entry.id, known.get(entry.id) ?? this.#item(entry)]));
    for (const [id, item] of known) {
      if (!this.#items.has(id)) item.remove();
    }
    let place = this.#list.firstElementChild;
    for (const item of this.#items.values()) {
      if (item === place) place = place.nextElementSibling;
      else this.#list.insertBefore(item, place);
    }
    if (this.#shownBefore && fresh.length > 0) {
      for (const { id } of fresh) this.#items.get(id).classList.add('fresh');
      this.#onArrive(fresh);
    }
    if (status === 'live' || status === 'stale') this.#shownBefore = true;
    this.#foot.textContent = footText(entries.length, more, this.#shownBefore);
    this.#older.hidden = !more || status !== 'live';
  }

  async #loadOlder(loadOlder) {
    if (this.#older.ariaDisabled === 'true') return;
    this.#older.ariaDisabled = 'true';
    try {
      await loadOlder();
    } catch (problem) {
      this.#foot.textContent = `Older entries could not be loaded: ${problem.message}.`;
    } finally {
      this.#older.ariaDisabled = null;
    }
  }

  #item(entry) {
    const item = element('li', 'entry');
    item.dataset.id = entry.id;
    const avatar = element('span', `avatar hue-${hueOf(entry.actor)}`, entry.actor.slice(0, 2));
    avatar.setAttribute('aria-hidden', 'true');
    const body = element('div', 'body');
    const sentence = element('p', 'sentence');
    sentence.append(...sentenceOf(entry, this.#viewer).flatMap(({ kind, text }, index) => [index > 0 ? ' ' : '', element('span', kind, text)]));
    body.append(sentence);
    const quote = quoteOf(entry);
    if (quote !== undefined) body.append(element('blockquote', '', quote));
    body.append(timeLine(Date.parse(entry.published)));
    item.append(avatar, body);
    return item;
  }
}

export function announce(entries, viewer) {
  return entries.length === 1 ? plainText(entries[0], viewer) : `${entries.length} new entries`;
}

/** Relative times grow older while they are shown. */
export function refreshTimes(root) {
  const now = Date.now();
  for (const relative of root.querySelectorAll('.relative')) {
    const text = relativeTime(Date.parse(relative.parentElement.dateTime), now);
    if (relative.textContent !== text) relative.textContent = text;
  }
}

function timeLine(ms) {
  const time = element('time');
  time.dateTime = new Date(ms).toISOString();
  time.title = fullTime(ms);
  time.append(element('span', 'relative', relativeTime(ms, Date.now())), element('span', 'absolute', absoluteTime(ms)));
  return time;
}

function footText(count, more, known) {
  if (!known) return count === 0 ? 'Loading…' : '';
  if (count === 0) return 'Nothing here yet. It will appear by itself.';
  return more ? `The newest ${count} entries.` : `That is all: ${count} ${count === 1 ? 'entry' : 'entries'}.`;
}

function hueOf(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 65_521;
  return hash % HUES;
}

function element(tag, className = '', text = undefined) {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
