"""Judge weights of the `builtin` transformer against the packaged ones, on pictures not trained on.

    python tools/training/judge_builtin.py ASSETS WEIGHTS.npz [--sheet SHEET.png]

WEIGHTS is a result or a saved state of a fine-tuning. Photos and paintings are those of the assets
that every training holds out. VGG-19 judges, which the fine-tuning does not see. A line for each
measure: the packaged weights, the new ones, and the ratio.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from nst_video import weights
from nst_video.engines import open_engine
from nst_video.frames import Floats, Frame
from nst_video.image import synthetic
from nst_video.image.files import load_picture, pictures_in, save_picture
from nst_video.image.resize import center_square
from nst_video.networks.checkpoints import Arrays, load_transformer
from nst_video.networks.models import StyleModel, load_model
from nst_video.optimization.losses import gram_distance
from nst_video.training.dataset import read_pictures, to_unit
from nst_video.training.evaluate import Paint, noise_error, painter, pan_error
from nst_video.training.halo import halo
from nst_video.training.texture import flat_energies, flatness, spectrum, typical_energies
from nst_video.training.vgg import Vgg

SIDE = 384
"""Of contents and styles, in pixels."""

CONTENT_LAYERS = ("block3_conv1", "block4_conv1")

MIN_FLAT_WINDOWS = 4
"""With fewer, a photo tells nothing about flat areas."""

FRAME_SIZE, ROUNDS = (640, 360), 20
"""(width, height) of the frames that are timed, and how often."""

Measures = Mapping[str, float]


class Judge:
    """Measures paintings of some photos in some styles."""

    def __init__(self, vgg: Path, photos: Sequence[Frame], styles: Sequence[Frame]) -> None:
        self._vgg = Vgg(vgg)
        self._photos = [to_unit(center_square(photo, SIDE))[None] for photo in photos]
        self._styles = [to_unit(center_square(style, SIDE))[None] for style in styles]
        self._features = [self._vgg(style) for style in self._styles]
        self._contents = [self._vgg(photo) for photo in self._photos]

    def measure(self, paint: Paint, bottlenecks: Floats) -> Measures:
        """Return the mean of each measure over all pairs; change only over a few of them."""
        rows = []
        for photo, style in product(range(len(self._photos)), range(len(self._styles))):
            bottleneck = bottlenecks[style]
            painting = paint(self._photos[photo], bottleneck[None])
            row = self._like_style(painting, photo, style) | self._in_flat_areas(
                painting, photo, style
            )
            row["halo x255"] = 255 * halo(self._photos[photo][0], painting[0])
            if (photo + style) % len(self._photos) == 0:
                content = self._photos[photo][0]
                row["noise x1e4"] = 1e4 * noise_error(paint, content, bottleneck, 0)
                row["pan x1e4"] = 1e4 * pan_error(paint, content, bottleneck)
            rows.append(row)
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: _mean([row[name] for row in rows if name in row]) for name in names}

    def _like_style(self, painting: Floats, photo: int, style: int) -> dict[str, float]:
        features, content = self._vgg(painting), self._contents[photo]
        distances = [
            float(np.sum(np.square(features[k] - content[k])) / np.sum(np.square(content[k])))
            for k in CONTENT_LAYERS
        ]
        gram = float(gram_distance(features, self._features[style])[0])
        return {"style": gram, "content": _mean(distances)}

    def _in_flat_areas(self, painting: Floats, photo: int, style: int) -> dict[str, float]:
        flat = np.asarray(flatness(self._photos[photo]))
        if np.sum(flat) < MIN_FLAT_WINDOWS:
            return {}
        own = float(np.sum(typical_energies(self._styles[style])))
        energy = float(np.sum(flat_energies(painting, flat)))
        everywhere = np.ones_like(flat)
        peaks = float(spectrum(painting, flat).peaks[0])
        total = float(spectrum(self._styles[style], everywhere).total[0])
        ratio = np.log(energy / own)
        return {"log texture": ratio, "|log texture|": abs(ratio), "lattice": peaks / total}


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if values else float("nan")


def load_weights(path: Path, model: StyleModel) -> Arrays:
    """Return a transformer's weights from a result, or the averaged ones from a saved state."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: np.asarray(file[name], np.float32) for name in file.files}
    average = {k.removeprefix("average/"): v for k, v in arrays.items() if k.startswith("average/")}
    arrays = average or arrays
    return {name: arrays[name] for name in model.config.array_shapes()}


def time_frames(model: StyleModel, candidates: Mapping[str, Arrays]) -> dict[str, float]:
    """Return the milliseconds of a frame at `FRAME_SIZE`, alternating between the candidates."""
    frame = synthetic.draw(FRAME_SIZE, 0.0)[None]
    style = np.zeros((1, model.config.style_size), np.float32)
    engines = {k: open_engine("openvino", model.config, v) for k, v in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            started = time.perf_counter()
            engine(frame, style)
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: float(np.median(each)) for name, each in times.items()}


def draw_sheet(
    path: Path,
    paints: Sequence[Callable[[Floats, Floats], Floats]],
    bottlenecks: Floats,
    photos: Sequence[Frame],
    styles: Sequence[Frame],
) -> None:
    """Save a sheet: a row for each style, and for each photo the paintings side by side."""
    rows = [np.hstack([center_square(photo, SIDE) for photo in photos for _ in paints])]
    rows[0] = np.hstack([np.full((SIDE, SIDE, 3), 255, np.uint8), rows[0]])
    for style, bottleneck in zip(styles, bottlenecks, strict=True):
        cells = [center_square(style, SIDE)]
        for photo, paint in product(photos, paints):
            painted = paint(to_unit(center_square(photo, SIDE))[None], bottleneck[None])[0]
            cells.append(np.rint(painted * 255).astype(np.uint8))
        rows.append(np.hstack(cells))
    save_picture(path, np.vstack(rows), overwrite=True)


def main() -> None:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("assets", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--styles", type=int, default=12)
    args = parser.parse_args()

    def pictures(folder: str, training: str, count: int) -> list[Frame]:
        shown = [load_picture(path) for path in sorted(pictures_in(args.assets / folder))]
        return [*shown, *read_pictures([args.assets / training]).held_out][:count]

    photos = pictures("photos", "train/photos", args.photos)
    styles = pictures("paintings", "train/artworks", args.styles)
    model = load_model("builtin", weights.resolve("builtin"))
    bottlenecks = np.stack([model.predictor(style) for style in styles])
    candidates = {"today": model.arrays, "new": load_weights(args.weights, model)}
    paints = {
        name: painter(load_transformer(model.config, arrays)) for name, arrays in candidates.items()
    }
    if args.sheet is not None:
        draw_sheet(args.sheet, list(paints.values()), bottlenecks, photos[:4], styles)
    (vgg,) = (args.assets / "models" / "vgg19").glob("*.npz")
    judge = Judge(vgg, photos, styles)
    measured = {name: dict(judge.measure(paint, bottlenecks)) for name, paint in paints.items()}
    for name, milliseconds in time_frames(model, candidates).items():
        measured[name]["ms"] = milliseconds
    print(f"{'':16}{'today':>10}{'new':>10}{'ratio':>10}")
    for name, before in measured["today"].items():
        after = measured["new"][name]
        print(f"{name:16}{before:10.3f}{after:10.3f}{after / before:10.2f}")


if __name__ == "__main__":
    main()
