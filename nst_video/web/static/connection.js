/** The connection to the server: reconnects by itself, and counts what is on the way. */

import { decode, encode, FRAME, PAINTED, SHOWN, TAKEN } from './camera-socket.js';
import { request } from './api.js';
import { text } from './texts.js';

const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const WATCH_MS = 1000;
const SILENT_MS = 5000; // the server sends something every two seconds
const DEAD_MS = 12_000; // a cut network is noticed by a new connection sooner than by the old one
const PROTOCOL_BROKEN = 4400;
const TOKEN_MISSING = 4401;
const ORIGIN_WRONG = 4403;
const IDLE = 4408;
const TOO_MANY = 4429;

/** Codes after which trying again cannot help, and what to say. */
const FINAL = { [PROTOCOL_BROKEN]: 'brokenProtocol', [TOKEN_MISSING]: 'needsToken', [ORIGIN_WRONG]: 'wrongOrigin' };

/**
 * A WebSocket that stays.
 *
 * `events` has functions: `hello(message)`, `look(look)`, `refused(text)`, `status(message)`,
 * `note(text)`, `painted(message)`, `room()` (a frame may be sent), `lost(text, isFinal)`, `back()`.
 */
export class Connection {
  constructor(source, events) {
    this._source = source;
    this._events = events;
    this._socket = null;
    this._window = 2;
    this._sequence = 0;
    this._taken = 0;
    this._failures = 0;
    this._timer = 0;
    this._watch = 0;
    this._heard_ms = 0;
    this._isSilent = false;
    this._isWanted = false;
    this._wakes = () => this._wake();
  }

  /** Connect, and again whenever the connection is lost. */
  open() {
    if (this._isWanted) return;
    this._isWanted = true;
    for (const [target, name] of [[document, 'visibilitychange'], [globalThis, 'online']]) target.addEventListener(name, this._wakes);
    this._watch = setInterval(() => this._noticeSilence(), WATCH_MS);
    this._connect();
  }

  /** Disconnect. */
  close() {
    this._isWanted = false;
    clearTimeout(this._timer);
    clearInterval(this._watch);
    document.removeEventListener('visibilitychange', this._wakes);
    globalThis.removeEventListener('online', this._wakes);
    this._socket?.close(1000);
    this._socket = null;
  }

  /** Whether a frame may be sent now. */
  get hasRoom() {
    return this._isOpen && this._sequence - this._taken < this._window;
  }

  /** Send a frame, a JPEG of a camera; return its number. */
  sendFrame(jpeg, stamp) {
    this._sequence += 1;
    this._socket.send(encode(FRAME, this._sequence, stamp, jpeg));
    return this._sequence;
  }

  /** Say that a painted frame is on the screen. */
  shown(sequence) {
    if (this._isOpen) this._socket.send(encode(SHOWN, sequence, 0));
  }

  /** Send a request as JSON; false where there is no connection. */
  send(message) {
    if (!this._isOpen) return false;
    this._socket.send(JSON.stringify(message));
    return true;
  }

  get _isOpen() {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  _connect() {
    clearTimeout(this._timer);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const query = this._source === 'live' ? '?source=live' : '';
    const socket = new WebSocket(`${scheme}://${location.host}/ws${query}`);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => {
      if (socket === this._socket) this._hear(event.data);
    });
    socket.addEventListener('close', (event) => {
      if (socket === this._socket) this._lost(event);
    });
    this._socket = socket;
    this._sequence = this._taken = 0;
    this._heard_ms = performance.now();
  }

  /** Say that nothing comes any more; after a while, give the connection up for another one. */
  _noticeSilence() {
    const silent_ms = performance.now() - this._heard_ms;
    if (!this._socket || silent_ms < SILENT_MS) return;
    if (!this._isSilent) this._events.lost(text('lostServer'), false);
    this._isSilent = true;
    if (silent_ms < DEAD_MS) return;
    const socket = this._socket;
    this._lost({ code: 1006, reason: '' });
    socket.close();
  }

  _hear(data) {
    this._heard_ms = performance.now();
    if (this._isSilent) this._events.back();
    this._isSilent = false;
    if (typeof data === 'string') {
      this._hearText(JSON.parse(data));
      return;
    }
    const message = decode(data);
    if (message.kind === PAINTED) this._events.painted(message);
    if (message.kind !== TAKEN) return;
    this._taken = Math.max(this._taken, message.sequence);
    this._events.room();
  }

  _hearText(message) {
    if (message.type === 'hello') {
      this._window = message.window;
      if (this._failures) this._events.back();
      this._failures = 0;
      this._events.hello(message);
      this._events.room();
    } else if (message.type === 'look') this._events.look(message.look);
    else if (message.type === 'status') this._events.status(message);
    else if (message.type === 'note') this._events.note(message.text);
    else if (message.type === 'error') this._events.refused(message.text, message.key);
  }

  async _lost({ code, reason }) {
    this._socket = null;
    this._isSilent = false;
    if (!this._isWanted) return;
    if (code in FINAL) {
      this._events.lost(text(FINAL[code]), true);
      return;
    }
    const wait_ms = RETRY_MS[Math.min(this._failures, RETRY_MS.length - 1)];
    this._failures += 1;
    if (code === IDLE) {
      this._events.lost(text('idleClosed'), false);
      if (document.hidden) return;
    } else if (code === TOO_MANY) this._events.lost(text('tooMany', { reason }), false);
    else this._events.lost(text('lostServer'), false);
    this._timer = setTimeout(() => this._connect(), wait_ms);
    if (code === 1006 && this._failures === 2) await this._explain();
  }

  /** A refused WebSocket says nothing; an ordinary request does. */
  async _explain() {
    try {
      await request('GET', '/api/server');
    } catch (error) {
      if (this._failures) this._events.lost(error.message, false);
    }
  }

  _wake() {
    if (!document.hidden && this._isWanted && !this._socket) this._connect();
  }
}
