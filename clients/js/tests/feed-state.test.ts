import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareEntries, FeedState } from '../dist/feed-state.js';
import { entry, numbers, push, remove, slice } from './fake-server.js';

const sliceOf = (more: object): any => slice('home', more);
const pushOf = (position: string, ...entries: unknown[]): any => push('home', position, ...entries);

const removeOf = (position: string, final: boolean, ...entries: any[]): any => remove('home', position, final, ...entries);

function stateWith(entries: unknown[], more = false, maxEntries = 500): FeedState {
  const state = new FeedState(maxEntries);
  state.applySlice(sliceOf({ entries, more }));
  return state;
}

test('a slice with reset replaces, and is put in order, each id once', () => {
  const state = stateWith([entry(9), entry(8)]);
  state.applySlice(sliceOf({ entries: [entry(1), entry(3), entry(2), entry(3)], position: 'p1', more: true }));
  assert.deepEqual(numbers(state.entries), [3, 2, 1]);
  assert.equal(state.position, 'p1');
  assert.equal(state.more, true);
});

test('a slice without reset keeps the entries', () => {
  const state = stateWith([entry(2), entry(1)], true);
  const before = state.entries;
  state.applySlice(sliceOf({ outcome: 'current', reset: false, entries: [], position: 'p1', more: false }));
  assert.equal(state.entries, before);
  assert.equal(state.more, true);
  assert.equal(state.position, 'p1');
});

test('what a replaced slice had may come again', () => {
  const state = stateWith([entry(2), entry(1)]);
  state.applySlice(sliceOf({ entries: [entry(1)] }));
  state.applyPush(pushOf('p2', entry(2)));
  assert.deepEqual(numbers(state.entries), [2, 1]);
});

test('pushes go where they belong', () => {
  const state = stateWith([entry(6), entry(2)]);
  state.applyPush(pushOf('p1', entry(4), entry(8), entry(1), entry(7)));
  assert.deepEqual(numbers(state.entries), [8, 7, 6, 4, 2, 1]);
  assert.equal(state.position, 'p1');
});

test('an entry that is there already changes nothing', () => {
  const state = stateWith([entry(2), entry(1)]);
  const before = state.entries;
  state.applyPush(pushOf('p1', entry(2), entry(1), entry(2, { published: '2040-01-01T00:00:00.000Z' })));
  assert.equal(state.entries, before);
  assert.equal(state.position, 'p1');
});

test('a push without entries moves the position only', () => {
  const state = stateWith([entry(2)]);
  const before = state.entries;
  state.applyPush(pushOf('p7'));
  assert.equal(state.entries, before);
  assert.equal(state.position, 'p7');
});

test('earlier snapshots stay as they were', () => {
  const state = stateWith([entry(1)]);
  const before = state.entries;
  state.applyPush(pushOf('p1', entry(2)));
  assert.deepEqual(numbers(before), [1]);
  assert.throws(() => (state.entries as unknown[]).push(entry(3)), TypeError);
});

test('equal times are ordered by id, the greater first', () => {
  const published = '2024-05-01T00:00:00.000Z';
  const [a, b] = [entry(1, { published }), entry(2, { published })];
  assert.ok(compareEntries(b, a) < 0);
  assert.ok(compareEntries(a, b) > 0);
  assert.equal(compareEntries(a, a), 0);
  assert.deepEqual(numbers(stateWith([a, b]).entries), [2, 1]);
});

test('times are compared as times, not as text', () => {
  const exact = entry(1, { published: '2024-05-01T00:00:00Z' });
  const later = entry(2, { published: '2024-05-01T00:00:00.500Z' });
  assert.deepEqual(numbers(stateWith([exact, later]).entries), [2, 1]);
});

test('where the feed goes on below, older entries would stand next to a gap and are left out', () => {
  const state = stateWith([entry(6), entry(4)], true);
  state.applyPush(pushOf('p1', entry(3), entry(5)));
  assert.deepEqual(numbers(state.entries), [6, 5, 4]);
});

test('it keeps maxEntries: the oldest go, and do not come back', () => {
  const state = stateWith([entry(3), entry(2), entry(1)], false, 3);
  assert.equal(state.more, false);
  state.applyPush(pushOf('p1', entry(4), entry(5)));
  assert.deepEqual(numbers(state.entries), [5, 4, 3]);
  assert.equal(state.more, true);
  state.applyPush(pushOf('p2', entry(1), entry(2), entry(0)));
  assert.deepEqual(numbers(state.entries), [5, 4, 3]);
});

test('a slice longer than maxEntries is cut too', () => {
  const state = stateWith([entry(1), entry(3), entry(2)], false, 2);
  assert.deepEqual(numbers(state.entries), [3, 2]);
  assert.equal(state.more, true);
});

