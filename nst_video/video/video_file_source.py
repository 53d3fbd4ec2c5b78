"""A video file as a source of frames: decoded by ffmpeg, upright, at a constant rate."""

import copy
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError
from nst_video.frames import Frame, Size, VideoInfo
from nst_video.image.yuv420 import YuvColors, yuv_shape
from nst_video.system.path_lookup import require_file
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path
from nst_video.video.media.filters import FrameTiming, decode_filters, is_hdr, yuv_colors
from nst_video.video.media.growth import GrowthMonitor
from nst_video.video.media.probe import MediaInfo, VideoTrack, pick_video, probe, probe_track
from nst_video.video.media.seek import seek_point
from nst_video.video.media.stream_copy import Trim
from nst_video.video.media.timeline import exact, plan_timeline
from nst_video.video.media.timestamp_resets import audio_reading_arguments, scan_with_resets
from nst_video.video.media.timing import ClockJumpError, PacketScan, scan_packets

MISSING_FRAMES, MISSING_PERCENT = 25, 20
"""Most frames, and most percent of the frames, that may not decode before there is a note."""

FRAMES_BEFORE = 16
"""Frames decoded before the first one wanted: those that refer to a keyframe's predecessors can be
decoded a few frames after it only, and a deinterlacer looks at the frame before."""

MISSING_END_S = Fraction(1)
"""Seconds by which packets may end before the duration in the header."""


