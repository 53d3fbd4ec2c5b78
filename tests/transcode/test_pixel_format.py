"""File to file in 4:2:0 against the way through RGB, which every painter and source can go."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from clips import ffmpeg, make_clip
from numpy.typing import NDArray

from nst_video.engines import PendingFrames
from nst_video.errors import EngineError, SinkError, SourceError, UsageError
from nst_video.frames import Frames, Size
from nst_video.image.yuv420 import OUTPUT_COLORS, YuvColors, YuvFrames, rgb_to_yuv, yuv_to_rgb
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.transcode import Painter, transcode
from nst_video.transcode.pixel_format import negotiate_format
from nst_video.video.media.codec_options import DecodeOptions, EncodeOptions, TranscodeOptions
from nst_video.video.media.probe import probe, probe_track
from nst_video.video.sinks import SINKS, VideoFileSink, open_sink
from nst_video.video.sources import SyntheticSource, VideoFileSource

OPENVINO = ModelOptions("builtin", "openvino")
LOSSLESS = TranscodeOptions(end_s=0.2, crf=0, preset="ultrafast")


class OverRgb(Painter):
    """A painter that hides what else it could paint."""

    def __init__(self, painter: Stylizer) -> None:
        self._painter = painter

    def __call__(self, frames: Frames, /) -> Frames:
        return self._painter(frames)

    def reset(self) -> None:
        self._painter.reset()


class YuvNegative(Painter):
    """Inverts every value of YUV frames."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []

    def __call__(self, frames: Frames, /) -> Frames:
        raise AssertionError("not asked in RGB")

    def reset(self) -> None:
        self.batches.clear()

    def accepts_yuv(self, size: tuple[int, int], /) -> bool:
        return True

    def submit_yuv(self, yuv: YuvFrames, colors: YuvColors, /) -> PendingFrames:
        self.batches.append(yuv.shape)
        return PendingFrames.done(255 - yuv)


def decoded(path: Path, kind: str) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a file's first video stream as another decoder gives them."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format=kind)


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.square(a.astype(float) - b).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.mark.parametrize(
    ("name", "kind", "colors"),
    [
        ("webcam-sign-fullrange.mkv", "yuvj420p", YuvColors("bt601", True)),
        ("bt709-full-range.mp4", "yuvj420p", YuvColors("bt709", True)),
        ("traffic-aac.mp4", "yuv420p", YuvColors("bt601", False)),
        ("bunny-720p-vorbis.webm", "yuv420p", YuvColors("bt601", False)),
    ],
)
def test_yuv_of_a_file_are_its_bytes(assets: Path, name: str, kind: str, colors: YuvColors):
    clip = assets / "videos" / name
    with VideoFileSource(clip, DecodeOptions(end_s=0.2)) as source:
        assert source.yuv_colors == colors
        yuv = list(source.iterate_yuv())
    assert len(yuv) == source.info.frame_count
    for ours, theirs in zip(yuv, decoded(clip, kind), strict=False):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "name", ["bunny-rotated-90-5.1.mp4", "rotate-and-reflect.mp4", "interlaced.mp4"]
)
def test_yuv_of_a_turned_or_interlaced_file_are_its_frames(assets: Path, name: str):
    clip, options = assets / "videos" / name, DecodeOptions(end_s=0.1)
    with VideoFileSource(clip, options) as one, VideoFileSource(clip, options) as other:
        colors = one.yuv_colors
        assert colors is not None
        for yuv, frame in zip(one.iterate_yuv(), other, strict=True):
            difference = yuv_to_rgb(yuv[None], colors)[0].astype(int) - frame
            assert np.abs(difference).max() <= 1
        assert one.notes == other.notes


@pytest.mark.parametrize(
    "name",
    [
        "cockatoo-yuv444-mp3.mp4",
        "hdr10-pq.mp4",
        "hevc-10bit.mp4",
        "odd-161x121.webm",
        "sar-2x1.mp4",
    ],
)
def test_other_files_have_no_yuv(assets: Path, name: str):
    assert VideoFileSource(assets / "videos" / name).yuv_colors is None


