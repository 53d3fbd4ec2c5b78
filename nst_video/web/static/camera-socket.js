/** The WebSocket of the camera: newest frame only in both directions. */

const HEADER_BYTES = 16;
export const FRAME = 1;
export const PAINTED = 2;
export const TAKEN = 3;
export const SHOWN = 4;

/** Return a message: a header of 16 bytes, and the bytes of a JPEG or nothing. */
export function encode(kind, sequence, stamp, payload = new ArrayBuffer(0)) {
  const message = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(message.buffer);
  view.setUint8(0, kind);
  view.setUint32(4, sequence);
  view.setUint32(8, stamp >>> 0);
  message.set(new Uint8Array(payload), HEADER_BYTES);
  return message;
}

/** Return the parts of a message. */
export function decode(buffer) {
  const view = new DataView(buffer);
  return {
    kind: view.getUint8(0),
    isPainted: (view.getUint8(1) & 1) === 1,
    sequence: view.getUint32(4),
    stamp: view.getUint32(8),
    serverMs: view.getUint32(12),
    jpeg: new Blob([new Uint8Array(buffer, HEADER_BYTES)], { type: 'image/jpeg' }),
  };
}
