/** State, rate and delay: small in the bar, all figures on request. */

import { byId, make } from './dom.js';
import { announce } from './messages.js';
import { text } from './texts.js';

/** Texts of states; painting itself says nothing beside its figures. */
const STATES = {
  connecting: 'connecting',
  loading: 'loading',
  waiting: 'waiting',
  painting: 'painting_',
  busy: 'busy',
  trouble: 'trouble',
  held: 'held',
  offline: 'offline',
};

/** Shows what the server and this page are doing. */
export class Status {
  constructor() {
    this._button = byId('status');
    this._server = {};
    this._button.addEventListener('click', () => this.open(byId('figures').hidden));
    this.state('connecting');
  }

  /** Show or hide all figures. */
  open(isOpen) {
    byId('figures').hidden = !isOpen;
    this._button.setAttribute('aria-expanded', String(isOpen));
  }

  /** Show a state, such as "offline". */
  state(state) {
    if (this._button.dataset.state === state) return;
    this._button.dataset.state = state;
    byId('status-text').textContent = text(STATES[state]);
    announce(text(STATES[state]));
    if (state !== 'painting') byId('status-numbers').textContent = '';
  }

  /** Show a status of the server. */
  take(message) {
    this._server = message;
    this.state(message.state);
  }

  /** Show rate and delay, as this page measures them; a delay of 0 is unknown. */
  measure(fps, delay_ms) {
    const rate = text('rate', { fps: Math.round(fps) });
    const delay = delay_ms ? text('delay', { ms: Math.round(delay_ms) }) : '';
    if (this._button.dataset.state === 'painting') byId('status-numbers').textContent = [rate, delay].filter(Boolean).join(' · ');
    if (!byId('figures').hidden) this._showFigures(rate, delay);
  }

  _showFigures(rate, delay) {
    const { age_ms: age, paint_ms: paint, lines, every, engine, sessions } = this._server;
    const rows = [
      ['figureRate', rate],
      ['figureDelay', delay],
      ['figureServer', age && text('milliseconds', { ms: age })],
      ['figurePaint', paint && text('milliseconds', { ms: paint })],
      ['figureLines', lines && text('lines', { lines })],
      ['figureEvery', every && text('every', { every })],
      ['figureEngine', engine],
      ['figureSessions', sessions],
    ];
    const shown = rows.filter(([, value]) => value);
    byId('figures').replaceChildren(...shown.flatMap(([label, value]) => [make('dt', { textContent: text(label) }), make('dd', { textContent: value })]));
  }
}
