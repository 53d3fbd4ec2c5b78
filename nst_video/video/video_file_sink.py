"""A video file as a sink for frames."""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SinkError
from nst_video.frames import Frame, Size, VideoInfo
from nst_video.image.resize import pad_to_even
from nst_video.image.yuv420 import yuv_shape
from nst_video.video.media.codec_options import EncodeOptions
from nst_video.video.media.containers import codec_for, container_for
from nst_video.video.media.encoding import encode_arguments
from nst_video.video.media.stream_copy import StreamCopyPlan
from nst_video.video.video_file_writer import VideoFileWriter


class VideoFileSink:
    """A video file encoded by ffmpeg, with streams copied from another file.

    4:2:0 video has even sides only: an odd side is padded by repeating its last column or row.
    """

    def __init__(
        self,
        target: Path,
        info: VideoInfo,
        options: EncodeOptions | None = None,
        stream_copy: StreamCopyPlan | None = None,
        *,
        as_yuv: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Check that the target can be written; ffmpeg starts on entering the context.

        Args:
            target: the file; its suffix decides the container.
            info: size and rate of the frames.
            options: codec, quality and speed.
            stream_copy: streams to copy from the source file.
            as_yuv: frames are YUV 4:2:0 instead of RGB; both sides are even.
            overwrite: an existing file is replaced once the new one is complete.

        Raises:
            SinkError: the folder does not exist.
            UsageError: the container or codec cannot be written, or the file exists.
        """
        options = options or EncodeOptions()
        codec = codec_for(container_for(target), options)
        video = encode_arguments(info, codec, options, as_yuv=as_yuv)
        self._size = info.size
        self._as_yuv = as_yuv
        self._file = VideoFileWriter(target, info, video, stream_copy, overwrite=overwrite)

    @property
    def target(self) -> Path:
        """The file, final once the context is left."""
        return self._file.target

    @property
    def notes(self) -> tuple[str, ...]:
        """Streams that could not be copied unchanged, padding, another file name, a large size."""
        return self._file.notes

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def write(self, frame: Frame) -> None:
        """Encode the next frame.

        Raises:
            SinkError: the shape is wrong, or ffmpeg fails, for example on a full disk.
        """
        self._file.feed(raw_bytes(frame, self._size, as_yuv=self._as_yuv))
        self._file.frame_count += 1

    def stop(self) -> None:
        """Kill the encoder."""
        self._file.stop()


def raw_bytes(frame: Frame, size: Size, *, as_yuv: bool) -> memoryview:
    """Return the bytes of a frame for the arguments of `encode_arguments`.

    Raises:
        SinkError: the frame has another shape than `size` (width, height) gives.
    """
    check_frame_shape(frame, size, as_yuv)
    raw = np.ascontiguousarray(frame) if as_yuv else pad_to_even(frame)
    return raw.data.cast("B")


def check_frame_shape(frame: NDArray[np.uint8], size: Size, as_yuv: bool) -> None:
    """Refuse a frame of another shape than the sink was opened for.

    Raises:
        SinkError: the shape is wrong.
    """
    expected = yuv_shape(size) if as_yuv else (size[1], size[0], 3)
    if frame.shape != expected:
        raise SinkError(f"A frame of shape {frame.shape} was written, not {expected}.")
