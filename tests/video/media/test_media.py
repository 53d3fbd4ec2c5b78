"""Below frames: options, probing, timing, filters, the ffmpeg process."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest
from clips import ffmpeg, make_clip

from nst_video.errors import NstVideoError, SourceError, UsageError
from nst_video.video.media.codec_options import (
    DecodeOptions,
    EncodeOptions,
    TranscodeOptions,
    parse_rate,
    parse_size,
    parse_time,
)
from nst_video.video.media.containers import (
    CODECS,
    CONTAINERS,
    codec_for,
    container_for,
    default_suffix,
)
from nst_video.video.media.ffmpeg import FfmpegProcess, ffmpeg_exe
from nst_video.video.media.filters import FrameTiming, decode_filters, is_hdr, matrix_name
from nst_video.video.media.probe import (
    Color,
    count_frames,
    pick_video,
    probe,
    probe_track,
    upright_size,
)
from nst_video.video.media.timing import choose_rate, frame_at, scan_packets, snap_rate


def look(path: Path, number: int | None = None):
    media = probe(path)
    track = probe_track(media, pick_video(media, number))
    return media, track, scan_packets(media, track)


@pytest.mark.parametrize(
    ("text", "size"), [("640x360", (640, 360)), ("640x", (640, None)), ("x360", (None, 360))]
)
def test_size_is_read(text: str, size: tuple[int | None, int | None]):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "640", "640x359", "0x0", "axb", "1x2x3", "99999x2"])
def test_size_that_makes_no_sense_is_refused(text: str):
    with pytest.raises(UsageError):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        ("29.97", Fraction(30000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
    ],
)
def test_rate_is_read_exactly(text: str, rate: Fraction):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "seconds"), [("12.5", 12.5), ("1:30", 90.0), ("1:02:03.5", 3723.5)]
)
def test_time_is_read(text: str, seconds: float):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "make",
    [
        lambda: parse_rate("fast"),
        lambda: parse_rate("1/0"),
        lambda: parse_time("soon"),
        lambda: parse_time("1:2:3:4"),
        lambda: parse_time("-1"),
        lambda: DecodeOptions(start_s=-1),
        lambda: DecodeOptions(start_s=2, end_s=2),
        lambda: DecodeOptions(fps=Fraction(0)),
        lambda: DecodeOptions(size=(None, None)),
        lambda: TranscodeOptions(batch_size=0),
        lambda: TranscodeOptions(start_s=3, end_s=1),
        lambda: container_for(Path("video.avi")),
        lambda: codec_for(CONTAINERS[".webm"], EncodeOptions(codec="h264")),
        lambda: codec_for(CONTAINERS[".mp4"], EncodeOptions(codec="mpeg1")),
        lambda: codec_for(CONTAINERS[".mp4"], EncodeOptions(crf=52)),
    ],
)
def test_option_that_makes_no_sense_is_refused(make):
    with pytest.raises(UsageError) as refusal:
        make()
    assert str(refusal.value).endswith(".")


def test_suffix_is_kept_where_it_can_be_written():
    kept = [default_suffix(Path(name)) for name in ("a.MKV", "a.mov", "a.webm", "a.avi", "a")]
    assert kept == [".mkv", ".mov", ".mp4", ".mp4", ".mp4"]
    assert all(name in CODECS for kind in CONTAINERS.values() for name in kind.video)


@pytest.mark.parametrize(
    ("reported", "exact"),
    [
        ("23.98", "24000/1001"),
        ("2997/125", "24000/1001"),
        ("2997/100", "30000/1001"),
        ("59.94", "60000/1001"),
        ("24", "24"),
        ("25/2", "25/2"),
        ("15000/1001", "15000/1001"),
        ("119.88", "120000/1001"),
        ("7.22", "361/50"),
    ],
)
def test_rate_snaps_to_what_it_stands_for(reported: str, exact: str):
    assert snap_rate(Fraction(reported)) == Fraction(exact)


@pytest.mark.parametrize(
    ("name", "fps", "is_variable"),
    [
        ("traffic-aac.mp4", "25/2", False),
        ("odd-161x121.webm", "30000/1001", False),
        ("subtitles-srt.mkv", "30", False),
        ("portrait-4k60.mp4", "60", False),
        ("no-duration.webm", "15000/1001", False),
        ("truncated-claims-1331s.mkv", "24000/1001", False),
        ("vfr-wild.mp4", "30000/1001", True),
    ],
)
def test_rate_of_real_clips(assets: Path, name: str, fps: str, is_variable: bool):
    _, track, scan = look(assets / "videos" / name)
    rate = choose_rate(scan.times_s, track.header_rates)
    assert (rate.fps, rate.is_variable) == (Fraction(fps), is_variable)


def test_rate_of_a_single_frame_comes_from_the_header(tmp_path: Path):
    path = make_clip(tmp_path / "one.mp4", "-frames:v", "1", fps="30")
    _, track, scan = look(path)
    assert len(scan.times_s) == 1
    assert choose_rate(scan.times_s, track.header_rates).fps == 30


def test_variable_rate_is_capped(tmp_path: Path):
    # Bursts of 1 ms with gaps of 100 ms between them.
    times = "floor(N/5)*100+mod(N,5)"
    path = tmp_path / "burst.mkv"
    make_clip(
        path,
        "-vf",
        f"settb=1/1000,setpts='{times}'",
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1:1000",
        seconds=2,
    )
    _, track, scan = look(path)
    rate = choose_rate(scan.times_s, track.header_rates)
    assert (rate.fps, rate.is_variable) == (60, True)


def test_scan_stops_after_the_part_asked_for(assets: Path):
    media = probe(assets / "videos" / "traffic-aac.mp4")
    track = probe_track(media, pick_video(media))
    part = scan_packets(media, track, Fraction(3))
    assert not part.is_whole
    assert 3 < part.end_s < 6
    assert frame_at(part, Fraction(1)) == Fraction(26, 25) or frame_at(
        part, Fraction(1)
    ) == Fraction(24, 25)


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (Fraction(1), 0, (640, 360)),
        (Fraction(2), 0, (1280, 360)),
        (Fraction(1, 2), 0, (640, 720)),
        (Fraction(2), -90, (360, 1280)),
        (Fraction(1), 180, (640, 360)),
        (Fraction(0), 0, (640, 360)),
    ],
)
def test_size_becomes_upright_and_square(aspect: Fraction, rotation: int, size: tuple[int, int]):
    assert upright_size((640, 360), aspect, rotation) == size


def test_unspecified_matrix_follows_the_size_as_in_players():
    unspecified = Color(matrix=2, is_full_range=False, transfer=2, primaries=2)
    assert matrix_name(unspecified, (720, 576)) == "bt601"
    assert matrix_name(unspecified, (1280, 544)) == "bt709"
    assert matrix_name(unspecified, (1080, 720)) == "bt709"
    assert matrix_name(Color(9, False, 14, 9), (640, 360)) == "bt2020"


def test_only_pq_and_hlg_are_tone_mapped():
    assert [is_hdr(Color(9, False, transfer, 9)) for transfer in (1, 14, 16, 18)] == [
        False,
        False,
        True,
        True,
    ]


def test_filters_leave_rgb_sources_alone(tmp_path: Path):
    path = tmp_path / "rgb.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2", "-c:v", "png", path)
    _, track, _ = look(path)
    assert track.is_rgb
    timing = FrameTiming(fps=Fraction(25), origin_s=Fraction(0))
    chain = decode_filters(track, timing, (64, 48))
    assert "matrix" not in chain


def test_streams_are_described(assets: Path):
    media = probe(assets / "videos" / "nasa-2video-2audio-2subs.mp4")
    kinds = [(s.kind, s.codec) for s in media.streams]
    assert kinds == 2 * [("video", "h264"), ("audio", "aac"), ("subtitle", "mov_text")]
    assert pick_video(media).index == 0
    assert pick_video(media, 2).index == 3
    with pytest.raises(UsageError, match="no video stream 3: choose from 1 to 2"):
        pick_video(media, 3)


def test_frames_are_counted_with_and_without_a_header(tmp_path: Path):
    for suffix in (".mp4", ".mkv"):
        path = make_clip(tmp_path / f"clip{suffix}")
        assert count_frames(path, probe(path).streams[0]) == 25


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder / "none.mp4", "there is no such file"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: _written(folder / "text.mp4", b"no video at all"), "not a video"),
        (lambda folder: _written(folder / "empty.mp4", b""), "not a video"),
    ],
)
def test_file_that_is_no_video_is_refused(tmp_path: Path, make, sentence: str):
    with pytest.raises(SourceError, match=sentence):
        probe(make(tmp_path))


def test_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Not by chmod: the superuser, as in a container, may read everything.
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(av, "open", forbidden)
    with pytest.raises(SourceError, match="permission denied"):
        probe(_written(tmp_path / "clip.mp4", b"video"))


def test_process_reports_its_failure_and_ends():
    with FfmpegProcess(["-i", "file:/nonexistent.mp4", "-f", "null", "-"]) as process:
        assert process.finish(10) != 0
        assert "No such file" in process.failure()
        assert process.log()


def test_process_is_gone_after_the_context():
    arguments = ["-f", "lavfi", "-i", "testsrc=s=640x360", "-f", "rawvideo", "pipe:1"]
    with FfmpegProcess(arguments, drain=True) as process:
        buffer = memoryview(bytearray(100))
        assert process.read_into(buffer) == 100
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "signal" in process.failure()


def test_process_without_a_pipe_says_so():
    with FfmpegProcess(["-version"]) as process, pytest.raises(ValueError, match="without that"):
        process.read_into(memoryview(bytearray(1)))


def test_missing_ffmpeg_is_explained(monkeypatch: pytest.MonkeyPatch):
    import imageio_ffmpeg

    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", missing)
    ffmpeg_exe.cache_clear()
    with pytest.raises(NstVideoError, match="IMAGEIO_FFMPEG_EXE"):
        ffmpeg_exe()
    monkeypatch.undo()
    ffmpeg_exe.cache_clear()
    assert subprocess.run([ffmpeg_exe(), "-version"], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere/ffmpeg", "no such file"),
        ("folder", "permission denied"),
        ("text", "permission denied"),
        ("python", "it is not ffmpeg"),
        ("broken", "exec format error"),
        ("x" * 300, "longer"),
    ],
)
def test_ffmpeg_that_the_environment_names_is_tried_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("ffmpeg")
    (tmp_path / "python").symlink_to(sys.executable)
    (tmp_path / "broken").write_bytes(b"\x7fELF")
    (tmp_path / "broken").chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / name))
    ffmpeg_exe.cache_clear()
    with pytest.raises(NstVideoError, match=f"IMAGEIO_FFMPEG_EXE names .*{problem}"):
        ffmpeg_exe()
    monkeypatch.undo()
    ffmpeg_exe.cache_clear()


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
