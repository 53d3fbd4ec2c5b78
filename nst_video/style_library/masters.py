"""Styles learned from paintings that are not in the package: only their style parameters are."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video.style_library.folder import Style
from nst_video.style_library.refined_styles import read_vectors, write_vectors
from nst_video.system import paths

_PARAMETERS = "parameters.npz"


def masters_dir(packaged_dir: Path) -> Path:
    """Return the folder of their pictures, table and style parameters."""
    return packaged_dir / paths.MASTERS


def read_master(folder: Path, style: Style, key: str) -> NDArray[np.float32] | None:
    """Return the packaged style parameters of a master, float32 (p,), None where there are none.

    Args:
        folder: see `masters_dir`.
        style: a style of that folder.
        key: of the transformer.
    """
    return read_vectors(folder / _PARAMETERS).get(f"{style.path.stem}.{key}")


def package_master(folder: Path, name: str, key: str, parameters: NDArray[np.float32]) -> Path:
    """Add style parameters (p,) to those in the package, as float16, and return the file.

    Args:
        folder: see `masters_dir`.
        name: of the style.
        key: of the transformer.
        parameters: rounded to 3 digits; the painted pictures differ by a level at most.
    """
    path = folder / _PARAMETERS
    known = {each: vector.astype(np.float16) for each, vector in read_vectors(path).items()}
    return write_vectors(path, {**known, f"{name}.{key}": parameters.astype(np.float16)})
