/** A minimal page: the camera goes to the server and comes back painted. */

import { decode, encode, FRAME, PAINTED, SHOWN, TAKEN } from './camera-socket.js';

const canvas = document.querySelector('#painting');
const status = document.querySelector('#status');
const styles = document.querySelector('#style');
const video = document.createElement('video');
const grab = document.createElement('canvas');
let socket = null;
let room = 0;
let sequence = 0;
let taken = 0;
let size = 2;
let sending = false;

async function sendNewest() {
  if (sending || !socket || socket.readyState !== WebSocket.OPEN) return;
  if (sequence - taken >= size || video.readyState < 2) return;
  sending = true;
  grab.width = video.videoWidth;
  grab.height = video.videoHeight;
  grab.getContext('2d').drawImage(video, 0, 0);
  const stamp = performance.now();
  const blob = await new Promise((done) => { grab.toBlob(done, 'image/jpeg', 0.85); });
  const jpeg = await blob.arrayBuffer();
  sequence += 1;
  socket.send(encode(FRAME, sequence, stamp, jpeg));
  sending = false;
}

async function show(message) {
  const picture = await createImageBitmap(message.jpeg);
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext('2d').drawImage(picture, 0, 0);
  picture.close();
  room = performance.now() - message.stamp;
  socket.send(encode(SHOWN, message.sequence, 0));
}

function hear(event) {
  if (typeof event.data === 'string') {
    const message = JSON.parse(event.data);
    if (message.type === 'hello') size = message.window;
    if (message.type === 'status') {
      status.textContent = `${message.state} ${message.fps} fps, ${Math.round(room)} ms ${message.text}`;
    }
    return;
  }
  const message = decode(event.data);
  if (message.kind === TAKEN) taken = message.sequence;
  if (message.kind === PAINTED) show(message);
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/ws`);
  socket.binaryType = 'arraybuffer';
  sequence = 0;
  taken = 0;
  socket.addEventListener('message', hear);
  socket.addEventListener('close', () => setTimeout(connect, 1000));
}

async function start() {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
    await video.play();
  } catch (error) {
    status.textContent = `The camera cannot be used: ${error.message}`;
    return;
  }
  connect();
  setInterval(sendNewest, 10);
}

const listing = await (await fetch('/api/styles')).json();
for (const style of listing.styles) styles.add(new Option(style.title, style.id));
styles.addEventListener('change', () => {
  socket?.send(JSON.stringify({ type: 'look', look: { styles: [{ name: styles.value, weight: 1 }] } }));
});
document.querySelector('#start').addEventListener('click', start);
