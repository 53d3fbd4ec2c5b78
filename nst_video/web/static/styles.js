/** The list of styles, and what is chosen of them. */

import { request, upload } from './api.js';
import { MAX_MIXED, shares } from './look.js';
import { say } from './messages.js';
import { text } from './texts.js';

/** All styles of the server, and the choice among them. */
export class Styles {
  constructor(store) {
    this._store = store;
    this._listeners = [];
    this.all = [];
  }

  /** Call a function whenever the list changes. */
  listen(listener) {
    this._listeners.push(listener);
  }

  /** Ask the server for the list. */
  async load() {
    this.all = (await request('GET', '/api/styles')).styles;
    this._tell();
  }

  /** Return a style; one that is unknown has its name as title. */
  find(id) {
    return this.all.find((style) => style.id === id) ?? { id, title: id };
  }

  /** The names of the styles of the look, as people read them. */
  get sentence() {
    return this._store.look.styles.map(({ name }) => this.find(name).title).join(' + ');
  }

  /** Paint in one style. */
  choose(id) {
    this._store.change({ styles: [{ name: id, weight: 1 }], original: false });
  }

  /** Paint in the style so many places further in the list. */
  step(by) {
    if (!this.all.length) return;
    const place = this.all.findIndex(({ id }) => id === this._store.look.styles[0].name);
    this.choose(this.all[(place + by + this.all.length) % this.all.length].id);
  }

  /** Mix a style in, or take it out. */
  toggle(id) {
    const { styles } = this._store.look;
    const others = styles.filter(({ name }) => name !== id);
    if (others.length < styles.length) {
      if (others.length) this._store.change({ styles: others });
      return;
    }
    if (styles.length >= MAX_MIXED) {
      say(text('mixFull'));
      return;
    }
    const weights = shares(styles).map((share) => (share * styles.length) / (styles.length + 1));
    const mixed = styles.map(({ name }, place) => ({ name, weight: weights[place] }));
    this._store.change({ styles: [...mixed, { name: id, weight: 1 / (styles.length + 1) }], original: false });
  }

  /** Mix in the next style of the list; after the last one, none. */
  mixNext() {
    const [first, second] = this._store.look.styles;
    const ids = this.all.map(({ id }) => id);
    const next = ids[(ids.indexOf(second?.name ?? first.name) + 1) % ids.length];
    const share = second ? shares(this._store.look.styles)[1] : 0.5;
    const styles = [{ name: first.name, weight: 1 - share }, { name: next, weight: share }];
    this._store.change({ styles: next === first.name ? [{ name: next, weight: 1 }] : styles });
  }

  /** Make a picture a style and paint in it; reports the progress of the upload, 0 to 1. */
  async add(file, onProgress) {
    const style = await upload(`/api/styles?name=${encodeURIComponent(file.name)}`, file, onProgress);
    this.all = [style, ...this.all.filter(({ id }) => id !== style.id)];
    this._tell();
    this.choose(style.id);
    say(text('uploaded', { style: style.title }));
  }

  /** Make an uploaded picture one of the user's styles. */
  async keep(style, name) {
    const kept = await request('POST', `/api/styles/${encodeURIComponent(style.id)}/keep`, { name });
    await this.load();
    this.choose(kept.id);
    say(text('kept', { style: kept.title }));
  }

  /** Delete a style. */
  async remove(style) {
    if (this._store.look.styles.some(({ name }) => name === style.id)) {
      this.choose(this.all.find(({ id }) => id !== style.id).id);
    }
    await request('DELETE', `/api/styles/${encodeURIComponent(style.id)}`);
    await this.load();
    say(text('removed', { style: style.title }));
  }

  _tell() {
    for (const listener of this._listeners) listener();
  }
}
