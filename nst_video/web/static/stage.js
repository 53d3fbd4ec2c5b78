/** The painting: fills the page, or is shown whole before its own colors; compares with the original. */

import { byId, clamp } from './dom.js';
import { text } from './texts.js';

/** Where page and picture differ by more than this factor in shape, the picture is shown whole. */
const MAX_CROP = 1.35;

/** What lies around a picture that is shown whole: the picture, small and blurred once, not by the page at every frame. */
const AMBIENT = { width: 64, height: 48, blur: 'blur(7px)', every_ms: 400 };
const STEP = 0.05;

/** Draws pictures, and a divider that is dragged between original and painting. */
export class Stage {
  constructor() {
    this.canvas = byId('painting');
    this._context = this.canvas.getContext('2d', { alpha: false });
    this._ambient = byId('ambient').getContext('2d', { alpha: false });
    this._divider = byId('divider');
    this._root = byId('stage');
    this._painted = null;
    this._original = null;
    this._ambient_ms = -Infinity;
    this.isMirrored = false;
    this.isComparing = false;
    this.showsWhole = null; // null: where little would be cut off, the painting fills the page
    this.isFilm = false;
    this._split = 0.5;
    this._listenToDivider();
    new ResizeObserver(() => this.layOut()).observe(this._root);
  }

  /** Whether there is a picture. */
  get hasPicture() {
    return this._painted !== null;
  }

  /** Show a painted picture, and the original where it is known; both now belong to the stage. */
  show(painted, original = null) {
    this._painted?.close();
    this._painted = painted;
    if (original || !this.isComparing) {
      if (this._original !== original) this._original?.close();
      this._original = original;
    }
    const { canvas } = this;
    if (canvas.width !== painted.width || canvas.height !== painted.height) {
      canvas.width = painted.width;
      canvas.height = painted.height;
      this.layOut();
    } else if (this.isComparing) this._measure(); // panels that open and close move the picture
    this._draw();
    this._root.classList.add('has-picture');
  }

  /** Show nothing. */
  clear() {
    this._painted?.close();
    this._original?.close();
    this._painted = this._original = null;
    this._root.classList.remove('has-picture');
  }

  /** Mirror the picture on this page, or no longer; what is saved is not mirrored. */
  mirror(isMirrored) {
    this.isMirrored = isMirrored;
    this.canvas.classList.toggle('is-mirrored', isMirrored);
    this._draw();
  }

  /** Show the original beside the painting, or no longer. */
  compare(isComparing) {
    this.isComparing = isComparing;
    this._divider.hidden = !isComparing;
    this.layOut();
    this._draw();
  }

  /** Lay the canvas out for the sizes of page and picture. */
  layOut() {
    const { clientWidth: width, clientHeight: height } = this._root;
    const shape = this.canvas.width / this.canvas.height / (width / height);
    const isClose = Math.max(shape, 1 / shape) <= MAX_CROP && !this.isFilm;
    const isWhole = this.showsWhole ?? !isClose;
    this._root.classList.toggle('is-whole', isWhole);
    this._measure();
  }

  _measure() {
    const { clientWidth: width, clientHeight: height } = this._root;
    const box = this.canvas.getBoundingClientRect();
    const { left, top } = this._root.getBoundingClientRect();
    // The canvas has its own shape where it is shown whole; otherwise the page cuts it.
    this._box = {
      left: Math.max(0, box.left - left),
      top: Math.max(0, box.top - top),
      width: Math.min(width, box.width),
      height: Math.min(height, box.height),
      // Width of the whole picture, of which the page may cut both sides.
      full: this._root.classList.contains('is-whole') ? box.width : Math.max(width, height * (this.canvas.width / this.canvas.height)),
    };
    this._placeDivider();
  }

  _placeDivider() {
    const { left, top, width, height } = this._box;
    this._divider.style.left = `${left + width * this._split}px`;
    this._divider.style.top = `${top}px`;
    this._divider.style.height = `${height}px`;
    const percent = Math.round(this._split * 100);
    this._divider.setAttribute('aria-valuenow', String(percent));
    this._divider.setAttribute('aria-valuetext', text('compareAt', { percent }));
  }

  _draw() {
    if (!this._painted) return;
    const { width, height } = this.canvas;
    this._context.drawImage(this._painted, 0, 0);
    if (this.isComparing && this._original) this._drawOriginal(width, height);
    const now = performance.now();
    if (now - this._ambient_ms > AMBIENT.every_ms && this._root.classList.contains('is-whole')) {
      this._ambient_ms = now;
      this._ambient.filter = AMBIENT.blur;
      // Larger than the canvas, so that its edges are not mixed with black.
      this._ambient.drawImage(this._painted, -8, -8, AMBIENT.width + 16, AMBIENT.height + 16);
    }
  }

  _drawOriginal(width, height) {
    const { full, width: visible } = this._box;
    const split = 0.5 + (this._split - 0.5) * (full ? visible / full : 1);
    const edge = Math.round(width * (this.isMirrored ? 1 - split : split));
    const [from, to] = this.isMirrored ? [edge, width] : [0, edge];
    if (to <= from) return;
    const scale = this._original.width / width;
    const rows = this._original.height;
    this._context.drawImage(this._original, from * scale, 0, (to - from) * scale, rows, from, 0, to - from, height);
  }

  _setSplit(split) {
    this._split = clamp(split);
    this._placeDivider();
    this._draw();
  }

  _listenToDivider() {
    const divider = this._divider;
    divider.addEventListener('pointerdown', (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener('pointermove', (event) => {
      if (!divider.hasPointerCapture(event.pointerId)) return;
      const { left } = this._root.getBoundingClientRect();
      this._setSplit((event.clientX - left - this._box.left) / this._box.width);
    });
    divider.addEventListener('keydown', (event) => {
      const by = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -1, End: 1 }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this._setSplit(this._split + by);
    });
  }
}