class VideoFileSource:
    """A video file, decoded by ffmpeg at a constant rate.

    The file is examined on construction; decoding starts with the iteration.

    Attributes:
        media: the file.
        track: the video stream that is read.
        trim: the part of the file that the frames cover, for copying the other streams.
        may_seek: reading may begin in the middle of the file.
    """

    def __init__(self, path: Path, options: DecodeOptions | None = None) -> None:
        """Examine the file.

        Args:
            path: the file.
            options: which part to read, at which size and rate.

        Raises:
            SourceError: it cannot be read, has no video, or is damaged.
            UsageError: the options do not fit the file.
        """
        self._options = options or DecodeOptions()
        path = require_file(path)
        self._growth = GrowthMonitor(path)
        self.media: MediaInfo = probe(path)
        self.track: VideoTrack = probe_track(
            self.media, pick_video(self.media, self._options.video_stream)
        )
        self._scan = self._examine()
        self._is_growing = self._growth.has_grown()
        self._decoding_notes: list[str] = []
        self._check_complete()
        self._timeline = plan_timeline(self.media, self.track, self._scan, self._options)
        self.trim: Trim = self._timeline.trim
        if self.trim.length_s is None and self._growth.is_fresh:
            # If the file is still growing, the audio must not be longer than the video seen so far.
            furthest = max(self._scan.last_packet_s, self._scan.end_s)
            self.trim = replace(
                self.trim, length_s=furthest - self.media.start_s - self.trim.start_s
            )
        self._first, self._end = 0, self._timeline.frame_count
        self.may_seek = bool(self._options.start_s)
        self._process: FfmpegProcess | None = None
        self._stopped = False

    @cached_property
    def info(self) -> VideoInfo:
        """Size, rate and number of the frames that will be read."""
        size = fit_size(self.track.upright_size, self._options.size)
        return VideoInfo(size, self._timeline.fps, self._timeline.frame_count)

    @property
    def keyframes(self) -> tuple[int, ...]:
        """Numbers of the frames from which the file's own keyframes are shown, ascending."""
        timeline = self._timeline
        numbers = (
            math.floor((time - timeline.origin_s) * timeline.fps + Fraction(1, 2))
            for time in self._scan.keyframes_s
        )
        return tuple(dict.fromkeys(n for n in numbers if 0 <= n < timeline.frame_count))

    @property
    def has_grown(self) -> bool:
        """Whether somebody has written more to the file since it was examined."""
        return self._growth.has_grown()

    def unread(self) -> Self:
        """Return the same source, not read yet, without examining the file again."""
        source = copy.copy(self)
        source._process, source._stopped, source._decoding_notes = None, False, []
        return source

    def select_frames(self, first: int, end: int | None = None, *, may_seek: bool = True) -> None:
        """Read only some of the frames: the same as are read otherwise, bit for bit.

        Args:
            first: number of the first one.
            end: number after the last one; None reads to the end.
            may_seek: begin to decode in the middle of the file, where its index allows it.
        """
        self._first, self._end = first, self._timeline.frame_count if end is None else end
        self.may_seek = may_seek

    @cached_property
    def yuv_colors(self) -> YuvColors | None:
        """Colors of the frames of `iterate_yuv`; None where frames must be converted to RGB."""
        return yuv_colors(self.track, self.info.size)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on resampling, deinterlacing, tone mapping and repairs."""
        notes = [*self._timeline.rate.notes(self._timeline.fps), *self._timeline.notes]
        if self.track.is_interlaced:
            notes.append("The video is interlaced; it was deinterlaced.")
        if is_hdr(self.track.color):
            notes.append("The video is HDR; it was tone-mapped to standard dynamic range.")
        if self._is_growing:
            notes.append(
                f"{self.media.path} is still being written; it was painted up to its "
                f"length at the start, {float(self._scan.end_s - self.media.start_s):.1f} s."
            )
        return (*notes, *self._decoding_notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, RGB uint8 (height, width, 3).

        Raises:
            SourceError: fewer frames can be decoded than the file has.
        """
        return self._read(as_yuv=False)

    def iterate_yuv(self) -> Iterator[NDArray[np.uint8]]:
        """Yield YUV 4:2:0 frames, uint8 (height * 3 / 2, width); only if `yuv_colors` is not None.

        Raises:
            SourceError: as for frames.
        """
        return self._read(as_yuv=True)

    def _read(self, *, as_yuv: bool) -> Iterator[NDArray[np.uint8]]:
        if self._process is not None:
            raise SourceError(f"{self.media.path} was already read: open it again.")
        width, height = self.info.size
        shape = yuv_shape(self.info.size) if as_yuv else (height, width, 3)
        process = self._process = FfmpegProcess(self._arguments(as_yuv), drain=True)
        if self._stopped:
            process.stop()
        delivered = 0
        frame = last = np.empty(shape, np.uint8)
        while process.read_into(frame.data.cast("B")) == frame.nbytes:
            yield frame
            delivered += 1
            last, frame = frame, np.empty_like(frame)
            if self._stopped:
                return
        if self._stopped:
            return
        is_last = self._end == self._timeline.frame_count
        if is_last and delivered and delivered == self._end - self._first - 1:
            # The last frame of the file ends between two output frames.
            yield last
            delivered += 1
        self._check_end(process, delivered)

    def stop(self) -> None:
        """Kill the decoder; the iteration then ends too."""
        self._stopped = True
        if self._process is not None:
            self._process.stop()

    def _arguments(self, as_yuv: bool) -> list[str]:
        timeline, scan, start_s = self._timeline, self._scan, self.media.start_s
        timing = FrameTiming(
            fps=timeline.fps,
            # Where ffmpeg corrects jumps of the timestamps, the file begins at 0.
            origin_s=timeline.origin_s - start_s
            if scan.has_timestamp_resets
            else timeline.origin_s,
            frame_s=scan.times_s[1] - start_s
            if scan.has_no_timestamps and scan.times_s[1:]
            else None,
            until_s=None
            if scan.outliers_from_s is None
            else scan.outliers_from_s - timeline.origin_s,
            first_frame=self._first,
        )
        filters = decode_filters(
            self.track,
            timing,
            self.info.size,
            as_yuv=as_yuv,
            is_quick=self._options.is_quick,
        )
        until = timeline.origin_s - start_s + self._end / timeline.fps
        count = self._end - self._first
        return [
            *("-loglevel", "level+verbose"),
            *self._clock_arguments(),
            # A packet that cannot be decoded does not stop decoding, but changes the exit status.
            *("-max_error_rate", "0", "-reinit_filter", "0"),
            *("-i", ffmpeg_path(self.media.path), "-map", f"0:{self.track.stream.index}"),
            *("-vf", filters, "-frames:v", str(count), "-fps_mode", "passthrough"),
            *("-f", "rawvideo", "pipe:1"),
            *(audio_reading_arguments(self.media, until) if scan.has_timestamp_resets else ()),
        ]

    def _clock_arguments(self) -> list[str]:
        if self._scan.has_timestamp_resets:
            return []
        seek = None
        if self.may_seek:
            seek = seek_point(self.media, self.track, self._scan, self._first_needed_s())
        # Decoding starts at a keyframe and the fps filter drops the frames before the start, so it
        # knows which frame is shown at the start.
        place = [] if seek is None else ["-noaccurate_seek", "-ss", f"{float(seek):.6f}"]
        return ["-copyts", *place]

    def _first_needed_s(self) -> Fraction:
        """Return the timestamp from which frames must be decoded."""
        timeline, times = self._timeline, self._scan.times_s
        if not self._first:
            return timeline.origin_s
        begin_s = timeline.origin_s + self._first / timeline.fps
        return times[max(0, bisect_left(times, begin_s) - FRAMES_BEFORE)]

    def _examine(self) -> PacketScan:
        end_s = self._options.end_s
        until = None if end_s is None else self.media.start_s + exact(end_s)
        try:
            return scan_packets(self.media, self.track, until)
        except ClockJumpError:
            return scan_with_resets(self.media, self.track)

    def _check_complete(self) -> None:
        """Refuse a file that is shorter than its header claims, before painting."""
        scan, path = self._scan, self.media.path
        held = len(scan.times_s)
        if not held:
            raise SourceError(f"The video stream of {path} holds no frames.")
        promised = self.track.header_frames if self.media.container.startswith("mov") else 0
        damage = None
        # Where timestamps jump, the duration in the header is meaningless.
        if scan.is_whole and not scan.has_timestamp_resets and self.media.duration_s is not None:
            reached = scan.last_packet_s - self.media.start_s
            if self.media.duration_s - reached > MISSING_END_S + self.media.duration_s / 100:
                damage = f"it claims {float(self.media.duration_s):.1f} s but ends after "
                damage += f"{float(reached):.1f} s ({held} frames)"
        if scan.is_whole and held + scan.discarded_frames < promised:
            damage = f"its header says {promised} frames, but it holds {held}"
        if scan.is_broken:
            damage = f"reading fails after {float(scan.last_packet_s):.1f} s ({held} frames)"
        if damage is not None:
            self._report(f"{path} is incomplete: {damage}")

    def _check_end(self, process: FfmpegProcess, delivered: int) -> None:
        status = process.finish()
        if process.other_sizes:
            width, height = self.track.coded_size
            others = ", ".join(f"{w}x{h}" for w, h in sorted(process.other_sizes)[:3])
            self._decoding_notes.append(
                f"The frame size changes midway ({width}x{height}, also {others}); "
                "all frames were fitted to the first size."
            )
        if process.corrupt_frames:
            count = process.corrupt_frames
            frames = "1 damaged frame was" if count == 1 else f"{count} damaged frames were"
            self._decoding_notes.append(f"{frames} repaired by the decoder.")
        self._is_growing |= self._growth.has_grown()
        expected = self._end - self._first
        if status or delivered < expected:
            reason = f": {process.failure()}" if status else ""
            what = f"Decoding {self.media.path} gave {delivered} of {expected} frames"
            if delivered >= expected:
                what = f"Some of the {expected} frames of {self.media.path} cannot be decoded"
            self._report(f"{what}{reason}", is_useless=not delivered)
        elif self._lost_too_many(process.lost_frames):
            lost = process.lost_frames
            self._decoding_notes.append(
                f"{lost} frames could not be decoded; other frames were repeated for them."
            )

    def _lost_too_many(self, lost: int) -> bool:
        """Return whether too many packets gave neither a frame nor an error.

        Some always do: second fields, frames that are never shown, frames still in the decoder
        when it is stopped, and frames before the first one wanted.
        """
        held = len(self._scan.times_s)
        begin_s = self._timeline.origin_s + self._first / self._timeline.fps
        begun = bisect_left(self._scan.times_s, begin_s)
        limit = begun + max(MISSING_FRAMES, held * MISSING_PERCENT // 100)
        return lost > limit and not self.track.is_interlaced

    def _report(self, damage: str, *, is_useless: bool = False) -> None:
        if is_useless:
            raise SourceError(f"{damage}.")
        if not self._options.keep_partial:
            self._is_growing = self._is_growing or self._growth.wait_for_growth()
        if self._is_growing:
            return
        if not self._options.keep_partial:
            raise SourceError(f"{damage}. Use --keep-partial to keep what can be decoded.")
        self._decoding_notes.append(f"{damage}; what could be decoded was kept.")


def fit_size(upright: Size, wanted: tuple[int | None, int | None] | None) -> Size:
    """Return the output size: `wanted`, with a missing side from the aspect ratio, made even."""
    if wanted is None:
        return upright
    width, height = wanted
    aspect = Fraction(*upright)
    if width is None and height is not None:
        width = max(2, 2 * _round(height * aspect / 2))
    elif height is None and width is not None:
        height = max(2, 2 * _round(width / aspect / 2))
    return (width or upright[0], height or upright[1])


def _round(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))
