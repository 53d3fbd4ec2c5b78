/**
 * Every text of the page, by language. Another language is another object with the same keys.
 *
 * `{name}` is replaced by a value. Elements name their text by `data-text`, and by `data-label`
 * the name that screen readers and tooltips show.
 */

export const TEXTS = {
  en: {
    skip: 'Skip to the styles',
    painting: 'The painting',
    paintingOf: 'The camera painted in {styles}',
    filmPainted: '{film} painted in {styles}',

    welcomeHeading: 'See yourself painted',
    welcomeText: 'Your camera, painted live in the style of any picture. Nothing leaves the computer that runs nst-video.',
    startCamera: 'Start the camera',
    paintFilm: 'Paint a film',
    tryAgain: 'Try again',
    reload: 'Reload the page',

    modes: 'What is painted',
    modeCamera: 'Camera',
    modeFilms: 'Films',
    modeLive: 'Live',

    actions: 'Actions',
    compare: 'Compare with the original',
    compareAt: 'Original to the left of {percent} %',
    mirror: 'Mirror',
    nextCamera: 'Next camera',
    snapshot: 'Save a picture',
    record: 'Record',
    recordEnd: 'End the recording',
    pause: 'Hold the picture',
    fullScreen: 'Full screen',
    virtualCamera: 'Virtual camera',
    look: 'Look',
    help: 'Keys and settings',
    close: 'Close',

    gallery: 'Styles',
    allStyles: 'All styles',
    fewerStyles: 'One row of styles',
    addPicture: 'Your picture',
    addPictureLabel: 'Choose a picture as a style',
    mixIn: 'Mix in {style}',
    mixOut: 'Take {style} out of the mix',
    mixFull: 'Three styles can be mixed. Take one out first.',
    noPartner: 'Choose a style to mix in with B, or with the plus sign of a style.',

    mix: 'Mix',
    mixPad: 'Mix of three styles',
    mixPadRole: 'triangle',
    mixOf: '{percent} % {style}',

    intensity: 'Intensity',
    steady: 'Steadiness',
    strokeScale: 'Strokes',
    gentle: 'Gentle on faces and detail',
    keepColors: 'Keep the original colors',
    original: 'Show the original',
    mask: 'Painted',
    maskNone: 'Everything',
    maskPerson: 'People',
    maskBackground: 'Background',
    maskRest: 'The rest',
    maskAround: 'Around people',
    maskPeople: 'The people',
    maskAroundIs: '{style} around people',
    maskSoftness: 'Softness of the edge',
    maskColor: 'Color outside of the mask',
    restOriginal: 'As it is',
    restBlur: 'Blurred',
    restColor: 'A color',
    reset: 'Reset',
    share: 'Copy a link to this look',
    shared: 'The link is copied.',
    shareFailed: 'Copy the address of this page: it contains the look.',
    percent: '{percent} %',
    times: '{times} x',

    refine: 'Refine',
    refineHint: 'Two minutes of calculation bring the painting closer to this picture.',
    refineEnd: 'End',
    refining: 'Refining {style}',
    refiningLeft: 'Refining {style}: {time} left',
    refined: '{style} is refined.',
    isRefined: 'refined',
    keep: 'Keep',
    kept: '{style} is now one of your styles.',
    remove: 'Delete',
    removed: '{style} is deleted.',

    dropHere: 'Drop a picture to paint with it, or a film to paint it',
    uploading: 'Uploading {name}',
    uploadingPercent: 'Uploading {name}: {percent} %',
    uploaded: 'Painting in {style}',
    notAFile: '{name} is neither a picture nor a film.',
    tooLarge: '{name} has {size}; at most {limit} are taken.',

    films: 'Films',
    filmsEmpty: 'Drop a film here, or choose one.',
    chooseFilm: 'Choose a film',
    filmsOfFolder: 'Films of the server',
    filmStart: 'Paint the film',
    filmAgain: 'Paint again in this look',
    filmPause: 'Pause',
    filmResume: 'Go on',
    filmDownload: 'Download',
    filmRemove: 'Delete {film}',
    filmShow: 'Show {film}',
    filmAt: 'Place in the film',
    filmDone: 'Painted, {size}',
    filmLeft: '{percent} %, {time} left',
    filmPercent: '{percent} %',
    filmProgress: 'Progress of {film}',
    filmQueued: 'In line: {place}',
    filmPaused: 'Paused at {percent} %',
    filmFailed: 'Failed',
    filmLoading: 'Painting one frame',
    filmDescription: '{width} x {height}, {time}',

    connecting: 'Connecting',
    loading: 'The model is loading',
    waiting: 'Waiting for frames',
    painting_: 'Painting',
    busy: 'The server is busy',
    trouble: 'Something is wrong',
    held: 'Held',
    offline: 'Not connected',
    figures: 'Figures',
    rate: '{fps} fps',
    delay: '{ms} ms',
    figureRate: 'Painted frames per second',
    figureDelay: 'From camera to screen',
    figureServer: 'In the server',
    figurePaint: 'Painting',
    figureLines: 'Painted at',
    figureEvery: 'Painted frames',
    figureEngine: 'Engine',
    figureSessions: 'Sessions',
    lines: '{lines} lines',
    every: 'one of {every}',
    milliseconds: '{ms} ms',

    lostServer: 'The connection to the server is lost. Trying again.',
    serverBack: 'Connected again.',
    serverGone: 'The server does not answer. Is nst-video still running?',
    needsToken: 'The address of this page lacks its token. Open the address that nst-video printed.',
    brokenProtocol: 'The server refused a message of this page. Reload the page.',
    wrongOrigin: 'The server refuses this address. Open the address that nst-video printed.',
    idleClosed: 'Closed after ten minutes without use.',
    tooMany: 'The server has too many connections. {reason}',

    cameraRefused: 'The camera is not allowed for this page. Allow it beside the address, then try again.',
    cameraMissing: 'No camera was found. Plug one in, then try again.',
    cameraInUse: 'The camera is used by another program. Close that program, then try again.',
    cameraInsecure: 'Browsers give the camera only to https and to localhost. Open the page with https: start nst-video serve with --lan.',
    cameraUnknown: 'The camera cannot be opened: {reason}',
    cameraEnded: 'The camera was unplugged or switched off.',
    cameraOnly: 'There is only one camera.',

    recordingSaved: 'The recording is saved.',
    recordingUnable: 'This browser cannot record.',
    recordingFor: 'Recording, {time}',
    snapshotSaved: 'The picture is saved.',
    fullScreenUnable: 'This browser has no full screen.',

    camera: 'Camera',
    cameraNumbered: 'Camera {number}',
    resolution: 'Picture of the camera',
    theme: 'Colors of the page',
    themeAuto: 'As the system',
    themeLight: 'Light',
    themeDark: 'Dark',
    keysOn: 'Use single keys',
    fit: 'Show the whole picture',

    keys: 'Keys',
    keyStyle: 'paint in one of the first nine styles',
    keyPrevious: 'previous style',
    keyNext: 'next style',
    keyOriginal: 'original picture on or off',
    keyWeaker: 'less intensity',
    keyStronger: 'more intensity',
    keyMix: 'mix in another style; again: the next one',
    keyUnmix: 'less of the style mixed in',
    keyMixMore: 'more of the style mixed in',
    keyColors: 'keep the original colors',
    keyMask: 'paint people, the background, both in two styles, everything',
    keySteady: 'steady strokes, half steady, or not',
    keyCompare: 'original and painting side by side',
    keyFigures: 'figures on or off',
    keyMirror: 'mirror the picture on this page',
    keyFullScreen: 'full screen on or off',
    keyCoarser: 'wider strokes',
    keyFiner: 'finer strokes',
    keySnapshot: 'save a picture',
    keyRecord: 'record on or off',
    keyVirtual: 'virtual camera on or off (live)',
    keyCamera: 'next camera',
    keyPause: 'hold the picture',
    keyReload: 'look for styles again',
    keyRefine: 'refine the style; again: end that',
    keyFit: 'whole picture, or fill the page',
    keyLook: 'open or close the look',
    keyHelp: 'these keys',
    keyClose: 'close what is open',
    noStyle: 'There is no style {number}.',
    intensityIs: 'Intensity {percent} %',
    steadyIs: 'Steadiness {percent} %',
    strokesAre: 'Strokes {times} x',
    colorsKept: 'Original colors',
    colorsOfStyle: 'Colors of the style',
    originalShown: 'Original',
    paintedShown: 'Painted',
    mirrored: 'Mirrored on this page',
    notMirrored: 'Not mirrored',

    requestFailed: 'The server answered with an error ({status}).',
    seconds: '{count} s',
    minutes: '{count} min',
    hours: '{hours} h {minutes} min',
    kilobytes: '{count} kB',
    megabytes: '{count} MB',
    gigabytes: '{count} GB',
  },
};

