"""Loss terms as pure functions; `total_loss.TotalLoss` is their weighted sum.

All are differentiable on any Keras backend. Features are float32 (n, h, w, c), pictures RGB float32
(n, h, w, 3), 0..1. Gram matrices (n, c, c) are means over positions, so that those of pictures of
different sizes compare.
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


def mean_content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Return `content_loss` divided by the number of features.

    Differs from Gatys et al. 2016: it does not grow with the size of the picture.
    """
    return content_loss(features, target) / ops.cast(ops.size(target), "float32")


def style_loss(grams: Tensor, target: Tensor) -> Tensor:
    """Return 1 / (4 N^2) sum (G - A)^2 of Gram matrices with N channels.

    Gatys et al. 2016 eq. 4; its factor 1 / M^2 is in the Gram matrices already, see `gram`.
    """
    channels = ops.shape(grams)[-1]
    return ops.sum(ops.square(grams - target)) / (4 * channels**2)


def relative_error(values: Tensor, target: Tensor) -> Tensor:
    """Return sum (x - t)^2 / sum t^2, a content or style loss that is 1 for x = 0.

    Differs from Gatys et al.: it depends neither on the size of the picture nor on the scale of the
    network's features, so that all layers count equally.
    """
    return ops.sum(ops.square(values - target)) / (ops.sum(ops.square(target)) + 1e-12)


def gram_distance(features: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> Tensor:
    """Return the relative squared distance of Gram matrices, the mean over layers, (n,).

    Args:
        features: of the pictures, by layer, (n, h, w, c); all layers count.
        style: of the style images, likewise.
    """
    distances = []
    for name in features:
        target = gram(style[name])
        error = ops.sum(ops.square(gram(features[name]) - target), axis=(1, 2))
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

    Ruder et al. 2016 (arXiv 1604.08610) section 4.2. Their long-term loss, section 4.3, is the same
    with earlier pictures.

    Args:
        pictures: x, (n, h, w, 3).
        warped: w, (n, h, w, 3), an earlier painting warped along the optical flow.
        reliability: c, (n, h, w), 0..1: 0 where the flow cannot be trusted.
    """
    return ops.mean(reliability[..., None] * ops.square(pictures - warped))
