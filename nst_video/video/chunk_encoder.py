"""Encodes a part of a film into a file of its own, and joins such files without encoding again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from nst_video.errors import SinkError, SourceError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.media.codec_options import EncodeOptions
from nst_video.video.media.containers import Codec, codec_for, container_for
from nst_video.video.media.encoding import (
    copy_arguments,
    encode_arguments,
    stream_format,
)
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path
from nst_video.video.media.probe import open_container
from nst_video.video.media.stream_copy import StreamCopyPlan
from nst_video.video.video_file_sink import raw_bytes
from nst_video.video.video_file_writer import Growth, VideoFileWriter

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


OnGiven: TypeAlias = Callable[[int, Sequence[tuple[int, int]]], None]
"""Gets the number of a chunk, and offset and size of each of its packets in its file."""


class ChunkEncoder:
    """An encoder that writes one chunk to an MP4 file, which holds any of the codecs.

    A chunk begins with a keyframe, and none of its frames refers to another chunk.

    Attributes:
        path: the file.
        frame_count: frames written.
    """

    def __init__(
        self,
        path: Path,
        film: Path,
        info: VideoInfo,
        options: EncodeOptions,
        *,
        as_yuv: bool,
    ) -> None:
        """Start ffmpeg.

        Args:
            path: the file to write.
            film: the whole film, whose container decides the codec.
            info: size and rate of the frames.
            options: codec, quality and speed.
            as_yuv: frames are YUV 4:2:0 instead of RGB.
        """
        codec = codec_for(container_for(film), options)
        video = encode_arguments(info, codec, options, as_yuv=as_yuv)
        self.path = path
        self.frame_count = 0
        self._film = film
        self._size, self._as_yuv = info.size, as_yuv
        output = ("-map", "0:0", *video.output, "-f", "mp4", ffmpeg_path(path))
        self._process = FfmpegProcess(["-y", *video.source, *output], feed=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, frame: Frame) -> None:
        """Encode the next frame; see `FrameSink.write`.

        Raises:
            SinkError: the shape is wrong, or ffmpeg fails, for example on a full disk.
        """
        data = raw_bytes(frame, self._size, as_yuv=self._as_yuv)
        try:
            self._process.write(data)
        except OSError as error:
            self._process.finish()
            raise self._failed() from error
        self.frame_count += 1

    def finish(self) -> None:
        """Write what the encoder still holds, and check that the file has every frame.

        Raises:
            SinkError: ffmpeg fails, or frames are missing.
        """
        if self._process.finish():
            raise self._failed()
        with _packets(self.path) as packets:
            held = len(packets)
        if held != self.frame_count:
            raise SinkError(
                f"{self._film} was written but a chunk holds {held} of {self.frame_count} frames."
            )

    def stop(self) -> None:
        """Kill the encoder; may be called from any thread."""
        self._process.stop()

    def close(self) -> None:
        """End the encoder, finished or not."""
        self._process.close()

    def _failed(self) -> SinkError:
        return SinkError(f"{self._film} cannot be written: {self._process.failure()}.")


def join_chunks(
    target: Path,
    info: VideoInfo,
    codec: Codec,
    chunks: Sequence[Path],
    stream_copy: StreamCopyPlan | None = None,
    *,
    overwrite: bool = False,
    on_verified: Callable[[int], None] | None = None,
    growth: Growth | None = None,
    on_given: OnGiven = lambda number, packets: None,
) -> VideoFileWriter:
    """Write a film from its encoded chunks, with streams copied from another file.

    Args:
        target: the file; its suffix decides the container.
        info: size and rate of the frames.
        codec: of the chunks.
        chunks: files of `ChunkEncoder`, in order.
        stream_copy: streams to copy from the source file.
        overwrite: an existing file is replaced once the new one is complete.
        on_verified: called with the bytes of the complete file before it gets its name.
        growth: see `VideoFileWriter`.
        on_given: called after each chunk was given to ffmpeg.

    Returns:
        The file that was written, closed.

    Raises:
        SinkError: it cannot be written, or a chunk cannot be read.
        UsageError: the file exists.
    """
    file = VideoFileWriter(
        target, info, copy_arguments(codec), stream_copy, overwrite=overwrite, growth=growth
    )
    file.on_verified = on_verified
    with file:
        file.frame_count = _write_stream(_Feed(file), chunks, info.fps, codec, on_given)
    return file


class _Feed:
    """A file object that gives what is written to a `VideoFileWriter`.

    Attributes:
        error: why it could not; PyAV raises another instead.
    """

    def __init__(self, file: VideoFileWriter) -> None:
        self._file = file
        self.error: SinkError | None = None

    def write(self, data: bytes) -> int:
        """Write all of `data`; nothing once it has failed."""
        if self.error is None:
            try:
                self._file.feed(memoryview(data))
            except SinkError as error:
                self.error = error
        return len(data)

    def check(self) -> None:
        """Raise the error."""
        if self.error is not None:
            raise self.error


def _write_stream(
    feed: _Feed,
    chunks: Sequence[Path],
    fps: Fraction,
    codec: Codec,
    on_given: OnGiven,
) -> int:
    """Write the packets of chunks as one stream; return how many frames it has.

    Raises:
        SinkError: a chunk cannot be read, or its stream is not that of the first.
    """
    import av

    frame_count, header, last = 0, b"", -(1 << 60)
    tick = 1 / fps
    name, options = stream_format(codec)
    with av.open(feed, "w", format=name, options=options) as output:
        stream: VideoStream | None = None
        for number, path in enumerate(chunks):
            with _packets(path) as packets:
                places = [(packet.pos or 0, packet.size) for packet in packets]
                video = packets[0].stream
                own_header = video.codec_context.extradata or b""
                if stream is None:
                    # As it is, without an encoder of its own.
                    stream = output.add_stream_from_template(video, opaque=True)
                    stream.time_base, header = tick, own_header
                elif own_header != header:
                    raise SinkError(f"{path.name} was encoded in another way than the first chunk.")
                for shown, decoded, packet in _in_frames(packets, fps):
                    # Where frames are reordered, decoding runs ahead by the same number in each
                    # chunk, except in chunks of very few frames.
                    last = max(last + 1, frame_count + decoded)
                    packet.pts, packet.dts = frame_count + shown, last
                    packet.time_base, packet.stream = tick, stream
                    output.mux(packet)
                frame_count += len(packets)
            feed.check()
            on_given(number, places)
    feed.check()
    return frame_count


def _in_frames(
    packets: Sequence["Packet[Any]"], fps: Fraction
) -> Iterator[tuple[int, int, "Packet[Any]"]]:
    """Yield when each packet is shown and decoded, in frames since the first one shown."""
    shown = sorted(packet.pts or 0 for packet in packets)
    rank = {time: number for number, time in enumerate(shown)}
    for packet in packets:
        base = packet.time_base or Fraction(1)
        ahead = ((packet.dts or 0) - shown[0]) * base * fps
        yield rank[packet.pts or 0], round(ahead), packet


@contextmanager
def _packets(path: Path) -> Iterator[list["Packet[Any]"]]:
    """Yield the packets of the video in a file; their stream is valid within the context only.

    Raises:
        SinkError: it cannot be read, or has none.
    """
    import av.error

    with ExitStack() as opened:
        try:
            container = opened.enter_context(open_container(path))
            packets = [packet for packet in container.demux(video=0) if packet.size]
        except (SourceError, av.error.FFmpegError, OSError, IndexError) as error:
            raise SinkError(f"{path.name} was written but cannot be read back.") from error
        if not packets:
            raise SinkError(f"{path.name} was written but holds no frames.")
        yield packets
