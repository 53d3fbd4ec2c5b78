"""Stores finished keyframes on disk, so that an interrupted video can be resumed."""

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
from nst_video.frames import Floats
from nst_video.system.paths import write_atomically

LEVELS = 65535
"""Largest value of the 16-bit PNG files in which keyframes are stored."""

SUFFIX = ".keyframes"

_COMPRESSION = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def quantized(picture: Floats) -> Floats:
    """Return the picture (h, w, 3), 0..1, rounded to 16 bits, as `KeyframeStore.load` returns it.

    Keyframes are used in this form, so that resumed and uninterrupted runs give the same video.
    """
    return np.asarray(_to_levels(picture) / np.float32(LEVELS), np.float32)


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Return a hash, 16 hexadecimal digits, of everything that keyframes depend on.

    Args:
        inputs: numbers, strings, lists and mappings.
    """
    return hashlib.sha256(_as_json(inputs).encode()).hexdigest()[:16]


class KeyframeStore:
    """The keyframes of one video with one set of settings, in a folder beside the output file.

    Each fingerprint has its own folder inside "video.mp4.keyframes", so that keyframes of different
    settings never mix. What they depend on is in its `settings.json`.

    Attributes:
        folder: of the keyframes; created when the first is saved.
    """

    def __init__(self, target: Path, inputs: Mapping[str, Any]) -> None:
        """Determine the folder; create nothing.

        Args:
            target: the output file.
            inputs: see `fingerprint`.
        """
        self._parent = target.with_name(f"{target.name}{SUFFIX}")
        self._inputs_json = _as_json(inputs)
        self.folder = self._parent / fingerprint(inputs)

    def count(self) -> int:
        """Return how many keyframes are stored."""
        return len(list(self.folder.glob("[0-9]*.png")))

    def load(self, index: int) -> Floats | None:
        """Return the keyframe at frame `index` of the video, RGB float32 (h, w, 3), 0..1.

        Returns:
            None where it is missing or damaged.
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
        """Store the keyframe at frame `index`, RGB float32 (h, w, 3), 0..1.

        Raises:
            SinkError: it cannot be written.
        """
        levels = np.ascontiguousarray(_to_levels(picture)[..., ::-1])
        done, data = cv2.imencode(".png", levels, _COMPRESSION)
        if not done:
            raise SinkError(f"Keyframe {index} cannot be kept as a picture of {levels.shape}.")
        settings = self.folder / "settings.json"
        try:
            if not settings.exists():
                write_atomically(settings, lambda file: file.write(self._inputs_json.encode()))
            write_atomically(self._path(index), lambda file: file.write(data.tobytes()))
        except OSError as error:
            raise SinkError(
                f"Keyframes cannot be kept in {self.folder}: {error.strerror}."
            ) from error

    def discard(self) -> None:
        """Delete the keyframes, and the parent folder if it is empty then."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._parent.is_dir() and not any(self._parent.iterdir()):
            self._parent.rmdir()

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06}.png"


def _to_levels(picture: Floats) -> NDArray[np.uint16]:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * np.float32(LEVELS)), np.uint16)


def _as_json(inputs: Mapping[str, Any]) -> str:
    return json.dumps(inputs, sort_keys=True, indent=1, default=str)
