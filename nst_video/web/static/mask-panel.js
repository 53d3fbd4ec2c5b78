/** The mask: where the styles are, and what is outside of it. */

import { byId, make } from './dom.js';
import { makeSlider, SOFTNESS } from './look-panel.js';
import { MASKS } from './look.js';
import { sayValue } from './messages.js';
import { text } from './texts.js';

const LABELS = { none: 'maskNone', person: 'maskPerson', background: 'maskBackground' };
const RESTS = { none: 'maskRest', person: 'maskAround', background: 'maskPeople' };
const PLAIN = { original: 'restOriginal', blur: 'restBlur' };
const COLOR = 'color';
const GREEN = '#00b140'; // of screens for keying

/** Colors that have names on the command line. */
const NAMED = { black: '#000000', white: '#ffffff', gray: '#808080', green: GREEN, blue: '#0047bb' };

const isColor = (rest) => rest.startsWith('#') || rest in NAMED;

/** Chooses the mask, in the panel of the look. */
export class MaskPanel {
  constructor(styles, store) {
    this._styles = styles;
    this._store = store;
    this._choices = new Map(MASKS.map((mask) => [mask, this._choice(mask)]));
    byId('mask-choices').append(...[...this._choices.values()].map(({ root }) => root));
    this._rest = byId('mask-rest');
    this._color = byId('mask-color');
    this._softness = makeSlider(store, SOFTNESS);
    byId('mask-more').append(this._softness.root);
    this._rest.addEventListener('change', () => {
      const { value } = this._rest;
      store.change({ rest: value === COLOR ? this._color.value : value });
    });
    this._color.addEventListener('input', () => store.change({ rest: this._color.value }));
    styles.listen(() => this._list());
    this._list();
    store.listen((look) => this._show(look));
  }

  /** Go to the next mask: people, the background, people before another style, none. */
  next() {
    const { mask, rest, styles } = this._store.look;
    const ids = this._styles.all.map(({ id }) => id);
    const other = ids[(ids.indexOf(styles[0].name) + 1) % ids.length] ?? 'blur';
    let chosen = { mask: 'none', rest: 'original' };
    if (mask === 'none') chosen = { mask: 'person', rest: 'original' };
    else if (mask === 'person' && rest === 'original') chosen = { mask: 'background', rest: 'original' };
    else if (mask === 'background') chosen = { mask: 'person', rest: other };
    this._store.change(chosen);
    const title = this._styles.find(chosen.rest).title;
    if (chosen.rest === 'original') sayValue(text(LABELS[chosen.mask]));
    else sayValue(text('maskAroundIs', { style: title }));
  }

  _choice(mask) {
    const input = make('input', { type: 'radio', name: 'mask', value: mask });
    input.addEventListener('change', () => this._store.change({ mask }));
    return { input, root: make('label', {}, input, make('span', { textContent: text(LABELS[mask]) })) };
  }

  _list() {
    const plain = Object.entries(PLAIN).map(([value, label]) => new Option(text(label), value));
    const styles = make('optgroup', { label: text('gallery') }, ...this._styles.all.map(({ id, title }) => new Option(title, id)));
    this._rest.replaceChildren(...plain, new Option(text('restColor'), COLOR), styles);
    this._show(this._store.look);
  }

  _show(look) {
    const { mask, rest } = look;
    this._choices.get(mask).input.checked = true;
    byId('mask-more').hidden = mask === 'none';
    byId('mask-rest-label').textContent = text(RESTS[mask]);
    this._color.hidden = !isColor(rest);
    if (isColor(rest)) this._color.value = NAMED[rest] ?? rest;
    const value = isColor(rest) ? COLOR : rest;
    if (![...this._rest.options].some((option) => option.value === value)) this._rest.append(new Option(this._styles.find(rest).title, rest));
    this._rest.value = value;
    this._softness.update(look);
  }
}
