"""What a painting does in the flat areas of its content: texture, lattices, and change.

A square window is flat where the content's luminance hardly varies, as in skies and on walls.
"""

from typing import NamedTuple

import numpy as np
from keras import ops

from nst_video.frames import Floats
from nst_video.networks.config import LAYOUT
from nst_video.networks.transformer import Tensor

WINDOW = 32
"""Side of a window, in pixels."""

BANDS = 4
"""Octaves of texture: details of 1, 2, 4 and 8 pixels."""

FLAT_DEVIATION = 0.03
"""Standard deviation of a content's luminance, 0..1, in a window that counts by 1/e as flat."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)

PEAK_FACTOR = 2.0
"""What stands out of its ring of the spectrum: this many times the ring's mean."""

LOWEST_BIN = 3
"""Lowest frequency, in cycles per window, that counts as texture in a spectrum."""

_TINY = 1e-6
"""Energy of a deviation of 1/1000, which nobody sees."""


class Spectrum(NamedTuple):
    """Energies in the spectrum of a picture's windows, above `LOWEST_BIN`.

    Attributes:
        total: of all frequencies, (n,).
        peaks: of what stands out of its ring, as a regular pattern does, (n,).
    """

    total: Tensor
    peaks: Tensor


def flatness(contents: Tensor) -> Tensor:
    """Return how flat each window of contents (n, h, w, 3) is, (n, rows, columns), 0..1."""
    windows = _windows(contents)
    return ops.exp(-ops.var(windows, axis=(3, 4)) / FLAT_DEVIATION**2)


def band_energies(pictures: Tensor) -> Tensor:
    """Return the energy of each octave in each window, (n, rows, columns, `BANDS`).

    It is the mean square over pixels and colors of what Haar wavelets of that size see.

    Args:
        pictures: RGB (n, h, w, 3), 0..1; what lies beyond whole windows does not count.
    """
    height, width = (side // WINDOW * WINDOW for side in ops.shape(pictures)[1:3])
    fine = pictures[:, :height, :width]
    energies = []
    for band in range(BANDS):
        coarse = _pool(fine, 2)
        # Of the 2x2 pixels under a coarse one: their mean square less the square of their mean.
        detail = _pool(ops.square(fine), 2) - ops.square(coarse)
        energies.append(ops.mean(_pool(detail, WINDOW >> (band + 1)), axis=-1))
        fine = coarse
    return ops.stack(energies, axis=-1)


def flat_energies(pictures: Tensor, weights: Tensor) -> Tensor:
    """Return the mean energy of each octave over windows, (n, `BANDS`).

    Args:
        pictures: RGB (n, h, w, 3), 0..1.
        weights: of the windows, (n, rows, columns).
    """
    energies = band_energies(pictures) * weights[..., None]
    return ops.sum(energies, axis=(1, 2)) / (ops.sum(weights, axis=(1, 2))[:, None] + _TINY)


def typical_energies(pictures: Floats) -> Floats:
    """Return a style's own energies of its octaves, (n, `BANDS`): the median over its windows.

    The median, since edges between large shapes are no texture.
    """
    energies = np.asarray(ops.convert_to_numpy(band_energies(pictures)), np.float32)
    return np.asarray(np.median(energies, axis=(1, 2)), np.float32)


def spectrum(pictures: Tensor, weights: Tensor) -> Spectrum:
    """Return the energies in the mean spectrum of the luminance of windows.

    Args:
        pictures: RGB (n, h, w, 3), 0..1.
        weights: of the windows, (n, rows, columns).
    """
    windows = _windows(pictures)
    windows = (windows - ops.mean(windows, axis=(3, 4), keepdims=True)) * _HANN
    real = _transform(windows, _COS, _COS) - _transform(windows, _SIN, _SIN)
    imaginary = _transform(windows, _COS, _SIN) + _transform(windows, _SIN, _COS)
    power = (ops.square(real) + ops.square(imaginary)) * weights[:, :, :, None, None]
    power = ops.sum(power, axis=(1, 2)) / (ops.sum(weights, axis=(1, 2))[:, None, None] + _TINY)
    power = ops.reshape(power, (-1, WINDOW * WINDOW))
    rings = ops.matmul(power, _RING_MEANS)
    peaks = ops.relu(power - PEAK_FACTOR * rings)
    return Spectrum(ops.matmul(power, _IS_TEXTURE), ops.matmul(peaks, _IS_TEXTURE))


def _windows(pictures: Tensor) -> Tensor:
    """Return the luminance of the windows, (n, rows, columns, WINDOW, WINDOW)."""
    rows, columns = (side // WINDOW for side in ops.shape(pictures)[1:3])
    luminance = ops.sum(pictures[:, : rows * WINDOW, : columns * WINDOW] * LUMA, axis=-1)
    split = ops.reshape(luminance, (-1, rows, WINDOW, columns, WINDOW))
    return ops.transpose(split, (0, 1, 3, 2, 4))


def _pool(pictures: Tensor, size: int) -> Tensor:
    return ops.average_pool(pictures, size, size, data_format=LAYOUT)


def _transform(windows: Tensor, rows: Floats, columns: Floats) -> Tensor:
    return ops.einsum("fy,nabyx,gx->nabfg", rows, windows, columns)


def _constants() -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return Hann window, cosines and sines of the transform, means over rings, and texture."""
    positions = np.arange(WINDOW)
    hann = np.sin(np.pi * (positions + 0.5) / WINDOW) ** 2
    angles = 2 * np.pi * np.outer(positions, positions) / WINDOW
    frequencies = np.minimum(positions, WINDOW - positions)
    ring = np.rint(np.hypot.outer(frequencies, frequencies)).astype(int).ravel()
    same = (ring[:, None] == ring).astype(np.float32)
    is_texture = ((ring >= LOWEST_BIN) & (ring <= WINDOW // 2)).astype(np.float32)
    # The energy of a picture is the mean over its pixels; half of the bins mirror the others.
    norm = np.sqrt(np.mean(np.outer(hann, hann) ** 2)) * WINDOW**2
    return (
        np.asarray(np.outer(hann, hann) / norm, np.float32),
        np.cos(angles).astype(np.float32),
        np.sin(angles).astype(np.float32),
        np.asarray(same / same.sum(axis=0), np.float32),
        is_texture,
    )


_HANN, _COS, _SIN, _RING_MEANS, _IS_TEXTURE = _constants()
