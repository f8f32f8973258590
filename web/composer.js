/* Composer: posts an activity as somebody whom the viewer follows, and tells when it has come back through the whole
 * system into the viewer's home feed. */
import { getFollowing, getToken, postActivity } from './api.js';
import { Combobox } from './combobox.js';

/* A row for each verb on offer. `type` is that of the object; `text`: the field is what was written and goes along as
 * data, under an object id of its own; else it is the object's id. */
const VERBS = [
  { verb: 'post', says: 'posts', type: 'note', text: true, what: 'Text', example: 'Hello from the demo page' },
  { verb: 'commit', says: 'commits', type: 'commit', what: 'Commit', example: '32f382b605b4', where: 'To repository', place: 'memcached/memcached' },
  { verb: 'review', says: 'reviews', type: 'commit', what: 'Commit', example: '32f382b605b4', where: 'In repository', place: 'libuv/libuv' },
  { verb: 'merge', says: 'merges', type: 'commit', what: 'Commit', example: '32f382b605b4', where: 'Into repository', place: 'memcached/memcached' },
  { verb: 'like', says: 'likes', type: 'post', what: 'Post', example: 'post-7' },
  { verb: 'star', says: 'stars', type: 'repository', what: 'Repository', example: 'redis/hiredis' },
  { verb: 'follow', says: 'follows', type: 'user', what: 'Person', example: 'A user name' },
];

const byId = (id) => document.getElementById(id);

export class Composer {
  #ingest;
  #viewer;
  #author;
  #waiting = new Map();

  constructor(ingest) {
    this.#ingest = ingest;
    this.#author = new Combobox(byId('author'), byId('author-list'), 'People you follow', () => {});
    byId('verb').append(...VERBS.map(({ verb, says }) => new Option(says, verb)));
    byId('verb').addEventListener('change', () => this.#fit());
    byId('post').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#fit();
  }

  /** Fills in whom the viewer follows. */
  async setViewer(viewer) {
    this.#viewer = viewer;
    this.#waiting.clear();
    this.#author.setOptions([]);
    this.#author.setValue('');
    byId('composer-title').textContent = `Post as somebody ${viewer} follows`;
    byId('notify-label').textContent = `Address it to ${viewer}`;
    say('');
    let following;
    try {
      following = await getFollowing(viewer);
    } catch (problem) {
      if (this.#viewer === viewer) say(problem.message, 'bad');
      return;
    }
    if (this.#viewer !== viewer) return;
    this.#author.setOptions(following);
    this.#author.setValue(following[0] ?? '');
    byId('send').disabled = following.length === 0;
    if (following.length === 0) say(`${viewer} follows nobody.`);
  }

  /** Entries came into the home feed. True if one of them was posted here. */
  arrived(entries) {
    const mine = entries.filter(({ id }) => this.#waiting.has(id));
    for (const { id } of mine) {
      const took = performance.now() - this.#waiting.get(id);
      this.#waiting.delete(id);
      say(`It is in the feed, ${Math.max(1, Math.round(took))} ms after it was sent.`, 'good');
    }
    return mine.length > 0;
  }

  #row() {
    return VERBS.find(({ verb }) => verb === byId('verb').value);
  }

  #fit() {
    const { what, example, where, place } = this.#row();
    byId('what-label').textContent = what;
    byId('what').placeholder = example;
    byId('where-field').hidden = where === undefined;
    byId('what').closest('.field').classList.toggle('wider', where === undefined);
    byId('where-label').textContent = where ?? '';
    byId('where').placeholder = place ?? '';
  }

  #activity() {
    const { verb, type, text, where } = this.#row();
    const id = crypto.randomUUID();
    const what = byId('what').value.trim();
    const place = byId('where').value.trim();
    return {
      id,
      actor: this.#author.value,
      verb,
      object: { type, id: text ? id : what },
      ...(text && { data: { text: what } }),
      ...(where !== undefined && place !== '' && { target: { type: 'repository', id: place } }),
      ...(byId('notify').checked && { to: [this.#viewer] }),
    };
  }

  async #send() {
    const activity = this.#activity();
    if (byId('what').value.trim() === '') {
      say(`${this.#row().what} is empty.`, 'bad');
      byId('what').focus();
      return;
    }
    byId('send').disabled = true;
    say('Sending…');
    const viewer = this.#viewer;
    this.#waiting.set(activity.id, performance.now());
    try {
      await postActivity(this.#ingest, await getToken(activity.actor), activity);
      byId('what').value = '';
      if (this.#waiting.has(activity.id)) say('Accepted. On its way…');
    } catch (problem) {
      this.#waiting.delete(activity.id);
      if (this.#viewer === viewer) say(problem.message, 'bad');
    } finally {
      if (this.#viewer === viewer) byId('send').disabled = false;
    }
  }
}

function say(text, mood = '') {
  byId('outcome').textContent = text;
  byId('outcome').dataset.mood = mood;
}
