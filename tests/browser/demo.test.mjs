/* The demo page in a real browser, on the real stack: what is posted appears without a reload, what is missed while
 * the connection is cut is there afterwards, and it works on a small phone.
 *
 * FEEDWIRE_SCREENSHOT=1 also makes the pictures in docs/images, from the whole data set; alone, so that they show nothing else:
 * FEEDWIRE_SCREENSHOT=1 node --test --test-name-pattern=pictures demo.test.mjs */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, openPage, pickUser, shownIds } from './browser.mjs';
import { Proxy } from './proxy.mjs';
import { Api, startStack } from './stack.mjs';

const PICTURES = process.env.FEEDWIRE_SCREENSHOT ? fileURLToPath(new URL('../../docs/images/', import.meta.url)) : undefined;
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

let stack, api, browser, user, followee;

before(async () => {
  stack = await startStack({ limit: PICTURES ? 0 : 3_000 });
  api = new Api(stack.url);
  ({ user, followee } = await api.pair());
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

async function chooseAuthor(page) {
  await page.fill('#author', followee);
  await page.keyboard.press('Enter');
}

async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png` });
}

const note = (text) => ({ actor: followee, verb: 'post', object: { type: 'note', id: randomUUID() }, data: { text } });

test('what somebody posts appears on the page without a reload', async () => {
  const page = await openPage(browser);
  await pickUser(page, stack.url, user);
  await page.evaluate(() => (window.sameDocument = true));
  const text = `It works <img src=x onerror="document.title='hacked'"> ${randomUUID()}`;
  await chooseAuthor(page);
  await page.fill('#what', text);
  await page.check('#notify');
  await page.click('#send');

  for (const feed of ['home', 'notifications']) {
    const first = page.locator(`#${feed} .entry`).filter({ hasText: text });
    await first.waitFor();
    assert.equal(await first.locator('.person').first().textContent(), followee);
    assert.equal(await first.locator('blockquote').textContent(), text, 'as text, letter for letter');
    assert.match(await first.getAttribute('class'), /\bfresh\b/);
  }
  assert.equal((await page.locator('#home .entry').first().locator('blockquote').textContent()), text, 'the newest is on top');
  await page.locator('#outcome[data-mood=good]').waitFor();
  await page.locator('#news').filter({ hasText: text }).waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => window.sameDocument), true);
  assert.equal(await page.title(), `${user} · Feedwire`);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('what ingest refuses is shown, and nothing appears', async () => {
  const page = await openPage(browser);
  await pickUser(page, stack.url, user);
  await chooseAuthor(page);
  await page.selectOption('#verb', 'follow');
  await page.fill('#what', 'no such name!');
  await page.click('#send');
  const outcome = page.locator('#outcome[data-mood=bad]');
  await outcome.waitFor();
  assert.match(await outcome.textContent(), /object/);
  assert.equal(await page.locator('.entry.fresh').count(), 0);
  await page.context().close();
});

/* Looks at every change of the list, and keeps what should never be seen, even for a moment. */
function watchOrder() {
  const list = document.querySelector('#home .entries');
  window.violations = [];
  new MutationObserver(() => {
    const items = [...list.children].map((item) => ({ id: item.dataset.id, time: item.querySelector('time').dateTime }));
    if (new Set(items.map(({ id }) => id)).size !== items.length) window.violations.push('an entry is there twice');
    items.slice(1).forEach((item, index) => {
      const before = items[index];
      if (before.time < item.time || (before.time === item.time && before.id < item.id)) window.violations.push(`${before.id} before ${item.id}`);
    });
  }).observe(list, { childList: true });
}

