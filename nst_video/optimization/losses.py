"""What is minimized by painters and teachers: small pure functions of features and pictures.

All are backend-agnostic and differentiable. Features are (n, h, w, c), pictures (n, h, w, 3) in
0..1, Gram matrices (n, c, c) per position, so that pictures of different sizes compare.
"""

from collections.abc import Mapping

from keras import ops

from nst_video.networks.transformer import Tensor


def gram(features: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the Gram matrices (n, c, c) of features, averaged over positions.

    G_ij = sum_k p_k F_ik F_jk, with p_k = 1 / M for each of the M positions; Gatys et al. 2016
    (CVPR, also arXiv 1508.06576) eq. 3, divided by M. With weights it is the guided Gram matrix of
    Gatys et al. 2017 (arXiv 1611.07865) section 4, whose squared guidance map they are.

    Args:
        features: (n, h, w, c).
        weights: p, (n or 1, h, w), that sum to 1; None for equal ones.
    """
    height, width = ops.shape(features)[1:3]
    if weights is None:
        return ops.einsum("nhwc,nhwd->ncd", features, features) / (height * width)
    return ops.einsum("nhwc,nhwd->ncd", features * weights[..., None], features)


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return 1/2 sum (F - P)^2; Gatys et al. 2016 eq. 1."""
    return ops.sum(ops.square(features - target)) / 2


def style_loss(ours: Tensor, style: Tensor) -> Tensor:
    """Return 1 / (4 N^2) sum (G - A)^2 of Gram matrices, N being their number of channels.

    Gatys et al. 2016 eq. 4: its M^2 is in the Gram matrices already, see `gram`.
    """
    channels = ops.shape(ours)[-1]
    return ops.sum(ops.square(ours - style)) / (4 * channels**2)


def relative_error(ours: Tensor, target: Tensor) -> Tensor:
    """Return sum (x - t)^2 / sum t^2: a content or style loss in units of what is aimed at.

    Differs from Gatys et al.: neither the size of the picture nor the scale of the network's
    features matters, so every layer counts alike, and 1 is what no signal at all would cost.
    """
    return ops.sum(ops.square(ours - target)) / (ops.sum(ops.square(target)) + 1e-12)


def gram_distance(ours: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> Tensor:
    """Return the relative squared distances of Gram matrices, averaged over layers, (n,).

    Args:
        ours: features by layer, all of which count.
        style: likewise.
    """
    distances = []
    for name in ours:
        target = gram(style[name])
        error = ops.sum(ops.square(gram(ours[name]) - target), axis=(1, 2))
        distances.append(error / ops.sum(ops.square(target), axis=(1, 2)))
    return sum(distances) / len(distances)


def total_variation(pictures: Tensor) -> Tensor:
    """Return the mean of (x_i+1,j - x_ij)^2 + (x_i,j+1 - x_ij)^2.

    Mahendran & Vedaldi 2014 (arXiv 1412.0035) with beta = 2, averaged.
    """
    down = ops.mean(ops.square(ops.diff(pictures, axis=1)))
    return down + ops.mean(ops.square(ops.diff(pictures, axis=2)))


def temporal_loss(pictures: Tensor, warped: Tensor, reliability: Tensor) -> Tensor:
    """Return 1/D sum c (x - w)^2 over the D values of pictures.

    Ruder et al. 2016 (arXiv 1604.08610) section 4.2; their long-term loss, section 4.3, is the same
    with pictures farther back.

    Args:
        pictures: x, (n, h, w, 3).
        warped: w, an earlier painting moved along the optical flow.
        reliability: c, (n, h, w), 0..1: 0 where the flow cannot be trusted.
    """
    return ops.mean(reliability[..., None] * ops.square(pictures - warped))
