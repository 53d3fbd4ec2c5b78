"""Finished keyframes on disk, so that an interrupted film goes on where it was."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SinkError
from nst_video.image.optical_flow import Floats
from nst_video.system.paths import write_atomically

LEVELS = 65535
"""Keyframes are kept as 16-bit PNG files; see `quantized`."""

SUFFIX = ".keyframes"

_COMPRESSION = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def quantized(picture: Floats) -> Floats:
    """Return the picture as it comes back from the disk, so that a run without a break agrees."""
    return np.asarray(_to_levels(picture) / np.float32(LEVELS), np.float32)


def fingerprint(facts: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that differ where any of the facts differs.

    Args:
        facts: all that the keyframes depend on, of numbers, texts, lists and mappings.
    """
    return hashlib.sha256(_spelled(facts).encode()).hexdigest()[:16]


class KeyframeStore:
    """Keyframes of one film, painted in one way, in a folder beside the film to come.

    The folder is "film.mp4.keyframes"; in it there is one for every fingerprint, so that keyframes
    of different settings never mix. What it depends on is in its `settings.json`.

    Attributes:
        folder: where they lie; made when the first is saved.
    """

    def __init__(self, target: Path, facts: Mapping[str, Any]) -> None:
        """Find the place.

        Args:
            target: the film that is to be made.
            facts: see `fingerprint`.
        """
        self._shelf = target.with_name(f"{target.name}{SUFFIX}")
        self._facts = _spelled(facts)
        self.folder = self._shelf / fingerprint(facts)

    def count(self) -> int:
        """Return how many keyframes are there."""
        return len(list(self.folder.glob("[0-9]*.png")))

    def load(self, index: int) -> Floats | None:
        """Return keyframe `index` of the film, RGB float32 (h, w, 3), 0..1; None if it is absent.

        A file that cannot be read is as good as none.
        """
        try:
            data = self._path(index).read_bytes()
        except OSError:
            return None
        levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
        if levels is None or levels.dtype != np.uint16 or levels.ndim != 3:
            return None
        return np.asarray(levels[..., ::-1] / np.float32(LEVELS), np.float32)

    def save(self, index: int, picture: Floats) -> None:
        """Keep a keyframe.

        Raises:
            SinkError: it cannot be written.
        """
        levels = np.ascontiguousarray(_to_levels(picture)[..., ::-1])
        done, data = cv2.imencode(".png", levels, _COMPRESSION)
        if not done:
            raise SinkError(f"Keyframe {index} cannot be kept as a picture of {levels.shape}.")
        notes = self.folder / "settings.json"
        try:
            if not notes.exists():
                write_atomically(notes, lambda file: file.write(self._facts.encode()))
            write_atomically(self._path(index), lambda file: file.write(data.tobytes()))
        except OSError as error:
            raise SinkError(
                f"Keyframes cannot be kept in {self.folder}: {error.strerror}."
            ) from error

    def discard(self) -> None:
        """Remove the keyframes, and the folder around them once it is empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._shelf.is_dir() and not any(self._shelf.iterdir()):
            self._shelf.rmdir()

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06}.png"


def _to_levels(picture: Floats) -> NDArray[np.uint16]:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * np.float32(LEVELS)), np.uint16)


def _spelled(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, indent=1, default=str)
