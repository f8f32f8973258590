/* The stack behind the page: the one at FEEDWIRE_PAGE_URL, or one that is started here from the built programs
 * (FEEDWIRE_BIN, else build/release/bin) and stopped at the end. */
import { spawn } from 'node:child_process';
import { webcrypto as crypto } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_MS = 300_000;

/** `limit`: how many activities are played in; 0: all. Gives {url, stop}. */
export async function startStack({ limit }) {
  const given = process.env.FEEDWIRE_PAGE_URL;
  if (given) return { url: given, stop: async () => {} };

  const child = spawn('python3', ['-m', 'feedwire_dev', ...(limit > 0 ? [`--limit=${limit}`] : [])], {
    cwd: ROOT,
    env: { ...process.env, PYTHONPATH: 'devstack', PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  /* Also when a test run is broken off: the stack stops itself on SIGTERM. */
  const orphan = () => child.kill('SIGTERM');
  process.once('exit', orphan);
  const stop = async () => {
    process.removeListener('exit', orphan);
    child.kill('SIGTERM');
    await ended;
  };
  try {
    return { url: await pageUrl(child), stop };
  } catch (problem) {
    await stop();
    throw problem;
  }
}

/* The address comes first, then the play-in; tests begin when both are there. */
function pageUrl(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`the stack is not ready:\n${output}`)), START_MS);
    const take = (data) => {
      output += data;
      const url = /demo page: (http:\S+)/.exec(output)?.[1];
      if (url === undefined || !output.includes('are in their feeds')) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the stack ended with ${code}:\n${output}`));
    });
  });
}

/** What the page's server tells, and ingest as the page uses it. */
export class Api {
  constructor(url) {
    this.url = url;
  }

  async get(path) {
    const response = await fetch(new URL(`api/${path}`, this.url));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Posts as the activity's actor; gives its id once it is accepted. */
  async post(activity) {
    const { ingest } = await this.get('config');
    const { token } = await this.get(`token?user=${activity.actor}`);
    const whole = { id: crypto.randomUUID(), ...activity };
    const response = await fetch(ingest, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(whole),
    });
    if (response.status !== 202) throw new Error(`ingest: ${response.status} ${await response.text()}`);
    return whole.id;
  }

  /** Somebody, and somebody whom they follow for sure, also when only a part of the data set was played in. */
  async pair() {
    const [{ user }] = (await this.get('people')).filter(({ following }) => following > 0);
    const [followee] = await this.get(`following?user=${user}`);
    await this.post({ actor: user, verb: 'follow', object: { type: 'user', id: followee } });
    return { user, followee };
  }
}
