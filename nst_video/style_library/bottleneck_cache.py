"""A cache of style bottlenecks on disk, with checksums: damaged entries are computed again."""

import contextlib
import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video.system import paths

_SUM_BYTES = hashlib.sha256().digest_size
_MAX_BYTES = 1 << 20


def read_vector(folder: Path, key: str) -> NDArray[np.float32] | None:
    """Return the cached vector (d,), float32; None where there is none or it is damaged."""
    try:
        with (folder / key).open("rb") as file:
            data = file.read(_MAX_BYTES)
    except OSError:
        return None
    if data[:_SUM_BYTES] != _checksum(key, data[_SUM_BYTES:]):
        return None
    return np.frombuffer(data[_SUM_BYTES:], "<f4").astype(np.float32)


def write_vector(folder: Path, key: str, vector: NDArray[np.float32]) -> None:
    """Write a vector (d,) to the cache; errors are ignored, since it can be computed again.

    Args:
        folder: the cache.
        key: a relative path, such as `model/picture`.
        vector: float32 (d,).
    """
    data = vector.astype("<f4").tobytes()
    with contextlib.suppress(OSError):
        paths.write_atomically(folder / key, lambda file: file.write(_checksum(key, data) + data))


def _checksum(key: str, data: bytes) -> bytes:
    """Return the checksum of a vector; it includes the key, so that files cannot be mixed up."""
    return hashlib.sha256(key.encode() + b"\n" + data).digest()