def test_a_resized_file_has_no_yuv(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    assert VideoFileSource(clip).yuv_colors == YuvColors("bt601", is_full_range=False)
    assert VideoFileSource(clip, DecodeOptions(size=(32, None))).yuv_colors is None


def test_change_of_size_midway_keeps_the_yuv(tmp_path: Path):
    parts = []
    for index, size in enumerate(("64x48", "96x80")):
        part = tmp_path / f"{index}.ts"
        pattern = f"color=0x204080:s={size}:r=25:d=1"
        ffmpeg("-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", part)
        parts.append(part)
    joined = tmp_path / "joined.mkv"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", joined)
    with VideoFileSource(joined) as source:
        yuv = list(source.iterate_yuv())
        colors = source.yuv_colors
    assert abs(len(yuv) - 50) <= 2
    assert {each.shape for each in yuv} == {(72, 64)}
    assert colors is not None
    frames = yuv_to_rgb(np.stack(yuv), colors).astype(int)
    # The second part is narrower: black bars of 3 columns beside it.
    assert np.abs(frames[:, :, 4:-4] - [0x20, 0x40, 0x80]).max() <= 3
    assert frames[:20, :, :2].max() > 100
    assert frames[30:, :, :2].max() < 10


@pytest.mark.parametrize(
    ("name", "start_s", "steady", "least_db"),
    [
        ("webcam-sign-fullrange.mkv", 0.0, 0, 45),
        ("webcam-sign-fullrange.mkv", 0.0, 1, 38),  # motion is found in Y or in gray
        ("bunny-720p-vorbis.webm", 8.0, 0, 34),  # color of half the working size, enlarged
    ],
)
def test_transcoding_in_yuv_gives_what_rgb_gives(
    assets: Path, tmp_path: Path, name: str, start_s: float, steady: float, least_db: float
):
    options = replace(LOSSLESS, start_s=start_s, end_s=start_s + 0.1)
    clip = assets / "videos" / name
    painter = Stylizer("wave", StylizeSettings(steady=steady), OPENVINO)
    with VideoFileSource(clip) as source:
        assert negotiate_format(source, painter).as_yuv
        assert not negotiate_format(source, OverRgb(painter)).as_yuv
    yuv = transcode(clip, tmp_path / "yuv.mkv", painter, options=options)
    rgb = transcode(clip, tmp_path / "rgb.mkv", OverRgb(painter), options=options)
    assert (yuv.notes, yuv.info) == (rgb.notes, rgb.info)
    ours, theirs = (probe(each.target) for each in (yuv, rgb))
    assert ours.streams == theirs.streams
    tracks = [probe_track(each, each.videos[0]) for each in (ours, theirs)]
    assert tracks[0] == tracks[1]
    pairs = zip(decoded(yuv.target, "rgb24"), decoded(rgb.target, "rgb24"), strict=True)
    for frame, expected in pairs:
        assert expected.std() > 25
        assert psnr(frame, expected) > least_db
        shift = frame.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))
        assert np.abs(shift).max() < 0.3


def test_damage_is_found_in_yuv_as_in_rgb(assets: Path, tmp_path: Path):
    data = bytearray((assets / "videos" / "traffic-aac.mp4").read_bytes())
    data[1_000_000:1_060_000] = np.random.default_rng(1).bytes(60_000)
    clip, target = tmp_path / "bad.mp4", tmp_path / "out.mp4"
    clip.write_bytes(data)
    os.utime(clip, (0, 0))
    options = TranscodeOptions(preset="ultrafast")
    with pytest.raises(SourceError, match=r"377 frames.*--keep-partial"):
        transcode(clip, target, YuvNegative(), options=options)
    assert not target.exists()
    options = TranscodeOptions(preset="ultrafast", keep_partial=True)
    result = transcode(clip, target, YuvNegative(), options=options)
    assert 300 < (result.info.frame_count or 0) <= 377
    assert any("kept" in note for note in result.notes)


def test_a_painter_of_yuv_gets_batches_in_order(tmp_path: Path):
    clip, painter = make_clip(tmp_path / "clip.mkv"), YuvNegative()
    options = TranscodeOptions(batch_size=4, crf=0)
    result = transcode(clip, tmp_path / "out.mkv", painter, options=options)
    assert painter.batches == [(4, 72, 64)] * 6 + [(1, 72, 64)]
    with VideoFileSource(clip) as before, VideoFileSource(result.target) as after:
        pairs = zip(before.iterate_yuv(), after.iterate_yuv(), strict=True)
        assert all(np.array_equal(255 - old, new) for old, new in pairs)


