"""Style pictures and a predictor that needs no network."""

import numpy as np

from nst_video.image.files import save_picture


class Predictor:
    """Mean color and how often it was asked: a predictor small enough for tests."""

    def __init__(self, key="toy-1a2b", answer=None):
        self.key = key
        self.calls = 0
        self._answer = answer

    def __call__(self, picture):
        self.calls += 1
        if self._answer is not None:
            return self._answer
        return picture.mean((0, 1)).astype(np.float32)


def paint(path, seed=0):
    rng = np.random.default_rng(seed)
    save_picture(path, rng.integers(0, 256, (24, 32, 3), np.uint8), overwrite=True)
    return path
