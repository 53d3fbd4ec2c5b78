"""VGG-19 up to relu4_1 (Simonyan & Zisserman, arXiv 1409.1556), a judge of style and likeness."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from keras import ops

from nst_video.errors import WeightsError
from nst_video.networks.checkpoints import load_npz
from nst_video.networks.transformer import Tensor

MEAN_RGB = (123.68, 116.779, 103.939)
"""What was subtracted from pixels in 0..255 when VGG was trained; it takes BGR."""

TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
"""Convolutions whose rectified outputs Gatys et al. 2015 (arXiv 1508.06576) take for the style."""

_BLOCKS = (2, 2, 4, 1)

LAYERS = tuple(
    f"block{block}_conv{index}"
    for block, count in enumerate(_BLOCKS, 1)
    for index in range(1, count + 1)
)
"""All convolutions of `Vgg` in order."""


class Vgg:
    """The first thirteen convolutions of VGG-19, as a function from pictures to features."""

    def __init__(
        self,
        path: Path,
        last: str = TAPS[-1],
        *,
        taps: Sequence[str] = TAPS,
        dtype: str = "float32",
    ) -> None:
        """Read an `.npz` of HWIO kernels and biases named "block1_conv1.kernel" and so on.

        Args:
            path: the file.
            last: one of `taps`; nothing is computed beyond it.
            taps: the layers whose features are returned.
            dtype: to compute in; features are float32 anyway.

        Raises:
            WeightsError: it cannot be read.
        """
        self._arrays = load_npz(path)
        self._last = last
        self._taps = frozenset(taps)
        self._dtype = dtype

    def __call__(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return the features (n, h / 2^k, w / 2^k, c) at each of `taps` up to the last wanted.

        Args:
            pictures: RGB (n, h, w, 3), 0..1.
        """
        x = (pictures * 255 - np.asarray(MEAN_RGB, np.float32))[..., ::-1]
        x = ops.cast(x, self._dtype)
        features: dict[str, Tensor] = {}
        for block, count in enumerate(_BLOCKS, 1):
            if block > 1:
                x = ops.average_pool(x, 2, 2)
            for index in range(1, count + 1):
                name = f"block{block}_conv{index}"
                kernel, bias = (
                    ops.cast(self._arrays[f"{name}.{part}"], self._dtype)
                    for part in ("kernel", "bias")
                )
                x = ops.relu(ops.conv(x, kernel, padding="same") + bias)
                if name in self._taps:
                    features[name] = ops.cast(x, "float32")
                if name == self._last:
                    return features
        raise WeightsError(f"VGG-19 has no layer {self._last!r} to stop at: try {TAPS[-1]!r}.")


def gram(features: Tensor) -> Tensor:
    """Return the Gram matrices (n, c, c) of features (n, h, w, c), per position."""
    count, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (count, height * width, channels))
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (height * width)


def gram_distance(ours: dict[str, Tensor], style: dict[str, Tensor]) -> Tensor:
    """Return the relative squared distance of Gram matrices, averaged over `TAPS`, (n,)."""
    distances = []
    for name in TAPS:
        target = gram(style[name])
        error = ops.sum(ops.square(gram(ours[name]) - target), axis=(1, 2))
        distances.append(error / ops.sum(ops.square(target), axis=(1, 2)))
    return sum(distances) / len(distances)
