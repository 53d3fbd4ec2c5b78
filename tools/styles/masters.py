"""Learn the style parameters of paintings in the public domain, and package them.

    python tools/styles/masters.py ASSETS [NAME ...] [--steps 120] [--models builtin magenta-lite]

ASSETS is a folder with the paintings, see SOURCES, and `models/` with the files of `magenta-lite`.
Each result is written at once to `styles/masters/parameters.npz`, with a picture of our own scene
painted in it by `builtin`; nothing of a painting but these numbers goes into the package. Titles,
painters and years stand in `styles/masters/styles.toml`. It ends with a sheet of all for the
documentation. Then run `tools/styles/bottlenecks.py`.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from nst_video import weights
from nst_video.engines import open_engine
from nst_video.frames import Floats, Frame, size_of
from nst_video.image import synthetic
from nst_video.image.contact_sheet import SheetEntry, contact_sheet
from nst_video.image.files import load_picture, save_picture
from nst_video.image.resize import resize_area
from nst_video.networks.models import StyleModel, load_model
from nst_video.networks.vgg import load_loss_network
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.style_refinement import StyleToRefine, refine
from nst_video.style_library.folder import list_styles
from nst_video.style_library.masters import package_master

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "styles" / "masters"
SHEET, SHEET_COLUMNS = ROOT / "docs" / "_static" / "masters.jpg", 6
"""The painted scenes side by side."""

MODELS = ("builtin", "magenta-lite")


@dataclass(frozen=True)
class Source:
    """Where a painting is.

    Attributes:
        path: in ASSETS.
        margin: share of each side to leave out: a frame, or the edge of the canvas.
    """

    path: str
    margin: float = 0.0

    def load(self, assets: Path) -> Frame:
        """Return the painting, RGB uint8 (height, width, 3)."""
        picture = load_picture(assets / self.path)
        top, left = (round(self.margin * side) for side in picture.shape[:2])
        return picture[top : len(picture) - top, left : picture.shape[1] - left]


SOURCES = {
    "starry-night": Source("paintings/starry-night.jpg"),
    "great-wave": Source("paintings/great-wave.jpg"),
    "the-scream": Source("paintings/the-scream.jpg"),
    "composition-vii": Source("paintings/composition-vii.jpg"),
    "shipwreck": Source("paintings/shipwreck-of-the-minotaur.jpg"),
    "wheat-field": Source("train/artworks/metmuseum_436535.jpg", 0.03),
    "pink-cloud": Source("train/artworks/clevelandart_2020.106.jpg", 0.02),
    "bewitched-mill": Source("train/artworks/artic_9021.jpg", 0.01),
    "political-drama": Source("train/artworks/nga_52397.jpg", 0.1),
    "cradle": Source("train/artworks/nga_56662.jpg", 0.01),
    "rough-waves": Source("train/artworks/metmuseum_44918.jpg", 0.06),
    "two-poplars": Source("train/artworks/artic_8980.jpg", 0.01),
    "parliament": Source("train/artworks/nga_46523.jpg", 0.01),
    "footbridge": Source("train/artworks/nga_74796.jpg", 0.01),
    "boating-party": Source("train/artworks/nga_46569.jpg", 0.01),
    "northeaster": Source("train/artworks/metmuseum_11130.jpg", 0.03),
    "salem-cove": Source("train/artworks/nga_66431.jpg", 0.02),
}
"""Where each painting is."""

MINUTES = 10_000
"""More than the steps take."""

THUMBNAIL_SIZE, THUMBNAIL_PHASE = (480, 360), 0.35
"""(width, height) of the painted scene, and the moment that it shows."""


def learn(model: StyleModel, picture: Frame, steps: int) -> Floats:
    """Return the style parameters (p,) of a painting, RGB uint8 (height, width, 3)."""
    predicted = model.style_parameters(model.predictor(picture)[None])[0]
    settings = RefineSettings(minutes=MINUTES, steps=steps)
    state = None
    for step in refine(model, StyleToRefine([picture], predicted), load_loss_network(), settings):
        state = step.state
    if state is None or not state.is_better:
        raise RuntimeError(f"no better after {steps} steps")
    print(f"  {model.name}: loss {state.measures[0]:.3f} to {state.measures[1]:.3f}", flush=True)
    return state.best


def draw_thumbnail(model: StyleModel, parameters: Floats, target: Path) -> None:
    """Paint the scene with style parameters (p,)."""
    scene = synthetic.draw(THUMBNAIL_SIZE, THUMBNAIL_PHASE)
    engine = open_engine("openvino", model.config, model.arrays)
    save_picture(target, engine(scene[None], parameters[None])[0], overwrite=True)


def draw_sheet() -> None:
    """Put the pictures of all masters on one sheet for the documentation."""
    styles = list_styles(FOLDER, "master").styles
    entries = [SheetEntry(style.name, style.load()) for style in styles]
    sheet = contact_sheet(entries, SHEET_COLUMNS)
    width, height = size_of(sheet)
    save_picture(SHEET, resize_area(sheet, (width // 2, height // 2)), overwrite=True)


def main() -> None:
    """Learn, write and paint."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("assets", type=Path)
    parser.add_argument("names", nargs="*", default=list(SOURCES), metavar="NAME")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--models", nargs="*", default=MODELS)
    args = parser.parse_args()
    for model_name in args.models:
        files = weights.resolve(model_name, models_dir=args.assets / "models")
        model = load_model(model_name, files)
        for name in args.names:
            print(name, flush=True)
            parameters = learn(model, SOURCES[name].load(args.assets), args.steps)
            package_master(FOLDER, name, model.transformer_key, parameters)
            if model_name == MODELS[0]:
                draw_thumbnail(model, parameters, FOLDER / f"{name}.jpg")
    draw_sheet()


if __name__ == "__main__":
    main()
