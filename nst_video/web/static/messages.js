/** What is said to people: short messages that pass, and a notice that stays until it is settled. */

import { byId, make } from './dom.js';

const SHOWN_MS = 3200;
const LONG_MS = 7000;

/** Show a message for some seconds; screen readers say it too. */
export function say(sentence, { isLong = sentence.length > 60 } = {}) {
  const toasts = byId('toasts');
  for (const old of [...toasts.children].slice(0, -1)) old.remove();
  for (const old of toasts.children) if (old.dataset.isReplaced) old.remove();
  const toast = make('p', { className: 'toast', textContent: sentence });
  toasts.append(toast);
  setTimeout(() => toast.remove(), isLong ? LONG_MS : SHOWN_MS);
}

/** Show a value that changes quickly: it replaces the value before. */
export function sayValue(sentence) {
  say(sentence);
  byId('toasts').lastElementChild.dataset.isReplaced = 'true';
}

/** Say something to screen readers only. */
export function announce(sentence) {
  const place = byId('announce');
  if (place.textContent !== sentence) place.textContent = sentence;
}

/** A sentence over the painting, with what can be done; it stays until it is cleared. */
export class Notice {
  constructor() {
    this._box = byId('notice');
    this._button = byId('notice-button');
    this._button.addEventListener('click', () => this._act());
    this._act = () => {};
    this._key = '';
  }

  /** Whether one is shown. */
  get isShown() {
    return !this._box.hidden;
  }

  /** Show a sentence under a key, and a button where there is something to do. */
  show(key, sentence, label = '', act = () => {}) {
    this._key = key;
    this._act = act;
    byId('notice-text').textContent = sentence;
    this._button.textContent = label;
    this._button.hidden = !label;
    this._box.hidden = false;
  }

  /** Clear the notice of a key. */
  clear(key) {
    if (this._key !== key) return;
    this._key = '';
    this._box.hidden = true;
  }
}
