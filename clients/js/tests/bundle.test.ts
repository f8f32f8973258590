import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const committed = (): string => readFileSync(at('../../../web/feedwire-client.js'), 'utf8');

test('web/feedwire-client.js is what `npm run build` makes of the sources', () => {
  execFileSync(process.execPath, [at('../scripts/bundle.mjs')]);
  assert.ok(committed() === readFileSync(at('../dist/feedwire-client.js'), 'utf8'), 'run `npm run build` in clients/js');
});

test('it is one module without imports that exports connect, under 10 KB compressed', async () => {
  const module = await import('data:text/javascript,' + encodeURIComponent(committed()));
  assert.deepEqual(Object.keys(module), ['connect']);
  assert.doesNotMatch(committed(), /^import\b/m);
  assert.ok(gzipSync(committed()).length < 10_000);
});
