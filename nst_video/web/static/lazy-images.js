/** Pictures that are asked for when they come into view, few at a time. */

/** Browsers open six connections to a server: the others are for what the user waits for. */
const AT_ONCE = 2;

const waiting = [];
let loading = 0;

function next() {
  while (loading < AT_ONCE && waiting.length) {
    const { image, address } = waiting.shift();
    if (!image.isConnected) continue;
    loading += 1;
    const end = () => {
      loading -= 1;
      next();
    };
    for (const event of ['load', 'error']) image.addEventListener(event, end, { once: true });
    image.src = address;
  }
}

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    waiting.push({ image: target, address: target.dataset.address });
  }
  next();
}, { rootMargin: '200px' });

/** Let an image show a picture once it is in view. */
export function showWhenSeen(image, address) {
  image.dataset.address = address;
  observer.observe(image);
}
