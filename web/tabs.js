/* Tabs: on a narrow screen one panel at a time, on a wide one all beside each other; then they are plain sections, and
 * nothing says "tab". */

export class Tabs {
  #list;
  #pairs;
  #narrow = matchMedia('(max-width: 759px)');
  #chosen = 0;

  /** `pairs` are [tab, panel]. */
  constructor(list, pairs) {
    this.#list = list;
    this.#pairs = pairs;
    pairs.forEach(([tab, panel], index) => {
      tab.setAttribute('aria-controls', panel.id);
      tab.addEventListener('click', () => this.#choose(index));
      tab.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        this.#choose((index + step + pairs.length) % pairs.length);
        pairs[this.#chosen][0].focus();
      });
    });
    this.#narrow.addEventListener('change', () => this.#apply());
    this.#apply();
  }

  /** Counts what came into a panel that is out of sight. */
  count(panel, more) {
    const pair = this.#pairs.find((one) => one[1] === panel);
    if (panel.hidden) setBadge(pair[0], badgeOf(pair[0]) + more);
  }

  reset() {
    for (const [tab] of this.#pairs) setBadge(tab, 0);
  }

  #choose(index) {
    this.#chosen = index;
    this.#apply();
  }

  #apply() {
    const tabbed = this.#narrow.matches;
    this.#list.hidden = !tabbed;
    this.#list.setAttribute('role', 'tablist');
    this.#list.setAttribute('aria-label', 'Feeds');
    this.#pairs.forEach(([tab, panel], index) => {
      const here = index === this.#chosen;
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-selected', String(here));
      tab.tabIndex = here ? 0 : -1;
      panel.hidden = tabbed && !here;
      if (tabbed) panel.setAttribute('role', 'tabpanel');
      else panel.removeAttribute('role');
      if (!panel.hidden) setBadge(tab, 0);
    });
  }
}

function badgeOf(tab) {
  return Number(tab.querySelector('.badge').textContent) || 0;
}

function setBadge(tab, count) {
  const badge = tab.querySelector('.badge');
  badge.hidden = count === 0;
  badge.textContent = count === 0 ? '' : String(count);
}
