"""The contract of frame sinks, on every one of them; then what is special to files."""

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from nst_video.errors import SinkError, UsageError
from nst_video.frames import VideoInfo
from nst_video.image.resize import even_size, pad_to_even
from nst_video.video.media.codec_options import EncodeOptions
from nst_video.video.media.probe import probe, probe_track
from nst_video.video.sinks import SINKS, FrameSink, VideoFileSink, open_sink
from nst_video.video.sources import VideoFileSource

INFO = VideoInfo((64, 48), Fraction(25))


def ramp(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    width, height = size
    frame = np.zeros((height, width, 3), np.uint8)
    frame[..., 0] = np.linspace(0, 255, width).astype(np.uint8)
    frame[..., 1] = 20 * index
    return frame


def write_all(sink: FrameSink, count: int, then: Callable[[], None] = lambda: None) -> None:
    for index in range(count):
        sink.write(ramp(index % 10))
    then()


def interrupt() -> None:
    raise KeyboardInterrupt


def stop_and_interrupt(sink: FrameSink) -> None:
    sink.stop()
    raise KeyboardInterrupt


@pytest.fixture(params=[kind.name for kind in SINKS])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], FrameSink]:
    """A function that opens the sink of that kind anew."""
    targets = {"null": "null:", "file": tmp_path / "out.mp4"}
    if request.param not in targets:
        pytest.fail(f"no example for the sink {request.param}: add one")
    return lambda: open_sink(targets[request.param], INFO, EncodeOptions(preset="ultrafast"))


def test_sink_takes_frames_and_finishes(opener: Callable[[], FrameSink]):
    with opener() as sink:
        for index in range(5):
            sink.write(ramp(index))
    assert sink.notes == ()


def test_sink_refuses_a_frame_of_another_size(opener: Callable[[], FrameSink]):
    with pytest.raises(SinkError, match="was written, not"), opener() as sink:
        sink.write(ramp(0, (32, 48)))


def test_sink_left_with_an_error_leaves_nothing(opener, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), opener() as sink:
        write_all(sink, 1, then=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_sink_can_be_stopped(opener: Callable[[], FrameSink], tmp_path: Path):
    with pytest.raises(KeyboardInterrupt), opener() as sink:
        stop_and_interrupt(sink)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "codec", "coded"),
    [
        ("out.mp4", None, "h264"),
        ("out.mkv", None, "h264"),
        ("out.mov", None, "h264"),
        ("out.webm", None, "vp9"),
        ("out.mp4", "hevc", "hevc"),
        ("out.mkv", "av1", "av1"),
        ("out.mp4", "vp9", "vp9"),
    ],
)
def test_file_holds_the_frames_in_every_codec(tmp_path: Path, name, codec, coded):
    target = tmp_path / name
    with VideoFileSink(target, INFO, EncodeOptions(codec=codec)) as sink:
        for index in range(5):
            sink.write(ramp(index))
    media = probe(target)
    track = probe_track(media, media.streams[0])
    assert media.streams[0].codec == coded
    assert (track.color.matrix, track.color.is_full_range, track.pixel_format) == (
        1,
        False,
        "yuv420p",
    )
    assert media.streams[0].is_default
    with VideoFileSource(target) as source:
        frames = list(source)
    assert len(frames) == 5
    for index, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - ramp(index)).mean() < 6
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_codec_options_reach_the_encoder(tmp_path: Path):
    sizes = {}
    for crf in (10, 40):
        target = tmp_path / f"{crf}.mp4"
        clip = make_clip(tmp_path / "clip.mkv")
        with (
            VideoFileSource(clip) as source,
            VideoFileSink(target, source.info, EncodeOptions(crf=crf)) as sink,
        ):
            for frame in source:
                sink.write(frame)
        sizes[crf] = target.stat().st_size
    assert sizes[10] > 2 * sizes[40]


@pytest.mark.parametrize(("preset", "looks_ahead"), [(None, "10"), ("slow", "50")])
def test_h264_looks_ahead_as_its_preset_says(
    tmp_path: Path, preset: str | None, looks_ahead: str
) -> None:
    path = tmp_path / "out.mp4"
    with open_sink(path, INFO, EncodeOptions(preset=preset)) as sink:
        sink.write(np.zeros((INFO.size[1], INFO.size[0], 3), np.uint8))
    told = f"rc_lookahead={looks_ahead} rc=crf mbtree=1 crf=18.0"  # x264 notes it in the stream
    assert told.encode() in path.read_bytes()


