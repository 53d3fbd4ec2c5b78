"""Fine-tune the `builtin` transformer on many styles; its style predictor stays as it is.

    python tools/training/finetune_builtin.py ASSETS FOLDER [--threads 2]

ASSETS has `train/` with photos, rooms, people and artworks. FOLDER gets styles, states, log and the
result, `finetuned.npz`; a stopped run goes on where it was. Judge states and result by
`tools/training/judge_builtin.py`.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CONTENTS = ("photos", "rooms", "people")


def main() -> None:
    """Train, printing each entry of the log."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("assets", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2, help="of TensorFlow")
    args = parser.parse_args()

    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from nst_video import weights
    from nst_video.networks.models import load_model
    from nst_video.networks.vgg import load_loss_network
    from nst_video.training.config import FINETUNE
    from nst_video.training.dataset import read_pictures
    from nst_video.training.finetune_run import finetune_transformer

    def on_log(entry: Mapping[str, float | str]) -> None:
        values = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items())
        print(time.strftime("%H:%M"), *values, sep="  ", flush=True)

    args.folder.mkdir(parents=True, exist_ok=True)
    folder = args.assets / "train"
    path = finetune_transformer(
        load_model("builtin", weights.resolve("builtin")),
        read_pictures([folder / name for name in CONTENTS]),
        read_pictures([folder / "artworks", ROOT / "styles"]),
        load_loss_network(),
        args.folder,
        FINETUNE,
        on_log,
    )
    print(path)


if __name__ == "__main__":
    main()
