/** The gallery: a row of styles, each shown by a scene painted in it. */

import { byId, icon, make } from './dom.js';
import { showWhenSeen } from './lazy-images.js';
import { text } from './texts.js';

const MOVES = { ArrowRight: 1, ArrowLeft: -1 };

/** Shows the styles; a click chooses, the plus sign mixes in. */
export class Gallery {
  constructor(styles, store, addPicture) {
    this._styles = styles;
    this._store = store;
    this._addPicture = addPicture;
    this._row = byId('styles');
    this._tiles = new Map();
    this._chosen = '';
    styles.listen(() => this._build());
    store.listen(() => this._mark());
    this._row.addEventListener('keydown', (event) => this._move(event));
    this._row.addEventListener('wheel', (event) => this._scroll(event), { passive: false });
    byId('expand').addEventListener('click', () => this.expand(!this.isExpanded));
  }

  /** Whether all styles are shown, not one row. */
  get isExpanded() {
    return byId('tray').classList.contains('is-grid');
  }

  /** Show all styles, or one row. */
  expand(isExpanded) {
    byId('tray').classList.toggle('is-grid', isExpanded);
    const button = byId('expand');
    button.setAttribute('aria-expanded', String(isExpanded));
    button.title = text(isExpanded ? 'fewerStyles' : 'allStyles');
    button.setAttribute('aria-label', button.title);
    if (!isExpanded) this._bringIntoView('auto');
  }

  _build() {
    const old = this._tiles;
    this._tiles = new Map();
    for (const style of this._styles.all) {
      const known = old.get(style.id);
      const isSame = known && JSON.stringify(known.style) === JSON.stringify(style);
      this._tiles.set(style.id, isSame ? known : this._tile(style));
    }
    this._row.replaceChildren(this._addTile(), ...[...this._tiles.values()].map(({ root }) => root));
    this._mark();
  }

  _tile(style) {
    const painted = make('span', { className: 'tile-picture' });
    if (style.thumbnail) {
      const image = make('img', { alt: '', decoding: 'async', width: 320, height: 200 });
      image.addEventListener('error', () => image.remove());
      showWhenSeen(image, style.thumbnail);
      painted.append(image);
    } else painted.append(style.title.slice(0, 1));
    const name = make('span', { className: 'tile-name', textContent: style.title });
    const main = make('button', { type: 'button', className: 'tile-main', tabIndex: -1, title: style.description ?? '' }, painted, name);
    const mix = make('button', { type: 'button', className: 'tile-mix', tabIndex: -1 }, icon('plus'));
    main.addEventListener('click', (event) => {
      if (event.shiftKey) this._styles.toggle(style.id);
      else this._styles.choose(style.id);
    });
    mix.addEventListener('click', () => this._styles.toggle(style.id));
    return { style, main, mix, root: make('div', { className: 'tile' }, main, mix) };
  }

  _addTile() {
    const picture = make('span', { className: 'tile-picture' }, icon('plus'));
    const name = make('span', { className: 'tile-name', textContent: text('addPicture') });
    this._add = make('button', { type: 'button', className: 'tile-main', title: text('addPictureLabel') }, picture, name);
    this._add.addEventListener('click', this._addPicture);
    return make('div', { className: 'tile add' }, this._add);
  }

  _mark() {
    const names = this._store.look.styles.map(({ name }) => name);
    for (const [id, { style, main, mix }] of this._tiles) {
      const isChosen = names.includes(id);
      main.setAttribute('aria-pressed', String(isChosen));
      main.tabIndex = id === names[0] ? 0 : -1;
      const label = text(isChosen ? 'mixOut' : 'mixIn', { style: style.title });
      mix.setAttribute('aria-pressed', String(isChosen && names.length > 1));
      mix.setAttribute('aria-label', label);
      mix.title = label;
      mix.hidden = isChosen && names.length === 1;
      mix.firstChild.firstChild.setAttribute('href', isChosen ? '#icon-minus' : '#icon-plus');
    }
    if (names[0] !== this._chosen && this._tiles.has(names[0])) {
      this._bringIntoView(this._chosen ? 'smooth' : 'auto');
      this._chosen = names[0];
    }
  }

  _bringIntoView(behavior) {
    this._tiles.get(this._store.look.styles[0].name)?.root.scrollIntoView({ behavior, block: 'nearest', inline: 'center' });
  }

  /** Arrows move the focus; the plus key mixes the style in. */
  _move(event) {
    const mains = [this._add, ...[...this._tiles.values()].map(({ main }) => main)];
    const place = mains.indexOf(document.activeElement);
    if (place < 0) return;
    if (event.key === '+') [...this._tiles.values()][place - 1]?.mix.click();
    else if (event.key in MOVES) mains[Math.min(mains.length - 1, Math.max(0, place + MOVES[event.key]))].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The wheel of a mouse moves the row. */
  _scroll(event) {
    if (this.isExpanded || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    this._row.scrollLeft += event.deltaY;
  }
}
