import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../dist/backoff.js';

const OPTIONS = { baseMs: 1_000, maxMs: 30_000 };

test('the limit doubles up to the maximum', () => {
  const backoff = new Backoff(OPTIONS, () => 0.9999);
  const waits = Array.from({ length: 8 }, () => Math.ceil(backoff.nextMs() / 1_000));
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
});

test('the jitter is full: any time from nothing up to the limit', () => {
  for (const [random, first, second] of [[0, 0, 0], [0.25, 250, 500], [0.5, 500, 1_000]] as const) {
    const backoff = new Backoff(OPTIONS, () => random);
    assert.equal(backoff.nextMs(), first);
    assert.equal(backoff.nextMs(), second);
  }
});

test('reset begins again with the base', () => {
  const backoff = new Backoff(OPTIONS, () => 0.5);
  for (let i = 0; i < 5; i++) backoff.nextMs();
  backoff.reset();
  assert.equal(backoff.nextMs(), 500);
});

test('very many failures do not overflow', () => {
  const backoff = new Backoff(OPTIONS, () => 0.5);
  for (let i = 0; i < 5_000; i++) backoff.nextMs();
  assert.equal(backoff.nextMs(), 15_000);
});
