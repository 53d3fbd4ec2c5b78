"""What was recorded of a take that ended badly, made into a film that plays and seeks."""

import contextlib
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from nst_video.system.partial_file import PartialFile, fit_name
from nst_video.video.media.containers import container_for
from nst_video.video.media.ffmpeg import ffmpeg_path

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet

UNFINISHED, RECOVERED = "unfinished", "recovered"
"""What the name says of a take that failed, and of one whose process was killed."""

_SPARE_BYTES = 16 << 20
"""Left free on a disk when a take is written anew."""

_EMPTY_BYTES = 64 << 10
"""Below this, a file in which no picture is found holds nothing but headers."""


_BOXED = frozenset({"mp4", "mov"})
"""Muxers whose files are a row of boxes, each begun by its length and kind."""

_BOX_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class RepairedRecording:
    """What has become of a take.

    Attributes:
        path: where it is now, a visible name.
        duration_s: of its video; None where it was not looked at, or cannot be read.
    """

    path: Path
    duration_s: float | None

    def __str__(self) -> str:
        seconds = "" if self.duration_s is None else f" ({self.duration_s:.1f} s)"
        return f"{self.path}{seconds}"


def repair_recording(
    take: PartialFile, label: str, is_stopped: Callable[[], bool] = lambda: False
) -> RepairedRecording | None:
    """Give what a take holds a visible name beside its target, which is never replaced.

    It is written anew with an index where there is room for that, else only cut at its last whole
    picture and renamed: it plays, too, though some players cannot seek in it.

    Args:
        take: entered; nobody else writes to it any more.
        label: goes into the name, as in `film (unfinished).mp4`.
        is_stopped: the caller is in a hurry; then it is only renamed.

    Returns:
        None where it holds no picture; then it is removed.

    Raises:
        OSError: it cannot be renamed and stays where it is.
    """
    target = take.target
    kept = target.with_name(fit_name(target.stem, f" ({label}){target.suffix}", target.parent))
    muxer = container_for(take.path).muxer
    if muxer in _BOXED:
        _cut_off_last_box(take.path)
    size = take.path.stat().st_size
    if shutil.disk_usage(target.parent).free > size + _SPARE_BYTES:
        repaired = _write_anew(take, kept, muxer, is_stopped)
        if repaired is not None:
            return repaired
    if is_stopped():
        return RepairedRecording(take.keep(kept), None)
    _cut_off_last_packet(take.path)
    duration_s = _copy(take.path, None, muxer, is_stopped)
    if duration_s is None and size < _EMPTY_BYTES:
        take.remove()
        return None
    return RepairedRecording(take.keep(kept), duration_s)


def _write_anew(
    take: PartialFile, kept: Path, muxer: str, is_stopped: Callable[[], bool]
) -> RepairedRecording | None:
    """Replace a take by a whole film; None where that does not succeed."""
    with contextlib.suppress(OSError, av.FFmpegError), PartialFile(kept) as whole:
        duration_s = _copy(take.path, whole.path, muxer, is_stopped)
        if duration_s is not None and not is_stopped():
            repaired = RepairedRecording(whole.commit(), duration_s)
            take.remove()
            return repaired
    return None


def _copy(
    source: Path, target: Path | None, muxer: str, is_stopped: Callable[[], bool]
) -> float | None:
    """Copy the packets of a cut-off file, or only look at them with None; return the seconds.

    None where no picture can be decoded.

    Raises:
        OSError, av.FFmpegError: it cannot be written.
    """
    if not _holds_a_picture(source):
        return None
    end_s = 0.0
    with av.open(ffmpeg_path(source)) as have, contextlib.ExitStack() as stack:
        made, streams = None, {}
        if target is not None:
            made = stack.enter_context(av.open(ffmpeg_path(target), "w", format=muxer))
            streams = {s.index: made.add_stream_from_template(s) for s in have.streams}
        for packet in _packets(have):
            if is_stopped():
                break
            if packet.stream.type == "video":
                end_s = max(
                    end_s, float(((packet.pts or 0) + (packet.duration or 0)) * packet.time_base)
                )
            if made is not None:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return end_s


def _packets(have: "InputContainer") -> "Iterator[Packet[Any]]":
    """Yield packets until the place where the file was cut off."""
    with contextlib.suppress(OSError, av.FFmpegError):
        for packet in have.demux():
            if packet.is_corrupt:
                return
            if packet.size and packet.pts is not None:
                # Recordings have no frames out of order, and Matroska holds one time for each.
                packet.dts = packet.pts
                yield packet


def _cut_off_last_box(path: Path) -> None:
    """Cut off a last box of an MP4 that was not written whole, unless it holds pictures.

    Because of half an index of a fragment, nobody could open the file.

    Raises:
        OSError: the file cannot be changed.
    """
    with path.open("r+b") as file:
        end, start = file.seek(0, os.SEEK_END), 0
        while start < end:
            file.seek(start)
            size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
            if size == 1:
                (size,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
            is_cut = size < _BOX_HEADER_BYTES or start + size > end
            if is_cut and kind != b"mdat":
                file.truncate(start)
            if is_cut:
                return
            start += size


def _cut_off_last_packet(path: Path) -> None:
    """Cut off a last picture that was not written whole: some programs fail because of it.

    Raises:
        OSError: the file cannot be changed.
    """
    with contextlib.suppress(av.FFmpegError), av.open(ffmpeg_path(path)) as have:
        for packet in have.demux():
            if packet.is_corrupt and packet.pos:
                os.truncate(path, packet.pos)
                return


def _holds_a_picture(path: Path) -> bool:
    with (
        contextlib.suppress(OSError, av.FFmpegError, IndexError),
        av.open(ffmpeg_path(path)) as have,
    ):
        video = have.streams.video[0]
        for packet in _packets(have):
            if packet.stream is video and video.decode(packet):
                return True
        return bool(video.decode(None))
    return False
