"""The total loss of a picture: the weighted sum of the terms in `losses`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization import losses
from nst_video.optimization.autodiff import Losses
from nst_video.optimization.settings import LayerWeights, LossUnits, PaintSettings
from nst_video.optimization.targets import StyleRegion, Targets


class TotalLoss:
    """Content, style, total variation and temporal loss, weighted as the settings say.

    Gatys et al. 2016 (arXiv 1508.06576) eq. 7, plus total variation (Mahendran & Vedaldi 2014,
    arXiv 1412.0035) and the temporal loss of Ruder et al. 2016 (arXiv 1604.08610).

    Attributes:
        layers: names of all layers of the network that it uses.
    """

    def __init__(self, network: LossNetwork, settings: PaintSettings) -> None:
        """Take a network, and settings that name its layers, see `PaintSettings.for_network`."""
        self._network = network
        self._settings = settings
        chosen = (*settings.content_layers, *settings.style_layers)
        self.layers = tuple(dict.fromkeys(layer for layer, _ in chosen))

    def __call__(self, picture: Tensor, targets: Targets) -> Losses:
        """Return the total, and its terms "content", "style", "tv" and "temporal", all scalars.

        Args:
            picture: RGB float32 (1, h, w, 3), 0..1.
            targets: what it is compared with, for the same size.
        """
        settings = self._settings
        features = self._network.continued(picture, self.layers)
        temporal = losses.temporal_loss(picture, targets.warped, targets.reliability)
        terms = {
            "content": settings.content_weight * self._content_loss(features, targets.content),
            "style": settings.style_weight * self._style_loss(features, targets.regions),
            "tv": settings.tv_weight * losses.total_variation(picture),
            "temporal": settings.temporal_weight * (temporal + targets.disagreement),
        }
        return sum(terms.values()), terms

    def _content_loss(
        self, features: Mapping[str, Tensor], content: Mapping[str, Tensor]
    ) -> Tensor:
        loss = _CONTENT_LOSSES[self._settings.units]
        return _weighted_mean(
            self._settings.content_layers, lambda layer: loss(features[layer], content[layer])
        )

    def _style_loss(
        self, features: Mapping[str, Tensor], regions: tuple[StyleRegion, ...]
    ) -> Tensor:
        return sum(region.share * self._region_loss(features, region) for region in regions)

    def _region_loss(self, features: Mapping[str, Tensor], region: StyleRegion) -> Tensor:
        loss = _STYLE_LOSSES[self._settings.units]

        def layer_loss(layer: str) -> Tensor:
            weights = None if region.weights is None else region.weights[layer]
            return loss(losses.gram(features[layer], weights), region.grams[layer])

        return _weighted_mean(self._settings.style_layers, layer_loss)


_Loss = Callable[[Tensor, Tensor], Tensor]

_CONTENT_LOSSES: Mapping[LossUnits, _Loss] = MappingProxyType(
    {"relative": losses.relative_error, "absolute": losses.mean_content_loss}
)
_STYLE_LOSSES: Mapping[LossUnits, _Loss] = MappingProxyType(
    {"relative": losses.relative_error, "absolute": losses.style_loss}
)


def _weighted_mean(layers: LayerWeights, layer_loss: Callable[[str], Tensor]) -> Tensor:
    """Return the weighted mean of a loss over layers."""
    total_weight = sum(weight for _, weight in layers)
    return sum(weight * layer_loss(layer) for layer, weight in layers) / total_weight
