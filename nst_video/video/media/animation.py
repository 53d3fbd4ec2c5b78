"""Animated images: GIF with one palette for the whole video, and WebP."""

import math
from fractions import Fraction
from pathlib import Path

from nst_video.errors import SourceError
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path

_COLORS = 256
_PALETTE_SIZE = "16x16"

_DITHER = "bayer:bayer_scale=5"
"""Ordered dithering, faint. Error diffusion makes still areas flicker and files larger."""


def slower_rate(fps: Fraction, limit: Fraction) -> Fraction:
    """Return the highest rate up to `limit` that keeps every second, third, ... frame."""
    return fps / math.ceil(fps / limit)


def write_gif(video: Path, target: Path) -> str | None:
    """Write every frame of a video to a GIF that loops forever.

    The palette is computed in a first pass, so that memory use does not depend on the length.

    Args:
        video: any video that ffmpeg reads.
        target: the GIF; an existing file is replaced.

    Returns:
        The reason of a failure, to be shown after a colon; None on success.
    """
    source = ("-i", ffmpeg_path(video))
    palette = memoryview(bytearray(_COLORS * 4))
    find = [*source, "-vf", "palettegen", "-f", "rawvideo", "-pix_fmt", "bgra", "pipe:1"]
    with FfmpegProcess(find, drain=True) as process:
        count = process.read_into(palette)
        if process.finish() or count < len(palette):
            return process.failure()
    raw = ("-f", "rawvideo", "-pix_fmt", "bgra", "-video_size", _PALETTE_SIZE, "-i", "pipe:0")
    chain = f"[0:v][1:v]paletteuse=dither={_DITHER}:diff_mode=rectangle"
    use = ["-y", *source, *raw, "-lavfi", chain, "-fps_mode", "passthrough", "-f", "gif"]
    with FfmpegProcess([*use, ffmpeg_path(target)], feed=True) as process:
        try:
            process.write(palette)
        except OSError:
            process.finish()
            return process.failure()
        return process.failure() if process.finish() else None


def webp_length_s(path: Path) -> Fraction:
    """Return the duration of an animated WebP in seconds, 0 for a still image.

    The encoder merges equal frames in a row, so only the duration tells whether frames are missing;
    if all frames are equal, the file is a still image. The format is described in Google's "WebP
    Container Specification".

    Raises:
        SourceError: it is not a WebP file.
        OSError: it cannot be read.
    """
    total_ms = 0
    with path.open("rb") as file:
        if file.read(12)[::8] != b"RW":
            raise SourceError(f"{path} is not a WebP image.")
        while len(header := file.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            end = file.tell() + size + size % 2
            if header[:4] == b"ANMF":
                total_ms += int.from_bytes(file.read(16)[12:15], "little")
            file.seek(end)
    return Fraction(total_ms, 1000)