test('older entries are shown when they are asked for', async () => {
  const oldest = Date.now() - 3_600_000;
  for (let n = 0; n < 70; n += 1) await api.post({ ...note(`older ${n}`), id: randomUUID(), published: new Date(oldest + n).toISOString() });
  const page = await openPage(browser);
  await pickUser(page, stack.url, user);
  await page.waitForFunction(() => document.querySelectorAll('#home .entry').length === 50);
  const older = page.locator('#home .older');
  await older.click();
  await page.waitForFunction(() => document.querySelectorAll('#home .entry').length > 50);
  await page.waitForFunction(() => document.querySelector('#home .older').hidden);
  const times = await page.locator('#home .entry time').evaluateAll((all) => all.map(({ dateTime }) => Date.parse(dateTime)));
  assert.deepEqual(times, times.toSorted((a, b) => b - a));
  assert.ok(times.length >= 70);
  assert.equal(await page.locator('#home .fresh').count(), 0, 'what was asked for is no news');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('after cuts of the connection the page is complete and in order, nothing twice', async () => {
  const config = await api.get('config');
  const gateway = new URL(config.gateway);
  const proxy = await Proxy.start(Number(gateway.port));
  gateway.port = String(proxy.port);
  /* The page's policy allows the real gateway only. */
  const page = await openPage(browser, { bypassCSP: true });
  try {
    await page.route('**/api/config', (route) => route.fulfill({ json: { ...config, gateway: gateway.href } }));
    await pickUser(page, stack.url, user);
    await page.locator('#home .entry').first().waitFor();
    await page.evaluate(watchOrder);

    const posted = [];
    for (let round = 1; round <= 3; round++) {
      posted.push(await api.post(note(`before cut ${round}`)));
      proxy.cut();
      await page.locator('#status:not([data-status=live])').waitFor();
      for (let n = 1; n <= 5; n++) posted.push(await api.post(note(`during cut ${round}, ${n}`)));
      assert.ok(!(await shownIds(page, 'home')).includes(posted.at(-1)), 'nothing comes through a cut connection');
      proxy.mend();
      /* These race with the reconnect: some come by the window, some by pushes. */
      for (let n = 1; n <= 5; n++) posted.push(await api.post(note(`after cut ${round}, ${n}`)));
      await page.locator('#status[data-status=live]').waitFor();
    }
    await page.locator(`#home .entry[data-id="${posted.at(-1)}"]`).waitFor();

    const other = await openPage(browser);
    await pickUser(other, stack.url, user);
    await other.locator(`#home .entry[data-id="${posted.at(-1)}"]`).waitFor();
    const [resumed, fresh] = [await shownIds(page, 'home'), await shownIds(other, 'home')];
    assert.deepEqual(resumed.slice(0, fresh.length), fresh, 'as a page that was never cut');
    assert.deepEqual(resumed.slice(0, posted.length), [...posted].reverse());
    assert.equal(new Set(resumed).size, resumed.length);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    await other.context().close();
  } finally {
    await page.context().close();
    await proxy.stop();
  }
});

test('it works on a phone, 360 pixels wide', async () => {
  const page = await openPage(browser, PHONE);
  await pickUser(page, stack.url, user);
  await page.locator('#home .entry').first().waitFor();
  assert.equal(await page.isVisible('#notifications'), false);

  const id = await api.post({ ...note('a word to the phone'), to: [user] });
  await page.locator(`#home .entry[data-id="${id}"]`).waitFor();
  await page.locator('#tab-notifications .badge').filter({ hasText: '1' }).waitFor();
  await page.tap('#tab-notifications');
  await page.locator(`#notifications .entry[data-id="${id}"]`).waitFor();
  assert.equal(await page.isVisible('#home'), false);
  assert.equal(await page.isVisible('#tab-notifications .badge'), false);
  await page.focus('#tab-notifications');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.getAttribute('#tab-home', 'aria-selected'), 'true');
  assert.equal(await page.isVisible('#home'), true);

  await page.tap('#composer summary');
  assert.equal(await page.isVisible('#send'), true);
  for (const verb of ['post', 'commit', 'follow']) {
    await page.selectOption('#verb', verb);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, 'nothing sticks out');
  }
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test('every control has a name, and the keyboard reaches it', async () => {
  const page = await openPage(browser);
  await pickUser(page, stack.url, user);
  const names = ['You are', 'Who', 'Does what', 'Text'];
  for (const name of names) assert.equal(await page.getByLabel(name, { exact: true }).count(), 1, name);
  for (const [role, name] of [['button', 'Post'], ['checkbox', `Address it to ${user}`], ['region', 'Home'], ['region', 'Notifications'], ['status', '']]) {
    assert.ok((await page.getByRole(role, name === '' ? {} : { name, exact: true }).count()) >= 1, `${role} ${name}`);
  }
  await page.focus('#viewer');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  const active = await page.getAttribute('#viewer', 'aria-activedescendant');
  assert.equal(await page.locator(`#${active}`).getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Escape');
  assert.equal(await page.inputValue('#viewer'), user);
  const reached = new Set();
  for (let i = 0; i < 10; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id));
  }
  for (const id of ['author', 'verb', 'what', 'notify', 'send']) assert.ok(reached.has(id), id);
  await page.context().close();
});

test('pictures for the documentation', { skip: !PICTURES }, async () => {
  const views = { demo: {}, 'demo-phone-dark': { ...PHONE, colorScheme: 'dark' } };
  for (const [name, options] of Object.entries(views)) {
    const page = await openPage(browser, options);
    await pickUser(page, stack.url, user);
    await page.locator('#home .entry').first().waitFor();
    if (!options.isMobile) {
      await chooseAuthor(page);
      await page.fill('#what', 'Reviewed, tested, released: version 1.2 is out');
      await page.check('#notify');
      await page.click('#send');
      await page.locator('#outcome[data-mood=good]').waitFor();
    }
    await picture(page, name);
    await page.context().close();
  }
});
