"""What finished work depends on, as plain values and as one hash of them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError
from nst_video.system.path_lookup import os_reason

END_BYTES = 1 << 20
"""Bytes at each end of a file that identify it, together with its size and modification time."""

_BLOCK_BYTES = 1 << 20

LONG = 24
"""Characters from which a value, such as a hash, is not shown in a message."""

Inputs = Mapping[str, Any]
"""Numbers, strings, lists and mappings."""


def fingerprint(inputs: Inputs) -> str:
    """Return a hash, 16 hexadecimal digits, of everything that finished work depends on."""
    return hashlib.sha256(as_json(inputs).encode()).hexdigest()[:16]


def as_json(inputs: Inputs) -> str:
    """Return inputs as text, the same for the same values."""
    return json.dumps(inputs, sort_keys=True, indent=1, default=str)


def identify_source(source: Path | str) -> dict[str, Any]:
    """Return what tells a source from others: size, time and both ends of a file, or its name.

    Where it lies does not count.

    Raises:
        SourceError: the file cannot be read.
    """
    path = Path(source)
    if not path.exists():
        return {"name": str(source)}
    try:
        state = path.stat()
        with path.open("rb") as file:
            head = file.read(END_BYTES)
            file.seek(max(0, state.st_size - END_BYTES))
            tail = file.read(END_BYTES)
    except OSError as error:
        raise SourceError(f"Cannot read {path}: {os_reason(error)}.") from error
    return {
        "bytes": state.st_size,
        "changed_ns": state.st_mtime_ns,
        "head": hashlib.sha256(head).hexdigest(),
        "tail": hashlib.sha256(tail).hexdigest(),
    }


def digest_of_array(array: NDArray[Any] | None) -> str | None:
    """Return the SHA-256 of an array's type, shape and values; None for None."""
    if array is None:
        return None
    data = np.ascontiguousarray(array)
    return hashlib.sha256(f"{data.dtype} {data.shape} ".encode() + data.tobytes()).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file of any size.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def differences(before: Inputs, now: Inputs) -> list[str]:
    """Return what differs between the inputs of two runs, in words: "intensity 0.5 instead of 1.0".

    Long values, such as hashes, are only named.
    """
    old, new = (dict(_flat(json.loads(as_json(each)))) for each in (before, now))
    found = []
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) == new.get(name):
            continue
        values = [str(each.get(name, "none")) for each in (new, old)]
        is_long = name == "the source" or any(len(value) > LONG for value in values)
        found.append(name if is_long else f"{name} {values[0]} instead of {values[1]}")
    return list(dict.fromkeys(found))


def _flat(inputs: Inputs) -> Iterator[tuple[str, Any]]:
    """Yield names and plain values; all that identifies the source is called "the source"."""
    for name, value in inputs.items():
        if name == "source":
            yield "the source", as_json(value)
        elif isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield name.replace("_", " "), value
