"""What the painted film gets from its source beside the picture."""

from pathlib import Path

from nst_video.video.media.containers import container_for
from nst_video.video.media.stream_copy import StreamCopyPlan, plan_stream_copy
from nst_video.video.sinks import NULL_SCHEME
from nst_video.video.sources import FrameSource, VideoFileSource


def plan_copy(source: FrameSource, target: Path) -> StreamCopyPlan | None:
    """Plan the copying of audio, subtitles and metadata; None without a source or target file."""
    if not isinstance(source, VideoFileSource) or str(target) == NULL_SCHEME:
        return None
    return plan_stream_copy(source.media, source.track.stream, container_for(target), source.trim)
