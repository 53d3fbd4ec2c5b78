"""Previews of a transcode: one frame, an excerpt, and an estimate of time and file size."""

import math
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nst_video.errors import SourceError
from nst_video.frames import Frame, VideoInfo
from nst_video.transcode.batches import default_batch_size
from nst_video.transcode.painters import Painter
from nst_video.transcode.pipeline import transcode
from nst_video.transcode.progress import OnProgress, Progress
from nst_video.transcode.result import TranscodeResult
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.probe import open_container
from nst_video.video.sources import open_source

SAMPLE_S = 4.0
"""Seconds of painting on which an estimate is based."""

SAMPLE_FRAMES = 120
"""Most frames in a sample."""

KEY_INTERVAL = 250
"""Longest distance between keyframes in frames, the default of common encoders."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Estimate of a whole transcode.

    Attributes:
        frames: number of frames.
        seconds: time from the start of the program to the finished file.
        bytes: size of the file.
    """

    frames: int
    seconds: float
    bytes: float


def paint_middle_frame(
    source: Path | str, painter: Painter, options: TranscodeOptions
) -> tuple[Frame, float]:
    """Paint the frame in the middle of a video.

    Returns:
        The painted frame, RGB uint8 (height, width, 3), and the seconds that it takes to paint,
        without compilation.

    Raises:
        NstVideoError: the frame cannot be read or painted.
    """
    info = _info(source, options)
    with open_source(source, _part(info, options, 1)) as frames:
        frame = next(iter(frames), None)
    if frame is None:
        raise SourceError(f"{source} has no frame in its middle that can be decoded.")
    painter.reset()
    painted = painter(frame[None])
    begun_s = time.monotonic()
    painter.reset()
    painter(frame[None])
    return np.ascontiguousarray(painted[0]), time.monotonic() - begun_s


def transcode_excerpt(
    source: Path | str,
    target: Path,
    painter: Painter,
    options: TranscodeOptions,
    seconds: float,
    *,
    ready_s: float = 0.0,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> tuple[TranscodeResult, Estimate | None]:
    """Transcode an excerpt from the middle, and estimate the whole transcode from it.

    Args:
        source: a video file.
        target: the file to write.
        painter: paints the frames, compiled for their size.
        options: the options of the whole transcode.
        seconds: length of the excerpt; a shorter video is transcoded completely.
        ready_s: seconds that the program needs before it begins to transcode.
        on_progress: called after every batch.
        overwrite: an existing target is replaced.

    Returns:
        The finished excerpt, and the estimate, None where the length of the video is unknown.

    Raises:
        NstVideoError: it cannot be read, painted or written.
    """
    info = _info(source, options)
    states: list[Progress] = []

    def note(state: Progress) -> None:
        states.append(state)
        if on_progress is not None:
            on_progress(state)

    part = _part(info, options, max(1, round(seconds * info.fps)))
    done = transcode(source, target, painter, options=part, on_progress=note, overwrite=overwrite)
    if info.frame_count is None or not states:
        return done, None
    whole, frames = info.frame_count, states[-1].frame
    rate = states[-1].fps or frames / done.elapsed_s
    once_s = max(0.0, done.elapsed_s - frames / rate)
    seconds = ready_s + once_s + whole / rate
    return done, Estimate(whole, seconds, _whole_bytes(done.target, frames, whole))


def estimate(
    source: Path | str,
    suffix: str,
    painter: Painter,
    options: TranscodeOptions,
    frame_s: float,
    *,
    ready_s: float = 0.0,
) -> Estimate | None:
    """Estimate a whole transcode from a short one, whose output is deleted.

    Args:
        source: a video file.
        suffix: suffix of the file to write.
        painter: paints the frames, compiled for their size.
        options: the options of the whole transcode.
        frame_s: seconds to paint one frame.
        ready_s: seconds that the program needs before it begins to transcode.

    Raises:
        NstVideoError: it cannot be read, painted or written.
    """
    info = _info(source, options)
    batch = options.batch_size or default_batch_size(info.size, painter.frames_per_painting)
    # The first batch is not counted in the speed.
    count = max(2 * batch + 2, min(SAMPLE_FRAMES, round(SAMPLE_S / max(frame_s, 1e-6))))
    with tempfile.TemporaryDirectory(prefix="nst-video-") as folder:
        target = Path(folder) / f"sample{suffix}"
        seconds = float(count / info.fps)
        _, found = transcode_excerpt(source, target, painter, options, seconds, ready_s=ready_s)
    return found


def _info(source: Path | str, options: TranscodeOptions) -> VideoInfo:
    with open_source(source, options) as frames:
        return frames.info


def _part(info: VideoInfo, options: TranscodeOptions, frame_count: int) -> TranscodeOptions:
    """Return options for some frames from the middle, or from the start where it is unknown."""
    first = max(0, ((info.frame_count or 0) - frame_count) // 2)
    start_s = options.start_s + float(first / info.fps)
    end_s = start_s + float(frame_count / info.fps)
    return replace(options, start_s=start_s, end_s=min(end_s, options.end_s or math.inf))


def _whole_bytes(sample: Path, frames: int, whole: int) -> float:
    """Estimate the file size of `whole` frames from a sample file of `frames` frames.

    Keyframes are many times as large as other frames and a sample always begins with one. So they
    are counted separately: one every `KEY_INTERVAL` frames, and one for each scene cut.
    """
    keys: list[int] = []
    others: list[int] = []
    with open_container(sample) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.size:
                (keys if packet.is_keyframe else others).append(packet.size)
    rest = sample.stat().st_size - sum(keys) - sum(others)
    cuts = (len(keys) - 1) * whole / frames
    key_count = min(float(whole), math.ceil(whole / KEY_INTERVAL) + cuts)
    other = np.mean(others) if others else np.mean(keys)
    return float(np.mean(keys) * key_count + other * (whole - key_count) + rest * whole / frames)
