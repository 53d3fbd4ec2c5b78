/** Controls step back when nobody uses them, and return with the first move, touch or key. */

const IDLE_MS = 3500;
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel'];

/** Watch for idleness; `mayHide` says whether the controls may go now. */
export function watchIdleness(mayHide) {
  const { body } = document;
  let timer = 0;
  const hide = () => {
    const isUsed = document.querySelector('.control:hover') && matchMedia('(hover: hover)').matches;
    if (mayHide() && !isUsed) body.classList.add('is-idle');
    else timer = setTimeout(hide, IDLE_MS);
  };
  const wake = () => {
    body.classList.remove('is-idle');
    clearTimeout(timer);
    timer = setTimeout(hide, IDLE_MS);
  };
  for (const sign of SIGNS) document.addEventListener(sign, wake, { capture: true, passive: true });
  wake();
}
