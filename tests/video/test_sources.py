"""The contract of frame sources, on every one of them; then what is special to files."""

import os
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg, make_clip, make_numbered, read_number

from nst_video.errors import SourceError, UsageError
from nst_video.frames import size_of
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.sources import (
    SOURCES,
    FrameSource,
    SyntheticSource,
    VideoFileSource,
    fit_size,
    open_source,
)

Opener = Callable[[DecodeOptions], FrameSource]


@pytest.fixture(params=[kind.name for kind in SOURCES])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """A function that opens the source of that kind anew."""
    if request.param == "demo":
        return lambda options: open_source("demo:", options)
    if request.param == "file":
        clip = make_clip(tmp_path / "clip.mkv", seconds=2)
        return lambda options: open_source(clip, options)
    if request.param == "animation":
        clip = make_clip(tmp_path / "clip.webp", "-loop", "0", seconds=2)
        return lambda options: open_source(clip, options)
    pytest.fail(f"no example for the source {request.param}: add one")


SHORT = DecodeOptions(end_s=0.5, size=(96, None))


def test_source_delivers_what_it_announces(opener: Opener):
    with opener(SHORT) as source:
        info = source.info
        frames = list(source)
    assert len(frames) == info.frame_count
    assert abs(len(frames) / info.fps - Fraction(1, 2)) <= 1 / info.fps
    for frame in frames:
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        assert size_of(frame) == info.size
        assert info.size[0] == 96


def test_source_delivers_frames_that_stay_as_they_are(opener: Opener):
    with opener(SHORT) as source:
        frames = iter(source)
        first = next(frames)
        copy = first.copy()
        second = next(frames)
        list(frames)
    assert np.array_equal(first, copy)
    assert not np.array_equal(first, second)


def test_source_is_repeatable(opener: Opener):
    with opener(SHORT) as one, opener(SHORT) as other:
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_source_can_be_left_early(opener: Opener):
    with opener(DecodeOptions()) as source:
        next(iter(source))


def test_source_ends_soon_when_stopped(opener: Opener):
    with opener(DecodeOptions()) as source:
        frames = iter(source)
        next(frames)
        source.stop()
        rest = sum(1 for _ in frames)
    assert rest < (source.info.frame_count or 0) - 1


def test_source_follows_the_rate_asked_for(opener: Opener):
    with opener(DecodeOptions(end_s=0.5, fps=Fraction(10))) as source:
        assert source.info.fps == 10
        assert len(list(source)) == 5


def test_scene_moves_and_is_rich_in_color():
    frames = list(SyntheticSource((160, 90), Fraction(8), 1.0))
    assert len(frames) == 8
    assert all(np.abs(a.astype(int) - b).mean() > 0.5 for a, b in pairwise(frames))
    assert all(frames[0][..., channel].std() > 30 for channel in range(3))


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        (None, (161, 121)),
        ((320, None), (320, 240)),
        ((None, 60), (80, 60)),
        ((64, 64), (64, 64)),
    ],
)
def test_size_keeps_the_aspect_and_is_even(wanted, size):
    assert fit_size((161, 121), wanted) == size


@pytest.mark.parametrize("start", [0.5, 1.21, 3.3])
@pytest.mark.parametrize("name", ["traffic-aac.mp4", "bunny-720p-vorbis.webm", "interlaced.mp4"])
def test_part_of_a_file_is_the_same_as_in_the_whole(assets: Path, name: str, start: float):
    path = assets / "videos" / name
    size = (None, 90)
    with VideoFileSource(path, DecodeOptions(end_s=start + 1, size=size)) as source:
        whole = list(source)
    options = DecodeOptions(start_s=start, end_s=start + 0.6, size=size)
    with VideoFileSource(path, options) as source:
        part = list(source)
        fps, trim = source.info.fps, source.trim
    assert abs(trim.start_s - Fraction(start)) <= 1 / fps
    first = round((trim.start_s + trim.video_offset_s) * fps)
    assert all(np.array_equal(a, b) for a, b in zip(part, whole[first:], strict=False))
    assert abs(len(part) - 0.6 * fps) <= 1


def test_start_within_a_long_frame_shows_that_frame(tmp_path: Path):
    # One frame a second but for a burst in the beginning that makes the rate variable.
    path = tmp_path / "slides.mkv"
    times = "if(lt(N,18),N*0.02,N-17)/TB"
    make_clip(path, "-vf", f"settb=1/1000,setpts='{times}'", "-fps_mode", "passthrough")
    with VideoFileSource(path) as source:
        whole = list(source)
        fps = source.info.fps
    assert any("varies" in note for note in source.notes)
    with VideoFileSource(path, DecodeOptions(start_s=5.5, end_s=5.9)) as source:
        part = list(source)
    assert len(part) == round(0.4 * fps)
    assert all(np.array_equal(frame, whole[round(5.5 * fps)]) for frame in part)


def test_part_beyond_the_end_is_refused(tmp_path: Path):
    path = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match=r"video up to 1\.00 s"):
        VideoFileSource(path, DecodeOptions(start_s=1.5))


def test_file_is_read_once(tmp_path: Path):
    with VideoFileSource(make_clip(tmp_path / "clip.mp4")) as source:
        list(source)
        with pytest.raises(SourceError, match="already read"):
            list(source)


