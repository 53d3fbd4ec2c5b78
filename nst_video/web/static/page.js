/** The page: puts the parts together and says what each control does. */

import { request } from './api.js';
import { byId } from './dom.js';
import { FilmView } from './film-view.js';
import { Gallery } from './gallery.js';
import { watchIdleness } from './idle.js';
import { listenToKeys } from './keyboard.js';
import { explain, LiveView } from './live-view.js';
import { LookPanel } from './look-panel.js';
import { LookStore } from './look.js';
import { MaskPanel } from './mask-panel.js';
import { announce, Notice, say, sayValue } from './messages.js';
import { Mixer } from './mixer.js';
import { flash, Recorder } from './recorder.js';
import { Settings } from './settings.js';
import { Stage } from './stage.js';
import { Status } from './status.js';
import { StyleCard } from './style-card.js';
import { Styles } from './styles.js';
import { localize, text } from './texts.js';
import { Uploads } from './uploads.js';

const MEASURE_MS = 500;
const LIVE_POLL_MS = 3000;

localize(document);
const address = new URLSearchParams(location.hash.slice(1));
const stage = new Stage();
const store = new LookStore();
const notice = new Notice();
const status = new Status();
const styles = new Styles(store);
let view = null;
let mode = 'live';

const films = new FilmView(stage, store, {
  loading: (isLoading) => {
    document.body.classList.toggle('is-loading', isLoading);
    announce(isLoading ? text('filmLoading') : '');
  },
  shown: (film) => {
    welcome(false);
    if (film) stage.canvas.setAttribute('aria-label', text('filmPainted', { film: film.name, styles: styles.sentence }));
  },
});
const uploads = new Uploads(
  (file, onProgress) => styles.add(file, onProgress),
  (file, onProgress) => {
    if (mode !== 'films') showMode('films');
    return films.films.add(file, onProgress);
  },
);
const gallery = new Gallery(styles, store, () => uploads.pickPicture());
const mixer = new Mixer(styles, store);
const panel = new LookPanel(store);
const mask = new MaskPanel(styles, store);
const card = new StyleCard(styles, store);
const recorder = new Recorder(stage.canvas, () => `nst-video ${styles.sentence.replaceAll(/[^\p{L}\p{N} +-]/gu, '')}`);
const settings = new Settings({ onCamera: changeCamera, onWhole: showWhole });

function makeView(source) {
  return new LiveView(source, stage, store, {
    hello: () => notice.clear('connection'),
    status: (message) => {
      status.take(view.isHeld ? { ...message, state: 'held' } : message);
      if (message.text && ['busy', 'trouble'].includes(message.state)) notice.show('state', message.text);
      else notice.clear('state');
    },
    note: (sentence) => say(sentence),
    lost: (sentence, isFinal) => {
      status.state('offline');
      notice.show('connection', sentence, isFinal ? text('reload') : '', () => location.reload());
    },
    back: () => {
      notice.clear('connection');
      say(text('serverBack'));
    },
    shown: () => welcome(false),
    cameraEnded: () => notice.show('camera', text('cameraEnded'), text('tryAgain'), start),
  });
}

/** Open the camera, or say what is wrong with it. */
async function start() {
  notice.clear('camera');
  view.camera.resolution = settings.resolution;
  try {
    await view.start();
    welcome(false);
    if (view.source === 'camera') {
      setMirror(view.camera.facesUser);
      settings.showCameras(await view.camera.list(), view.camera.deviceId);
    }
  } catch (error) {
    const sentence = error.isInsecure ? error.message : explain(error);
    notice.show('camera', sentence, text('tryAgain'), start);
    status.state('offline');
  }
}

async function changeCamera(changes) {
  Object.assign(view.camera, changes);
  if (view.camera.isOpen) await start();
}

/** Show the welcome, where there is nothing to see yet. */
function welcome(isShown) {
  byId('welcome').hidden = !isShown || stage.hasPicture;
}

function showMode(next) {
  if (next === mode) return;
  mode = next;
  byId('mode-live').setAttribute('aria-pressed', String(mode === 'live'));
  byId('mode-films').setAttribute('aria-pressed', String(mode === 'films'));
  document.body.dataset.mode = mode;
  for (const id of ['mirror', 'next-camera', 'record', 'pause']) byId(id).hidden = mode === 'films';
  byId('status').hidden = mode === 'films';
  notice.clear('camera');
  if (mode === 'films') {
    view.stop();
    stage.clear();
    if (recorder.isRecording) recorder.toggle();
    stage.mirror(false);
    welcome(false);
    films.open();
  } else {
    films.close();
    stage.clear();
    byId('status').hidden = false;
    start();
  }
}

function setMirror(isMirrored) {
  stage.mirror(isMirrored);
  byId('mirror').setAttribute('aria-pressed', String(isMirrored));
}

function showWhole(isWhole) {
  stage.showsWhole = isWhole;
  byId('whole').checked = isWhole;
  stage.layOut();
}

async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    say(text('fullScreenUnable'));
  }
}

/** Ask the live session of the server for something. */
function remote(name) {
  view.connection.send({ type: 'action', name });
  if (name === 'snapshot') flash();
  setTimeout(showLive, 200);
}

