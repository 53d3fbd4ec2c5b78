/** Films: what the server says of them, and the requests that change them. */

import { request, upload } from './api.js';

/** All films of the server, kept up to date by its events while they are watched. */
export class Films {
  constructor(onChange) {
    this._onChange = onChange;
    this._events = null;
    this.all = [];
    this.folder = [];
    this.chosenId = '';
  }

  /** The film that is shown on the stage, or null. */
  get chosen() {
    return this.all.find(({ id }) => id === this.chosenId) ?? null;
  }

  /** Ask for the list, and listen to changes from now on. */
  async watch() {
    const { films, folder } = await request('GET', '/api/films');
    this.all = films;
    this.folder = folder ?? [];
    if (!this.chosen) this.chosenId = films[0]?.id ?? '';
    this._onChange();
    if (this._events) return;
    this._events = new EventSource('/api/films/events'); // reconnects by itself
    this._events.addEventListener('message', (event) => this._take(JSON.parse(event.data)));
  }

  /** Listen no longer. */
  rest() {
    this._events?.close();
    this._events = null;
  }

  /** Choose the film that is shown. */
  choose(id) {
    this.chosenId = id;
    this._onChange();
  }

  /** Upload a film and choose it; reports the progress, 0 to 1. */
  async add(file, onProgress) {
    const film = await upload(`/api/films?name=${encodeURIComponent(file.name)}`, file, onProgress);
    this.chosenId = film.id;
    this._take(film);
  }

  /** Take a film of the server's folder and choose it. */
  async takeFromFolder(name) {
    const film = await request('POST', '/api/films/from-folder', { name });
    this.chosenId = film.id;
    this._take(film);
  }

  /** Start a film, pause it, or go on. */
  async act(id, action, body) {
    const film = await request('POST', `/api/films/${id}/${action}`, body);
    if (film?.id) this._take(film);
  }

  /** Delete a film. */
  async remove(id) {
    await request('DELETE', `/api/films/${id}`);
    this.all = this.all.filter((film) => film.id !== id);
    if (this.chosenId === id) this.chosenId = this.all[0]?.id ?? '';
    this._onChange();
  }

  _take(film) {
    const isKnown = this.all.some(({ id }) => id === film.id);
    this.all = isKnown ? this.all.map((each) => (each.id === film.id ? film : each)) : [film, ...this.all];
    this._onChange();
  }
}
