"""Learn the style parameters of paintings in the public domain, and package them.

    python tools/styles/masters.py ASSETS [NAME ...] [--steps 120] [--models builtin magenta-lite]

ASSETS is a folder with the paintings, see SOURCES, and `models/` with the files of `magenta-lite`.
Each result is written at once to `styles/masters/parameters.npz`, with a picture of our own scene
painted in it by `builtin`; nothing of a painting but these numbers goes into the package. Titles,
painters and years stand in `styles/masters/styles.toml`. Then run `tools/styles/bottlenecks.py`.
"""

import argparse
from pathlib import Path

from nst_video import weights
from nst_video.engines import open_engine
from nst_video.frames import Floats
from nst_video.image import synthetic
from nst_video.image.files import load_picture, save_picture
from nst_video.networks.models import StyleModel, load_model
from nst_video.networks.vgg import load_loss_network
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.style_refinement import refine
from nst_video.style_library.masters import package_master

FOLDER = Path(__file__).resolve().parents[2] / "styles" / "masters"
MODELS = ("builtin", "magenta-lite")

SOURCES = {
    "starry-night": "paintings/starry-night.jpg",
    "great-wave": "paintings/great-wave.jpg",
    "the-scream": "paintings/the-scream.jpg",
    "composition-vii": "paintings/composition-vii.jpg",
    "shipwreck": "paintings/shipwreck-of-the-minotaur.jpg",
}
"""Where each painting is in ASSETS."""

MINUTES = 10_000
"""More than the steps take."""

THUMBNAIL_SIZE, THUMBNAIL_PHASE = (480, 360), 0.35
"""(width, height) of the painted scene, and the moment that it shows."""


def learn(model: StyleModel, painting: Path, steps: int) -> Floats:
    """Return the style parameters (p,) of a painting."""
    picture = load_picture(painting)
    start = model.style_parameters(model.predictor(picture)[None])[0]
    settings = RefineSettings(minutes=MINUTES, steps=steps)
    state = None
    for step in refine(model, start, [picture], load_loss_network(), settings):
        state = step.state
    if state is None or not state.is_better:
        raise RuntimeError(f"{painting} is no better after {steps} steps")
    print(f"  {model.name}: loss {state.measures[0]:.3f} to {state.measures[1]:.3f}", flush=True)
    return state.best


def draw_thumbnail(model: StyleModel, parameters: Floats, target: Path) -> None:
    """Paint the scene with style parameters (p,)."""
    scene = synthetic.draw(THUMBNAIL_SIZE, THUMBNAIL_PHASE)
    engine = open_engine("openvino", model.config, model.arrays)
    save_picture(target, engine(scene[None], parameters[None])[0], overwrite=True)


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
            parameters = learn(model, args.assets / SOURCES[name], args.steps)
            package_master(FOLDER, name, model.transformer_key, parameters)
            if model_name == MODELS[0]:
                draw_thumbnail(model, parameters, FOLDER / f"{name}.jpg")


if __name__ == "__main__":
    main()