const FALLBACK = 'en';

/** The language that is used: the first of the browser's that the table has. */
export const LANGUAGE =
  (globalThis.navigator?.languages ?? []).map((name) => name.split('-')[0]).find((name) => name in TEXTS) ?? FALLBACK;

/** Return a text with its values filled in. */
export function text(key, values = {}) {
  const found = TEXTS[LANGUAGE][key] ?? TEXTS[FALLBACK][key];
  if (found === undefined) throw new Error(`There is no text ${key}.`);
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/** Fill in the texts of all elements inside one. */
export function localize(root) {
  for (const element of root.querySelectorAll('[data-text]')) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    const name = text(element.dataset.label);
    element.setAttribute('aria-label', name);
    if (element.matches('button, label, a')) element.title = name;
  }
}

/** Return a duration in seconds as people say it. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return text('seconds', { count: whole });
  if (whole < 5940) return text('minutes', { count: Math.round(whole / 60) });
  const minutes = Math.round(whole / 60);
  return text('hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** Return a number of bytes as people say it. */
export function bytes(count) {
  if (count < 1e6) return text('kilobytes', { count: Math.ceil(count / 1e3) });
  if (count < 1e9) return text('megabytes', { count: (count / 1e6).toFixed(count < 1e7 ? 1 : 0) });
  return text('gigabytes', { count: (count / 1e9).toFixed(1) });
}

/** Return seconds as a clock shows them: 1:05. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