/* Against a model that keeps everything ever seen, sorts it and cuts it. */
test('any order of pushes gives the newest entries in order, each once', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let round = 0; round < 200; round++) {
    const max = 1 + random(12);
    const state = stateWith([], false, max);
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const some = Array.from({ length: random(4) }, () => random(30));
      state.applyPush(pushOf(`p${i}`, ...some.map((n) => entry(n))));
      some.forEach((n) => seen.add(n));
      const expected = [...seen].sort((a, b) => b - a).slice(0, max);
      assert.deepEqual(numbers(state.entries), expected);
    }
  }
});

test('what is removed vanishes, and the position moves', () => {
  const state = stateWith([entry(3), entry(2), entry(1)]);
  const before = state.entries;
  state.applyRemove(removeOf('p2', true, entry(2), entry(3)));
  assert.deepEqual(numbers(state.entries), [1]);
  assert.deepEqual(numbers(before), [3, 2, 1]);
  assert.equal(state.position, 'p2');
});

test('removing what is not there moves the position only', () => {
  const state = stateWith([entry(1)]);
  const before = state.entries;
  state.applyRemove(removeOf('p2', true, entry(7)));
  assert.equal(state.entries, before);
  assert.equal(state.position, 'p2');
});

test('what was removed for good is not shown when it arrives late', () => {
  const state = stateWith([entry(2), entry(1)]);
  state.applyRemove(removeOf('p2', true, entry(2), entry(3)));
  state.applyPush(pushOf('p3', entry(3), entry(2), entry(4)));
  assert.deepEqual(numbers(state.entries), [4, 1]);
});

test('what was removed, but not for good, may come again', () => {
  const state = stateWith([entry(2), entry(1)]);
  state.applyRemove(removeOf('p2', false, entry(2)));
  state.applyPush(pushOf('p3', entry(2)));
  assert.deepEqual(numbers(state.entries), [2, 1]);
});

test('only so many removed ids are remembered as there may be entries', () => {
  const state = stateWith([entry(1)], false, 3);
  state.applyRemove(removeOf('p2', true, entry(5), entry(6), entry(7), entry(8)));
  state.applyPush(pushOf('p3', entry(8), entry(6), entry(5)));
  assert.deepEqual(numbers(state.entries), [5, 1]);
});

test('a new slice forgets what was removed', () => {
  const state = stateWith([entry(1)]);
  state.applyRemove(removeOf('p2', true, entry(1)));
  state.applySlice(sliceOf({ entries: [entry(1)] }));
  assert.deepEqual(numbers(state.entries), [1]);
});

test('a feed ends where it ended, also when its oldest entry was removed', () => {
  const state = stateWith([entry(9), entry(5)], true);
  state.applyRemove(removeOf('p2', true, entry(5)));
  state.applyPush(pushOf('p3', entry(4), entry(6)));
  assert.deepEqual(numbers(state.entries), [9, 6]);
  state.applyRemove(removeOf('p4', true, entry(9), entry(6)));
  state.applyPush(pushOf('p5', entry(3), entry(7)));
  assert.deepEqual(numbers(state.entries), [7]);
});

const pageOf = (entries: unknown[], more: boolean, next: object | null = null): any => ({ type: 'page', feed: 'home', entries, more, next });

test('a page goes below, and what is pushed later reaches down to it', () => {
  const state = stateWith([entry(9), entry(8)], true);
  assert.equal(state.pageBefore?.id, entry(8).id);
  state.applyPage(pageOf([entry(7), entry(5)], true, entry(5)));
  assert.deepEqual(numbers(state.entries), [9, 8, 7, 5]);
  state.applyPush(pushOf('p1', entry(6), entry(4)));
  assert.deepEqual(numbers(state.entries), [9, 8, 7, 6, 5]);
  state.applyPage(pageOf([entry(4), entry(3)], false));
  assert.equal(state.more, false);
  assert.equal(state.pageBefore, undefined);
  state.applyPush(pushOf('p2', entry(1)));
  assert.deepEqual(numbers(state.entries), [9, 8, 7, 6, 5, 4, 3, 1]);
});

test('what a page repeats, or was removed for good, changes nothing', () => {
  const state = stateWith([entry(9), entry(8), entry(7)], true);
  state.applyRemove(removeOf('p1', true, entry(7)));
  assert.equal(state.pageBefore?.id, entry(7).id);
  state.applyPage(pageOf([entry(8), entry(7), entry(6)], true, entry(6)));
  assert.deepEqual(numbers(state.entries), [9, 8, 6]);
});

test('a feed may go on where no page leads', () => {
  const state = stateWith([entry(9)], true);
  state.applyPage(pageOf([entry(8)], true));
  assert.equal(state.pageBefore, undefined);
  state.applyPush(pushOf('p1', entry(5)));
  assert.deepEqual(numbers(state.entries), [9, 8]);
});

test('pages end where there is no room for more', () => {
  const state = stateWith([entry(9), entry(8)], true, 3);
  state.applyPage(pageOf([entry(7), entry(6)], true, entry(6)));
  assert.deepEqual(numbers(state.entries), [9, 8, 7]);
  assert.equal(state.pageBefore, undefined);
});
