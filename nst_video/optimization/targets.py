"""From pictures to what a painting is compared with: features, Gram matrices, a warped picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nst_video.errors import UsageError
from nst_video.frames import Size
from nst_video.image.resize import resize_area
from nst_video.networks.transformer import Tensor
from nst_video.networks.vgg import LossNetwork, halvings
from nst_video.optimization import losses
from nst_video.optimization.painting import StylePicture, TemporalTarget
from nst_video.optimization.pyramid import resized
from nst_video.optimization.total_loss import Region, Targets

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Styles that share a region, and that region.

    Attributes:
        shares: number of each style, from 0, and its share; these sum to 1.
        mask: (height, width), 0..1, of any size; None for everywhere.
    """

    shares: tuple[tuple[int, float], ...]
    mask: Floats | None


def group_styles(styles: Sequence[StylePicture]) -> tuple[Group, ...]:
    """Sort styles by region: one for each mask; those without share what the masks leave.

    Raises:
        UsageError: no style, a weight that is none, a mask that is none or leaves nothing.
    """
    if not styles:
        raise UsageError("Name at least one style.")
    for style in styles:
        _check(style)
    masked = [
        Group(((number, 1.0),), style.mask)
        for number, style in enumerate(styles)
        if style.mask is not None
    ]
    rest = [number for number, style in enumerate(styles) if style.mask is None]
    if not rest:
        return tuple(masked)
    whole = sum(styles[number].weight for number in rest)
    shares = tuple((number, styles[number].weight / whole) for number in rest)
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
    network: LossNetwork,
    layers: Sequence[str],
    groups: Sequence[Group],
    pictures: Sequence[Floats],
    size: Size,
) -> tuple[Region, ...]:
    """Return the regions with their Gram matrices for content of a size (width, height).

    The styles of a group are mixed as the weighted mean of their Gram matrices, whose gradient is
    that of the weighted sum of their losses.

    Args:
        network: the loss network.
        layers: whose statistics are the style.
        groups: of `group_styles`.
        pictures: the styles, (h, w, 3) each, 0..1, at the size at which they are to be seen.
        size: of the content.
    """
    grams = [
        {
            layer: losses.gram(seen)
            for layer, seen in network.continued(picture[None], layers).items()
        }
        for picture in pictures
    ]
    return tuple(
        Region(
            ops.convert_to_tensor(_share(group.mask, size), "float32"),
            {
                layer: sum(s * grams[number][layer] for number, s in group.shares)
                for layer in layers
            },
            None if group.mask is None else _position_weights(group.mask, layers, size),
        )
        for group in groups
    )


def _share(mask: Floats | None, size: Size) -> float:
    return 1.0 if mask is None else float(resized(mask, size).mean())


def _position_weights(mask: Floats, layers: Sequence[str], size: Size) -> dict[str, Tensor]:
    """Return the mask pooled to the size of each layer, summing to 1, (1, h, w)."""
    pooled = {}
    for layer in layers:
        width, height = (side >> halvings(layer) for side in size)
        small = resize_area(mask, (width, height))
        weights = small / max(float(small.sum()), 1e-6)
        pooled[layer] = ops.convert_to_tensor(weights[None])
    return pooled


def content_features(
    network: LossNetwork, layers: Sequence[str], content: Floats
) -> Mapping[str, Tensor]:
    """Return what the network sees in the content (h, w, 3), 0..1, by layer."""
    return network.continued(ops.convert_to_tensor(content[None]), layers)


def make_aims(
    content: Mapping[str, Tensor],
    regions: tuple[Region, ...],
    targets: Sequence[TemporalTarget],
    size: Size,
) -> Targets:
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
    return Targets(
        content,
        regions,
        ops.convert_to_tensor(mean[None]),
        ops.convert_to_tensor(trust[None]),
        ops.convert_to_tensor(max(disagreement, 0.0), "float32"),
    )
