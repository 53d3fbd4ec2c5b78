/** The panel of the look: sliders and switches. */

import { byId, clamp, fill, make } from './dom.js';
import { FLAGS, INITIAL, NUMBERS } from './look.js';
import { say, sayValue } from './messages.js';
import { text } from './texts.js';

const percent = (value) => text('percent', { percent: Math.round(100 * value) });
const times = (value) => text('times', { times: Number(value.toFixed(2)) });

/** The slider of a mask, which `MaskPanel` places. */
export const SOFTNESS = { name: 'mask_softness', label: 'maskSoftness', show: percent };

/** Sliders: their name in the look, text, how a value is shown and where it lies on the slider. */
const SLIDERS = [
  { name: 'intensity', label: 'intensity', show: percent },
  { name: 'steady', label: 'steady', show: percent },
  // Strokes of half and of double width lie at the same distance from the middle.
  { name: 'stroke_scale', label: 'strokeScale', show: times, toSlider: Math.log2, fromSlider: (place) => 2 ** place },
  { name: 'gentle', label: 'gentle', show: percent },
];
const SWITCHES = { keep_colors: 'keep-colors', original: 'original' };
const STEADINESS = [1, 0.5, 0];
const STEP = 0.1;

/** Shows the look and changes it. */
export class LookPanel {
  constructor(store) {
    this._store = store;
    this._rows = SLIDERS.map((slider) => makeSlider(store, slider));
    byId('sliders').append(...this._rows.map(({ root }) => root));
    for (const flag of FLAGS) {
      const box = byId(SWITCHES[flag]);
      box.addEventListener('change', () => store.change({ [flag]: box.checked }));
    }
    byId('reset').addEventListener('click', () => this._reset());
    byId('share').addEventListener('click', () => share());
    byId('open-look').addEventListener('click', () => this.open(!this.isOpen));
    byId('close-panel').addEventListener('click', () => this.open(false));
    store.listen((look) => this._show(look));
  }

  /** Whether it is open. */
  get isOpen() {
    return !byId('panel').hidden;
  }

  /** Open or close it. */
  open(isOpen) {
    const hadFocus = byId('panel').contains(document.activeElement);
    byId('panel').hidden = !isOpen;
    byId('open-look').setAttribute('aria-expanded', String(isOpen));
    if (isOpen) this._rows[0].input.focus({ focusVisible: false });
    else if (hadFocus) byId('open-look').focus();
  }

  /** Change the intensity by a step. */
  stepIntensity(by) {
    const intensity = Math.round(100 * clamp(this._store.look.intensity + by * STEP)) / 100;
    this._store.change({ intensity });
    sayValue(text('intensityIs', { percent: Math.round(100 * intensity) }));
  }

  /** Make strokes wider or finer, by a quarter of an octave. */
  stepStrokes(by) {
    const { low, high } = NUMBERS.stroke_scale;
    const scale = clamp(2 ** (Math.round(4 * Math.log2(this._store.look.stroke_scale) + by) / 4), low, high);
    this._store.change({ stroke_scale: Math.round(100 * scale) / 100 });
    sayValue(text('strokesAre', { times: Number(scale.toFixed(2)) }));
  }

  /** Go to the next steadiness: full, half, none. */
  nextSteadiness() {
    const steady = STEADINESS.find((value) => value < this._store.look.steady) ?? STEADINESS[0];
    this._store.change({ steady });
    sayValue(text('steadyIs', { percent: 100 * steady }));
  }

  /** Turn a switch of the look over. */
  toggle(flag, [on, off]) {
    const isOn = !this._store.look[flag];
    this._store.change({ [flag]: isOn });
    sayValue(text(isOn ? on : off));
  }

  _show(look) {
    for (const { update } of this._rows) update(look);
    for (const flag of FLAGS) byId(SWITCHES[flag]).checked = look[flag];
  }

  _reset() {
    this._store.change(INITIAL);
  }
}

/** Return the row of a slider: its element, its input, and what shows a look in it. */
export function makeSlider(store, { name, label, show, toSlider = (value) => value, fromSlider = (place) => place }) {
  const { low, high } = NUMBERS[name];
  const input = make('input', { type: 'range', id: `slider-${name}`, min: String(toSlider(low)), max: String(toSlider(high)), step: '0.01' });
  const output = make('output', {});
  const root = make('div', { className: 'slider' }, make('label', { htmlFor: input.id, textContent: text(label) }), output, input);
  input.addEventListener('input', () => store.change({ [name]: Math.round(100 * fromSlider(input.valueAsNumber)) / 100 }));
  const update = (look) => {
    const place = toSlider(look[name]);
    if (document.activeElement !== input || Math.abs(input.valueAsNumber - place) > 0.02) input.value = String(place);
    output.textContent = show(look[name]);
    input.setAttribute('aria-valuetext', output.textContent);
    fill(input);
  };
  return { root, input, update };
}

async function share() {
  try {
    await navigator.clipboard.writeText(location.href);
    say(text('shared'));
  } catch {
    say(text('shareFailed'));
  }
}
