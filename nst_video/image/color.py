"""Color arithmetic on whole pictures, RGB."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame

Pixel = TypeVar("Pixel", np.uint8, np.float32)
Matching: TypeAlias = Literal["histogram", "covariance"]
"""What of a picture's colors is given to another."""

_FAINT = 1e-5
"""Added to variances of pixels in 0..1, so that gray pictures have a color covariance, too."""


def keep_colors(painted: NDArray[Pixel], content: NDArray[Pixel]) -> NDArray[Pixel]:
    """Return the luminance of `painted` with the chrominance of `content`, shape (h, w, 3).

    Luminance-only transfer, Gatys et al. 2016 (arXiv 1606.05897) section 4, in BT.601 YCbCr; of
    uint8, or of float32 in 0..1.
    """
    luminance = cv2.cvtColor(painted, cv2.COLOR_RGB2YCrCb)
    chrominance = cv2.cvtColor(content, cv2.COLOR_RGB2YCrCb)
    chrominance[..., 0] = luminance[..., 0]
    joined = np.asarray(cv2.cvtColor(chrominance, cv2.COLOR_YCrCb2RGB), painted.dtype)
    return joined if joined.dtype == np.uint8 else np.clip(joined, 0, 1)


def cross_fade(content: Frame, painted: Frame, intensity: float) -> Frame:
    """Return (1 - intensity) * content + intensity * painted; exactly the ends at 0 and 1."""
    return np.asarray(cv2.addWeighted(content, 1 - intensity, painted, intensity, 0), np.uint8)


def match_colors(
    picture: NDArray[np.float32], colors: NDArray[np.float32], matching: Matching
) -> NDArray[np.float32]:
    """Return `picture` with the colors of `colors`, (h, w, 3) each, 0..1.

    Gatys et al. 2016 (arXiv 1606.05897) section 3: "covariance" is their linear method with
    symmetric square roots: mean and covariance become those of `colors`, but for clipping.
    "histogram" gives each channel the distribution it has in `colors`.
    """
    return np.clip(_MATCHINGS[matching](picture, colors), 0, 1).astype(np.float32)


def match_luminance(
    picture: NDArray[np.float32], colors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return gray pictures (h, w, 3) with the mean and deviation of the other's luminance.

    Hertzmann et al. 2001, as Gatys et al. 2016 (arXiv 1606.05897) section 4 take it over.
    """
    own, other = gray(picture), gray(colors)
    matched = (own - own.mean()) * (other.std() / max(float(own.std()), 1e-3)) + other.mean()
    return np.asarray(np.clip(matched, 0, 1), np.float32)


def gray(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the BT.601 luminance of a picture (h, w, 3) in all three channels."""
    luminance = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.merge((luminance, luminance, luminance)), np.float32)


def _match_covariance(
    picture: NDArray[np.float32], colors: NDArray[np.float32]
) -> NDArray[np.float64]:
    own_mean, own = _moments(picture)
    mean, wanted = _moments(colors)
    turn = _matrix_power(wanted, 0.5) @ _matrix_power(own, -0.5)
    return (picture - own_mean) @ turn.T + mean


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
    """Return values (h, w) that are to `wanted` what `own` are among themselves."""
    _, inverse, counts = np.unique(own, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / own.size
    there, their_counts = np.unique(wanted, return_counts=True)
    their_ranks = (np.cumsum(their_counts) - their_counts / 2) / wanted.size
    return np.interp(ranks, their_ranks, there)[inverse].reshape(own.shape)


_MATCHINGS: Mapping[
    Matching, Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float64]]
] = MappingProxyType({"histogram": _match_histogram, "covariance": _match_covariance})
