"""Whether a file is a video, and whether this program made it, from the beginning of the file."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.video.media.probe import open_container

if TYPE_CHECKING:
    import av.container
    import av.video.stream

VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m1v", ".m2t", ".m2ts", ".m2v",
    ".m4v", ".mk3d", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm",
    ".ogv", ".qt", ".rm", ".rmvb", ".vob", ".webm", ".wmv", ".wtv", ".y4m",
})  # fmt: skip
"""Suffixes of video files: such files are not opened to find out."""

LIST_SUFFIXES = frozenset({".m3u", ".m3u8", ".mpd", ".pls", ".sdp", ".xspf"})
"""Suffixes of playlists: such files are not opened."""

PAINTED_BY = "nst-video"
"""Value of the tag `encoder` of every video stream that this program has painted."""

_NON_VIDEO_FORMATS = frozenset({"concat", "hls", "ico", "image2", "tty"})
"""Formats that ffmpeg reads as video but are playlists, single images or text."""


def is_video_file(path: Path) -> bool:
    """Return whether a file is a video: by its suffix where that is clear, else by its content."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES or suffix in LIST_SUFFIXES:
        return suffix in VIDEO_SUFFIXES
    try:
        with open_container(path) as container:
            name = container.format.name
            if name in _NON_VIDEO_FORMATS or name.endswith("_pipe"):
                return False
            return any(_has_motion(container, video) for video in container.streams.video)
    except Exception:  # noqa: BLE001 - one file must not end the search
        return False


def is_painted(path: Path) -> bool:
    """Return whether this program has painted a video; False where it cannot be opened."""
    try:
        with open_container(path) as container:
            return any(
                key.lower() == "encoder" and value == PAINTED_BY
                for video in container.streams.video
                for key, value in video.metadata.items()
            )
    except Exception:  # noqa: BLE001 - one file must not end the search
        return False


def _has_motion(
    container: "av.container.InputContainer", video: "av.video.stream.VideoStream"
) -> bool:
    """Return whether a stream has a second frame; covers and still GIFs have only one."""
    import av.error
    from av.stream import Disposition

    if video.disposition & Disposition.attached_pic:
        return False
    try:
        held = (packet for packet in container.demux(video) if packet.size)
        return next(itertools.islice(held, 1, None), None) is not None
    except (av.error.FFmpegError, OSError):
        return False
