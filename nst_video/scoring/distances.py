"""Distances to style and content, in the features of a loss network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nst_video.frames import Floats, Frame, fit_within, size_of
from nst_video.image.resize import resize_area
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.losses import gram_distance, relative_error
from nst_video.optimization.settings import PaintSettings

STYLE_LAYERS = 4
"""Number of layers whose Gram matrices are compared, the first of each block."""


@dataclass(frozen=True, slots=True)
class Distances:
    """Relative squared distances of one painted frame; 0 is equal.

    Attributes:
        content: of the features of a deep layer to those of the source's frame.
        style: of the Gram matrices to the style's, the mean over `STYLE_LAYERS` layers; None
            without a style.
    """

    content: float
    style: float | None


class DistanceMeter:
    """Measures the distances of painted frames to a style picture and to their source."""

    def __init__(self, network: LossNetwork, style: Frame | None, side: int) -> None:
        """Compute the features of the style picture, shrunk to a long side of `side` pixels."""
        settings = PaintSettings().for_network(network.layers, network.name)
        self._network = network
        self._content_layer, _ = settings.content_layers[0]
        self._style_layers = [layer for layer, _ in settings.style_layers[:STYLE_LAYERS]]
        self._style = None
        if style is not None:
            small = resize_area(style, fit_within(size_of(style), (side, side)))
            self._style = network(_to_unit([small]), self._style_layers)

    def __call__(self, source: Frame, painted: Sequence[Frame]) -> list[Distances]:
        """Return the distances of each of the frames painted from a frame of the source."""
        layers = {self._content_layer, *(self._style_layers if self._style else ())}
        features = self._network(_to_unit([source, *painted]), layers)
        styles: list[float | None] = [None] * len(painted)
        if self._style is not None:
            own = {layer: features[layer][1:] for layer in self._style_layers}
            styles = [float(each) for each in np.asarray(gram_distance(own, self._style))]
        target, *contents = np.asarray(features[self._content_layer])
        return [
            Distances(float(relative_error(content, target)), style)
            for content, style in zip(contents, styles, strict=True)
        ]


def _to_unit(frames: Sequence[Frame]) -> Floats:
    """Return frames as one batch, float32, 0..1."""
    return np.stack(frames).astype(np.float32) / np.float32(255)
