/** The panel of films: a card for each, with its state, progress and buttons. */

import { byId, iconButton, make } from './dom.js';
import { say } from './messages.js';
import { bytes, clock, duration, text } from './texts.js';

/** Buttons of a film by its state: text and request. */
const ACTIONS = {
  queued: [['filmPause', 'pause']],
  running: [['filmPause', 'pause']],
  paused: [['filmResume', 'resume']],
  failed: [['filmResume', 'resume']],
};

const percentOf = (film) => Math.floor(100 * (film.done ?? 0));

/** What is said of a film, by its state. */
const SENTENCES = {
  uploaded: (film) => text('filmDescription', { width: film.width, height: film.height, time: clock(film.duration_s ?? 0) }),
  queued: (film) => text('filmQueued', { place: film.place ?? 1 }),
  running: (film) => (Number.isFinite(film.remaining_s) ? text('filmLeft', { percent: percentOf(film), time: duration(film.remaining_s) }) : text('filmPercent', { percent: percentOf(film) })),
  paused: (film) => text('filmPaused', { percent: percentOf(film) }),
  failed: () => text('filmFailed'),
  done: (film) => text('filmDone', { size: bytes(film.bytes ?? 0) }),
};

/** Shows the films. */
export class FilmList {
  constructor(films) {
    this._films = films;
    this._cards = new Map();
    byId('folder-films').addEventListener('change', (event) => this._try(() => films.takeFromFolder(event.target.value)));
  }

  /** Show what has changed; cards that have not changed stay, and with them the focus. */
  show() {
    const list = byId('film-list');
    const { all, folder, chosenId } = this._films;
    const old = this._cards;
    this._cards = new Map();
    for (const film of all) {
      const known = old.get(film.id);
      const isSame = known && known.film.state === film.state;
      const card = isSame ? known : this._card(film);
      card.update(film);
      card.root.classList.toggle('is-chosen', film.id === chosenId);
      card.choose.setAttribute('aria-pressed', String(film.id === chosenId));
      this._cards.set(film.id, card);
    }
    const roots = [...this._cards.values()].map(({ root }) => root);
    if (roots.length !== list.children.length || roots.some((root, place) => root !== list.children[place])) list.replaceChildren(...roots);
    this._showFolder(folder);
  }

  _showFolder(folder) {
    byId('folder').hidden = !folder.length;
    const options = folder.map(({ name, bytes: size }) => new Option(`${name} (${bytes(size)})`, name));
    const select = byId('folder-films');
    if (select.options.length !== options.length + 1) select.replaceChildren(new Option('', ''), ...options);
    select.value = '';
  }

  _card(film) {
    const image = make('img', { alt: '', hidden: true });
    const choose = make('button', { type: 'button', className: 'film-picture', title: text('filmShow', { film: film.name }) }, image);
    choose.setAttribute('aria-label', choose.title);
    choose.addEventListener('click', () => this._films.choose(film.id));
    const name = make('span', { className: 'film-name', textContent: film.name, title: film.name });
    const state = make('span', { className: 'film-state' });
    const bar = make('progress', { className: 'bar', max: 1, value: 0 });
    bar.setAttribute('aria-label', text('filmProgress', { film: film.name }));
    const error = make('p', { className: 'film-error' });
    const root = make('li', { className: 'film' }, choose, name, state, bar, error, this._buttons(film));
    const update = (now) => {
      card.film = now;
      const sentence = SENTENCES[now.state](now);
      if (state.textContent !== sentence) state.textContent = sentence;
      bar.value = now.done ?? 0;
      bar.hidden = now.state === 'uploaded' || now.state === 'done';
      error.textContent = now.state === 'failed' ? (now.text ?? '') : '';
      error.hidden = !error.textContent;
      const picture = now.preview ?? `/api/films/${now.id}/frame.jpg?at=0.3&original=true`;
      if (image.getAttribute('src') !== picture) image.src = picture;
      image.hidden = false;
    };
    const card = { root, choose, update, film };
    return card;
  }

  _buttons(film) {
    const row = make('div', { className: 'row' });
    for (const [label, action] of ACTIONS[film.state] ?? []) {
      const button = make('button', { type: 'button', className: 'plain', textContent: text(label) });
      button.addEventListener('click', () => this._try(() => this._films.act(film.id, action)));
      row.append(button);
    }
    if (film.state === 'done') {
      const link = make('a', { className: 'primary', href: `/api/films/${film.id}/download`, download: '', textContent: text('filmDownload') });
      row.append(link);
    }
    row.append(iconButton('trash', text('filmRemove', { film: film.name }), () => this._try(() => this._films.remove(film.id))));
    return row;
  }

  async _try(work) {
    try {
      await work();
    } catch (error) {
      say(error.message, { isLong: true });
    }
  }
}
