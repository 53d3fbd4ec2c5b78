/** The card of the style that is chosen: who made it, refine, keep, delete. */

import { request } from './api.js';
import { byId, iconButton, make } from './dom.js';
import { say } from './messages.js';
import { duration, text } from './texts.js';

const POLL_MS = 1000;
const MINUTES = 2;

/** Shows one style, and a refinement that runs. */
export class StyleCard {
  constructor(styles, store) {
    this._styles = styles;
    this._store = store;
    this._root = byId('card');
    this._progress = make('div', { className: 'card-progress', hidden: true });
    this._style = null;
    this._refinement = { state: 'none' };
    this._timer = 0;
    styles.listen(() => this._show());
    store.listen(() => this._show());
    new MutationObserver(() => this._poll()).observe(byId('panel'), { attributeFilter: ['hidden'] });
  }

  /** Refine the chosen style, or end what runs. */
  async toggleRefinement() {
    await this._try(async () => {
      if (this._refinement.state === 'running') await request('DELETE', '/api/refinement');
      else await request('POST', `/api/styles/${encodeURIComponent(this._style.id)}/refine`, { minutes: MINUTES });
      await this._poll();
    });
  }

  _show() {
    const style = this._styles.find(this._store.look.styles[0].name);
    if (style === this._style) return;
    this._style = style;
    const parts = [make('h3', { textContent: style.title })];
    const by = [style.artist, style.license, style.refined ? text('isRefined') : ''].filter(Boolean).join(' · ');
    if (by) parts.push(make('p', { className: 'by', textContent: by }));
    const head = make('div', { className: 'card-head' });
    if (style.picture) head.append(make('img', { src: style.picture, alt: '', loading: 'lazy' }));
    head.append(make('div', {}, ...parts));
    const children = [head];
    if (style.description) children.push(make('p', { textContent: style.description }));
    if (style.origin && style.origin !== 'master') children.push(make('p', { className: 'hint', textContent: text('refineHint') }));
    this._root.replaceChildren(...children, this._buttons(style), this._progress);
    this._showRefinement();
  }

  _buttons(style) {
    const row = make('div', { className: 'row' });
    this._refine = null;
    if (style.origin && style.origin !== 'master') {
      this._refine = make('button', { type: 'button', className: 'plain', id: 'refine', textContent: text('refine') });
      this._refine.addEventListener('click', () => this.toggleRefinement());
      row.append(this._refine);
    }
    if (style.origin === 'uploaded') {
      const keep = make('button', { type: 'button', className: 'plain', id: 'keep', textContent: text('keep') });
      keep.addEventListener('click', () => this._try(() => this._styles.keep(style, style.title)));
      row.append(keep);
    }
    if (style.origin === 'uploaded' || style.origin === 'yours') {
      row.append(iconButton('trash', text('remove'), () => this._try(() => this._styles.remove(style))));
    }
    return row;
  }

  /** Ask how far the refinement is, until it ends. */
  async _poll() {
    clearTimeout(this._timer);
    if (byId('panel').hidden && this._refinement.state !== 'running') return;
    const before = this._refinement;
    try {
      this._refinement = await request('GET', '/api/refinement');
    } catch {
      this._refinement = { state: 'none' };
    }
    const { state, style, text: sentence } = this._refinement;
    if (before.state === 'running' && state !== 'running') {
      const title = this._styles.find(before.style).title;
      say(state === 'failed' ? sentence : text('refined', { style: title }));
      await this._try(() => this._styles.load());
    }
    this._showRefinement();
    if (state === 'running') this._timer = setTimeout(() => this._poll(), POLL_MS);
    return style;
  }

  _showRefinement() {
    const { state, style, done, remaining_s: remaining } = this._refinement;
    const isRunning = state === 'running';
    this._progress.hidden = !isRunning;
    if (this._refine) this._refine.textContent = text(isRunning ? 'refineEnd' : 'refine');
    if (!isRunning) return;
    const title = this._styles.find(style).title;
    const isKnown = Number.isFinite(remaining);
    const label = text(isKnown ? 'refiningLeft' : 'refining', { style: title, time: duration(remaining ?? 0) });
    const bar = make('progress', { className: 'bar', max: 1, value: done ?? 0 });
    bar.setAttribute('aria-label', text('refining', { style: title }));
    this._progress.replaceChildren(make('p', { className: 'by', textContent: label }), bar);
  }

  async _try(work) {
    try {
      await work();
    } catch (error) {
      say(error.message);
    }
  }
}
