"""Style bottlenecks: predicted, packaged with the styles, and mixed."""

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import StyleError, UsageError
from nst_video.frames import Frame
from nst_video.style_library.folder import Style
from nst_video.system import paths
from nst_video.validation import MIX_WEIGHT

Bottleneck: TypeAlias = NDArray[np.float32]
"""The output of a style prediction network for a style image: float32 (d,)."""

_DAMAGED_NPZ = (
    OSError,
    MemoryError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


class Predictor(Protocol):
    """A style prediction network, as the library uses it."""

    @property
    def key(self) -> str:
        """Name of the model and hash of its weights, `<model>-<hash>`; valid as a folder name."""
        ...

    def __call__(self, picture: Frame) -> Bottleneck:
        """Return the bottleneck, float32 (d,), of an RGB uint8 image (height, width, 3)."""
        ...


def read_packaged(folder: Path, key: str, digest: str) -> Bottleneck | None:
    """Return the packaged bottleneck for a predictor and an image, None where there is none."""
    path = folder / f"bottlenecks-{key.rpartition('-')[0]}.npz"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if key in file["predictors"] and digest in file.files:
                return np.asarray(file[digest], np.float32)
    except _DAMAGED_NPZ:
        return None  # it can be predicted
    return None


def predict(style: Style, predictor: Predictor) -> Bottleneck:
    """Run the predictor on a style image; StyleError where the output is not finite."""
    bottleneck = np.asarray(predictor(style.load()), np.float32)
    if bottleneck.ndim != 1 or not np.isfinite(bottleneck).all():
        raise StyleError(
            f"The model gives no usable result for style picture {style.path}: try another."
        )
    return bottleneck


def mix_weights(mix: Iterable[float] | None, count: int) -> tuple[float, ...]:
    """Return a weight for each of `count` styles; equal ones where `mix` is None.

    Raises:
        UsageError: not one number for each style, one out of its range, or only zeros.
    """
    if mix is None:
        return (1.0,) * count
    if not isinstance(mix, Iterable):
        raise UsageError(f"The mix must be a sequence of weights, not {mix!r}.")
    weights = tuple(mix)
    for weight in weights:
        MIX_WEIGHT.check("Each weight of the mix", weight)
    mix_bottlenecks(np.zeros((count, 1), np.float32), weights)
    return weights


def mix_bottlenecks(bottlenecks: NDArray[np.float32], weights: Sequence[float]) -> Bottleneck:
    """Return the weighted mean of bottlenecks.

    Args:
        bottlenecks: (n, d).
        weights: n numbers from 0 up, not all zero; they are normalized to a sum of 1.

    Raises:
        UsageError: invalid weights.
    """
    given = np.asarray(weights, np.float64)
    if len(given) != len(bottlenecks):
        raise UsageError(f"{len(given)} mix weights for {len(bottlenecks)} styles: give one each.")
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        shown = ", ".join(f"{weight:g}" for weight in given)
        raise UsageError(f"Mix weights are numbers from 0 up, not all zero; got {shown}.")
    return np.asarray((given / given.sum()) @ bottlenecks, np.float32)


def package_bottlenecks(
    styles: Sequence[Style], predictor: Predictor, folder: Path, *, same_as: Sequence[str] = ()
) -> Path:
    """Write `bottlenecks-<model>.npz`, which `StyleLibrary` reads before it predicts.

    Args:
        styles: the styles.
        predictor: the network; `<model>` is its key without the hash.
        folder: the folder of the packaged styles.
        same_as: keys of other weight files for the same network.

    Returns:
        The file.
    """
    arrays: dict[str, NDArray[Any]] = {s.digest: predict(s, predictor) for s in styles}
    arrays["predictors"] = np.array([predictor.key, *same_as])
    path = folder / f"bottlenecks-{predictor.key.rpartition('-')[0]}.npz"
    paths.write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
    return path
