"""Stores finished keyframes on disk, so that an interrupted video can be resumed."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from nst_video import __version__
from nst_video.errors import SinkError
from nst_video.frames import Floats
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.fingerprint import Inputs
from nst_video.jobs.journal import JobDescription, Journal, PaintedChunk

LEVELS = 65535
"""Largest value of the 16-bit PNG files in which keyframes are stored."""

SUFFIX = ".png"

_COMPRESSION = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def quantized(picture: Floats) -> Floats:
    """Return the picture (h, w, 3), 0..1, rounded to 16 bits, as `KeyframeStore.load` returns it.

    Keyframes are used in this form, so that resumed and uninterrupted runs give the same video.
    """
    return np.asarray(_to_levels(picture) / np.float32(LEVELS), np.float32)


class KeyframeStore:
    """The keyframes of one video with one set of settings, in a journal beside the output file.

    Open it as a context manager before anything else than `folder`.

    Attributes:
        folder: of the keyframes; other settings have another one.
    """

    def __init__(self, target: Path, source: str, inputs: Inputs, command: str = "") -> None:
        """Determine the folder; create nothing.

        Args:
            target: the output file.
            source: the video as the user named it.
            inputs: everything that keyframes depend on.
            command: the command line, empty where there is none.
        """
        program = f"nst-video {__version__}"
        self._journal = Journal(
            JobDescription(target, source, program, inputs, (), 1.0, command, SUFFIX)
        )
        self.folder = self._journal.folder

    def __enter__(self) -> Self:
        """Lock the folder, and check what is in it.

        Raises:
            UsageError: another process works on the target.
            SinkError: nothing can be written there.
        """
        self._journal.__enter__()
        self._journal.verify()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._journal.__exit__(kind, error, trace)

    def count(self) -> int:
        """Return how many keyframes are stored."""
        return len(self._journal.finished)

    def load(self, index: int) -> Floats | None:
        """Return the keyframe at frame `index` of the video, RGB float32 (h, w, 3), 0..1.

        Returns:
            None where it is missing or damaged.
        """
        entry = self._journal.finished.get(index)
        try:
            data = b"" if entry is None else self._journal.path_of(entry).read_bytes()
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
        keyframe = PaintedChunk(Chunk(index, index, index + 1), Path(), 1, "", "")
        self._journal.take(keyframe, data.tobytes())

    def restart(self) -> None:
        """Forget the keyframes."""
        self._journal.restart()

    def discard(self) -> None:
        """Delete the keyframes: the video is complete."""
        self._journal.discard()


def _to_levels(picture: Floats) -> NDArray[np.uint16]:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * np.float32(LEVELS)), np.uint16)
