/** Files that are dropped, pasted or picked: pictures become styles, films are painted. */

import { byId, make } from './dom.js';
import { say } from './messages.js';
import { bytes, text } from './texts.js';

/** Formats whose type browsers do not know. */
const PICTURES = /\.(heic|heif|avif|jxl|tiff?|webp|jpe?g|png|bmp|gif)$/i;
const FILMS = /\.(mkv|mp4|mov|webm|avi|m4v|ts|mts|m2ts|mpe?g|wmv|flv|3gp|y4m|ogv|mxf)$/i;

const isFilm = ({ type, name }) => type.startsWith('video/') || FILMS.test(name);
const isPicture = ({ type, name }) => type.startsWith('image/') || PICTURES.test(name);

/** Takes files from everywhere. `addPicture` and `addFilm` get a file and report the progress. */
export class Uploads {
  constructor(addPicture, addFilm) {
    this._addPicture = addPicture;
    this._addFilm = addFilm;
    this.limits = {};
    this._depth = 0;
    for (const id of ['picture-file', 'film-file']) {
      byId(id).addEventListener('change', ({ target }) => {
        for (const file of target.files) this.take(file);
        target.value = '';
      });
    }
    document.addEventListener('paste', (event) => {
      for (const file of event.clipboardData?.files ?? []) this.take(file);
    });
    this._listenToDrops();
  }

  /** Let the user pick a picture. */
  pickPicture() {
    byId('picture-file').click();
  }

  /** Let the user pick a film. */
  pickFilm() {
    byId('film-file').click();
  }

  /** Upload a file. */
  async take(file) {
    const isMoving = isFilm(file);
    if (!isMoving && !isPicture(file)) {
      say(text('notAFile', { name: file.name }), { isLong: true });
      return;
    }
    const limit = this.limits[isMoving ? 'film_bytes' : 'picture_bytes'];
    if (limit && file.size > limit) {
      say(text('tooLarge', { name: file.name, size: bytes(file.size), limit: bytes(limit) }), { isLong: true });
      return;
    }
    const progress = showProgress(file.name);
    try {
      await (isMoving ? this._addFilm : this._addPicture)(file, progress.report);
    } catch (error) {
      say(error.message, { isLong: true });
    } finally {
      progress.end();
    }
  }

  _listenToDrops() {
    const over = byId('drop');
    const hasFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes('Files');
    document.addEventListener('dragenter', (event) => {
      if (!hasFiles(event)) return;
      this._depth += 1;
      over.hidden = false;
    });
    document.addEventListener('dragleave', (event) => {
      if (!hasFiles(event)) return;
      this._depth -= 1;
      over.hidden = this._depth > 0 ? over.hidden : true;
    });
    document.addEventListener('dragover', (event) => {
      if (hasFiles(event)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this._depth = 0;
      over.hidden = true;
      for (const file of event.dataTransfer.files) this.take(file);
    });
  }
}

function showProgress(name) {
  const label = make('span', { textContent: text('uploading', { name }) });
  const bar = make('progress', { className: 'bar', max: 1 });
  bar.setAttribute('aria-label', text('uploading', { name }));
  const toast = make('div', { className: 'toast' }, label, bar);
  byId('toasts').append(toast);
  const report = (done) => {
    bar.value = done;
    label.textContent = text('uploadingPercent', { name, percent: Math.round(100 * done) });
  };
  return { report, end: () => toast.remove() };
}
