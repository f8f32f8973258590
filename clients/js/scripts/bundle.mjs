/* Makes one ES module out of dist/, for pages that have no build step: node scripts/bundle.mjs [FILE]
 *
 * The modules are put one after the other, those first that others need, without their imports and (but for index.js)
 * their exports. That is all a bundler would do here, as long as two rules hold, and both are checked: imports are
 * plain lists of names from files beside, and no two modules use one top-level name. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DIST = new URL('../dist/', import.meta.url);
const IMPORT = /^import \{ [\w$, ]+ \} from '\.\/([\w-]+\.js)';\n/gm;

function collect(name, done) {
  if (done.has(name)) return;
  const text = readFileSync(new URL(name, DIST), 'utf8');
  for (const [, needed] of text.matchAll(IMPORT)) collect(needed, done);
  const body = text.replace(IMPORT, '').replace(/^export \{\};\n/gm, '');
  if (/^import\b/m.test(body)) throw new Error(`${name} has an import that cannot be inlined`);
  done.set(name, name === 'index.js' ? body : body.replace(/^export (?=(class|const|function|async) )/gm, ''));
}

export function bundle() {
  const done = new Map();
  collect('index.js', done);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const head = `/* @feedwire/client ${version} as one file, made from clients/js by \`npm run build\`; do not edit.\n * SPDX-License-Identifier: Apache-2.0 */\n`;
  const text = head + [...done].map(([name, body]) => `\n// ${name}\n${body}`).join('');
  execFileSync(process.execPath, ['--input-type=module', '--check', '-'], { input: text, stdio: ['pipe', 'inherit', 'inherit'] });
  return text;
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const file = argv[2] ?? fileURLToPath(new URL('feedwire-client.js', DIST));
  writeFileSync(file, bundle());
}
