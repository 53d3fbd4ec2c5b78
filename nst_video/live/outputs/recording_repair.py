"""Repairing an unfinished recording, so that it plays and seeks."""

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
"""Part of the file name of a failed recording, and of one whose process was killed."""

_SPARE_BYTES = 16 << 20
"""Bytes that remain free on the disk when a recording is remuxed."""

_EMPTY_BYTES = 64 << 10
"""A smaller file without a decodable frame holds only headers."""


_BOXED = frozenset({"mp4", "mov"})
"""Muxers whose files consist of boxes with a length and a type."""

_BOX_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class RepairedRecording:
    """A repaired recording.

    Attributes:
        path: its new, visible path.
        duration_s: duration of the video in seconds, None if unknown.
    """

    path: Path
    duration_s: float | None

    def __str__(self) -> str:
        seconds = "" if self.duration_s is None else f" ({self.duration_s:.1f} s)"
        return f"{self.path}{seconds}"


def repair_recording(
    unfinished: PartialFile, label: str, is_stopped: Callable[[], bool] = lambda: False
) -> RepairedRecording | None:
    """Repair an unfinished recording and give it a visible name beside its target.

    It is remuxed with an index if the disk has room. Otherwise it is truncated after the last whole
    packet and renamed; some players cannot seek in it then. No existing file is replaced.

    Args:
        unfinished: the unfinished file, entered; no other process writes to it.
        label: part of the new name, as in `video (unfinished).mp4`.
        is_stopped: returns True when the repair should end; the file is only renamed then.

    Returns:
        The repaired recording; None if it held no frame and was removed.

    Raises:
        OSError: it cannot be renamed; it keeps its name.
    """
    target = unfinished.target
    kept = target.with_name(fit_name(target.stem, f" ({label}){target.suffix}", target.parent))
    muxer = container_for(unfinished.path).muxer
    if muxer in _BOXED:
        _truncate_last_box(unfinished.path)
    size = unfinished.path.stat().st_size
    if shutil.disk_usage(target.parent).free > size + _SPARE_BYTES:
        repaired = _remux(unfinished, kept, muxer, is_stopped)
        if repaired is not None:
            return repaired
    if is_stopped():
        return RepairedRecording(unfinished.keep(kept), None)
    _truncate_last_packet(unfinished.path)
    duration_s = _copy(unfinished.path, None, muxer, is_stopped)
    if duration_s is None and size < _EMPTY_BYTES:
        unfinished.remove()
        return None
    return RepairedRecording(unfinished.keep(kept), duration_s)


def _remux(
    unfinished: PartialFile, kept: Path, muxer: str, is_stopped: Callable[[], bool]
) -> RepairedRecording | None:
    """Replace an unfinished file by a remuxed one; None if that fails."""
    with contextlib.suppress(OSError, av.FFmpegError), PartialFile(kept) as whole:
        duration_s = _copy(unfinished.path, whole.path, muxer, is_stopped)
        if duration_s is not None and not is_stopped():
            repaired = RepairedRecording(whole.commit(), duration_s)
            unfinished.remove()
            return repaired
    return None


def _copy(
    source: Path, target: Path | None, muxer: str, is_stopped: Callable[[], bool]
) -> float | None:
    """Copy the packets of an unfinished file; with no target, only read them.

    Returns:
        The duration in seconds, None if no frame can be decoded.

    Raises:
        OSError, av.FFmpegError: the target cannot be written.
    """
    if not _has_frame(source):
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
    """Yield packets up to the point where the file is cut off."""
    with contextlib.suppress(OSError, av.FFmpegError):
        for packet in have.demux():
            if packet.is_corrupt:
                return
            if packet.size and packet.pts is not None:
                # Recordings have no B-frames, and Matroska stores only one timestamp per packet.
                packet.dts = packet.pts
                yield packet


def _truncate_last_box(path: Path) -> None:
    """Remove an incomplete last box of an MP4, unless it holds frames.

    A file with an incomplete index of a fragment cannot be opened.

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


def _truncate_last_packet(path: Path) -> None:
    """Remove an incomplete last packet: some programs fail because of it.

    Raises:
        OSError: the file cannot be changed.
    """
    with contextlib.suppress(av.FFmpegError), av.open(ffmpeg_path(path)) as have:
        for packet in have.demux():
            if packet.is_corrupt and packet.pos:
                os.truncate(path, packet.pos)
                return


def _has_frame(path: Path) -> bool:
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
