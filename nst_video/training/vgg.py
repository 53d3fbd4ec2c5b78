"""VGG-19 up to relu4_1, for perceptual losses and as the teacher of the loss network."""

from collections.abc import Sequence
from pathlib import Path

from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import load_loss_network


class Vgg:
    """The first convolutions of VGG-19: a function from pictures to features."""

    def __init__(
        self, path: Path, layers: Sequence[str] = LOSS_LAYERS, *, dtype: str = "float32"
    ) -> None:
        """Read the weights, see `networks.vgg.load_loss_network`.

        Args:
            path: of the weights.
            layers: whose features are returned; nothing is computed beyond the last of them.
            dtype: of the computation.

        Raises:
            UsageError: a layer does not exist.
            WeightsError: the file cannot be read.
        """
        self._network = load_loss_network("vgg19", path, dtype=dtype)
        self._network.require(layers)
        self._layers = tuple(layers)

    def __call__(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return the features (n, h / 2^k, w / 2^k, c), float32, by layer.

        Args:
            pictures: RGB (n, h, w, 3), 0..1.
        """
        return self._network(pictures, self._layers)
