"""Compute the bottlenecks of the packaged styles, so that no user's machine has to.

    python tools/styles/bottlenecks.py [MODELS_DIR]

Run it after `tools/styles/paint.py` or a new training, with the files of `magenta-lite` in
MODELS_DIR or in the cache. It writes `styles/bottlenecks-<model>.npz`; they are read only where the
pictures and the predictor are exactly those they were made from.
"""

import sys
from pathlib import Path

from nst_video import weights
from nst_video.networks.models import load_model
from nst_video.style_library.bottlenecks import package_bottlenecks
from nst_video.style_library.library import StyleLibrary

STYLES = Path(__file__).resolve().parents[2] / "styles"
MODELS = ("builtin", "magenta-lite")


def same_network(name: str) -> list[str]:
    """Return the keys that other public files of the same predictor would have."""
    predictors = (file for file in weights.MODELS[name].files if file.role == "predictor")
    return [f"{name}-{variant.sha256[:16]}" for file in predictors for variant in file.variants]


def main(models_dir: Path | None) -> None:
    """Write the file of each model."""
    styles = StyleLibrary(packaged_dir=STYLES, user_dir=STYLES / "none").styles()
    for name in MODELS:
        model = load_model(name, weights.resolve(name, models_dir=models_dir))
        same_as = [key for key in same_network(name) if key != model.predictor.key]
        path = package_bottlenecks(styles, model.predictor, STYLES, same_as=same_as)
        sys.stdout.write(f"{path}: {len(styles)} styles\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
