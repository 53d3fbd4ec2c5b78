"""Pictures made of dots: pointillism and a comic panel in halftone."""

import numpy as np

from .brushes import disc, fill, line
from .canvas import (
    Bytes,
    Image,
    Plane,
    Points,
    Rng,
    W,
    as_bytes,
    as_floats,
    blank,
    flat,
    grid,
    ink,
    noise,
    over,
    palette,
    paper,
    ramp,
    smoothstep,
    unit,
)
from .flow import sample, scatter

PARK = palette("23205c 14503f 4f8f3a a8c24a f0dc7a")
AIR = palette("7fb2e5 b9c9f2 f6d3dc ffe3a3 ffbf69")
RIVER = palette("1b2f78 3a74bd 8cc6d6 f3dcae")
POP_RED, POP_YELLOW, POP_CYAN, POP_INK, POP_WHITE = palette("e8232b ffd500 19a7e0 0c0c12 fffaf0")


def _river_park(rng: Rng) -> Image:
    """Paint the scene below the dots: a river in evening light between trees."""
    x, y = grid()
    image = ramp(AIR, np.clip(y * 2.3 + 0.07 * noise(rng, 300, 3, stretch=2), 0, 1))
    sun = np.hypot(x - 0.57, y - 0.30)
    image = over(image, palette("fffbd8")[0], smoothstep(0.075, 0.055, sun))
    far = smoothstep(0, 0.01, y - 0.40 + 0.04 * np.sin(8 * x) + 0.02 * np.sin(23 * x))
    image = over(image, ramp(palette("3f3f8f 7a5fa8 4f8090"), unit(noise(rng, 120, 2))), far)
    water = smoothstep(0, 0.008, y - 0.46)
    ripple = unit(noise(rng, 70, 3, stretch=5) + 3.2 * np.exp(-(((x - 0.57) / 0.09) ** 2)))
    image = over(image, ramp(RIVER, ripple), water)
    for u, v, size in ((0.30, 0.57, 0.12), (0.44, 0.50, 0.06), (0.76, 0.53, 0.085)):
        sail = (x > u) & (x - u < 0.5 * (y - v + size)) & (y < v)
        image = over(image, palette("fff3e2")[0], sail.astype(np.float32))
        jib = (x < u - 0.004) & (u - x < 0.34 * (y - v + size)) & (y < v)
        image = over(image, palette("f58f7c")[0], jib.astype(np.float32))
        hull = (np.abs(x - u) < size * 0.62 - 0.9 * (y - v)) & (y >= v) & (y < v + size * 0.17)
        image = over(image, palette("6b2d5c")[0], hull.astype(np.float32))
    bank = smoothstep(0, 0.012, y - 0.90 + 0.34 * x + 0.03 * np.sin(10 * x))
    light = unit(noise(rng, 130, 3) + 0.7 * np.sin(9 * x + 14 * y))
    image = over(image, ramp(PARK, light), bank)
    for u, v, radius in (
        (0.90, 0.17, 0.24),
        (0.99, 0.42, 0.2),
        (0.72, 0.05, 0.13),
        (0.05, 0.12, 0.15),
    ):
        crown = radius * (1 + 0.10 * noise(rng, 90, 2)) - np.hypot(x - u, (y - v) * 1.1)
        leaves = ramp(
            PARK, np.clip(0.42 + 2.2 * (u - x) - 1.6 * (y - v) + 0.5 * light - 0.25, 0, 1)
        )
        image = over(image, leaves, smoothstep(0, 0.01, crown))
    trunk = (
        smoothstep(0.022, 0.016, np.abs(x - 0.925 - 0.02 * np.sin(9 * y))) * (y > 0.33) * (y < 0.86)
    )
    return over(image, palette("4a2545")[0], trunk)


def pointillism(rng: Rng) -> Image:
    """A river evening with sails, built of pure dots of color and their complements."""
    scene = _river_park(rng)
    canvas = as_bytes(flat(palette("f3ead6")[0]))
    for spacing, radius, stray in ((20, 13.5, 0.07), (19, 10.5, 0.12), (26, 8.5, 0.22)):
        places = scatter(rng, spacing)
        colors = sample(scene, places)
        gray = colors.mean(1, keepdims=True)
        vivid = gray + (colors - gray) * 1.3
        vivid = vivid + rng.normal(0, stray, colors.shape) * np.array([0.8, 0.55, 0.8])
        opposite = rng.random((len(places), 1)) < 0.10
        vivid = np.where(opposite, 2 * gray - vivid + rng.normal(0, 0.05, colors.shape), vivid)
        sizes = radius * rng.uniform(0.75, 1.2, len(places))
        for place, color, size in zip(places, vivid, sizes, strict=True):
            disc(canvas, place, size, ink(color))
    return paper(as_floats(canvas), rng, 0.05, 7)


