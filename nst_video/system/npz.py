"""Reads untrusted `.npz` files: headers are checked before memory is allocated.

`numpy.load` allocates whatever size a header gives.
"""

import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_FAILURES = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Exceptions of zipfile and numpy for damaged, encrypted and other files."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npz(
    path: Path, check: Callable[[Mapping[str, Header]], None], *, largest: int
) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file.

    Args:
        path: the file.
        check: raises if these are not the expected arrays; called before any of them is read.
        largest: maximum size of the file in bytes.

    Raises:
        ValueError: it is damaged, not an `.npz`, or has Python objects; the text is the reason.
    """
    try:
        size = path.stat().st_size
        if size > largest:
            raise ValueError(f"it has {size} bytes, more than the {largest} it may have")
        with zipfile.ZipFile(path) as archive:
            members = {each.filename.removesuffix(".npy"): each for each in archive.infolist()}
            headers = {}
            for name, member in members.items():
                with archive.open(member) as file:
                    headers[name] = _read_header(file, name, member.file_size)
            check(headers)
            return {name: _read_array(archive, member) for name, member in members.items()}
    except _FAILURES as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(reason.removesuffix(".")) from error


def _read_header(file: IO[bytes], name: str, size: int) -> Header:
    """Return the header of an array file of `size` bytes."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{name!r} is in an unknown version of numpy's format")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{name!r} holds Python objects")
    claimed = file.tell() + math.prod(shape) * dtype.itemsize
    if claimed != size or min(shape, default=0) < 0:
        raise ValueError(f"{name!r} claims {claimed} bytes and has {size}")
    return Header(shape, dtype)


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))
