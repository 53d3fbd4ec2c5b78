"""Scenes for the training of the person segmenter: pictures with the mask that is right for them.

A scene is a whole picture of people, or people cut out of such pictures by their masks and pasted
onto another picture, or a picture of nobody. All are turned, scaled, stretched as frames of any
aspect are for the network, and relit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np

from nst_video.frames import Floats, Frame, size_of
from nst_video.image.resize import resize_area, resize_linear
from nst_video.networks.segmenter import SIZE
from nst_video.training.dataset import jitter, pick, procedural, to_unit
from nst_video.training.loop import Batch

Segment: TypeAlias = Callable[[Frame], Floats]
"""The teacher: an RGB picture of any size to the mask (height, width), 0..1, of its people."""

WHOLE, PASTED = 0.65, 0.23
"""Shares of scenes that are whole pictures of people, and of pasted people. The rest is empty."""

OVERSAMPLING = 1.5
"""Scenes are drawn larger by this factor and averaged, against aliasing."""

MAX_SIDE = 576
"""Long side, in pixels, to which pictures are shrunk: a scene is drawn at 384x216."""

RECOLORED = 0.25
"""Share of scenes whose clothes are recolored, and of those whose background is."""

DARKEST, BRIGHTEST = 0.12, 1.5
"""Of the light, which is drawn evenly on a scale of its logarithm in some scenes."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A picture of people.

    Attributes:
        picture: RGB uint8 (height, width, 3).
        mask: float32 (height, width), 0..1.
    """

    picture: Frame
    mask: Floats


@dataclass(frozen=True, slots=True)
class Scenery:
    """What scenes are made of.

    Attributes:
        people: with their masks.
        places: pictures of nobody, RGB uint8.
    """

    people: Sequence[Person]
    places: Sequence[Frame]


def find_people(pictures: Sequence[Frame], segment: Segment) -> list[Person]:
    """Return pictures with the masks of the teacher, averaged over both mirror images."""
    people = []
    for picture in map(shrink, pictures):
        mirrored = segment(np.ascontiguousarray(picture[:, ::-1]))[:, ::-1]
        people.append(Person(picture, np.asarray((segment(picture) + mirrored) / 2, np.float32)))
    return people


def shrink(picture: Frame) -> Frame:
    """Return a picture whose long side is at most `MAX_SIDE`."""
    width, height = size_of(picture)
    scale = MAX_SIDE / max(width, height)
    return (
        picture
        if scale >= 1
        else resize_area(picture, (round(width * scale), round(height * scale)))
    )


@dataclass(slots=True)
class SceneDrawer:
    """Draws scenes; most are earlier ones, mirrored and relit: a new one takes as long as training.

    Attributes:
        scenery: what scenes are made of.
        fresh: share of new scenes.
        kept: number of scenes to draw from again.
    """

    scenery: Scenery
    fresh: float = 0.35
    kept: int = 4096
    _scenes: list[tuple[Frame, Floats]] = field(default_factory=list)

    def __call__(self, count: int, rng: np.random.Generator) -> Batch:
        """Return scenes (count, 144, 256, 3), 0..1, and their masks (count, 144, 256), 0..1."""
        drawn = [self._draw(rng) for _ in range(count)]
        scenes = to_unit(np.stack([scene for scene, _ in drawn]))
        return scenes, np.stack([mask for _, mask in drawn])

    def _draw(self, rng: np.random.Generator) -> tuple[Frame, Floats]:
        if len(self._scenes) < self.kept // 16 or rng.random() < self.fresh:
            drawn = draw_scene(self.scenery, rng)
            if len(self._scenes) < self.kept:
                self._scenes.append(drawn)
            else:
                self._scenes[int(rng.integers(self.kept))] = drawn
            return drawn
        scene, mask = self._scenes[int(rng.integers(len(self._scenes)))]
        light = np.exp(rng.normal(0, 0.1) + rng.normal(0, 0.03, 3)).astype(np.float32)
        lit = np.asarray(np.clip(scene * light, 0, 255), np.uint8)
        turn = rng.choice((-1, 1))
        return lit[:, ::turn], mask[:, ::turn]


def draw_scene(scenery: Scenery, rng: np.random.Generator) -> tuple[Frame, Floats]:
    """Return a scene, RGB uint8 (144, 256, 3), and its mask, float32 (144, 256)."""
    size = (round(SIZE[0] * OVERSAMPLING), round(SIZE[1] * OVERSAMPLING))
    kind = rng.random()
    if kind < WHOLE:
        person = scenery.people[int(rng.integers(len(scenery.people)))]
        scene, mask = _view(person, size, rng)
        if rng.random() < RECOLORED:
            scene = _mix(scene, jitter(scene, rng, 0.7), 1 - mask)
        if rng.random() < RECOLORED:
            scene = _mix(scene, jitter(scene, rng), _clothes(mask))
    else:
        scene, mask = _draw_place(scenery, size, rng), np.zeros(size[::-1], np.float32)
        if kind < WHOLE + PASTED:
            for _ in range(rng.choice((1, 1, 2, 3))):
                scene, mask = _paste(scenery, scene, mask, rng)
    small = _degrade(resize_area(scene, SIZE), rng)
    return small, resize_area(mask, SIZE)


def _mix(first: Frame, second: Frame, share: Floats) -> Frame:
    """Return a picture with a share (height, width) of 0..1 of the second one."""
    mixed = first + (second.astype(np.float32) - first) * share[..., None]
    return np.asarray(mixed, np.uint8)


def _clothes(mask: Floats) -> Floats:
    """Return the lower part of a mask: where faces are not, as a rule."""
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    if not len(rows):
        return mask
    height = rows[-1] - rows[0] + 1
    depth = (np.arange(len(mask), dtype=np.float32) - rows[0]) / height
    return np.asarray(mask * np.clip((depth - 0.4) / 0.15, 0, 1)[:, None], np.float32)


def _draw_place(scenery: Scenery, size: tuple[int, int], rng: np.random.Generator) -> Frame:
    """Return a part of a picture of nobody, or of a procedural one."""
    if rng.random() < 0.05:
        return resize_linear(procedural(256, rng), size)
    place = pick(scenery.places, rng)
    empty = Person(place, np.zeros(place.shape[:2], np.float32))
    scene = _view(empty, size, rng)[0]
    return jitter(scene, rng, 0.4) if rng.random() < 0.4 else scene


def _view(person: Person, size: tuple[int, int], rng: np.random.Generator) -> tuple[Frame, Floats]:
    """Return a picture as seen by a turned, moved and zoomed camera of any aspect."""
    width, height = size_of(person.picture)
    aspect = width / height * np.exp(rng.uniform(-0.25, 0.25))
    aspect = float(np.clip(aspect, 9 / 16, 16 / 9))
    part = min(width / aspect, height) * rng.uniform(0.55, 1.0)
    if rng.random() < 0.3:  # smaller than the frame: what is missing is mirrored
        part *= rng.uniform(1.0, 1.8)
    angle = np.deg2rad(rng.normal(0, 8))
    middle = np.array([width, height]) / 2
    room = np.maximum(0, np.array([width - part * aspect, height - part]) / 2)
    middle = middle + room * rng.uniform(-1, 1, 2)
    step = np.array([part * aspect / size[0] * rng.choice((-1, 1)), part / size[1]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * step
    offset = middle - turn @ (np.array(size) / 2)
    matrix = np.column_stack([turn, offset])
    return _warp(person, matrix, size, cv2.BORDER_REFLECT)


def _warp(
    person: Person, matrix: np.ndarray, size: tuple[int, int], border: int
) -> tuple[Frame, Floats]:
    """Return picture and mask of `size`, whose points `matrix` (2, 3) maps into the picture."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shrunk = np.hypot(*matrix[:, 1])
    picture, mask = person.picture, person.mask
    if shrunk > 1.5:  # linear interpolation would skip pixels
        smaller = (max(1, round(mask.shape[1] / shrunk)), max(1, round(mask.shape[0] / shrunk)))
        scale = np.array([smaller[0] / mask.shape[1], smaller[1] / mask.shape[0]])
        picture, mask = resize_area(picture, smaller), resize_area(mask, smaller)
        matrix = matrix * scale[:, None]
    scene = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=border)
    inside = cv2.warpAffine(mask, matrix, size, flags=flags, borderMode=border)
    return np.asarray(scene, np.uint8), np.asarray(inside, np.float32)


