"""Writes a video file by ffmpeg from what comes through a pipe: verified, then renamed."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from nst_video.errors import SinkError, SourceError, UsageError
from nst_video.frames import VideoInfo
from nst_video.image.resize import even_size
from nst_video.system.output_files import OutputFile, check_outputs
from nst_video.system.partial_file import PartialFile
from nst_video.system.path_lookup import os_reason
from nst_video.video.media.animation import webp_length_s, write_gif
from nst_video.video.media.containers import CONTAINERS, container_for
from nst_video.video.media.encoding import VideoArguments
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path
from nst_video.video.media.probe import count_frames, probe
from nst_video.video.media.quicktime_tags import restore_tags
from nst_video.video.media.stream_copy import StreamCopyPlan

_NO_ROOM = "reserved_moov_size is too small"
"""In the log of ffmpeg."""

LARGE_ANIMATION_BYTES = 10_000_000
"""Animated GIF or WebP files above this size get a note that suggests a smaller frame size."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a file is written that is of use before it is complete: nothing in it moves.

    Attributes:
        place: its name until then, on the same disk; it stays there if the file is given up.
        index_bytes: room for the index of MP4 and QuickTime files at their beginning; 0 to write
            it at the end and move everything then.
    """

    place: Path | None = None
    index_bytes: int = 0


class IndexRoomError(SinkError):
    """The room for the index at the beginning of a file was too small."""


class VideoFileWriter:
    """A video file that ffmpeg writes, with streams copied from another file.

    It is written under a hidden temporary name beside the target, verified, then renamed.

    Attributes:
        target: the file, final once the context is left.
        frame_count: frames given to it, which the complete file must hold.
        on_verified: called with the bytes of the complete file before it gets its name.
    """

    def __init__(
        self,
        target: Path,
        info: VideoInfo,
        video: VideoArguments,
        stream_copy: StreamCopyPlan | None = None,
        *,
        overwrite: bool = False,
        growth: Growth | None = None,
    ) -> None:
        """Check that the target can be written; ffmpeg starts on entering the context.

        Args:
            target: the file; its suffix decides the container.
            info: size and rate of the frames.
            video: how ffmpeg reads and writes what it is given.
            stream_copy: streams to copy from the source file.
            overwrite: an existing file is replaced once the new one is complete.
            growth: what is written is of use before it is complete.

        Raises:
            SinkError: the folder does not exist.
            UsageError: the container cannot be written, or the file exists.
        """
        self.target = target
        self.frame_count = 0
        self.on_verified: Callable[[int], None] | None = None
        self._wanted = target
        self._container = container_for(target)
        self._info = info
        self._video = video
        self._stream_copy = stream_copy
        check_outputs([OutputFile(target, suffixes=tuple(CONTAINERS))], overwrite=overwrite)
        if info.fps > self._container.top_fps:
            raise UsageError(
                f"{self._container.name} files show at most {self._container.top_fps} frames a "
                f"second, not {float(info.fps):.5g}: choose a lower --fps."
            )
        self._growth = growth or Growth()
        self._partial = self._encoded = PartialFile(
            target, overwrite=overwrite, place=self._growth.place
        )
        if self._container.has_palette:
            self._encoded = PartialFile(target.with_suffix(".mkv"))
        self._open_files = ExitStack()
        self._process: FfmpegProcess | None = None
        self._bytes = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Streams that could not be copied unchanged, padding, another file name, a large size."""
        notes = () if self._stream_copy is None else self._stream_copy.notes
        if even_size(self._info.size) != self._info.size:
            width, height = even_size(self._info.size)
            notes += (f"The odd size was padded to {width}x{height} by repeating the edge.",)
        if self.target != self._wanted:
            notes += (
                f"{self._wanted} was created in the meantime; this video is in {self.target}.",
            )
        if self._container.max_fps is not None and self._bytes > LARGE_ANIMATION_BYTES:
            notes += (f"It takes {self._bytes / 1e6:.0f} MB: a smaller --size takes less.",)
        return notes

    def __enter__(self) -> Self:
        try:
            for file in dict.fromkeys((self._partial, self._encoded)):
                self._open_files.enter_context(file)
        except OSError as error:
            self._open_files.close()
            raise SinkError(f"{self.target} cannot be written: {os_reason(error)}.") from error
        self._process = FfmpegProcess(self._arguments(), feed=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._started()
        try:
            if error is None:
                status = process.finish()
                if status:
                    raise self._failed(process)
                self._complete()
                self._verify()
                self._bytes = self._partial.path.stat().st_size
                if self.on_verified is not None:
                    self.on_verified(self._bytes)
                self.target = self._partial.commit()
        except OSError as failure:
            raise SinkError(f"{self.target} cannot be finished: {os_reason(failure)}.") from failure
        finally:
            process.close()
            self._open_files.close()

    def feed(self, data: memoryview) -> None:
        """Give ffmpeg the next bytes.

        Raises:
            SinkError: ffmpeg fails, for example on a full disk.
        """
        process = self._started()
        try:
            process.write(data)
        except OSError as error:
            process.finish()
            raise self._failed(process) from error

    def stop(self) -> None:
        """Kill ffmpeg."""
        self._started().stop()

    def _started(self) -> FfmpegProcess:
        if self._process is None:
            raise SinkError(f"{self.target} is not open: use the sink in a `with` statement.")
        return self._process

    def _failed(self, process: FfmpegProcess) -> SinkError:
        kind = IndexRoomError if any(_NO_ROOM in line for line in process.log()) else SinkError
        return kind(f"{self.target} cannot be written: {process.failure()}.")

    def _complete(self) -> None:
        """Do the steps that need the whole encoded video.

        Raises:
            SinkError: a step fails.
        """
        if self._stream_copy is not None and self._stream_copy.tags:
            restore_tags(self._partial.path, self._stream_copy.tags)
        if self._container.has_palette:
            problem = write_gif(self._encoded.path, self._partial.path)
            if problem is not None:
                raise SinkError(f"{self.target} cannot be written: {problem}.")

    def _verify(self) -> None:
        """Read the file back and count its frames.

        Raises:
            SinkError: frames are missing.
        """
        path = self._partial.path
        try:
            if self._container.muxer == "webp":
                missing = self._missing_length(webp_length_s(path))
            else:
                held = count_frames(path, probe(path).streams[0])
                expected = self.frame_count
                missing = held != expected and f"holds {held} of {expected} frames"
        except (SourceError, IndexError) as error:
            raise SinkError(f"{self.target} was written but cannot be read back.") from error
        if missing:
            raise SinkError(f"{self.target} was written but {missing}.")

    def _missing_length(self, held_s: Fraction) -> str | Literal[False]:
        expected_s, frame_s = self.frame_count / self._info.fps, 1 / self._info.fps
        # WebP stores whole milliseconds. If all frames are equal, the file is a still image.
        if not held_s or abs(held_s - expected_s) <= frame_s + expected_s / 1000:
            return False
        return f"lasts {float(held_s):.2f} of {float(expected_s):.2f} s"

    def _flags(self) -> tuple[str, ...]:
        room = self._growth.index_bytes
        return ("-moov_size", str(room)) if room else self._container.flags

    def _arguments(self) -> list[str]:
        copy = self._stream_copy
        offset = copy.video_offset_s if copy else 0
        muxer = "matroska" if self._container.has_palette else self._container.muxer
        return [
            "-y",
            *(("-itsoffset", f"{float(offset):.6f}") if offset else ()),
            *self._video.source,
            *(copy.inputs if copy else ()),
            *("-map", "0:0", "-disposition:0", "default"),
            *(copy.outputs if copy else ()),
            *self._video.output,
            *self._flags(),
            *("-f", muxer, ffmpeg_path(self._encoded.path)),
        ]