def screen(tone: Plane, pitch: float, angle: float) -> Plane:
    """Turn tones 0..1 into printed dots on a turned grid, `pitch` canvas pixels apart."""
    x, y = grid()
    u = (x * np.cos(angle) + y * np.sin(angle)) * W / pitch
    v = (y * np.cos(angle) - x * np.sin(angle)) * W / pitch
    far = np.hypot(u - np.round(u), v - np.round(v))
    return smoothstep(0.04, -0.04, far - 0.72 * np.sqrt(np.clip(tone, 0, 1)))


def _star(center: Points, inner: float, outer: float, spikes: int, rng: Rng) -> Points:
    angle = np.linspace(0, 2 * np.pi, 2 * spikes, endpoint=False) + rng.uniform(0, 1)
    reach = np.where(np.arange(2 * spikes) % 2, inner, outer) * rng.uniform(0.8, 1.2, 2 * spikes)
    return center + np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None]


def _puffs(canvas: Bytes, shade_canvas: Bytes, rng: Rng) -> None:
    """Draw clouds of smoke: inked circles melted together, with shaded undersides."""
    for u, v, spread in ((0.08, 0.86, 150), (0.34, 0.96, 130), (0.90, 0.90, 170), (0.66, 0.98, 120),
                         (0.03, 0.20, 120), (0.95, 0.14, 130), (0.97, 0.55, 90)):  # fmt: skip
        places = np.array([u, v]) * W + rng.normal(0, spread * 0.62, (13, 2)) * (1.3, 0.7)
        sizes = rng.uniform(0.32, 0.72, 13) * spread
        for color, grow in ((POP_INK, 10), (POP_WHITE, 0)):
            for place, size in zip(places, sizes, strict=True):
                disc(canvas, place, size + grow, ink(color))
        for place, size in zip(places, sizes, strict=True):
            disc(shade_canvas, place, size, (255.0,))
            disc(shade_canvas, place - (0.22 * size, 0.30 * size), size * 0.86, (0.0,))
            sweep = np.linspace(0.2, 1.5, 14)
            arc = place + 0.72 * size * np.stack([np.cos(sweep), np.sin(sweep)], 1)
            line(canvas, arc.astype(np.float32), ink(POP_INK), 5)


def comic(rng: Rng) -> Image:
    """An explosion in red, yellow and cyan: ink, speed lines and fat printing dots."""
    x, y = grid()
    center = np.array([0.52, 0.44]) * W
    dx, dy = x - 0.52, y - 0.44
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    wedge = np.floor(angle / (2 * np.pi) * 28 + 0.25 * np.sin(9 * angle)).astype(int)
    blue = over(flat(POP_WHITE), POP_CYAN, screen(0.95 - 0.85 * (radius - 0.25), 22, 0.26))
    image = np.where((wedge % 2)[..., None] == 0, flat(POP_CYAN), blue)
    canvas = as_bytes(image)
    for a in np.linspace(0, 2 * np.pi, 150, endpoint=False) + rng.normal(0, 0.02, 150):
        direction = np.array([np.cos(a), np.sin(a)])
        side = np.array([-direction[1], direction[0]]) * rng.uniform(3, 15)
        far = center + direction * W * 0.9
        near = center + direction * W * rng.uniform(0.40, 0.62)
        fill(canvas, np.stack([far + side, near, far - side]), ink(POP_INK))
    masks = []
    bursts = ((0.34, 0.50, 17, POP_RED), (0.265, 0.40, 15, POP_YELLOW), (0.17, 0.27, 13, POP_WHITE),
              (0.085, 0.15, 11, POP_RED))  # fmt: skip
    for inner, outer, spikes, color in bursts:
        star = _star(center, inner * W, outer * W, spikes, rng)
        fill(canvas, star + np.array([16, 20]), ink(POP_INK))
        fill(canvas, star, ink(color))
        line(canvas, star, ink(POP_INK), 13, closed=True)
        mask = blank(1)
        fill(mask, star, (255,))
        masks.append(as_floats(mask))
    shading = blank(1)
    _puffs(canvas, shading, rng)
    image = as_floats(canvas)
    inked = image.max(-1) < 0.2
    falloff = unit(radius)
    for n, (color, reach) in enumerate(((POP_YELLOW, 0.62), (POP_RED, 0.44), (POP_CYAN, 0.30))):
        dots = screen(np.clip(1.15 - falloff / reach, 0, 0.85) + 0.10, 21, 0.78)
        bare = np.abs(image - bursts[n][3]).max(-1) < 0.02
        image = over(image, color, masks[n] * (1 - masks[n + 1]) * dots * bare)
    image = over(image, POP_CYAN, as_floats(shading) * screen(0.5 + 0 * x, 19, 0.26) * ~inked)
    worn = 0.035 * noise(rng, 300, 3) + 0.02 * noise(rng, 6, 2)
    return paper(image + worn[..., None] * 0.6, rng, 0.04)
