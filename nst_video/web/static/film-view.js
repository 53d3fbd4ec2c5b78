/** A film on the stage: one frame painted in the look, or the newest that is painted while it runs. */

import { picture } from './api.js';
import { byId, fill, throttle } from './dom.js';
import { FilmList } from './film-list.js';
import { Films } from './films.js';
import { format } from './look.js';
import { say } from './messages.js';
import { text } from './texts.js';

const PREVIEW_MS = 250;
const GROWING_MS = 1000;

/** States in which the look can be tried out, and the film started. */
const OPEN_STATES = ['uploaded', 'done', 'failed'];

/** Shows the chosen film. */
export class FilmView {
  constructor(stage, store, events) {
    this._stage = stage;
    this._store = store;
    this._events = events;
    this.isActive = false;
    this.films = new Films(() => this._changed());
    this._list = new FilmList(this.films);
    this._wish = '';
    this._abort = null;
    this._refresh = throttle(PREVIEW_MS, () => this._showFrame());
    this._grow = throttle(GROWING_MS, () => this._showFrame());
    store.listen(() => this._refresh());
    const at = byId('film-at');
    fill(at);
    at.addEventListener('input', () => {
      fill(at);
      this._refresh();
    });
    byId('film-start').addEventListener('click', () => this._start());
  }

  /** Show films from now on. */
  async open() {
    this.isActive = true;
    this._stage.isFilm = true;
    byId('films').hidden = false;
    this._wish = '';
    try {
      await this.films.watch();
    } catch (error) {
      say(error.message, { isLong: true });
    }
  }

  /** Show films no longer. */
  close() {
    this.isActive = false;
    this._abort?.abort();
    this._stage.isFilm = false;
    byId('films').hidden = true;
    byId('film-bar').hidden = true;
    this.films.rest();
  }

  _changed() {
    if (!this.isActive) return;
    this._list.show();
    const film = this.films.chosen;
    const isOpen = Boolean(film) && OPEN_STATES.includes(film.state);
    byId('film-bar').hidden = !isOpen;
    if (isOpen) byId('film-start').textContent = text(film.state === 'uploaded' ? 'filmStart' : 'filmAgain');
    if (!film) {
      this._stage.clear();
      this._events.shown(null);
    } else if (film.state === 'running') this._grow();
    else this._refresh();
  }

  async _start() {
    const { id } = this.films.chosen;
    try {
      await this.films.act(id, 'start', { look: { ...this._store.look, original: false } });
    } catch (error) {
      say(error.message, { isLong: true });
    }
  }

  /** Ask for the frame that is wanted now; an older wish is given up. */
  async _showFrame() {
    const film = this.isActive ? this.films.chosen : null;
    if (!film) return;
    const at = byId('film-at').value;
    const frame = `/api/films/${film.id}/frame.jpg?at=${at}`;
    const isPreview = !OPEN_STATES.includes(film.state) && film.preview;
    const { original } = this._store.look;
    const wish = isPreview ? film.preview : `${frame}&${original ? 'original=true' : `${format(this._store.look, { isComplete: true })}&original=false`}`;
    const key = `${wish} ${this._stage.isComparing}`;
    if (key === this._wish) return;
    this._wish = key;
    this._abort?.abort();
    const { signal } = (this._abort = new AbortController());
    this._events.loading(true);
    try {
      const comparison = this._stage.isComparing && !isPreview ? picture(`${frame}&original=true`, signal) : null;
      const [painted, source] = await Promise.all([picture(wish, signal), comparison]);
      if (signal.aborted || !this.isActive) return;
      this._stage.show(painted, source);
      this._stage.layOut();
      this._events.shown(film);
    } catch (error) {
      if (error.name === 'AbortError') return;
      this._wish = '';
      say(error.message, { isLong: true });
    }
    if (!signal.aborted) this._events.loading(false);
  }

  /** Ask for the frame again, with the original beside it or without. */
  refresh() {
    this._refresh();
  }
}
