"""Oil pictures of skies: whirling brushwork with thick paint."""

import numpy as np

from .brushes import Brush, cover, primed_canvas, varnish
from .canvas import Image, Plane, Rng, grid, noise, over, palette, ramp, smoothstep, unit
from .flow import Flow, flow, from_angle, vortex

NIGHT = palette("070b2e 0d1f66 1b47a3 2f7fc4 8cc7d9 f1efc4")
GOLD = palette("fff6c9 ffd84a f29a1b 8fb7a0")
STARS = (
    (0.82, 0.15, 0.075), (0.12, 0.12, 0.045), (0.47, 0.08, 0.032), (0.62, 0.42, 0.042),
    (0.10, 0.47, 0.036), (0.93, 0.50, 0.034), (0.30, 0.60, 0.030), (0.63, 0.20, 0.022),
    (0.29, 0.06, 0.020), (0.78, 0.63, 0.024),
)  # fmt: skip
WHIRLS = ((0.36, 0.30, 0.11), (0.60, 0.34, -0.07), (0.18, 0.28, -0.05), (0.84, 0.38, 0.06))


def _sky(x: Plane, y: Plane, rng: Rng) -> Flow:
    vx = 0.35 + 0.1 * noise(rng, 700, 2)
    vy = 0.25 * np.cos(9 * x + 2 * y) + 0.1 * noise(rng, 700, 2)
    for cx, cy, radius in WHIRLS:
        wx, wy = vortex(x, y, (cx, cy), radius)
        vx, vy = vx + 2.2 * wx, vy + 2.2 * wy
    for cx, cy, radius in STARS:
        wx, wy = vortex(x, y, (cx, cy), radius)
        vx, vy = vx + 2.5 * wx, vy + 2.5 * wy
    return flow(vx, vy)


def starfield(rng: Rng) -> Image:
    """A night sky in thick whirls above dark hills and a flame of cypress."""
    x, y = grid()
    sky = _sky(x, y, rng)
    bands = unit(noise(rng, 150, 3) * 0.5 + 1.1 * np.sin(26 * y + 5 * np.sin(7 * x)) + 1.3 * y)
    image = ramp(NIGHT[:5], 0.1 + 0.8 * bands)
    for cx, cy, radius in WHIRLS:
        d = np.hypot(x - cx, y - cy) / abs(radius)
        angle = np.arctan2(y - cy, x - cx)
        arm = 0.5 + 0.5 * np.sin(2 * angle * np.sign(radius) - 6.5 * d)
        image = over(image, ramp(NIGHT[1:], arm), smoothstep(1.9, 0.9, d))
    for cx, cy, radius in STARS:
        d = np.hypot(x - cx, y - cy) / radius
        rings = ramp(GOLD, np.clip(d / 1.7 + 0.09 * np.sin(d * 11), 0, 1))
        image = over(image, rings, smoothstep(1.9, 1.3, d))
    ridge = 0.80 - 0.06 * np.sin(5 * x + 0.6) - 0.03 * np.sin(13 * x) + 0.008 * noise(rng, 200, 2)
    land = smoothstep(0, 0.012, y - ridge)
    folds = unit(np.sin(60 * (y - ridge) + 6 * np.sin(6 * x)) + 0.5 * noise(rng, 90, 3))
    image = over(image, ramp(palette("06121f 12394a 2b6e72 7a8f3c"), folds), land)
    hills = flow(np.ones_like(x), 0.5 * np.cos(6 * x + 12 * y))
    lean = 0.02 * np.sin(9 * y)
    half = 0.085 * np.clip((y - 0.12) / 0.9, 0, 1) ** 0.7 * (1 + 0.25 * np.sin(30 * y))
    tree = smoothstep(0.012, 0, np.abs(x - 0.17 - lean) - half)
    bark = ramp(palette("04070c 0d2a1d 274a22 6b5a1e"), unit(noise(rng, 60, 3)))
    image = over(image, bark, tree)
    flames = from_angle(np.float32(-np.pi / 2) + 0.5 * np.sin(40 * x + 14 * y))
    field = _blend(_blend(sky, hills, land), flames, tree)
    canvas = primed_canvas(image)
    for brush in (
        Brush(30, 120, 22, bristles=8, color_jitter=0.07),
        Brush(18, 95, 15, bristles=6, color_jitter=0.09, streak=0.06, taper=0.7),
    ):
        cover(canvas, image, field, brush, rng)
    return varnish(canvas, 1.2)


def _blend(below: Flow, above: Flow, mask: Plane) -> Flow:
    return flow(
        below.x * (1 - mask) + above.x * mask,
        below.y * (1 - mask) + above.y * mask,
    )
