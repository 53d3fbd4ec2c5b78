"""The synthetic scene as a video file with an audio track."""

from fractions import Fraction
from pathlib import Path

from nst_video.frames import Size
from nst_video.image import synthetic
from nst_video.video.media.stream_copy import StreamCopyPlan
from nst_video.video.sinks import VideoFileSink
from nst_video.video.sources import SyntheticSource

_TONES_HZ = (220.0, 277.2, 329.6, 440.0)
"""A chord of A major, the notes one after the other."""


def write_demo_clip(
    path: Path,
    *,
    size: Size = synthetic.SIZE,
    fps: Fraction = synthetic.FPS,
    duration_s: float = synthetic.DURATION_S,
) -> Path:
    """Write the synthetic scene with an AAC tone track and return `path`.

    Args:
        path: an .mp4, .mov or .mkv file.
        size: (width, height).
        fps: frames per second.
        duration_s: length in seconds.

    Raises:
        SinkError: it cannot be written.
        UsageError: its suffix is not that of a video file.
    """
    source = SyntheticSource(size, fps, duration_s)
    with source, VideoFileSink(path, source.info, stream_copy=_audio_track(duration_s)) as sink:
        for frame in source:
            sink.write(frame)
    return path


def _audio_track(duration_s: float) -> StreamCopyPlan:
    notes = []
    for index, pitch in enumerate(_TONES_HZ):
        begin = index * duration_s / len(_TONES_HZ) / 2
        notes.append(
            f"gte(t\\,{begin:.3f})*exp(-1.2*(t-{begin:.3f}))*sin({pitch}*2*PI*(t-{begin:.3f}))"
        )
    chord = f"aevalsrc=0.18*({'+'.join(notes)}):s=48000:d={duration_s:.3f}:c=mono"
    return StreamCopyPlan(
        inputs=("-f", "lavfi", "-i", chord),
        outputs=("-map", "1:0", "-c:1", "aac", "-b:1", "128k"),
    )
