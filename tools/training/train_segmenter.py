"""Train the packaged person segmenter to find what MediaPipe's selfie segmenter finds.

    python tools/training/train_segmenter.py ASSETS FOLDER [--steps 6000] [--start WEIGHTS]

ASSETS has `models/selfie` and `train/` with people, rooms, photos and artworks. FOLDER gets states,
log and the result, `segmenter.npz`; a stopped run goes on where it was.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nst_video.frames import Floats, Frame
    from nst_video.training.person_scenes import Scenery, Segment

WIDE, SQUARE = "selfie_segmentation_landscape.tflite", "selfie_segmentation.tflite"

WIDE_ASPECT = 1.4
"""From this aspect on, the landscape network sees people less distorted than the square one."""

PLACES_WITHOUT_PEOPLE = 0.01
"""Share of a photo's pixels that the teacher may take for people: others have people in them."""


def main() -> None:
    """Train, printing each entry of the log."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("assets", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--threads", type=int, default=1, help="of TensorFlow")
    args = parser.parse_args()

    import cv2
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    cv2.setNumThreads(args.threads)

    from nst_video.training.segmenter import train_segmenter

    def on_log(entry: Mapping[str, float | str]) -> None:
        values = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in entry.items())
        print(time.strftime("%H:%M"), *values, sep="  ", flush=True)

    args.folder.mkdir(parents=True, exist_ok=True)
    training, held_out = read_scenery(args.assets)
    print(train_segmenter(training, held_out, args.folder, args.steps, on_log, start=args.start))


def read_scenery(assets: Path) -> "tuple[Scenery, Scenery]":
    """Return what scenes of the training are made of, and what is held out."""
    from nst_video.training.dataset import read_pictures
    from nst_video.training.person_scenes import Scenery, find_people, shrink

    segment = open_teacher(assets / "models" / "selfie")
    people = read_pictures([assets / "train" / "people"])
    rooms = read_pictures([assets / "train" / "rooms"])
    others = read_pictures([assets / "train" / name for name in ("photos", "artworks")])
    places = [each for each in others.training if _is_empty(each, segment)]
    places = [shrink(each) for each in (*rooms.training, *rooms.training, *places)]
    return (
        Scenery(find_people(people.training, segment), places),
        Scenery(find_people(people.held_out, segment), rooms.held_out),
    )


def open_teacher(folder: Path) -> "Segment":
    """Return MediaPipe's networks as one: the one whose aspect is nearer to the picture's."""
    wide, square = (_open_network(folder / name) for name in (WIDE, SQUARE))

    def segment(picture: "Frame") -> "Floats":
        return (wide if picture.shape[1] > WIDE_ASPECT * picture.shape[0] else square)(picture)

    return segment


def _is_empty(picture: "Frame", segment: "Segment") -> bool:
    return float((segment(picture) > 0.5).mean()) < PLACES_WITHOUT_PEOPLE


def _open_network(path: Path) -> "Segment":
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from nst_video.frames import size_of
    from nst_video.image.resize import resize_area, resize_linear

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    _, height, width, _ = source["shape"]

    def segment(picture: "Frame") -> "Floats":
        small = resize_area(picture, (int(width), int(height))).astype(np.float32) / 255
        interpreter.set_tensor(source["index"], small[None])
        interpreter.invoke()
        mask = interpreter.get_tensor(target["index"])[0, ..., 0]
        return resize_linear(mask, size_of(picture))

    return segment


if __name__ == "__main__":
    main()