def test_unknown_preset_is_explained(tmp_path: Path):
    with pytest.raises(UsageError, match="warp"):
        VideoFileSink(tmp_path / "out.mp4", INFO, EncodeOptions(preset="warp"))
    assert list(tmp_path.iterdir()) == []


def test_existing_file_stays_until_the_new_one_is_complete(tmp_path: Path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(UsageError, match="exists"):
        VideoFileSink(target, INFO)
    with (
        pytest.raises(KeyboardInterrupt),
        VideoFileSink(target, INFO, overwrite=True) as sink,
    ):
        write_all(sink, 1, then=interrupt)
    assert target.read_bytes() == b"precious"
    with VideoFileSink(target, INFO, overwrite=True) as sink:
        sink.write(ramp(0))
        assert target.read_bytes() == b"precious"
    assert probe(target).streams[0].codec == "h264"


def test_file_that_appears_meanwhile_is_left_alone(tmp_path: Path):
    target = tmp_path / "out.mp4"
    with VideoFileSink(target, INFO) as sink:
        sink.write(ramp(0))
        target.write_bytes(b"precious")
    assert target.read_bytes() == b"precious"
    assert sink.target == tmp_path / "out (2).mp4"
    assert probe(sink.target).streams[0].codec == "h264"
    assert any("was created in the meantime" in note for note in sink.notes)


def test_file_starts_with_its_index(tmp_path: Path):
    target = tmp_path / "out.mp4"
    with VideoFileSink(target, INFO) as sink:
        sink.write(ramp(0))
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_odd_size_is_padded_by_the_edge(tmp_path: Path):
    info = VideoInfo((63, 47), Fraction(25))
    with VideoFileSink(tmp_path / "out.mp4", info) as sink:
        sink.write(ramp(3, (63, 47)))
    assert "64x48" in sink.notes[0]
    with VideoFileSource(tmp_path / "out.mp4") as source:
        (frame,) = list(source)
    assert frame.shape == (48, 64, 3)
    assert frame[10, 63, 0] > 230


def test_padding_repeats_the_last_column_and_row():
    frame = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(5, 3, 3)
    padded = pad_to_even(frame)
    assert even_size((3, 5)) == (4, 6)
    assert padded.shape == (6, 4, 3)
    assert np.array_equal(padded[:5, 3], frame[:, 2])
    assert np.array_equal(padded[5, :3], frame[4])
    even = frame[:4, :2]
    assert np.array_equal(pad_to_even(even), even)


def test_missing_folder_and_forbidden_place_are_explained(tmp_path: Path):
    with pytest.raises(SinkError, match="There is no folder"):
        VideoFileSink(tmp_path / "none" / "out.mp4", INFO)
    with pytest.raises(UsageError, match="suffix"):
        VideoFileSink(tmp_path / "out.txt", INFO)


def test_name_that_ffmpeg_could_misread_is_taken_literally(tmp_path: Path):
    target = tmp_path / "-a:b %03d'video.mp4"
    with VideoFileSink(target, INFO) as sink:
        sink.write(ramp(0))
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    with VideoFileSource(target) as source:
        assert len(list(source)) == 1


def test_unopened_sink_says_so(tmp_path: Path):
    with pytest.raises(SinkError, match="not open"):
        VideoFileSink(tmp_path / "out.mp4", INFO).write(ramp(0))


FULL_DISK = """
import resource, sys
import numpy as np
from fractions import Fraction
from pathlib import Path
from nst_video.frames import VideoInfo
from nst_video.video.sinks import VideoFileSink
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
random = np.random.default_rng(0)
with VideoFileSink(Path(sys.argv[1]), VideoInfo((320, 240), Fraction(25))) as sink:
    for _ in range(200):
        sink.write(random.integers(0, 255, (240, 320, 3), dtype=np.uint8))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_file_that_outgrows_its_limit_fails_and_leaves_nothing(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "out.mp4")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "SinkError" in done.stderr
    assert "grew larger" in done.stderr or "signal" in done.stderr
    assert list(tmp_path.iterdir()) == []
