"""What a painting is worth: content, style, smoothness and steadiness in one number."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from keras import ops

from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization import losses
from nst_video.optimization.autodiff import Losses
from nst_video.optimization.settings import LayerWeights, PaintSettings, Units


class Region(NamedTuple):
    """A part of the picture and the style it is to have.

    Attributes:
        share: of the picture's area, 0..1, scalar.
        grams: by layer, (1, c, c).
        weights: by layer, (1, h, w), summing to 1; None for the whole picture.
    """

    share: Tensor
    grams: Mapping[str, Tensor]
    weights: Mapping[str, Tensor] | None = None


class Targets(NamedTuple):
    """What a picture is compared with, at one size.

    Attributes:
        content: features by layer, (1, h, w, c).
        regions: where which style is wanted.
        warped: (1, h, w, 3), 0..1, what it should stay close to.
        reliability: (1, h, w), 0 where that does not matter.
        disagreement: scalar, what the temporal loss is where no picture can do better.
    """

    content: Mapping[str, Tensor]
    regions: tuple[Region, ...]
    warped: Tensor
    reliability: Tensor
    disagreement: Tensor


class TotalLoss:
    """The weighted sum of all losses of a picture (1, h, w, 3), as the settings weigh them."""

    def __init__(self, network: LossNetwork, settings: PaintSettings) -> None:
        """Take settings that name their layers, see `PaintSettings.for_network`."""
        self._network = network
        self._settings = settings
        chosen = (*settings.content_layers, *settings.style_layers)
        self.layers = tuple(dict.fromkeys(layer for layer, _ in chosen))

    def __call__(self, picture: Tensor, aims: Targets) -> Losses:
        """Return the total and its parts "content", "style", "tv" and "temporal"."""
        settings = self._settings
        features = self._network.continued(picture, self.layers)
        steady = losses.temporal_loss(picture, aims.warped, aims.reliability) + aims.disagreement
        parts = {
            "content": settings.content_weight * self._content(features, aims),
            "style": settings.style_weight * self._style(features, aims),
            "tv": settings.tv_weight * losses.total_variation(picture),
            "temporal": settings.temporal_weight * steady,
        }
        return sum(parts.values()), parts

    def _content(self, features: Mapping[str, Tensor], aims: Targets) -> Tensor:
        error = _CONTENT_ERRORS[self._settings.units]
        return _weighted(
            self._settings.content_layers,
            lambda layer: error(features[layer], aims.content[layer]),
        )

    def _style(self, features: Mapping[str, Tensor], aims: Targets) -> Tensor:
        return sum(region.share * self._region_style(features, region) for region in aims.regions)

    def _region_style(self, features: Mapping[str, Tensor], region: Region) -> Tensor:
        error = _STYLE_ERRORS[self._settings.units]

        def of_layer(layer: str) -> Tensor:
            weights = None if region.weights is None else region.weights[layer]
            return error(losses.gram(features[layer], weights), region.grams[layer])

        return _weighted(self._settings.style_layers, of_layer)


def _mean_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return the content loss per feature, so that it does not grow with the picture."""
    return losses.content_loss(features, target) / ops.cast(ops.size(target), "float32")


_CONTENT_ERRORS: Mapping[Units, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"relative": losses.relative_error, "absolute": _mean_content_loss}
)
_STYLE_ERRORS: Mapping[Units, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"relative": losses.relative_error, "absolute": losses.style_loss}
)


def _weighted(layers: LayerWeights, error: Callable[[str], Tensor]) -> Tensor:
    """Return the weighted mean of an error over layers."""
    whole = sum(weight for _, weight in layers)
    return sum(weight * error(layer) for layer, weight in layers) / whole
