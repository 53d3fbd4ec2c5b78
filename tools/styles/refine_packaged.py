"""Refine the packaged styles as `nst-video styles refine` does, and package the result.

    python tools/styles/refine_packaged.py [NAME ...] [--steps 120] [--model builtin]

What is refined already for the network is left out, so a stopped run goes on; each result is
written at once to `styles/refined.npz`. Run it after `tools/styles/paint.py` or a new training.
"""

import argparse
from pathlib import Path

from masters import learn

from nst_video import weights
from nst_video.networks.models import load_model
from nst_video.style_library.folder import list_styles
from nst_video.style_library.refined_styles import package_refined, read_packaged_refined

FOLDER = Path(__file__).resolve().parents[2] / "styles"


def main() -> None:
    """Refine and write, one style after another."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    styles = {style.name: style for style in list_styles(FOLDER, "packaged").styles}
    parser.add_argument("names", nargs="*", default=list(styles), metavar="NAME")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--models-dir", type=Path)
    args = parser.parse_args()
    model = load_model(args.model, weights.resolve(args.model, models_dir=args.models_dir))
    for name in args.names:
        style = styles[name]
        if model.transformer_key in read_packaged_refined(FOLDER, style.digest):
            continue
        print(name, flush=True)
        parameters = learn(model, style.load(), args.steps)
        package_refined(FOLDER, style.digest, {model.transformer_key: parameters})


if __name__ == "__main__":
    main()
