"""Films as pictures that move: GIF, whose palette is that of the whole film, and WebP."""

import math
from fractions import Fraction
from pathlib import Path

from nst_video.errors import SourceError
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_path

_COLORS = 256
_PALETTE_SIZE = "16x16"

_DITHER = "bayer:bayer_scale=5"
"""A faint, fixed pattern. Diffusing errors would make still areas crawl, and larger files."""


def slower_rate(fps: Fraction, limit: Fraction) -> Fraction:
    """Return the highest rate within the limit that takes every second, third ... frame."""
    return fps / math.ceil(fps / limit)


def write_gif(film: Path, target: Path) -> str | None:
    """Write every frame of a film as a GIF that is repeated for ever.

    The palette is found in a first pass, so that memory does not grow with the film.

    Args:
        film: any film that ffmpeg reads.
        target: the GIF; an existing file is replaced.

    Returns:
        Why it failed, in words fit to follow a colon; None where it did not.
    """
    source = ("-i", ffmpeg_path(film))
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
    """Return how long an animated WebP lasts, 0 where it is a still picture.

    Pictures that are the same are one in the file, so only the length tells whether all are there.
    Where all are the same it is a still picture. Container and frames as in Google's "WebP
    Container Specification".

    Raises:
        SourceError: it is no WebP.
        OSError: it cannot be read.
    """
    total_ms = 0
    with path.open("rb") as file:
        if file.read(12)[::8] != b"RW":
            raise SourceError(f"{path} is no WebP picture.")
        while len(header := file.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            end = file.tell() + size + size % 2
            if header[:4] == b"ANMF":
                total_ms += int.from_bytes(file.read(16)[12:15], "little")
            file.seek(end)
    return Fraction(total_ms, 1000)
