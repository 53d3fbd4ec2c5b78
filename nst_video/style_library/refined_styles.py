"""Refined style parameters on disk: one file for each style, beside the user's styles.

They belong to the style's pictures, whose digest is in the name of the file, and to one
transformer, whose key is the name of the array. So they are found however the style is named, and
no longer once its picture or the network is another.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video.system import paths
from nst_video.system.npz import Header, read_npz

Parameters = NDArray[np.float32]
"""Style parameters: float32 (p,), all gammas, then all betas."""

_DIGITS = 16
"""Of the digest, in the names of files."""

_PACKAGED = "refined.npz"
"""In the folder of the packaged styles."""

_MAX_BYTES = 1 << 20
"""Of a file: 3 kB for each small network, 42 kB for `magenta`."""


def read_refined(folder: Path, digest: str) -> Mapping[str, Parameters]:
    """Return the refined style parameters of a style.

    Args:
        folder: of the user's styles.
        digest: of the style's pictures.

    Returns:
        By the key of the transformer; {} where there are none or the file is damaged.
    """
    for path in _files(folder, digest):
        if vectors := read_vectors(path):
            return vectors
    return {}


def write_refined(folder: Path, name: str, digest: str, refined: Mapping[str, Parameters]) -> Path:
    """Keep refined style parameters, beside those that other transformers have already.

    Args:
        folder: of the user's styles; created if missing.
        name: of the style, for the name of the file.
        digest: of the style's pictures.
        refined: style parameters by the key of their transformer.

    Returns:
        The file.

    Raises:
        OSError: it cannot be written.
    """
    known = {**read_refined(folder, digest), **refined}
    before = _files(folder, digest)
    path = before[0] if before else folder / f"{name}.{digest[:_DIGITS]}.npz"
    return write_vectors(path, known)


def read_packaged_refined(folder: Path, digest: str) -> Mapping[str, Parameters]:
    """Return the refined style parameters that the package has for a picture.

    Args:
        folder: of the packaged styles.
        digest: of the style's picture.

    Returns:
        By the key of the transformer; {} where there are none.
    """
    prefix = f"{digest[:_DIGITS]}."
    vectors = read_vectors(folder / _PACKAGED)
    return {k.removeprefix(prefix): v for k, v in vectors.items() if k.startswith(prefix)}


def package_refined(folder: Path, digest: str, refined: Mapping[str, Parameters]) -> Path:
    """Add refined style parameters to those in the package, as float16, and return the file.

    Args:
        folder: of the packaged styles.
        digest: of the style's picture.
        refined: style parameters (p,) by the key of their transformer.
    """
    known = read_vectors(folder / _PACKAGED)
    added = {f"{digest[:_DIGITS]}.{key}": vector for key, vector in refined.items()}
    halves = {key: vector.astype(np.float16) for key, vector in {**known, **added}.items()}
    return write_vectors(folder / _PACKAGED, halves)


def write_vectors(path: Path, vectors: Mapping[str, NDArray[np.floating]]) -> Path:
    """Write vectors (p,) by name, for `read_vectors`; OSError where they cannot be written."""
    return paths.write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **vectors))


def delete_refined(folder: Path, digest: str) -> bool:
    """Delete the refined style parameters of a style; return whether there were any.

    Raises:
        OSError: they cannot be deleted.
    """
    files = _files(folder, digest)
    for path in files:
        path.unlink(missing_ok=True)
    return bool(files)


def _files(folder: Path, digest: str) -> list[Path]:
    """Return the files of a style: one, unless a user has copied it."""
    try:
        return sorted(folder.glob(f"*.{digest[:_DIGITS]}.npz"))
    except OSError:
        return []


def read_vectors(path: Path) -> dict[str, Parameters]:
    """Return the vectors in a file, float32 (p,), by name; {} without one or if it is damaged."""

    def check(headers: Mapping[str, Header]) -> None:
        for key, header in headers.items():
            is_fine = len(header.shape) == 1 and header.dtype.kind == "f"
            if not is_fine or not re.fullmatch(r"[\w.-]+", key):
                raise ValueError(f"{key!r} is no vector of style parameters")

    try:
        read = read_npz(path, check, largest=_MAX_BYTES)
    except ValueError:
        return {}
    vectors = {key: np.asarray(vector, np.float32) for key, vector in read.items()}
    return {key: vector for key, vector in vectors.items() if np.isfinite(vector).all()}