def _paste(
    scenery: Scenery, scene: Frame, mask: Floats, rng: np.random.Generator
) -> tuple[Frame, Floats]:
    """Paste the people of a picture: they mostly rise from the lower edge, as before a camera."""
    person = scenery.people[int(rng.integers(len(scenery.people)))]
    width, height = size_of(scene)
    source_width, source_height = size_of(person.picture)
    distant = rng.random() < 0.3
    smallest, largest = (0.12, 0.5) if distant else (0.35, 1.4)
    scale = height / source_height * np.exp(rng.uniform(np.log(smallest), np.log(largest)))
    stretch = np.exp(rng.uniform(-0.35, 0.35))
    angle = np.deg2rad(rng.normal(0, 7))
    step = np.array([rng.choice((-1, 1)) / (scale * stretch), 1 / scale])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * step
    foot = np.array([width * rng.uniform(0, 1), height * rng.uniform(1.0, 1.15)])
    if rng.random() < (0.7 if distant else 0.15):
        foot[1] = height * rng.uniform(0.5, 1.0)
    offset = np.array([source_width / 2, source_height]) - turn @ foot
    matrix = np.column_stack([turn, offset])
    pasted, alpha = _warp(person, matrix, (width, height), cv2.BORDER_CONSTANT)
    if rng.random() < 0.7:
        pasted = _relight(jitter(pasted, rng, 0.25), rng)
    # A mask of 256x144 is soft over several pixels, where the old background shows through.
    alpha = np.clip((alpha - 0.3) / 0.6, 0, 1).astype(np.float32)
    if rng.random() < RECOLORED:
        pasted = _mix(pasted, jitter(pasted, rng), _clothes(alpha))
    return _mix(scene, pasted, alpha), np.maximum(mask * (1 - alpha), 0) + alpha


def _relight(picture: Frame, rng: np.random.Generator) -> Frame:
    """Return a picture lit more from one side, in another color."""
    height, width = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    slope = (rows * np.sin(angle) + columns * np.cos(angle)) * rng.uniform(0, 0.5)
    color = np.exp(rng.normal(0, 0.08, 3)) * np.exp(rng.uniform(-0.4, 0.3))
    lit = picture * (np.exp(slope)[..., None] * color)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def _degrade(scene: Frame, rng: np.random.Generator) -> Frame:
    """Return a scene as a camera sees it: in other light, gray, blurred, noisy, compressed."""
    if rng.random() < 0.5:
        scene = _relight(scene, rng)
    if rng.random() < 0.06:
        scene = np.repeat(scene[..., 1:2], 3, axis=2)
    light = 1.0
    if rng.random() < 0.35:
        light = float(np.exp(rng.uniform(np.log(DARKEST), np.log(BRIGHTEST))))
    if rng.random() < 0.15:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    noise = rng.normal(0, rng.uniform(0, 6), scene.shape) if rng.random() < 0.5 else 0
    scene = np.asarray(np.clip(scene * light + noise, 0, 255), np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        packed = cv2.imencode(".jpg", scene, quality)[1]
        scene = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return scene
