/* Headless Chromium with a fresh profile, and pages whose complaints are kept. */
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';

const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      /* The next name. */
    }
  }
  throw new Error('No Chromium was found: install it, or name one in CHROMIUM.');
}

/* The sandbox is not for what runs as root, and the only page that is opened is our own. */
export const launch = () => chromium.launch({ executablePath: findChromium(), chromiumSandbox: false, args: QUIET });

/** A page in a context of its own; `page.complaints` are errors on the console, uncaught ones included. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1200, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.complaints = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && page.complaints.push(message.text()));
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  return page;
}

/** Picks a user as one does with the keyboard, and waits until the feeds are live. */
export async function pickUser(page, url, user) {
  await page.goto(url);
  await page.locator('#viewer:enabled').fill(user);
  await page.keyboard.press('Enter');
  await page.locator('#status[data-status=live]').waitFor();
}

export const shownIds = (page, feed) => page.locator(`#${feed} .entry`).evaluateAll((items) => items.map((item) => item.dataset.id));