def test_rotated_clip_comes_upright(assets: Path):
    with VideoFileSource(assets / "videos" / "bunny-rotated-90-5.1.mp4") as source:
        assert source.info.size == (1080, 1920)
        assert source.trim.video_offset_s == Fraction(1, 12)


def test_mirrored_clip_comes_mirrored(tmp_path: Path):
    plain = tmp_path / "plain.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=64x48:d=0.2,drawbox=w=16:h=16:c=white:t=fill", plain)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_hflip", "-i", plain, "-c", "copy", turned)
    with VideoFileSource(turned) as source:
        frame = next(iter(source))
    assert frame[4, -4].min() > 200
    assert frame[4, 4].max() < 50


def test_hdr_is_tone_mapped(assets: Path):
    with VideoFileSource(
        assets / "videos" / "hdr10-pq.mp4", DecodeOptions(end_s=0.1, size=(320, None))
    ) as source:
        frame = next(iter(source))
    assert any("HDR" in note for note in source.notes)
    # Taken for SDR, PQ is gray and flat.
    assert frame.max() > 240
    assert frame.std() > 45


def test_hlg_is_tone_mapped(tmp_path: Path):
    path = tmp_path / "hlg.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=gray:s=64x48:d=0.2", "-c:v", "ffv1"),
        *("-pix_fmt", "yuv420p10le", "-vf"),
        "setparams=range=tv:color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc",
        path,
    )
    with VideoFileSource(path) as source:
        frame = next(iter(source))
    assert any("HDR" in note for note in source.notes)
    assert np.ptp(frame[24, 32].astype(int)) <= 2


def test_wide_gamut_is_brought_to_bt709(tmp_path: Path):
    path = tmp_path / "wide.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "color=0x208020:s=64x48:d=0.2", "-c:v", "ffv1"),
        *("-pix_fmt", "yuv420p10le", "-vf"),
        "scale=out_color_matrix=bt2020,"
        "setparams=range=tv:color_primaries=bt2020:color_trc=bt709:colorspace=bt2020nc",
        path,
    )
    with VideoFileSource(path) as source:
        red, green, blue = (int(v) for v in next(iter(source))[24, 32])
    # The same numbers in BT.2020 are a more saturated green.
    assert green > 128
    assert red < 32
    assert blue < 32


def damage(path: Path, source: Path, begin: int, length: int) -> Path:
    data = bytearray(source.read_bytes())
    data[begin : begin + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(data)
    os.utime(path, (0, 0))  # what was changed just now is watched whether it grows
    return path


def test_damage_in_the_middle_is_an_error_unless_asked_for(assets: Path, tmp_path: Path):
    clip = damage(tmp_path / "bad.mp4", assets / "videos" / "traffic-aac.mp4", 1_000_000, 60_000)
    with (
        pytest.raises(SourceError, match=r"377 frames.*--keep-partial"),
        VideoFileSource(clip) as source,
    ):
        list(source)
    with VideoFileSource(clip, DecodeOptions(keep_partial=True)) as source:
        frames = list(source)
    assert 300 < len(frames) <= 377
    assert any("kept" in note for note in source.notes)


def test_trim_off_file_is_an_error_unless_asked_for(assets: Path, tmp_path: Path):
    clip = tmp_path / "cut.mp4"
    clip.write_bytes((assets / "videos" / "traffic-aac.mp4").read_bytes()[:1_500_000])
    os.utime(clip, (0, 0))
    with pytest.raises(SourceError, match="is incomplete"):
        VideoFileSource(clip)
    with VideoFileSource(clip, DecodeOptions(keep_partial=True)) as source:
        assert 100 < len(list(source)) < 377


def test_partial_of_the_truncated_clip(assets: Path):
    options = DecodeOptions(keep_partial=True)
    with VideoFileSource(assets / "videos" / "truncated-claims-1331s.mkv", options) as source:
        assert len(list(source)) in (12, 13)


def test_change_of_size_midway_keeps_the_frames(tmp_path: Path):
    parts = []
    for index, size in enumerate(("64x48", "96x80")):
        part = tmp_path / f"{index}.ts"
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=1", "-pix_fmt", "yuv420p", part)
        parts.append(part)
    joined = tmp_path / "joined.mkv"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", joined)
    with VideoFileSource(joined) as source:
        frames = list(source)
    assert abs(len(frames) - 50) <= 2
    assert {size_of(frame) for frame in frames} == {(64, 48)}


def test_unknown_video_stream_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no video stream 2"):
        VideoFileSource(make_clip(tmp_path / "clip.mp4"), DecodeOptions(video_stream=2))


def test_animated_webp_is_a_video(assets: Path, tmp_path: Path):
    with open_source(assets / "failing" / "pictures" / "animated.webp") as source:
        frames = list(source)
    assert (source.info.size, source.info.fps, len(frames)) == ((101, 128), 10, 5)
    assert all(not np.array_equal(a, b) for a, b in pairwise(frames))


def test_part_of_an_animation_at_another_rate(tmp_path: Path):
    clip = make_numbered(tmp_path / "clip.webp", "-lossless", "1", fps=10, count=20)
    with open_source(clip, DecodeOptions(start_s=0.5, end_s=1, fps=Fraction(20))) as source:
        assert [read_number(frame) for frame in source] == [5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    with pytest.raises(SourceError, match=r"lasts 2\.00 s: nothing left from 3 s"):
        open_source(clip, DecodeOptions(start_s=3))
