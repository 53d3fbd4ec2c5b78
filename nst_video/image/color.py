"""Color transfer and blending of RGB images."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame

Pixel = TypeVar("Pixel", np.uint8, np.float32)
Matching: TypeAlias = Literal["histogram", "covariance"]
"""Which statistics of the colors are matched."""

_FAINT = 1e-5
"""Added to variances of pixels in 0..1, so that the covariance of gray images has full rank."""


def keep_colors(painted: NDArray[Pixel], content: NDArray[Pixel]) -> NDArray[Pixel]:
    """Return the luminance of `painted` with the chrominance of `content`, shape (h, w, 3).

    Luminance-only transfer, Gatys et al. 2016 (arXiv 1606.05897) section 4, in BT.601 YCbCr. Images
    are RGB, both uint8 or both float32 in 0..1.
    """
    luminance = cv2.cvtColor(painted, cv2.COLOR_RGB2YCrCb)
    chrominance = cv2.cvtColor(content, cv2.COLOR_RGB2YCrCb)
    chrominance[..., 0] = luminance[..., 0]
    joined = np.asarray(cv2.cvtColor(chrominance, cv2.COLOR_YCrCb2RGB), painted.dtype)
    return joined if joined.dtype == np.uint8 else np.clip(joined, 0, 1)


def cross_fade(content: Frame, painted: Frame, intensity: float) -> Frame:
    """Return (1 - intensity) * content + intensity * painted, uint8; exact at 0 and 1."""
    return np.asarray(cv2.addWeighted(content, 1 - intensity, painted, intensity, 0), np.uint8)


def match_colors(
    picture: NDArray[np.float32], colors: NDArray[np.float32], matching: Matching
) -> NDArray[np.float32]:
    """Return `picture` with the color statistics of `colors`, RGB float32 (h, w, 3) in 0..1.

    Gatys et al. 2016 (arXiv 1606.05897) section 3. "covariance" is their linear method with
    symmetric square roots: mean and covariance become those of `colors`, except for clipping.
    "histogram" gives each channel the histogram of that channel in `colors`.
    """
    return np.clip(_MATCHINGS[matching](picture, colors), 0, 1).astype(np.float32)


def match_luminance(
    picture: NDArray[np.float32], colors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the luminance of `picture` with the mean and standard deviation of that of `colors`.

    Both are RGB float32 (h, w, 3) in 0..1; the result has three equal channels. Hertzmann et al.
    2001, as in Gatys et al. 2016 (arXiv 1606.05897) section 4.
    """
    own, other = gray(picture), gray(colors)
    matched = (own - own.mean()) * (other.std() / max(float(own.std()), 1e-3)) + other.mean()
    return np.asarray(np.clip(matched, 0, 1), np.float32)


def gray(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the BT.601 luminance of an RGB image (h, w, 3) in all three channels."""
    luminance = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.merge((luminance, luminance, luminance)), np.float32)


def _match_covariance(
    picture: NDArray[np.float32], colors: NDArray[np.float32]
) -> NDArray[np.float64]:
    own_mean, own = _moments(picture)
    mean, wanted = _moments(colors)
    transform = _matrix_power(wanted, 0.5) @ _matrix_power(own, -0.5)
    return (picture - own_mean) @ transform.T + mean


def _moments(picture: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (3,) and covariance (3, 3) of the pixels."""
    pixels = picture.reshape(-1, 3).astype(np.float64)
    return pixels.mean(axis=0), np.cov(pixels.T, bias=True) + _FAINT * np.eye(3)


def _matrix_power(matrix: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**power) @ vectors.T)


def _match_histogram(
    picture: NDArray[np.float32], colors: NDArray[np.float32]
) -> NDArray[np.float64]:
    return np.stack(
        [_match_channel(picture[..., each], colors[..., each]) for each in range(3)], axis=-1
    )


def _match_channel(own: NDArray[np.float32], wanted: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return `own` (h, w) with the histogram of `wanted`, by matching ranks."""
    _, inverse, counts = np.unique(own, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / own.size
    values, wanted_counts = np.unique(wanted, return_counts=True)
    wanted_ranks = (np.cumsum(wanted_counts) - wanted_counts / 2) / wanted.size
    return np.interp(ranks, wanted_ranks, values)[inverse].reshape(own.shape)


_MATCHINGS: Mapping[
    Matching, Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float64]]
] = MappingProxyType({"histogram": _match_histogram, "covariance": _match_covariance})
