"""A painter of films that remembers the newest painted frame, for previews."""

import threading
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.frames import Frame, Frames, Size
from nst_video.image.yuv420 import OUTPUT_COLORS, YuvColors, YuvFrames, yuv_to_rgb
from nst_video.stylizer import Stylizer
from nst_video.transcode.painters import Painter


class WatchedPainter(Painter):
    """Paints as a stylizer does; `newest` is what it has painted last."""

    def __init__(self, stylizer: Stylizer) -> None:
        """Wrap a stylizer."""
        self._stylizer = stylizer
        self._last: NDArray[np.uint8] | None = None
        self._is_yuv = False
        self._lock = threading.Lock()

    @property
    def newest(self) -> Frame | None:
        """The frame painted last, RGB uint8 (height, width, 3); None before the first."""
        with self._lock:
            last, is_yuv = self._last, self._is_yuv
        if last is None or not is_yuv:
            return last
        return np.asarray(yuv_to_rgb(last[None], OUTPUT_COLORS)[0])

    @property
    def frames_per_painting(self) -> int:
        """As of the stylizer."""
        return self._stylizer.frames_per_painting

    def __call__(self, frames: Frames) -> Frames:
        """Paint a batch."""
        return self.submit(frames).wait()

    def reset(self) -> None:
        """Forget earlier frames."""
        self._stylizer.reset()

    def identity(self) -> Mapping[str, object]:
        """Return everything that the painted frames depend on."""
        return self._stylizer.identity()

    @property
    def renewal_frames(self) -> int:
        """As of the stylizer."""
        return self._stylizer.renewal_frames

    def renew(self, frames: int) -> None:
        """Pass over to what a film is like that begins with the next frame."""
        self._stylizer.renew(frames)

    def begin_at(self, frame: int) -> None:
        """Go on with a later frame of the film than the first."""
        self._stylizer.begin_at(frame)

    def make_reproducible(self, cores: int | None = None) -> None:
        """Paint the same whatever the number of cores."""
        self._stylizer.make_reproducible(cores)

    def submit(self, frames: Frames) -> PendingFrames:
        """Begin to paint a batch."""
        return self._stylizer.submit(frames).then(lambda done: self._note(done, is_yuv=False))

    def accepts_yuv(self, size: Size) -> bool:
        """Return whether 4:2:0 frames are faster."""
        return self._stylizer.accepts_yuv(size)

    def submit_yuv(self, yuv: YuvFrames, colors: YuvColors) -> PendingFrames:
        """Begin to paint a batch of 4:2:0 frames."""
        pending = self._stylizer.submit_yuv(yuv, colors)
        return pending.then(lambda done: self._note(done, is_yuv=True))

    def _note(self, painted: NDArray[np.uint8], *, is_yuv: bool) -> NDArray[np.uint8]:
        if len(painted):
            with self._lock:
                self._last, self._is_yuv = painted[-1].copy(), is_yuv
        return painted
