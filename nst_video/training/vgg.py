"""VGG-19 up to relu4_1 as a judge of style and likeness."""

from pathlib import Path

from nst_video.errors import WeightsError
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import load_loss_network

TAPS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
"""Convolutions whose rectified outputs Gatys et al. 2015 (arXiv 1508.06576) take for the style."""


class Vgg:
    """The first thirteen convolutions of VGG-19, as a function from pictures to features."""

    def __init__(self, path: Path, last: str = TAPS[-1]) -> None:
        """Read the weights, see `networks.vgg.load_loss_network`.

        Args:
            path: the file.
            last: one of `TAPS`; nothing is computed beyond it.

        Raises:
            WeightsError: it cannot be read, or there is no such layer.
        """
        if last not in TAPS:
            raise WeightsError(f"VGG-19 has no layer {last!r} to stop at: try {TAPS[-1]!r}.")
        self._network = load_loss_network("vgg19", path)
        self._taps = TAPS[: TAPS.index(last) + 1]

    def __call__(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return the features (n, h / 2^k, w / 2^k, c) at each of `TAPS` up to the last wanted.

        Args:
            pictures: RGB (n, h, w, 3), 0..1.
        """
        return self._network(pictures, self._taps)