def test_yuv_of_another_shape_are_refused(tmp_path: Path):
    class Cropping(YuvNegative):
        def submit_yuv(self, yuv: YuvFrames, colors: YuvColors, /) -> PendingFrames:
            return PendingFrames.done(yuv[:, :, 2:])

    clip = make_clip(tmp_path / "clip.mkv")
    with pytest.raises(EngineError, match=r"returned uint8 \(4, 72, 62\)"):
        transcode(clip, tmp_path / "out.mkv", Cropping())


@pytest.mark.parametrize("where", [kind.name for kind in SINKS])
def test_sinks_take_yuv_frames_where_opened_for_them(tmp_path: Path, where: str):
    target = {"null": "null:", "file": tmp_path / "out.mkv"}[where]
    scene = SyntheticSource((64, 48), duration_s=0.2)
    yuv = rgb_to_yuv(np.stack(list(scene)))
    options = EncodeOptions(crf=0, preset="ultrafast")
    with open_sink(target, scene.info, options, as_yuv=True) as sink:
        for each in yuv:
            sink.write(each)
    if where == "file":
        with VideoFileSource(tmp_path / "out.mkv") as source:
            assert source.yuv_colors == OUTPUT_COLORS
            np.testing.assert_array_equal(np.stack(list(source.iterate_yuv())), yuv)
    frame = next(iter(SyntheticSource((64, 48))))
    with (
        pytest.raises(SinkError, match="was written, not"),
        open_sink("null:", scene.info, options, as_yuv=True) as sink,
    ):
        sink.write(frame)
    with (
        pytest.raises(SinkError, match="was written, not"),
        VideoFileSink(tmp_path / "rgb.mkv", scene.info) as sink,
    ):
        sink.write(yuv[0])


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (StylizeSettings(0.5), OPENVINO),
        (StylizeSettings(0.5, "pixel"), OPENVINO),
        (StylizeSettings(0.0, "pixel"), OPENVINO),
        (StylizeSettings(keep_colors=True), OPENVINO),
        (StylizeSettings(work_size=32), OPENVINO),
        (StylizeSettings(), ModelOptions("builtin", "identity")),
    ],
    ids=str,
)
def test_what_looks_at_frames_stays_in_rgb(
    settings: StylizeSettings, options: ModelOptions
) -> None:
    stylizer = Stylizer("wave", settings, options)
    assert not stylizer.accepts_yuv((64, 48))
    with pytest.raises(UsageError, match="at full intensity, in new colors and at even sizes"):
        stylizer.submit_yuv(np.zeros((1, 72, 64), np.uint8), OUTPUT_COLORS)


def test_what_is_painted_in_tiles_stays_in_rgb() -> None:
    stylizer = Stylizer("wave", options=replace(OPENVINO, tile=32))
    assert not stylizer.accepts_yuv((64, 48))
    assert stylizer.accepts_yuv((64, 32))


def test_a_plain_look_takes_yuv_with_even_sides() -> None:
    stylizer = Stylizer(
        ["wave", "neon"], StylizeSettings(work_size=48, steady=0, gentle=0), OPENVINO
    )
    assert stylizer.accepts_yuv((64, 48))
    assert not stylizer.accepts_yuv((64, 50))
    assert not stylizer.accepts_yuv((63, 48))
    painted, expected = painted_both_ways(stylizer, (64, 48))
    assert np.abs(painted - expected).max() <= 1


def test_a_smaller_working_size_takes_yuv_too() -> None:
    settings = StylizeSettings(stroke_scale=2, steady=0)
    stylizer = Stylizer("wave", settings, OPENVINO)
    assert stylizer.accepts_yuv((160, 120))
    assert not stylizer.accepts_yuv((160, 121))
    painted, expected = painted_both_ways(stylizer, (160, 120))
    # RGB frames have color at full size, from which the painting of half size is made.
    assert np.abs(painted - expected).mean() < 2


def painted_both_ways(stylizer: Stylizer, size: Size) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return a clip painted as YUV frames, and as RGB frames that are turned into YUV."""
    frames = np.stack(list(SyntheticSource(size, duration_s=0.1)))
    yuv = rgb_to_yuv(frames)
    expected = rgb_to_yuv(stylizer(yuv_to_rgb(yuv, OUTPUT_COLORS)))
    painted = stylizer.submit_yuv(yuv, OUTPUT_COLORS).wait()
    return painted.astype(int), expected.astype(int)
