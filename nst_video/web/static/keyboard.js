/** The table of keys; the same as in the window of `nst-video live`, where a page can have them. */

import { byId, make } from './dom.js';
import { text } from './texts.js';

/** Keys, how they are shown, what they do (a text), and the action with what it is given. */
export const KEYS = [
  { keys: [...'123456789'], label: '1-9', help: 'keyStyle', action: 'style' },
  { keys: ['a', 'ArrowLeft'], label: 'A ←', help: 'keyPrevious', action: 'step', value: -1 },
  { keys: ['d', 'ArrowRight'], label: 'D →', help: 'keyNext', action: 'step', value: 1 },
  { keys: ['0'], label: '0', help: 'keyOriginal', action: 'original' },
  { keys: ['[', 'ArrowDown'], label: '[ ↓', help: 'keyWeaker', action: 'intensity', value: -1 },
  { keys: [']', 'ArrowUp'], label: '] ↑', help: 'keyStronger', action: 'intensity', value: 1 },
  { keys: ['b'], label: 'B', help: 'keyMix', action: 'partner' },
  { keys: [','], label: ',', help: 'keyUnmix', action: 'mix', value: -0.1 },
  { keys: ['.'], label: '.', help: 'keyMixMore', action: 'mix', value: 0.1 },
  { keys: ['c'], label: 'C', help: 'keyColors', action: 'colors' },
  { keys: ['m'], label: 'M', help: 'keyMask', action: 'mask' },
  { keys: ['t'], label: 'T', help: 'keySteady', action: 'steady' },
  { keys: ['s'], label: 'S', help: 'keyCompare', action: 'compare' },
  { keys: ['i'], label: 'I', help: 'keyFigures', action: 'figures' },
  { keys: ['f'], label: 'F', help: 'keyMirror', action: 'mirror' },
  { keys: ['Enter'], label: 'Enter', help: 'keyFullScreen', action: 'fullScreen' },
  { keys: ['-'], label: '-', help: 'keyCoarser', action: 'strokes', value: 1 },
  { keys: ['=', '+'], label: '=', help: 'keyFiner', action: 'strokes', value: -1 },
  { keys: ['w'], label: 'W', help: 'keySnapshot', action: 'snapshot' },
  { keys: ['r'], label: 'R', help: 'keyRecord', action: 'record' },
  { keys: ['v'], label: 'V', help: 'keyVirtual', action: 'virtualCamera' },
  { keys: ['n'], label: 'N', help: 'keyCamera', action: 'nextCamera' },
  { keys: [' '], label: 'Space', help: 'keyPause', action: 'pause' },
  { keys: ['l'], label: 'L', help: 'keyReload', action: 'reload' },
  { keys: ['y'], label: 'Y', help: 'keyRefine', action: 'refine' },
  { keys: ['z'], label: 'Z', help: 'keyFit', action: 'fit' },
  { keys: ['k'], label: 'K', help: 'keyLook', action: 'look' },
  { keys: ['?', '/', 'h'], label: '?', help: 'keyHelp', action: 'help' },
  { keys: ['Escape', 'q'], label: 'Esc Q', help: 'keyClose', action: 'close' },
];

const BY_KEY = new Map(KEYS.flatMap((entry) => entry.keys.map((key) => [key, entry])));

/** Keys that belong to what has the focus, by its selector; all where it is written in or chosen from. */
const OF_FOCUS = [
  ['select, textarea, input:not([type="range"], [type="checkbox"], [type="radio"])', null],
  ['input[type="range"], input[type="radio"], [role="slider"]', new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', ' '])],
  ['button, a, input[type="checkbox"]', new Set(['Enter', ' '])],
];

const belongsTo = (target, key) => OF_FOCUS.some(([selector, keys]) => target.matches(selector) && (!keys || keys.has(key)));

/** Call actions when keys are pressed; `isOn` says whether they are wanted. */
export function listenToKeys(actions, isOn) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const { target, key } = event;
    if (document.querySelector('dialog[open]')) return;
    if (key !== 'Escape' && belongsTo(target, key)) return;
    const entry = BY_KEY.get(key.length === 1 ? key.toLowerCase() : key);
    if (!entry || (!isOn() && key !== 'Escape')) return;
    if (event.repeat && entry.value === undefined) return;
    event.preventDefault();
    actions[entry.action](entry.value ?? key);
  });
}

/** Fill in the table of keys. */
export function showKeys() {
  const row = ({ label, help }) => {
    const caps = label.split(' ').flatMap((cap) => [make('kbd', { textContent: cap }), ' ']);
    return make('tr', {}, make('th', { scope: 'row' }, ...caps), make('td', { textContent: text(help) }));
  };
  byId('keys').tBodies[0].replaceChildren(...KEYS.map(row));
}
