/**
 * Put into the page before its own scripts by `page_rate.py`: notes when each frame of the camera
 * was captured and when it is on the screen, by the counter that is drawn into the frames.
 */
(() => {
  const CELLS = 10; // black, white, seven bits of a Gray code, their parity
  const STRIP = 48 / 480; // share of the height, at the lower edge
  const HEADER_BYTES = 16;
  const BAND = 8; // rows that are read
  const CONTRAST = 40; // least difference of black and white that can be told apart
  const SIZE = [4, 3]; // of the small copies in which a change of style is looked for

  const captured = new Map(); // by counter
  const grabs = []; // [when, capture time] of the newest frames that were taken
  const stamps = new Map(); // of painted pictures that have come, by their bytes
  const stampOf = new WeakMap(); // of bitmaps
  let newest_ms = 0;

  globalThis.probe = { shown: [], ages: [], unread: 0, grabbed: 0, status: {}, colors: [], clicked_ms: 0, watchesColors: false };

  /** Return the counter in the lower edge of a canvas, -1 where it cannot be read. */
  function read(context, width, height) {
    const top = Math.round(height * (1 - STRIP / 2)) - BAND / 2;
    const { data } = context.getImageData(0, top, width, BAND);
    const levels = Array.from({ length: CELLS }, (_, cell) => {
      let sum = 0;
      const [from, to] = [Math.round((cell + 0.3) * (width / CELLS)), Math.round((cell + 0.7) * (width / CELLS))];
      for (let row = 0; row < BAND; row += 1) {
        for (let x = from; x < to; x += 1) {
          const at = 4 * (row * width + x);
          sum += 0.3 * data[at] + 0.6 * data[at + 1] + 0.1 * data[at + 2];
        }
      }
      return sum / (BAND * (to - from));
    });
    const [black, white, ...codes] = levels;
    if (Math.abs(white - black) < CONTRAST) return -1;
    const bits = codes.map((level) => Number((level - black) / (white - black) > 0.5));
    const parity = bits.pop();
    if (bits.reduce((sum, bit) => sum + bit, 0) % 2 !== parity) return -1;
    let number = 0;
    let carry = 0;
    for (const bit of bits) {
      carry ^= bit;
      number = 2 * number + carry;
    }
    return number;
  }

  const watch = HTMLVideoElement.prototype.requestVideoFrameCallback;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
    return watch.call(this, (now, facts) => {
      newest_ms = facts.captureTime ?? now;
      callback(now, facts);
    });
  };

  const { port1, port2 } = new MessageChannel();
  const waiting = [];
  port1.onmessage = () => {
    const now = performance.now();
    for (const { list, since } of waiting.splice(0)) list.push(now - since);
  };

  /** Note in a list how long something takes until the frame that is drawn now is on the screen. */
  function note(list, since) {
    requestAnimationFrame(() => {
      waiting.push({ list, since });
      port2.postMessage(0); // after the frame has been handed to the compositor
    });
  }

  function show(context, bitmap) {
    const { width, height } = context.canvas;
    const since = captured.get(read(context, width, height));
    if (since === undefined) probe.unread += 1;
    else note(probe.shown, since);
    const stamp = stampOf.get(bitmap);
    const grab = grabs.findLast(([at_ms]) => at_ms <= stamp + 2);
    if (grab) note(probe.ages, grab[1]);
    if (!probe.watchesColors) return;
    const small = new OffscreenCanvas(...SIZE).getContext('2d');
    small.drawImage(context.canvas, 0, 0, width, height * (1 - STRIP), 0, 0, ...SIZE);
    const color = [...small.getImageData(0, 0, ...SIZE).data];
    const entry = [0, color];
    probe.colors.push(entry);
    requestAnimationFrame(() => {
      entry[0] = performance.now();
    });
  }

  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    draw.apply(this, given);
    if (given[0] instanceof HTMLVideoElement) {
      probe.grabbed += 1;
      grabs.push([Math.floor(performance.now()), newest_ms]);
      if (grabs.length > 64) grabs.shift();
      captured.set(read(this, this.canvas.width, this.canvas.height), newest_ms);
    } else if (this.canvas.id === 'painting' && given.length === 3) show(this, given[0]);
  };

  const decode = createImageBitmap;
  globalThis.createImageBitmap = async (source, ...given) => {
    const bitmap = await decode(source, ...given);
    if (source instanceof Blob) stampOf.set(bitmap, stamps.get(source.size));
    return bitmap;
  };

  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) stamps.set(data.byteLength - HEADER_BYTES, new DataView(data).getUint32(8));
        else if (data.includes('"status"')) probe.status = JSON.parse(data);
      });
    }
  };

  document.addEventListener('click', () => {
    probe.clicked_ms = performance.now();
  }, { capture: true });
})();
