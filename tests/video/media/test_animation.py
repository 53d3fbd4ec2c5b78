"""Videos as GIF and animated WebP: every frame, the right length, the right colors."""

from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, make_clip
from PIL import Image

from nst_video.errors import SinkError, SourceError, UsageError
from nst_video.transcode import IdentityPainter, TranscodeOptions, transcode
from nst_video.video.media.animation import slower_rate, webp_length_s, write_gif
from nst_video.video.media.ffmpeg import FfmpegProcess
from nst_video.video.sinks import VideoFileSink
from nst_video.video.sources import VideoFileSource
from nst_video.video.video_file_writer import VideoFileWriter


def pictures(path: Path) -> tuple[list[np.ndarray], int]:
    """Return the pictures of an animation and how many milliseconds all of them take."""
    shown, length_ms = [], 0
    with Image.open(path) as image:
        count = getattr(image, "n_frames", 1)
        assert count == 1 or image.info["loop"] == 0
        for index in range(count):
            image.seek(index)
            image.load()
            shown.append(np.asarray(image.convert("RGB")))
            length_ms += image.info.get("duration", 0)
    return shown, length_ms


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with sound, of rather few colors."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    ffmpeg(
        *(
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=64x48:r=50:d=2,hue=H=4*t",
            "-f",
            "lavfi",
            "-i",
            "sine=d=2",
        ),
        *("-c:v", "ffv1", "-pix_fmt", "bgr0", path),
    )
    return path


@pytest.mark.parametrize(("suffix", "fps"), [(".gif", 12.5), (".webp", 25)])
def test_video_becomes_a_picture_that_moves(clip: Path, tmp_path: Path, suffix: str, fps: float):
    result = transcode(clip, tmp_path / f"out{suffix}", IdentityPainter())
    assert result.info.fps == fps
    assert result.notes[0] == f"50 fps became {fps:g}; --fps chooses another rate."
    assert result.notes[1].startswith("The sound was left out: ")
    shown, length_ms = pictures(result.target)
    assert len(shown) == 2 * fps
    assert length_ms == pytest.approx(2000, abs=1000 / fps)
    with VideoFileSource(clip, TranscodeOptions(fps=Fraction(fps))) as frames:
        errors = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames, shown, strict=True)]
    assert max(errors) < 10
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [f"out{suffix}"]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_yuv_give_the_same_colors(tmp_path: Path, suffix: str):
    video = make_clip(tmp_path / "clip.mp4")
    with VideoFileSource(video) as frames:
        yuv = np.full((72, 64), 128, np.uint8)
        yuv[:48], yuv[48:60] = 63, 102  # A red of BT.709, limited range.
        yuv[60:] = 240
        with VideoFileSink(tmp_path / f"out{suffix}", frames.info, as_yuv=True) as sink:
            for _ in range(3):
                sink.write(yuv)
    shown, _ = pictures(tmp_path / f"out{suffix}")
    assert np.abs(shown[0].reshape(-1, 3).mean(0) - (254, 0, 0)).max() < 6


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("still_from", [0, 5])
def test_frames_that_are_the_same_are_not_missed(tmp_path: Path, suffix: str, still_from: int):
    video = tmp_path / "still.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=2", "-c:v", "ffv1"),
        *("-vf", f"trim=end_frame={still_from + 1},tpad=stop_mode=clone:stop=10", video),
    )
    result = transcode(video, tmp_path / f"out{suffix}", IdentityPainter())
    assert result.info.frame_count == still_from + 11
    _, length_ms = pictures(result.target)
    if suffix == ".gif" or still_from:
        assert length_ms == pytest.approx(100 * (still_from + 11), abs=100)


def write_all(sink: VideoFileSink, frames: VideoFileSource) -> None:
    for frame in frames:
        sink.write(frame)


def test_webp_that_is_too_short_is_noticed(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
):
    feed, numbers = VideoFileWriter.feed, count()

    def lose_half(writer: VideoFileWriter, data: memoryview) -> None:
        if next(numbers) % 2:
            feed(writer, data)

    monkeypatch.setattr(VideoFileWriter, "feed", lose_half)
    target = tmp_path / "out.webp"
    with VideoFileSource(clip, TranscodeOptions(fps=Fraction(10))) as frames:
        sink = VideoFileSink(target, frames.info)
        with pytest.raises(SinkError, match=r"lasts 1\.\d\d of 2\.00 s"), sink:
            write_all(sink, frames)
    assert list(tmp_path.glob("*.webp")) == []
    with pytest.raises(SourceError, match="not a WebP"):
        webp_length_s(clip)


def test_what_cannot_be_done_with_a_gif_is_refused(clip: Path, tmp_path: Path):
    for options, sentence in (
        (TranscodeOptions(fps=Fraction(60)), "at most 50 frames a second, not 60"),
        (TranscodeOptions(crf=20), "cannot be chosen: omit --crf"),
        (TranscodeOptions(codec="h264"), "use gif"),
    ):
        with pytest.raises(UsageError, match=sentence):
            transcode(clip, tmp_path / "out.gif", IdentityPainter(), options=options)
    assert list(tmp_path.glob("*")) == []
    assert write_gif(tmp_path / "none.mkv", tmp_path / "out.gif") is not None


def test_failure_of_the_second_pass_leaves_nothing(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    start = FfmpegProcess.__init__

    def fails(process: FfmpegProcess, arguments, **options):
        broken = ["-t", "nothing"] if "-lavfi" in arguments else []
        start(process, [*broken, *arguments], **options)

    monkeypatch.setattr(FfmpegProcess, "__init__", fails)
    with pytest.raises(SinkError, match="cannot be written"):
        transcode(clip, tmp_path / "out.gif", IdentityPainter())
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(
    ("fps", "slower"), [("30", "15"), ("25", "12.5"), ("30000/1001", "15000/1001"), ("12", "12")]
)
def test_slower_rate_takes_whole_steps(fps: str, slower: str):
    assert slower_rate(Fraction(fps), Fraction(15)) == Fraction(slower)
