/** The camera of this device: opens it, says in words what is wrong, gives the newest frame. */

import { text } from './texts.js';

const JPEG_QUALITY = 0.85;
const FPS = 30;

/** Sizes to choose from; the browser turns them on a phone that is held upright. */
export const RESOLUTIONS = [
  [640, 480],
  [960, 720],
  [1280, 720],
];

const REASONS = {
  NotAllowedError: 'cameraRefused',
  SecurityError: 'cameraRefused',
  NotFoundError: 'cameraMissing',
  OverconstrainedError: 'cameraMissing',
  NotReadableError: 'cameraInUse',
  AbortError: 'cameraInUse',
};

/** Return why a camera cannot be opened, in a sentence. */
export function explain(error) {
  const key = REASONS[error.name];
  return key ? text(key) : text('cameraUnknown', { reason: error.message });
}

/** The camera; `onFrame` is called when there is a new picture, `onEnd` when it is unplugged. */
export class Camera {
  constructor(onFrame, onEnd) {
    this._onFrame = onFrame;
    this._onEnd = onEnd;
    this._video = document.createElement('video');
    this._video.muted = true;
    this._video.playsInline = true;
    this._grab = document.createElement('canvas');
    this._context = this._grab.getContext('2d', { alpha: false });
    this._isFresh = false;
    this._isWatching = false;
    this.resolution = RESOLUTIONS[0];
    this.deviceId = '';
  }

  /** Whether it is open. */
  get isOpen() {
    return Boolean(this._video.srcObject);
  }

  /** Whether it shows who sits before it, and not what is behind the phone. */
  get facesUser() {
    return this._track?.getSettings().facingMode !== 'environment';
  }

  /** Open the camera, or another one; throws what `explain` explains. */
  async open() {
    if (!navigator.mediaDevices) throw Object.assign(new Error(text('cameraInsecure')), { isInsecure: true });
    this.close();
    const [width, height] = this.resolution;
    const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: FPS } };
    if (this.deviceId) wanted.deviceId = { exact: this.deviceId };
    else wanted.facingMode = 'user';
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    this._track = stream.getVideoTracks()[0];
    this._track.addEventListener('ended', () => {
      if (this._video.srcObject !== stream) return;
      this.close();
      this._onEnd();
    });
    this._video.srcObject = stream;
    this.deviceId = this._track.getSettings().deviceId ?? '';
    await this._video.play();
    this._watch();
  }

  /** Switch the camera off. */
  close() {
    for (const track of this._video.srcObject?.getTracks() ?? []) track.stop();
    this._video.srcObject = null;
    this._isFresh = false;
  }

  /** Return the cameras: objects with `deviceId` and `label`. */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return devices.filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId);
  }

  /** Choose the next camera; false if there is only one. */
  async chooseNext() {
    const devices = await this.list();
    if (devices.length < 2) return false;
    const place = devices.findIndex(({ deviceId }) => deviceId === this.deviceId);
    this.deviceId = devices[(place + 1) % devices.length].deviceId;
    return true;
  }

  /**
   * Return the newest frame, once, or null if it has been taken already.
   *
   * Its parts: `jpeg`, `stamp` (when it was taken from the camera, ms), `original` (a bitmap, where wanted).
   */
  async take(wantsOriginal) {
    if (!this._isFresh || this._video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    this._isFresh = false;
    const stamp = performance.now();
    const { videoWidth: width, videoHeight: height } = this._video;
    if (this._grab.width !== width || this._grab.height !== height) Object.assign(this._grab, { width, height });
    this._context.drawImage(this._video, 0, 0);
    const original = wantsOriginal ? await createImageBitmap(this._grab) : null;
    const blob = await new Promise((done) => {
      this._grab.toBlob(done, 'image/jpeg', JPEG_QUALITY);
    });
    return { jpeg: await blob.arrayBuffer(), stamp, original };
  }

  _watch() {
    if (this._isWatching) return;
    this._isWatching = true;
    const next = () => {
      if (!this.isOpen) {
        this._isWatching = false;
        return;
      }
      this._isFresh = true;
      this._onFrame();
      this._video.requestVideoFrameCallback(next);
    };
    this._video.requestVideoFrameCallback(next);
  }
}
