/** The look: styles and settings, kept in the address so that it can be shared. */

import { clamp, throttle } from './dom.js';

/** Numbers of a look: default, least, most. The server has the same ranges. */
export const NUMBERS = {
  intensity: { initial: 1, low: 0, high: 1 },
  steady: { initial: 1, low: 0, high: 1 },
  stroke_scale: { initial: 1, low: 0.25, high: 4 },
  gentle: { initial: 0.5, low: 0, high: 1 },
  mask_softness: { initial: 0.8, low: 0, high: 1 },
};
export const FLAGS = ['keep_colors', 'original'];

/** Where the styles are: everywhere, on people, around them. */
export const MASKS = ['none', 'person', 'background'];

/** What a look begins with, besides its styles. */
export const INITIAL = {
  keep_colors: false,
  original: false,
  mask: 'none',
  rest: 'original',
  ...Object.fromEntries(Object.entries(NUMBERS).map(([name, { initial }]) => [name, initial])),
};

/** Most styles that the page mixes: a triangle. */
export const MAX_MIXED = 3;

const SEND_MS = 40; // about one frame: a slider that is dragged does not flood the server
const SETTLED_MS = 600; // what the server says of older changes does not pull a slider back under the hand
const ADDRESS_MS = 300; // browsers refuse more than 100 changes of the address in 30 s

/** Return the look of a query such as `style=wave&intensity=0.8`; only what it has. */
export function parse(query) {
  const given = new URLSearchParams(query);
  const look = {};
  for (const [name, { low, high }] of Object.entries(NUMBERS)) {
    const value = Number.parseFloat(given.get(name));
    if (Number.isFinite(value)) look[name] = clamp(value, low, high);
  }
  if (given.has('keep_colors')) look.keep_colors = given.get('keep_colors') === 'true';
  if (MASKS.includes(given.get('mask'))) look.mask = given.get('mask');
  if (given.get('rest')) look.rest = given.get('rest');
  const names = given.getAll('style').slice(0, MAX_MIXED);
  const mix = (given.get('mix') ?? '').split(',').map(Number.parseFloat);
  const isMix = names.every((_, place) => mix[place] >= 0) && mix.slice(0, names.length).some((weight) => weight > 0);
  if (names.length) look.styles = names.map((name, place) => ({ name, weight: isMix ? mix[place] : 1 }));
  return look;
}

/** Return a look as a query: what differs from the initial look, or everything. */
export function format(look, { isComplete = false } = {}) {
  const query = new URLSearchParams();
  for (const { name } of look.styles) query.append('style', name);
  if (look.styles.length > 1) query.set('mix', shares(look.styles).map((share) => share.toFixed(2)).join(','));
  for (const [name, initial] of Object.entries(INITIAL)) {
    const isMoot = look.mask === 'none' && ['rest', 'mask_softness'].includes(name);
    if (name === 'original' || (!isComplete && (isMoot || look[name] === initial))) continue;
    query.set(name, name in NUMBERS ? String(Math.round(look[name] * 100) / 100) : String(look[name]));
  }
  return query.toString().replaceAll('%2C', ',');
}

/** Return the weights of styles as shares of 1. */
export function shares(styles) {
  const sum = styles.reduce((total, { weight }) => total + weight, 0) || 1;
  return styles.map(({ weight }) => weight / sum);
}

/** The look that is wanted, what listens to it, and what the server says of it. */
export class LookStore {
  constructor() {
    this.look = { styles: [{ name: 'wave', weight: 1 }], ...INITIAL };
    this.isShared = true; // in the address
    this.hasOwn = false; // chosen here or by the address, not the server's default
    this.send = () => false;
    this._wasConnected = false;
    this._listeners = [];
    this._changed = {};
    this._isUnsent = false;
    this._changed_ms = -Infinity;
    this._timer = 0;
    this._accepted = this.look;
    this._flush = throttle(SEND_MS, () => this._sendChanged());
    this._toAddress = throttle(ADDRESS_MS, () => this._writeAddress());
    this.readAddress();
    globalThis.addEventListener('hashchange', () => this.readAddress());
  }

  /** Call a function with the look now and after every change. */
  listen(listener) {
    this._listeners.push(listener);
    listener(this.look);
  }

  /** Change parts of the look. */
  change(parts) {
    this.hasOwn = true;
    this.look = { ...this.look, ...parts };
    this._changed = { ...this._changed, ...parts };
    this._changed_ms = performance.now();
    this._isUnsent = true;
    this._flush();
    this._toAddress();
    this._tell();
  }

  /** Take the look of the address. */
  readAddress() {
    const found = parse(location.hash.slice(1));
    if (Object.keys(found).length && format({ ...this.look, ...found }) !== format(this.look)) this.change(found);
    else if (found.styles) this.hasOwn = true;
  }

  /** A connection begins: keep what was chosen here, or take what the server begins with. */
  connected(look) {
    clearTimeout(this._timer);
    this._accepted = look;
    this._changed = {};
    this._isUnsent = false;
    // A remote control that comes back takes what others have chosen meanwhile.
    const isKept = this.hasOwn && (this.isShared || !this._wasConnected);
    this._wasConnected = true;
    if (isKept) this.change({ ...this.look });
    else this._adopt(look);
  }

  /** The server has accepted a look, of this page or of another remote control. */
  accepted(look) {
    this._accepted = look;
    clearTimeout(this._timer);
    const wait_ms = this._changed_ms + SETTLED_MS - performance.now();
    if (wait_ms > 0) this._timer = setTimeout(() => this._settle(), wait_ms);
    else this._settle();
  }

  _settle() {
    if (this._isUnsent) return;
    this._changed = {};
    this._adopt(this._accepted);
  }

  /** The server has refused a change. */
  refused() {
    clearTimeout(this._timer);
    this._changed = {};
    this._adopt(this._accepted);
  }

  _adopt(look) {
    if (JSON.stringify(look) === JSON.stringify(this.look)) return;
    this.look = { ...this.look, ...look };
    this._toAddress();
    this._tell();
  }

  _tell() {
    for (const listener of this._listeners) listener(this.look);
  }

  _sendChanged() {
    // All that was changed lately, so that changes in quick succession are one for the server, too.
    if (this._isUnsent && this.send(this._changed)) this._isUnsent = false;
  }

  _writeAddress() {
    if (!this.isShared || !this.hasOwn) return;
    const kept = new URLSearchParams(location.hash.slice(1));
    const extra = ['source', 'view'].filter((name) => kept.has(name)).map((name) => `&${name}=${kept.get(name)}`);
    history.replaceState(null, '', `#${format(this.look)}${extra.join('')}`);
  }
}
