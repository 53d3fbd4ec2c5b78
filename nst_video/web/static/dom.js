/** Small helpers for elements. */

const SVG = 'http://www.w3.org/2000/svg';

/** Return the element of an id, which must exist. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no element ${id}.`);
  return found;
}

/** Return a new element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Return an icon of the sprite in the page. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

/** Return a button with an icon and a name for screen readers and tooltips. */
export function iconButton(name, label, onClick) {
  const button = make('button', { type: 'button', className: 'round', title: label, ariaLabel: label });
  button.append(icon(name));
  button.addEventListener('click', onClick);
  return button;
}

/** Return a function that calls another at most once per so many milliseconds, the last call always. */
export function throttle(wait_ms, call) {
  let timer = 0;
  let isWanted = false;
  const run = () => {
    timer = 0;
    if (!isWanted) return;
    isWanted = false;
    timer = setTimeout(run, wait_ms);
    call();
  };
  return () => {
    isWanted = true;
    if (!timer) run();
  };
}

/** Return a number inside a range. */
export function clamp(value, low = 0, high = 1) {
  return Math.min(high, Math.max(low, value));
}

/** Show by the color of a slider's track how far it is. */
export function fill(slider) {
  const low = Number(slider.min);
  const share = (slider.valueAsNumber - low) / (Number(slider.max) - low);
  slider.style.setProperty('--filled', `${100 * share}%`);
}

/** Offer a file for download. */
export function download(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = make('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
