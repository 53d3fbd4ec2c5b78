"""Every real clip, transcoded by a painter that changes nothing, against a plain conversion.

The reference is an independent command of the same ffmpeg: default conversion to RGB, the common
recipe for HDR, nothing of our filters.
"""

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from nst_video.errors import SourceError
from nst_video.transcode import IdentityPainter, TranscodeOptions, transcode
from nst_video.video.media.containers import default_suffix
from nst_video.video.media.ffmpeg import ffmpeg_exe

HDR = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)
WIDE = "scale=1280:360"


@dataclass(frozen=True)
class Clip:
    """What a clip must become; `duration_s` is that of its video stream.

    The reference filters run before frames are picked, where they need neighbors, or after.
    """

    name: str
    size: tuple[int, int]
    fps: Fraction
    duration_s: float
    others: tuple[str, ...] = ()
    end_s: float | None = None
    before: str = "null"
    reference: str = "null"
    start_s: float = 0.0
    pad: tuple[int, int] = (0, 0)

    @property
    def frames(self) -> int:
        """Frames to expect: duration times rate."""
        return round(min(self.duration_s, self.end_s or 1e9) * self.fps)


COMPARED_FRAMES = 6
NTSC = Fraction(30000, 1001)
CLIPS = (
    Clip("bt709-full-range.mp4", (1280, 720), Fraction(30), 1.0),
    Clip("bunny-720p-vorbis.webm", (1280, 720), Fraction(24), 30.0, ("aac",), end_s=1),
    Clip(
        "bunny-rotated-90-5.1.mp4",
        (1080, 1920),
        Fraction(24),
        1.875,
        ("aac",),
        start_s=1 / 12,
    ),
    Clip("cockatoo-yuv444-mp3.mp4", (1280, 720), Fraction(20), 14.0, ("mp3",), end_s=1),
    Clip("hdr10-pq.mp4", (1920, 1080), Fraction(30), 1.0174, ("aac",), end_s=0.4, reference=HDR),
    Clip("hevc-10bit.mp4", (200, 200), Fraction(30), 1.0),
    Clip("interlaced.mp4", (640, 360), Fraction(25), 5.04, before="bwdif=mode=send_frame"),
    Clip(
        "nasa-2video-2audio-2subs.mp4",
        (320, 180),
        Fraction(25),
        13.0,
        ("aac", "mov_text", "aac", "mov_text"),
    ),
    Clip("no-audio.mp4", (1080, 720), NTSC, 1.001),
    Clip("no-duration.webm", (1280, 720), Fraction(15000, 1001), 4.938, ("opus",), end_s=2),
    Clip("odd-161x121.webm", (162, 122), NTSC, 1.001, pad=(1, 1)),
    Clip("portrait-4k60.mp4", (2160, 3840), Fraction(60), 0.2997, ("aac",), end_s=0.1),
    Clip("rotate-and-reflect.mp4", (720, 1080), NTSC, 1.001, ("aac",)),
    Clip("sar-2x1.mp4", (1280, 360), Fraction(30), 5.0, end_s=2, reference=WIDE),
    Clip("subtitles-srt.mkv", (1080, 720), Fraction(30), 0.968, ("ac3", "subrip")),
    Clip("traffic-aac.mp4", (768, 432), Fraction(25, 2), 30.16, ("aac",), end_s=4),
    Clip("vfr-wild.mp4", (3026, 1386), NTSC, 8.7255, end_s=0.4),
    Clip("webcam-sign-fullrange.mkv", (640, 480), Fraction(30), 1.933),
)

REFUSED = {
    "audio-only.mp4": "no video, only audio",
    "invalid-bitstream.webm": "No frame .* can be decoded",
    "truncated-claims-1331s.mkv": r"claims 1331.0 s but ends after 0.5 s \(12 frames\)",
}


def read_rgb(path: Path, size: tuple[int, int], count: int, *filters: str) -> np.ndarray:
    """Decode the first video frames with a plain command, on a small grid of their own pixels."""
    width, height = size
    chain = ",".join(["setpts=PTS-STARTPTS", *filters])
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:v:0", "-vf", chain]
    command += [
        "-frames:v",
        str(count),
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3)


