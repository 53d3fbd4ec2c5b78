"""What paints the frames of a transcode: the protocols, and a painter that changes nothing."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Literal, Protocol

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError
from nst_video.frames import Frame, Frames, Size, VideoInfo
from nst_video.image.yuv420 import YuvColors, YuvFrames


class Painter(Protocol):
    """Paints batches of frames; `Stylizer` is one.

    A subclass needs only `__call__`: everything else has defaults. All calls come from one thread.

    Attributes:
        paints: what it is given at a time; tells the two protocols apart.
    """

    paints: ClassVar[Literal["batches"]] = "batches"

    @property
    def frames_per_painting(self) -> int:
        """One of so many frames is painted: batches are as many times larger."""
        return 1

    @abstractmethod
    def __call__(self, frames: Frames, /) -> Frames:
        """Return the batch painted: same shape (n, height, width, 3), uint8 RGB."""

    def reset(self) -> None:
        """Forget all earlier frames; called before the first frame of each video."""

    def begin_at(self, frame: int, /) -> None:
        """Called after `reset` where the next frame is a later one of the film than the first."""
        return None

    def identity(self) -> Mapping[str, object] | None:
        """Return everything that the painted frames depend on, as plain values.

        None, the default, where that is not known: then an interrupted transcode begins anew.
        """
        return None

    @property
    def renewal_frames(self) -> int:
        """Frames over which `renew` passes best; 0 where frames do not depend on earlier ones."""
        return 0

    def renew(self, frames: int, /) -> None:
        """Pass over the next frames to what a film is like that begins with the next frame.

        From the frame after them on, frames are the same, bit for bit, as those of a painter that
        was reset before them: so the parts of a film can be painted independently of each other.
        """
        return None

    def make_reproducible(self, cores: int | None = None) -> None:
        """From now on, paint the same whatever the number of processors; called before `identity`.

        By default nothing.

        Args:
            cores: how many to use; None for all.
        """
        return None

    def submit(self, frames: Frames, /) -> PendingFrames:
        """Begin to paint a batch; by default, paint it at once.

        The batch is not changed until the result has been waited for. A painter that returns
        before it has finished is given the next batch while it works on this one.
        """
        return PendingFrames.done(self(frames))

    def accepts_yuv(self, size: Size, /) -> bool:
        """Return whether `submit_yuv` is the faster way for frames of `size` (width, height)."""
        return False

    def submit_yuv(self, yuv: YuvFrames, colors: YuvColors, /) -> PendingFrames:
        """Begin to paint a batch of YUV 4:2:0 frames, uint8 (n, height * 3 / 2, width).

        Args:
            yuv: the batch; it is not changed until the result has been waited for.
            colors: its matrix and range.

        Returns:
            A batch of the same shape in `image.yuv420.OUTPUT_COLORS`.

        Raises:
            EngineError: `accepts_yuv` is False.
        """
        raise EngineError("This painter takes RGB frames only.")


class StreamPainter(Protocol):
    """Paints a whole video, and can read ahead: a frame may depend on later frames.

    Attributes:
        paints: what it is given at a time; tells the two protocols apart.
    """

    paints: ClassVar[Literal["video"]] = "video"

    def stream(self, frames: Iterable[Frame], info: VideoInfo, /) -> Iterator[Frame]:
        """Yield every frame painted, in order.

        Args:
            frames: RGB uint8 (height, width, 3); iterated once.
            info: their size, rate and number.

        Yields:
            As many frames of the same shape, uint8 RGB.
        """
        ...


class IdentityPainter(Painter):
    """The painter that changes nothing."""

    def __call__(self, frames: Frames, /) -> Frames:
        """Return the batch as it is."""
        return frames
