"""Gatys' method: a picture is changed step by step until a network sees content and style in it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame
from nst_video.networks.vgg import LossNetwork
from nst_video.painter.painting import Painting, PaintStep, StylePicture, TemporalTarget
from nst_video.painter.settings import PaintSettings

__all__ = [
    "GatysOptimizer",
    "PaintStep",
    "Painting",
    "StylePicture",
    "TemporalTarget",
]


class GatysOptimizer:
    """Paints pictures, each by an optimization of its own; styles and compiled code are shared."""

    def __init__(
        self, network: LossNetwork, styles: Sequence[StylePicture], settings: PaintSettings
    ) -> None:
        """Check everything; the styles are looked at when the size is known.

        Raises:
            UsageError: no style, weights without sense, or a layer that the network lacks.
        """
        self.network = network
        self.settings = settings.for_network(network.layers, network.name)
        self.styles = tuple(styles)

    def __call__(
        self,
        content: Frame,
        *,
        start: NDArray[np.float32] | None = None,
        targets: Sequence[TemporalTarget] = (),
        steps: int | None = None,
        on_step: Callable[[PaintStep], None] | None = None,
    ) -> Painting:
        """Paint one picture.

        Args:
            content: RGB uint8 (h, w, 3).
            start: RGB float32 (h, w, 3), 0..1, where to start instead of where the settings say.
            targets: what the painting should stay close to.
            steps: at most, instead of the settings' number.
            on_step: called after every step.

        Raises:
            UsageError: a picture too small, or of another size than the content.
        """
        raise NotImplementedError
