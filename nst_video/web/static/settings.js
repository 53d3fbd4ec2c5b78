/** Settings of this page in this browser: camera, colors, keys. */

import { RESOLUTIONS } from './camera.js';
import { byId } from './dom.js';
import { showKeys } from './keyboard.js';
import { text } from './texts.js';

const KEPT = 'nst-video-page';

/** The dialog of keys and settings. */
export class Settings {
  constructor({ onCamera, onWhole }) {
    this._values = { theme: 'auto', keys: true, resolution: 0, ...read() };
    this._dialog = byId('help');
    showKeys();
    byId('open-help').addEventListener('click', () => this.open());
    byId('close-help').addEventListener('click', () => this._dialog.close());
    this._dialog.addEventListener('click', (event) => {
      if (event.target === this._dialog) this._dialog.close();
    });
    this._bind('theme', (theme) => {
      document.documentElement.dataset.theme = theme;
    });
    const keys = byId('keys-on');
    keys.checked = this._values.keys;
    keys.addEventListener('change', () => this._keep({ keys: keys.checked }));
    byId('whole').addEventListener('change', (event) => onWhole(event.target.checked));
    const sizes = RESOLUTIONS.map(([width, height], place) => new Option(`${width} × ${height}`, String(place)));
    byId('resolution').replaceChildren(...sizes);
    this._bind('resolution', () => onCamera({ resolution: this.resolution }));
    byId('cameras').addEventListener('change', (event) => onCamera({ deviceId: event.target.value }));
  }

  /** Whether single keys are used. */
  get usesKeys() {
    return this._values.keys;
  }

  /** Size of the camera's picture that is wanted. */
  get resolution() {
    return RESOLUTIONS[this._values.resolution] ?? RESOLUTIONS[0];
  }

  /** Open the dialog, or close it. */
  open() {
    if (this._dialog.open) this._dialog.close();
    else this._dialog.showModal();
  }

  /** Show the cameras; one of them is in use. */
  showCameras(cameras, deviceId) {
    const options = cameras.map((camera, place) => new Option(camera.label || text('cameraNumbered', { number: place + 1 }), camera.deviceId));
    byId('cameras').replaceChildren(...options);
    byId('cameras').value = deviceId;
    byId('cameras').disabled = cameras.length < 2;
  }

  _bind(name, use) {
    const select = byId(name);
    select.value = String(this._values[name]);
    select.addEventListener('change', () => {
      this._keep({ [name]: select.value });
      use(select.value);
    });
    if (name === 'theme') use(select.value);
  }

  _keep(values) {
    this._values = { ...this._values, ...values };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this._values));
    } catch {
      return; // private windows may refuse: the settings last as long as the page
    }
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}