async function showLive() {
  if (view.source !== 'live' || document.hidden) return;
  const { recording, mirrored } = await request('GET', '/api/live').catch(() => ({}));
  byId('record').setAttribute('aria-pressed', String(Boolean(recording)));
  byId('mirror').setAttribute('aria-pressed', String(Boolean(mirrored)));
}

const isLive = () => view.source === 'live' && mode === 'live';

const actions = {
  style: (key) => {
    const style = styles.all[Number(key) - 1];
    if (style) styles.choose(style.id);
    else say(text('noStyle', { number: key }));
  },
  step: (by) => styles.step(by),
  original: () => panel.toggle('original', ['originalShown', 'paintedShown']),
  intensity: (by) => panel.stepIntensity(by),
  partner: () => styles.mixNext(),
  mix: (by) => mixer.step(by) || say(text('noPartner')),
  colors: () => panel.toggle('keep_colors', ['colorsKept', 'colorsOfStyle']),
  mask: () => mask.next(),
  steady: () => panel.nextSteadiness(),
  compare: () => {
    if (isLive()) return;
    stage.compare(!stage.isComparing);
    byId('compare').setAttribute('aria-pressed', String(stage.isComparing));
    if (mode === 'films') films.refresh();
  },
  figures: () => status.open(byId('figures').hidden),
  mirror: () => {
    if (isLive()) remote('mirror');
    else if (mode === 'live') {
      setMirror(!stage.isMirrored);
      sayValue(text(stage.isMirrored ? 'mirrored' : 'notMirrored'));
    }
  },
  fullScreen: toggleFullScreen,
  strokes: (by) => panel.stepStrokes(by),
  snapshot: () => {
    if (isLive()) remote('snapshot');
    else if (stage.hasPicture) recorder.snapshot();
  },
  record: () => {
    if (isLive()) remote('record');
    else if (mode === 'live' && stage.hasPicture) recorder.toggle();
  },
  virtualCamera: () => isLive() && remote('virtual_camera'),
  nextCamera: async () => {
    if (isLive()) remote('next_camera');
    else if (mode !== 'live') return;
    else if (await view.camera.chooseNext()) await start();
    else say(text('cameraOnly'));
  },
  pause: () => {
    if (mode !== 'live') return;
    view.hold(!view.isHeld);
    if (isLive()) remote('pause');
    byId('pause').setAttribute('aria-pressed', String(view.isHeld));
    if (view.isHeld) status.state('held');
  },
  reload: () => styles.load().catch((error) => say(error.message)),
  refine: () => (isLive() ? remote('refine') : card.toggleRefinement()),
  fit: () => showWhole(!byId('stage').classList.contains('is-whole')),
  look: () => panel.open(!panel.isOpen),
  help: () => settings.open(),
  close: () => {
    if (panel.isOpen) panel.open(false);
    else if (gallery.isExpanded) gallery.expand(false);
    else status.open(false);
  },
};

const BUTTONS = {
  compare: 'compare',
  mirror: 'mirror',
  'next-camera': 'nextCamera',
  snapshot: 'snapshot',
  record: 'record',
  pause: 'pause',
  virtual: 'virtualCamera',
  'full-screen': 'fullScreen',
};

function listen() {
  for (const [id, action] of Object.entries(BUTTONS)) byId(id).addEventListener('click', () => actions[action]());
  byId('start').addEventListener('click', start);
  byId('start-film').addEventListener('click', () => showMode('films'));
  byId('mode-live').addEventListener('click', () => showMode('live'));
  byId('mode-films').addEventListener('click', () => showMode('films'));
  byId('choose-film').addEventListener('click', () => uploads.pickFilm());
  byId('full-screen').hidden = !document.fullscreenEnabled;
  stage.canvas.addEventListener('dblclick', actions.fit);
  listenToKeys(actions, () => settings.usesKeys);
  watchIdleness(() => stage.hasPicture && styles.all.length && mode === 'live' && !panel.isOpen && !gallery.isExpanded && !notice.isShown);
  const name = () => mode === 'live' && stage.canvas.setAttribute('aria-label', text('paintingOf', { styles: styles.sentence }));
  store.listen(name);
  styles.listen(name);
  setInterval(() => view.isActive && status.measure(view.fps, view.delay_ms), MEASURE_MS);
}

/** Controls of a remote control of the server's own camera. */
function becomeRemote() {
  store.isShared = false;
  byId('mode-live').textContent = text('modeLive');
  for (const id of ['compare']) byId(id).hidden = true;
  byId('virtual').hidden = false;
  setInterval(showLive, LIVE_POLL_MS);
  showLive();
}

async function mayUseCamera() {
  try {
    return (await navigator.permissions.query({ name: 'camera' })).state === 'granted';
  } catch {
    return false; // some browsers do not tell
  }
}

async function open() {
  document.body.classList.toggle('is-bare', address.get('view') === 'painting');
  const server = await request('GET', '/api/server').catch((error) => {
    notice.show('connection', error.message, text('tryAgain'), () => location.reload());
    return {};
  });
  uploads.limits = server.limits ?? {};
  const source = address.get('source') ?? (server.has_live ? 'live' : 'camera');
  view = makeView(source);
  listen();
  if (source === 'live') becomeRemote();
  styles.load().catch((error) => say(error.message));
  if (source === 'live' || (await mayUseCamera())) await start();
  else {
    status.state('waiting');
    welcome(true);
  }
}

await open();
