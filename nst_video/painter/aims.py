"""From pictures to what a painting is compared with: features, Gram matrices, a warped picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video import losses
from nst_video.errors import UsageError
from nst_video.frames import Size, size_of
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork, halvings
from nst_video.painter.objective import Aims, Region
from nst_video.painter.painting import StylePicture, TemporalTarget
from nst_video.painter.scales import MIN_SIDE, resized

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Styles that share a region, and that region.

    Attributes:
        styles: pictures (h, w, 3), 0..1, and the share of each, which sum to 1.
        mask: (height, width), 0..1, of any size; None for everywhere.
    """

    styles: tuple[tuple[Floats, float], ...]
    mask: Floats | None


def group_styles(styles: Sequence[StylePicture], pictures: Sequence[Floats]) -> tuple[Group, ...]:
    """Sort styles by region: one for each mask; those without share what the masks leave.

    Args:
        styles: for weights and masks.
        pictures: (h, w, 3), 0..1, to be used in place of the styles' own.

    Raises:
        UsageError: no style, a weight that is none, a mask that is none or leaves nothing.
    """
    if not styles:
        raise UsageError("Name at least one style.")
    for style in styles:
        _check(style)
    masked = [
        Group(((picture, 1.0),), style.mask)
        for style, picture in zip(styles, pictures, strict=True)
        if style.mask is not None
    ]
    rest = [pair for pair in zip(styles, pictures, strict=True) if pair[0].mask is None]
    if not rest:
        return tuple(masked)
    whole = sum(style.weight for style, _ in rest)
    shares = tuple((picture, style.weight / whole) for style, picture in rest)
    return (*masked, Group(shares, _what_is_left([group.mask for group in masked])))


def _check(style: StylePicture) -> None:
    if not (np.isfinite(style.weight) and style.weight > 0):
        raise UsageError(f"A style's weight is a number above 0, not {style.weight:g}.")
    mask = style.mask
    if mask is None:
        return
    if mask.ndim != 2 or not np.isfinite(mask).all() or mask.min() < 0 or mask.max() > 1:
        raise UsageError(f"A mask is (height, width), 0..1; got shape {mask.shape}.")
    if mask.max() == 0:
        raise UsageError("A mask is empty: paint white where its style is wanted.")


def _what_is_left(masks: Sequence[Floats | None]) -> Floats | None:
    """Return where no mask is; None, everywhere, where there are no masks."""
    given = [mask for mask in masks if mask is not None]
    if not given:
        return None
    height, width = np.max([mask.shape for mask in given], axis=0)
    covered = sum(resized(mask, (int(width), int(height))) for mask in given)
    left = np.clip(1 - covered, 0, 1).astype(np.float32)
    if left.max() == 0:
        raise UsageError("The masks leave nothing to the styles without a mask: drop those.")
    return left


def style_regions(
    network: LossNetwork, layers: Sequence[str], groups: Sequence[Group], size: Size, scale: float
) -> tuple[Region, ...]:
    """Return the regions with their Gram matrices for content of a size (width, height).

    The styles of a group are mixed as the weighted mean of their Gram matrices, whose gradient is
    that of the weighted sum of their losses.

    Args:
        network: the loss network.
        layers: whose statistics are the style.
        groups: of `group_styles`.
        size: of the content.
        scale: size of the style pictures relative to the content's, by their long sides.
    """
    long_side = scale * max(size)
    return tuple(
        Region(
            ops.convert_to_tensor(_share(group.mask, size), "float32"),
            _mean_grams(network, layers, group, long_side),
            None if group.mask is None else _position_weights(group.mask, layers, size),
        )
        for group in groups
    )


def _share(mask: Floats | None, size: Size) -> float:
    return 1.0 if mask is None else float(resized(mask, size).mean())


def _mean_grams(
    network: LossNetwork, layers: Sequence[str], group: Group, long_side: float
) -> dict[str, Tensor]:
    mean: dict[str, Tensor] = {}
    for picture, share in group.styles:
        features = network(_fitted(picture, long_side)[None], layers)
        for layer, feature in features.items():
            mean[layer] = mean.get(layer, 0.0) + share * losses.gram(feature)
    return mean


def _fitted(picture: Floats, long_side: float) -> Floats:
    """Return a picture resized to a long side, both sides large enough for the network."""
    width, height = size_of(picture)
    factor = max(long_side / max(width, height), MIN_SIDE / min(width, height))
    return resized(picture, (round(width * factor), round(height * factor)))


def _position_weights(mask: Floats, layers: Sequence[str], size: Size) -> dict[str, Tensor]:
    """Return the mask pooled to the size of each layer, summing to 1, (1, h, w)."""
    pooled = {}
    for layer in layers:
        width, height = (side >> halvings(layer) for side in size)
        small = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        weights = np.asarray(small, np.float32) / max(float(small.sum()), 1e-6)
        pooled[layer] = ops.convert_to_tensor(weights[None])
    return pooled


def content_features(
    network: LossNetwork, layers: Sequence[str], content: Floats
) -> Mapping[str, Tensor]:
    """Return what the network sees in the content (h, w, 3), 0..1, by layer."""
    return network(ops.convert_to_tensor(content[None]), layers)


def make_aims(
    content: Mapping[str, Tensor],
    regions: tuple[Region, ...],
    targets: Sequence[TemporalTarget],
    size: Size,
) -> Aims:
    """Join all that a picture of a size (width, height) is compared with.

    Several targets become one: the sum of their weighted squared distances is that of their
    weighted mean, and what they disagree by.
    """
    width, height = size
    trust = np.zeros((height, width), np.float32)
    total, squares = np.zeros((2, height, width, 3), np.float32)
    for target in targets:
        picture = resized(target.picture, size)
        weight = target.weight * resized(target.reliability, size)
        trust += weight
        total += weight[..., None] * picture
        squares += weight[..., None] * picture**2
    mean = total / np.maximum(trust, 1e-6)[..., None]
    disagreement = float(np.mean(squares - trust[..., None] * mean**2))
    return Aims(
        content,
        regions,
        ops.convert_to_tensor(mean[None]),
        ops.convert_to_tensor(trust[None]),
        ops.convert_to_tensor(max(disagreement, 0.0), "float32"),
    )
