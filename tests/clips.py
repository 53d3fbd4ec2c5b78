"""Small video files made for tests by ffmpeg, and painters that are simple enough to predict."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nst_video.transcode import Painter
from nst_video.video.media.ffmpeg import ffmpeg_exe

Inputs = tuple[str, ...]

SUBTITLES = """1
00:00:00,200 --> 00:00:00,900
Hello

2
00:00:01,200 --> 00:00:02,500
There
"""

CHAPTERS = """;FFMETADATA1
title=Rich
artist=Nobody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1500
title=One
[CHAPTER]
TIMEBASE=1/1000
START=1500
END=3000
title=Two
"""


def ffmpeg(*arguments: str | Path) -> None:
    """Run the bundled ffmpeg and insist on success."""
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)], check=True)


def make_clip(path: Path, *extra: str, seconds: float = 1, fps: str = "25") -> Path:
    """Write a 64x48 test pattern whose colors change from frame to frame."""
    pattern = f"testsrc2=s=64x48:r={fps}:d={seconds},hue=H=4*t"
    ffmpeg("-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", *extra, path)
    return path


def make_numbered(
    path: Path, *extra: str, first: int = 0, count: int = 50, fps: int = 25, inputs: Inputs = ()
) -> Path:
    """Write 64x48 frames that show their number, counted from `first`, as eight bars.

    Arguments of further inputs, such as sound, come as `inputs`.
    """
    bits = (np.arange(first, first + count)[:, None] >> np.arange(8)) & 1
    bars = np.repeat(20 + 215 * bits, 8, axis=1).astype(np.uint8)
    frames = np.broadcast_to(bars[:, None, :, None], (count, 48, 64, 3))
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", str(fps), "-i", "-")
    command = [ffmpeg_exe(), "-v", "error", "-y", *raw, *inputs, "-pix_fmt", "yuv420p", *extra]
    subprocess.run([*command, str(path)], check=True, input=frames.tobytes())
    return path


def read_number(frame: np.ndarray) -> int:
    """Return the number that a frame of `make_numbered` shows."""
    height, width = frame.shape[:2]
    middles = frame[height // 2, (width * (2 * np.arange(8) + 1)) // 16]
    return int(((middles.mean(axis=1) > 128) << np.arange(8)).sum())


def make_rich_clip(folder: Path) -> Path:
    """Write three seconds with two sound, two subtitle streams, chapters, a font and a cover."""
    (folder / "s.srt").write_text(SUBTITLES)
    (folder / "m.txt").write_text(CHAPTERS)
    (folder / "f.ttf").write_bytes(b"not really a font")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", folder / "cover.png")
    path = folder / "rich.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3"),
        *("-f", "lavfi", "-i", "sine=440:d=3", "-f", "lavfi", "-i", "sine=880:d=3"),
        *("-i", folder / "s.srt", "-i", folder / "m.txt"),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "3"),
        *("-map_metadata", "4", "-map_chapters", "4", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-c:a:0", "ac3", "-ac:a:0", "6", "-c:a:1", "libvorbis"),
        *("-c:s:0", "srt", "-c:s:1", "ass", "-metadata:s:a:0", "language=deu"),
        *("-metadata:s:a:1", "language=fra", "-disposition:a:0", "0"),
        *("-disposition:a:1", "default", "-metadata:s:v", "language=jpn"),
        *("-metadata:s:v", "title=Film", "-metadata:s:s:0", "language=eng"),
        *("-attach", folder / "f.ttf", "-metadata:s:t", "mimetype=application/x-truetype-font"),
        *("-attach", folder / "cover.png", "-metadata:s:t:1", "mimetype=image/png"),
        *("-metadata:s:t:1", "filename=cover.png", path),
    )
    return path


class Negative(Painter):
    """Paints the negative and remembers what it was asked."""

    def __init__(self) -> None:
        self.resets = 0
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        self.batches.append(frames.shape)
        return 255 - frames

    def reset(self) -> None:
        self.resets += 1


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


RENEWAL = 12


class Mixing(Painter):
    """Mixes every frame with all before it, so that frames depend on the painter's past.

    Attributes:
        painted: frames so far.
    """

    renewal_frames = RENEWAL

    def __init__(self, strength: float = 0.1) -> None:
        self.painted = 0
        self._strength = strength
        self._mean: np.ndarray | None = None
        self._next: np.ndarray | None = None
        self._left = 0

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        self.painted += len(frames)
        return np.stack([self._paint(frame) for frame in frames])

    def reset(self) -> None:
        self._mean, self._left = None, 0

    def renew(self, frames: int, /) -> None:
        self._next, self._left = None, frames

    def identity(self) -> Mapping[str, object]:
        return {"painter": "mixing", "strength": self._strength}

    def _paint(self, frame: np.ndarray) -> np.ndarray:
        self._mean = shown = self._mix(self._mean, frame)
        if self._left:
            self._next = self._mix(self._next, frame)
            shown = (self._mean + self._next) / 2
            self._left -= 1
            if not self._left:
                self._mean = self._next
        return np.rint(shown).astype(np.uint8)

    def _mix(self, mean: np.ndarray | None, frame: np.ndarray) -> np.ndarray:
        mean = frame.astype(np.float32) if mean is None else mean
        return mean + np.float32(self._strength) * (frame - mean)
