/** What is saved: pictures of the canvas, and recordings of it. */

import { byId, download } from './dom.js';
import { announce, say } from './messages.js';
import { clock, text } from './texts.js';

const BITS_PER_S = 8_000_000;

/** Containers in order of preference: the first is what other programs play. */
const TYPES = ['video/mp4;codecs=avc1.42E01F', 'video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm'];

/** Saves what the canvas shows. */
export class Recorder {
  constructor(canvas, nameOf) {
    this._canvas = canvas;
    this._nameOf = nameOf;
    this._recorder = null;
    this._timer = 0;
  }

  /** Whether a recording runs. */
  get isRecording() {
    return this._recorder !== null;
  }

  /** Save the picture that is shown. */
  async snapshot() {
    const blob = await new Promise((done) => {
      this._canvas.toBlob(done, 'image/png');
    });
    download(blob, `${this._fileName()}.png`);
    flash();
    say(text('snapshotSaved'));
  }

  /** Start a recording, or finish the one that runs. */
  toggle() {
    if (this._recorder) {
      this._recorder.stop();
      return;
    }
    const type = TYPES.find((each) => globalThis.MediaRecorder?.isTypeSupported(each));
    if (!type || !this._canvas.captureStream) {
      say(text('recordingUnable'));
      return;
    }
    this._start(type);
  }

  _start(type) {
    const name = this._fileName();
    const parts = [];
    const stream = this._canvas.captureStream();
    const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: BITS_PER_S });
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    recorder.addEventListener('stop', () => {
      for (const track of stream.getTracks()) track.stop();
      this._recorder = null;
      this._show();
      download(new Blob(parts, { type }), `${name}.${type.includes('mp4') ? 'mp4' : 'webm'}`);
      say(text('recordingSaved'));
    });
    recorder.start(1000);
    this._recorder = recorder;
    this._began = performance.now();
    this._show();
  }

  _show() {
    const button = byId('record');
    const { isRecording } = this;
    button.setAttribute('aria-pressed', String(isRecording));
    button.title = text(isRecording ? 'recordEnd' : 'record');
    button.setAttribute('aria-label', button.title);
    announce(isRecording ? text('recordingFor', { time: clock(0) }) : '');
    clearInterval(this._timer);
    const tell = () => {
      button.title = text('recordingFor', { time: clock((performance.now() - this._began) / 1000) });
    };
    if (isRecording) this._timer = setInterval(tell, 1000);
  }

  _fileName() {
    const now = new Date();
    const local = new Date(now.getTime() - 60_000 * now.getTimezoneOffset());
    return `${this._nameOf()} ${local.toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '-')}`;
  }
}

/** Light up for a moment, as a picture is taken. */
export function flash() {
  const light = byId('flash').cloneNode();
  byId('flash').replaceWith(light);
  light.hidden = false;
  light.addEventListener('animationend', () => {
    light.hidden = true;
  });
}