def block_means(frame: np.ndarray) -> np.ndarray:
    """Average blocks of 8x8 pixels: what is left is color, not the noise of coding at CRF 18."""
    height, width = frame.shape[0] // 8 * 8, frame.shape[1] // 8 * 8
    whole = frame[:height, :width].astype(np.float32)
    return cv2.resize(whole, (width // 8, height // 8), interpolation=cv2.INTER_AREA)


def color_errors(clip: Clip, source: Path, made: Path, count: int) -> tuple[float, float]:
    """Return the mean absolute differences, in steps of 255, of block means and of pixels."""
    rate = f"fps={clip.fps}"
    size = (clip.size[0] - clip.pad[0], clip.size[1] - clip.pad[1])
    # Some frames from the whole length: were the times wrong, the later ones would differ.
    pick = f"select=not(mod(n\\,{max(1, count // COMPARED_FRAMES)}))"
    crop = f"crop={size[0]}:{size[1]}:0:0:exact=1"
    ours = read_rgb(made, size, COMPARED_FRAMES, pick, crop)
    plain = read_rgb(source, size, COMPARED_FRAMES, clip.before, rate, pick, clip.reference)
    shared = min(len(ours), len(plain))
    assert shared >= COMPARED_FRAMES - 1
    pairs = list(zip(ours[:shared], plain[:shared], strict=True))
    of_blocks = np.mean([np.abs(block_means(a) - block_means(b)).mean() for a, b in pairs])
    of_pixels = np.mean([cv2.norm(a, b, cv2.NORM_L1) / a.size for a, b in pairs])
    return float(of_blocks), float(of_pixels)


@dataclass(frozen=True)
class Made:
    """A finished file as another library sees it."""

    size: tuple[int, int]
    rate: Fraction
    frames: int
    start_s: float
    duration_s: float
    others: tuple[str, ...]
    is_tagged: bool
    is_square: bool


def describe(path: Path) -> Made:
    """Read the packets and the first header of a file."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        others = [s for s in container.streams if s.index != video.index]
        times = sorted(p.pts for p in container.demux(video) if p.pts is not None)
        context = video.codec_context
        rate = Fraction(video.average_rate)
        return Made(
            size=(video.width, video.height),
            rate=rate,
            frames=len(times),
            start_s=float(times[0] * video.time_base),
            duration_s=float((times[-1] - times[0]) * video.time_base + 1 / rate),
            others=tuple(s.codec_context.codec.canonical_name for s in others),
            is_tagged=(int(context.colorspace), int(context.color_range)) == (1, 1),
            is_square=video.sample_aspect_ratio in (None, 1),
        )


def check(clip: Clip, source: Path, made: Path, count: int) -> tuple[float, float]:
    """Assert everything that a finished file must be; return its color errors."""
    seen = describe(made)
    one_frame = float(1 / clip.fps) + 1e-3
    assert seen.size == clip.size
    assert abs(seen.frames - count) <= 1
    assert abs(seen.rate / clip.fps - 1) < 2e-3
    assert abs(seen.duration_s - count / clip.fps) <= one_frame
    assert abs(seen.start_s - clip.start_s) <= one_frame
    assert seen.others == clip.others
    assert seen.is_tagged
    assert seen.is_square
    errors = color_errors(clip, source, made, count)
    assert errors[0] < 1.5
    assert errors[1] < 4
    return errors


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_clip_keeps_length_shape_streams_and_colors(clip: Clip, assets: Path, tmp_path: Path):
    source = assets / "videos" / clip.name
    made = tmp_path / f"made{default_suffix(source)}"
    options = TranscodeOptions(end_s=clip.end_s, preset="ultrafast")
    result = transcode(source, made, IdentityPainter(), options=options)
    assert result.info.frame_count is not None
    assert abs(result.info.frame_count - clip.frames) <= 1
    check(clip, source, made, clip.frames)


@pytest.mark.parametrize("name", REFUSED)
def test_clip_is_refused_with_one_sentence(name: str, assets: Path, tmp_path: Path):
    made = tmp_path / "made.mp4"
    with pytest.raises(SourceError, match=REFUSED[name]) as refusal:
        transcode(assets / "videos" / name, made, IdentityPainter())
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.glob("*.mp4")) == []


def test_every_clip_has_its_line(assets: Path):
    there = {path.name for path in (assets / "videos").iterdir()}
    assert there == {clip.name for clip in CLIPS} | set(REFUSED)
