"""Paint a folder of pictures in a Ray Data pipeline.

python ray_data.py pictures/ painted/ wave
Needs `pip install 'nst-video[cluster]' pyarrow pandas`.
"""

import sys

import numpy as np
import ray
from numpy.typing import NDArray

from nst_video import Stylizer, StylizeSettings


class Paint:
    """Paints batches; Ray keeps one of these in each worker, so that it is loaded once."""

    def __init__(self, style: str) -> None:
        self.stylizer = Stylizer(style, StylizeSettings(steady=0))

    def __call__(self, batch: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.uint8]]:
        """Paint pictures of one size."""
        return {"image": self.stylizer(batch["image"])}


folder, target, style = sys.argv[1:4]
pictures = ray.data.read_images(folder, size=(288, 384), mode="RGB")
painted = pictures.map_batches(Paint, fn_constructor_args=(style,), batch_size=4, concurrency=1)
painted.write_images(target, column="image")
