/** The mix: two styles at the ends of a line, or three at the corners of a triangle, and a knob to drag. */

import { byId, clamp, make } from './dom.js';
import { shares } from './look.js';
import { text } from './texts.js';

/** Corners of the triangle, as shares of its width and height. */
const CORNERS = [[0.5, 0.06], [0.04, 0.94], [0.96, 0.94]];
const STEP = 0.05;
const SVG = 'http://www.w3.org/2000/svg';

/** Return the shares of the three corners at a point; outside the triangle, those of the nearest inside. */
export function sharesAt(x, y) {
  const [[ax, ay], [bx, by], [cx, cy]] = CORNERS;
  const area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy);
  const first = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) / area;
  const second = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) / area;
  const inside = [first, second, 1 - first - second].map((share) => clamp(share));
  const sum = inside[0] + inside[1] + inside[2];
  return inside.map((share) => share / sum);
}

/** Return the point of three shares. */
export function pointOf(three) {
  return [0, 1].map((axis) => three.reduce((sum, share, corner) => sum + share * CORNERS[corner][axis], 0));
}

/** Shows line or triangle while styles are mixed. */
export class Mixer {
  constructor(styles, store) {
    this._styles = styles;
    this._store = store;
    this._root = byId('mixer');
    this._names = '';
    styles.listen(() => {
      this._names = '';
      this._show(store.look);
    });
    store.listen((look) => this._show(look));
  }

  /** Give more of the second style, or less. */
  step(by) {
    const mixed = shares(this._store.look.styles);
    if (mixed.length === 2) this._weigh([clamp(mixed[0] - by), clamp(mixed[1] + by)]);
    if (mixed.length === 3) this._weigh(mixed.map((share, place) => clamp(place === 1 ? share + by : share)));
    return mixed.length > 1;
  }

  _show({ styles }) {
    const names = styles.map(({ name }) => name).join('\n');
    this._root.hidden = styles.length < 2 || styles.length > 3;
    if (this._root.hidden) {
      this._names = '';
      return;
    }
    if (names !== this._names) {
      this._names = names;
      this._root.classList.toggle('is-triangle', styles.length === 3);
      if (styles.length === 2) this._buildLine(styles);
      else this._buildTriangle(styles);
    }
    this._place(shares(styles));
  }

  _weigh(mixed) {
    const { styles } = this._store.look;
    this._store.change({ styles: styles.map(({ name }, place) => ({ name, weight: Math.round(mixed[place] * 1000) / 1000 })) });
  }

  _sentence(mixed) {
    const { styles } = this._store.look;
    return mixed.map((share, place) => text('mixOf', { percent: Math.round(100 * share), style: this._styles.find(styles[place].name).title })).join(', ');
  }

  _picture(name) {
    const style = this._styles.find(name);
    return style.thumbnail ? make('img', { src: style.thumbnail, alt: '' }) : make('span', { textContent: '' });
  }

  _buildLine(styles) {
    const ends = styles.map(({ name }) => make('span', { className: 'end' }, this._picture(name), make('span', { textContent: this._styles.find(name).title })));
    const range = make('input', { type: 'range', min: '0', max: '1', step: '0.01', id: 'mix-line' });
    range.setAttribute('aria-label', text('mix'));
    range.addEventListener('input', () => this._weigh([1 - range.valueAsNumber, range.valueAsNumber]));
    this._root.replaceChildren(ends[0], range, ends[1]);
    this._place = (mixed) => {
      range.value = String(mixed[1]);
      range.setAttribute('aria-valuetext', this._sentence(mixed));
    };
  }

  _buildTriangle(styles) {
    const pad = make('div', { className: 'triangle', id: 'mix-pad', role: 'slider', tabIndex: 0 });
    pad.setAttribute('aria-label', text('mixPad'));
    pad.setAttribute('aria-roledescription', text('mixPadRole'));
    pad.setAttribute('aria-valuemin', '0');
    pad.setAttribute('aria-valuemax', '100');
    const drawing = document.createElementNS(SVG, 'svg');
    drawing.setAttribute('viewBox', '0 0 1 1');
    drawing.setAttribute('preserveAspectRatio', 'none');
    drawing.setAttribute('aria-hidden', 'true');
    const shape = document.createElementNS(SVG, 'polygon');
    shape.setAttribute('points', CORNERS.map((corner) => corner.join(',')).join(' '));
    drawing.append(shape);
    const knob = make('span', { className: 'knob' });
    const legend = make('div', { className: 'legend' });
    pad.append(drawing, ...styles.map(({ name }, corner) => put(this._picture(name), CORNERS[corner])), knob);
    this._root.replaceChildren(pad, legend);
    this._place = (mixed) => {
      put(knob, pointOf(mixed));
      pad.setAttribute('aria-valuenow', String(Math.round(100 * mixed[0])));
      pad.setAttribute('aria-valuetext', this._sentence(mixed));
      legend.replaceChildren(...this._sentence(mixed).split(', ').map((line) => make('span', { textContent: line })));
    };
    this._listenToPad(pad);
  }

  _listenToPad(pad) {
    const follow = (event) => {
      const box = pad.getBoundingClientRect();
      this._weigh(sharesAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height));
    };
    pad.addEventListener('pointerdown', (event) => {
      pad.setPointerCapture(event.pointerId);
      follow(event);
    });
    pad.addEventListener('pointermove', (event) => {
      if (pad.hasPointerCapture(event.pointerId)) follow(event);
    });
    pad.addEventListener('keydown', (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = pointOf(shares(this._store.look.styles));
      this._weigh(sharesAt(x + STEP * move[0], y + STEP * move[1]));
    });
  }
}

function put(element, [x, y]) {
  element.style.left = `${100 * x}%`;
  element.style.top = `${100 * y}%`;
  return element;
}
