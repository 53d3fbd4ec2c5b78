/** What is painted live: the camera of this device, or that of the server. */

import { Camera, explain } from './camera.js';
import { Connection } from './connection.js';

const REMEMBERED = 8; // originals on the way: the windows of both directions, doubled
const RATE_MS = 2000;

/** Connects a camera, the server and the stage. `source` is "camera" or "live". */
export class LiveView {
  constructor(source, stage, store, events) {
    this.source = source;
    this._stage = stage;
    this._store = store;
    this._events = events;
    this._originals = new Map();
    this._isTaking = false;
    this._waiting = null;
    this._isDrawing = false;
    this._times = [];
    this.isHeld = false;
    this.isActive = false;
    this.delay_ms = 0;
    this.camera = new Camera(
      () => this._sendNewest(),
      () => events.cameraEnded(),
    );
    this.connection = new Connection(source, {
      ...events,
      hello: (message) => {
        this._forget();
        store.connected(message.look);
        events.hello(message);
      },
      look: (look) => store.accepted(look),
      refused: (sentence, key) => {
        if (key === 'look') store.refused();
        events.note(sentence);
      },
      room: () => this._sendNewest(),
      painted: (message) => this._receive(message),
    });
    document.addEventListener('visibilitychange', () => this._becameVisible());
  }

  /** Painted frames shown per second. */
  get fps() {
    const now = performance.now();
    this._times = this._times.filter((time) => now - time < RATE_MS);
    return (1000 * this._times.length) / RATE_MS;
  }

  /** Start: open the camera, where it is the one of this device, and connect. Throws what `explain` explains. */
  async start() {
    this.isActive = true;
    this._store.send = (look) => this.connection.send({ type: 'look', look });
    if (this.source === 'camera') await this.openCamera();
    if (this.isActive) this.connection.open();
  }

  /** End: camera and connection are closed. */
  stop() {
    this.isActive = false;
    this._store.send = () => false;
    this.camera.close();
    this.connection.close();
    this._forget();
  }

  /** Open the camera that is chosen. */
  async openCamera() {
    await this.camera.open();
    this.connection.send({ type: 'restart' });
    if (!this.isActive) this.camera.close();
  }

  /** Hold the picture, or go on. */
  hold(isHeld) {
    this.isHeld = isHeld;
    if (!isHeld) this._sendNewest();
  }

  async _sendNewest() {
    if (this._isTaking || this.isHeld || document.hidden || !this.connection.hasRoom || !this.camera.isOpen) return;
    this._isTaking = true;
    try {
      const frame = await this.camera.take(this._stage.isComparing);
      if (!frame) return;
      if (!this.connection.hasRoom) {
        frame.original?.close();
        return;
      }
      const sequence = this.connection.sendFrame(frame.jpeg, frame.stamp);
      if (frame.original) this._remember(sequence, frame.original);
    } finally {
      this._isTaking = false;
    }
  }

  _remember(sequence, original) {
    this._originals.set(sequence, original);
    for (const [old, bitmap] of this._originals) {
      if (old > sequence - REMEMBERED) break;
      bitmap.close();
      this._originals.delete(old);
    }
  }

  _forget() {
    for (const bitmap of this._originals.values()) bitmap.close();
    this._originals.clear();
    this._waiting = null;
  }

  /** Draw the newest painted frame; one that comes while another is decoded waits. */
  async _receive(message) {
    // A hidden page reports nothing, so the server waits; the newest report counts for all before.
    if (this._waiting && !document.hidden) this.connection.shown(this._waiting.sequence);
    this._waiting = message;
    if (this._isDrawing) return;
    this._isDrawing = true;
    try {
      while (this._waiting && !document.hidden) {
        const next = this._waiting;
        this._waiting = null;
        await this._draw(next);
      }
    } finally {
      this._isDrawing = false;
    }
  }

  async _draw({ sequence, stamp, jpeg, isPainted }) {
    const bitmap = await createImageBitmap(jpeg);
    if (!this.isActive) {
      bitmap.close();
      return;
    }
    const original = this._originals.get(sequence) ?? null;
    this._originals.delete(sequence);
    this._stage.show(bitmap, original);
    this.connection.shown(sequence);
    const now = performance.now();
    this._times.push(now);
    if (this.source === 'camera') {
      const delay_ms = (now - stamp) % 2 ** 32;
      this.delay_ms = this.delay_ms ? 0.9 * this.delay_ms + 0.1 * delay_ms : delay_ms;
    }
    this._events.shown(isPainted);
  }

  _becameVisible() {
    if (document.hidden || !this.isActive) return;
    const message = this._waiting;
    this._waiting = null;
    if (message) this._receive(message);
    this.delay_ms = 0;
    this._sendNewest();
  }
}

export { explain };
