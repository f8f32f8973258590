/* Combobox: a text field with a list to pick from (the ARIA pattern of that name, with the list below the field). For
 * lists of thousands: only the best matches are shown. */

const SHOWN_MAX = 50;

export class Combobox {
  #input;
  #list;
  #options = [];
  #shown = [];
  #active = -1;
  #onPick;
  value = '';

  /** `onPick` is called with an option when the user picks it. */
  constructor(input, list, label, onPick) {
    this.#input = input;
    this.#list = list;
    this.#onPick = onPick;
    input.setAttribute('role', 'combobox');
    input.setAttribute('aria-autocomplete', 'list');
    input.setAttribute('aria-expanded', 'false');
    input.setAttribute('aria-controls', list.id);
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', label);
    input.addEventListener('input', () => this.#open(input.value));
    input.addEventListener('focus', () => input.select());
    input.addEventListener('click', () => this.#open(''));
    input.addEventListener('blur', () => this.#close());
    input.addEventListener('keydown', (event) => this.#onKey(event));
    /* Keeps the focus in the field while the list is clicked or scrolled. */
    list.addEventListener('pointerdown', (event) => event.preventDefault());
    list.addEventListener('click', (event) => {
      const index = [...list.children].indexOf(event.target.closest('[role=option]'));
      if (index >= 0) this.#pick(this.#shown[index]);
    });
  }

  setOptions(options) {
    this.#options = options;
  }

  setValue(value) {
    this.value = value;
    this.#input.value = value;
  }

  #matches(text) {
    const wanted = text.trim().toLowerCase();
    if (wanted === '') return this.#options;
    const matching = this.#options.filter((option) => option.toLowerCase().includes(wanted));
    const begins = (option) => (option.toLowerCase().startsWith(wanted) ? 0 : 1);
    return matching.sort((a, b) => begins(a) - begins(b));
  }

  #open(text) {
    const matches = this.#matches(text);
    this.#shown = matches.slice(0, SHOWN_MAX);
    this.#list.replaceChildren(...this.#shown.map((option, index) => this.#item(option, index)));
    const left = matches.length - this.#shown.length;
    if (left > 0) this.#list.append(remark(`${left} more: type on`));
    if (matches.length === 0) this.#list.append(remark('Nobody of that name'));
    this.#list.hidden = false;
    this.#list.scrollTop = 0;
    this.#input.setAttribute('aria-expanded', 'true');
    this.#activate(text.trim() !== '' && this.#shown.length > 0 ? 0 : -1);
  }

  #item(option, index) {
    const item = document.createElement('li');
    item.id = `${this.#list.id}-${index}`;
    item.setAttribute('role', 'option');
    item.textContent = option;
    return item;
  }

  #close() {
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#shown = [];
    this.#active = -1;
    this.#input.value = this.value;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
  }

  #activate(index) {
    this.#list.children[this.#active]?.removeAttribute('aria-selected');
    this.#active = index;
    const item = this.#shown[index] === undefined ? undefined : this.#list.children[index];
    if (item === undefined) {
      this.#input.removeAttribute('aria-activedescendant');
      return;
    }
    item.setAttribute('aria-selected', 'true');
    item.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', item.id);
  }

  #pick(option) {
    this.value = option;
    this.#close();
    this.#onPick(option);
  }

  #onKey(event) {
    const count = this.#shown.length;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (this.#list.hidden) this.#open('');
      else if (count > 0) this.#activate(event.key === 'ArrowDown' ? (this.#active + 1) % count : (Math.max(this.#active, 0) - 1 + count) % count);
    } else if (event.key === 'Enter' && !this.#list.hidden) {
      event.preventDefault();
      if (this.#active >= 0) this.#pick(this.#shown[this.#active]);
    } else if (event.key === 'Escape' && !this.#list.hidden) {
      event.preventDefault();
      this.#close();
    }
  }
}

function remark(text) {
  const item = document.createElement('li');
  item.className = 'remark';
  item.setAttribute('role', 'presentation');
  item.textContent = text;
  return item;
}
