"""Computes the targets of the loss: content features, style Gram matrices, a temporal target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from keras import ops

from nst_video.errors import UsageError
from nst_video.frames import Floats, Size
from nst_video.image.resize import resize_area
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork, halvings
from nst_video.optimization import losses
from nst_video.optimization.painting import StylePicture, TemporalTarget
from nst_video.optimization.pyramid import resize_picture


class StyleRegion(NamedTuple):
    """A region of the picture and the style that it should have.

    Attributes:
        share: of the picture's area, 0..1, a scalar.
        grams: target Gram matrices by layer, (1, c, c).
        weights: of each position by layer, (1, h, w), summing to 1; None for the whole picture.
    """

    share: Tensor
    grams: Mapping[str, Tensor]
    weights: Mapping[str, Tensor] | None = None


class Targets(NamedTuple):
    """What the loss compares a picture of one size with.

    Attributes:
        content: features of the content by layer, (1, h, w, c).
        regions: styles and their regions.
        warped: target of the temporal loss, (1, h, w, 3), 0..1.
        reliability: weights of its pixels, (1, h, w); 0 where it is not used.
        disagreement: scalar, the minimum of the temporal loss: above 0 where several temporal
            targets differ.
    """

    content: Mapping[str, Tensor]
    regions: tuple[StyleRegion, ...]
    warped: Tensor
    reliability: Tensor
    disagreement: Tensor


@dataclass(frozen=True, slots=True)
class StyleGroup:
    """Styles that share a region.

    Attributes:
        shares: index of each style and its share; the shares sum to 1.
        mask: of the region, (height, width), 0..1, of any size; None for the whole picture.
    """

    shares: tuple[tuple[int, float], ...]
    mask: Floats | None


def group_styles(styles: Sequence[StylePicture]) -> tuple[StyleGroup, ...]:
    """Group styles by region: one for each mask, and one for the area that no mask covers.

    Raises:
        UsageError: there is no style, a weight or a mask is not valid, or the masks cover
            everything although some styles have none.
    """
    if not styles:
        raise UsageError("Name at least one style.")
    for style in styles:
        _check(style)
    masked = [
        StyleGroup(((index, 1.0),), style.mask)
        for index, style in enumerate(styles)
        if isinstance(style.mask, np.ndarray)
    ]
    rest = [index for index, style in enumerate(styles) if style.mask is None]
    if not rest:
        return tuple(masked)
    total = sum(styles[index].weight for index in rest)
    shares = tuple((index, styles[index].weight / total) for index in rest)
    return (*masked, StyleGroup(shares, _uncovered([group.mask for group in masked])))


def _check(style: StylePicture) -> None:
    if not (np.isfinite(style.weight) and style.weight > 0):
        raise UsageError(f"A style's weight is a number above 0, not {style.weight:g}.")
    mask = style.mask
    if not isinstance(mask, np.ndarray):
        return
    if mask.ndim != 2 or not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > 1:
        raise UsageError(f"A mask is (height, width), 0..1; got shape {mask.shape}.")
    if mask.max() == 0:
        raise UsageError("A mask is empty: paint white where its style is wanted.")


def _uncovered(masks: Sequence[Floats | None]) -> Floats | None:
    """Return the mask of the area that no mask covers; None where there are no masks."""
    given = [mask for mask in masks if mask is not None]
    if not given:
        return None
    height, width = np.max([mask.shape for mask in given], axis=0)
    covered = sum(resize_picture(mask, (int(width), int(height))) for mask in given)
    uncovered = np.clip(1 - covered, 0, 1).astype(np.float32)
    if uncovered.max() == 0:
        raise UsageError("The masks leave nothing to the styles without a mask: drop those.")
    return uncovered


def style_regions(
    network: LossNetwork,
    layers: Sequence[str],
    groups: Sequence[StyleGroup],
    pictures: Sequence[Floats],
    size: Size,
) -> tuple[StyleRegion, ...]:
    """Return the regions with their target Gram matrices.

    The styles of a group are mixed as the weighted mean of their Gram matrices, which has the same
    gradient as the weighted sum of their losses.

    Args:
        network: the loss network.
        layers: names of the style layers.
        groups: of `group_styles`.
        pictures: the style images, RGB float32 (h, w, 3), 0..1, already resized.
        size: (width, height) of the content.
    """
    grams = [
        {
            layer: losses.gram(features)
            for layer, features in network.continued(picture[None], layers).items()
        }
        for picture in pictures
    ]
    return tuple(
        StyleRegion(
            ops.convert_to_tensor(_area_share(group.mask, size), "float32"),
            {
                layer: sum(share * grams[index][layer] for index, share in group.shares)
                for layer in layers
            },
            None if group.mask is None else _position_weights(group.mask, layers, size),
        )
        for group in groups
    )


def _area_share(mask: Floats | None, size: Size) -> float:
    return 1.0 if mask is None else float(resize_picture(mask, size).mean())


def _position_weights(mask: Floats, layers: Sequence[str], size: Size) -> dict[str, Tensor]:
    """Return the mask downsampled to the size of each layer, summing to 1, (1, h, w)."""
    weights = {}
    for layer in layers:
        width, height = (side >> halvings(layer) for side in size)
        small = resize_area(mask, (width, height))
        normalized = small / max(float(small.sum()), 1e-6)
        weights[layer] = ops.convert_to_tensor(normalized[None])
    return weights


def content_features(
    network: LossNetwork, layers: Sequence[str], content: Floats
) -> Mapping[str, Tensor]:
    """Return the features (1, h, w, c) of the content (h, w, 3), 0..1, by layer."""
    return network.continued(ops.convert_to_tensor(content[None]), layers)


def make_targets(
    content: Mapping[str, Tensor],
    regions: tuple[StyleRegion, ...],
    temporal: Sequence[TemporalTarget],
    size: Size,
) -> Targets:
    """Combine all targets of a picture of a size (width, height).

    Several temporal targets become one: the sum of their weighted squared distances is the weighted
    squared distance to their weighted mean, plus a constant, the disagreement.
    """
    width, height = size
    total_weight = np.zeros((height, width), np.float32)
    total, squares = np.zeros((2, height, width, 3), np.float32)
    for target in temporal:
        picture = resize_picture(target.picture, size)
        weight = target.weight * resize_picture(target.reliability, size)
        total_weight += weight
        total += weight[..., None] * picture
        squares += weight[..., None] * picture**2
    mean = total / np.maximum(total_weight, 1e-6)[..., None]
    disagreement = float(np.mean(squares - total_weight[..., None] * mean**2))
    return Targets(
        content,
        regions,
        ops.convert_to_tensor(mean[None]),
        ops.convert_to_tensor(total_weight[None]),
        ops.convert_to_tensor(max(disagreement, 0.0), "float32"),
    )
