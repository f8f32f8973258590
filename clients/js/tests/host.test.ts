/* What the client takes from a browser: stands in for `window` and `document`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultHost } from '../dist/host.js';

test('it wakes up when the network is back and when the page is looked at, and can be stopped', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  const window = new EventTarget();
  const globals = {
    document: page,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  };
  Object.assign(globalThis, globals);
  try {
    let wakes = 0;
    const stop = defaultHost().onWake(() => wakes++);
    window.dispatchEvent(new Event('online'));
    assert.equal(wakes, 1);
    page.dispatchEvent(new Event('visibilitychange'));
    assert.equal(wakes, 1, 'hidden');
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    assert.equal(wakes, 2);
    stop();
    window.dispatchEvent(new Event('online'));
    page.dispatchEvent(new Event('visibilitychange'));
    assert.equal(wakes, 2);
  } finally {
    for (const name of Object.keys(globals)) delete (globalThis as Record<string, unknown>)[name];
  }
});

test('without a page there is nothing to wake up for', () => {
  defaultHost().onWake(() => assert.fail())();
});

test('timers run once, or not at all when stopped', async () => {
  const { timer } = defaultHost();
  const stop = timer(() => assert.fail(), 1);
  stop();
  await new Promise<void>((resolve) => timer(resolve, 5));
});
