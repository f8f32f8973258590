/* The demo page: one picks a user, and sees that user's feeds live. The feeds themselves are the work of
 * feedwire-client.js; this only shows what it says. */
import { getConfig, getPeople, getToken } from './api.js';
import { Combobox } from './combobox.js';
import { Composer } from './composer.js';
import { announce, FeedView, refreshTimes } from './feed-view.js';
import { connect } from './feedwire-client.js';
import { Tabs } from './tabs.js';

const FEEDS = ['home', 'notifications'];
const SUGGESTED = 12;
const STATUS_TEXTS = { connecting: 'Connecting…', live: 'Live', stale: 'Live, but behind', offline: 'Offline, trying again', closed: 'Closed' };

const byId = (id) => document.getElementById(id);

let stopShowing = () => {};

async function main() {
  let config, people;
  try {
    [config, people] = await Promise.all([getConfig(), getPeople()]);
  } catch (problem) {
    alarm(problem.message, () => location.reload());
    return;
  }
  const composer = new Composer(config.ingest);
  const tabs = new Tabs(byId('tabs'), FEEDS.map((feed) => [byId(`tab-${feed}`), byId(feed)]));
  const viewer = new Combobox(byId('viewer'), byId('viewer-list'), 'People', (user) => (location.hash = `#${encodeURIComponent(user)}`));
  const names = people.map(({ user }) => user);
  viewer.setOptions(names);
  byId('viewer').disabled = false;
  byId('composer').open = matchMedia('(min-width: 760px)').matches;
  byId('suggestions').append(...people.filter(({ following }) => following > 0).slice(0, SUGGESTED).map(({ user }) => suggestion(user)));

  /* The address names the user, so that a reload, a link and the back button do what one expects. */
  const follow = () => {
    const user = userOfAddress();
    if (user === '' || (user !== viewer.value && !names.includes(user))) {
      if (user !== '') byId('start-text').textContent = `There is nobody called “${user}”. Type a name above, or begin with one of these people.`;
      showStart();
      viewer.setValue('');
    } else {
      viewer.setValue(user);
      showFeeds(user, config, composer, tabs);
    }
  };
  addEventListener('hashchange', follow);
  follow();
  setInterval(() => refreshTimes(byId('stage')), 10_000);
}

function userOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).replace(/^main$/, '');
  } catch {
    return '';
  }
}

function suggestion(user) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = `#${encodeURIComponent(user)}`;
  link.textContent = user;
  item.append(link);
  return item;
}

function showStart() {
  stopShowing();
  stopShowing = () => {};
  byId('start').hidden = false;
  byId('stage').hidden = true;
  document.title = 'Feedwire';
  showStatus('none', 'Nobody picked');
}

function showFeeds(user, config, composer, tabs) {
  stopShowing();
  byId('start').hidden = true;
  byId('stage').hidden = false;
  document.title = `${user} · Feedwire`;
  tabs.reset();
  quiet();
  void composer.setViewer(user);

  const client = connect({ url: config.gateway, token: () => getToken(user), feeds: FEEDS });
  const views = FEEDS.map((feed) => {
    const section = byId(feed);
    const view = new FeedView(section, user, (entries) => {
      tabs.count(section, entries.length);
      const mine = feed === 'home' && composer.arrived(entries);
      if (!mine) tell(`${section.querySelector('h2').textContent}: ${announce(entries, user)}`);
    }, () => client.feed(feed).loadOlder());
    client.feed(feed).subscribe((snapshot) => view.show(snapshot));
    return view;
  });
  showStatus(client.status, STATUS_TEXTS[client.status]);
  client.on('status', ({ status }) => showStatus(status, STATUS_TEXTS[status]));
  client.on('closed', ({ code, reason }) => {
    if (code !== 1000) alarm(`The gateway ended the connection (${code}${reason === '' ? '' : `, ${reason}`}).`, () => showFeeds(user, config, composer, tabs));
  });
  stopShowing = () => {
    client.close();
    for (const view of views) view.stop();
  };
}

function showStatus(status, text) {
  byId('status').dataset.status = status;
  byId('status-text').textContent = text;
}

function alarm(text, retry) {
  byId('alarm-text').textContent = text;
  byId('alarm').hidden = false;
  byId('alarm-retry').onclick = () => {
    quiet();
    retry();
  };
}

function quiet() {
  byId('alarm').hidden = true;
}

/* For those who listen instead of looking: what came, but not more than one sentence in two seconds. */
let untold = [];
let telling = false;

function tell(text) {
  untold.push(text);
  if (telling) return;
  telling = true;
  setTimeout(() => {
    byId('news').textContent = untold.length <= 3 ? untold.join('. ') : `${untold.length} times something new`;
    untold = [];
    telling = false;
  }, 2_000);
}

void main();
