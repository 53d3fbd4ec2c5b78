"""When frames appear: clocks that jump or wrap, files without times, parts, changing sizes."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import ffmpeg, make_numbered, read_number

from nst_video.frames import size_of
from nst_video.transcode import IdentityPainter, transcode
from nst_video.video import video_file_source
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.sources import VideoFileSource

CODECS = {
    "h264": ("-c:v", "libx264", "-g", "12"),
    "hevc": ("-c:v", "libx265", "-g", "12", "-x265-params", "log-level=error"),
    "mpeg2": ("-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3"),
}


def numbers(path: Path, options: DecodeOptions | None = None) -> list[int]:
    """Return the numbers of the frames that a source delivers, as many as it announces."""
    with VideoFileSource(path, options) as source:
        seen = [read_number(frame) for frame in source]
    assert len(seen) == source.info.frame_count
    return seen


def join(target: Path, *parts: Path) -> Path:
    """Write files one behind the other, as recorders and `cat` do."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


@pytest.mark.parametrize(("name", "count"), [("joined-back.ts", 60), ("pts-wrap-negative.ts", 30)])
def test_no_frame_is_lost_where_a_clock_jumps_or_wraps(assets: Path, name: str, count: int):
    clip = assets / "failing" / "videos" / name
    with VideoFileSource(clip, DecodeOptions(size=(96, None))) as source:
        frames = list(source)
    assert len(frames) == source.info.frame_count == count
    assert source.info.fps == Fraction(30000, 1001)


@pytest.mark.parametrize("begins", [(0, 0), (100, 0), (0, 100), (0, 3000), (500, 40)])
@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_joined_recordings_play_one_after_the_other(
    tmp_path: Path, suffix: str, begins: tuple[int, int]
):
    parts = [
        make_numbered(
            tmp_path / f"{index}{suffix}",
            *(*CODECS["mpeg2"], "-output_ts_offset", str(begin)),
            first=40 * index,
            count=40,
        )
        for index, begin in enumerate(begins)
    ]
    seen = numbers(join(tmp_path / f"joined{suffix}", *parts))
    assert sorted(set(seen)) == list(range(80))
    assert len(seen) <= 82


def test_clock_that_wraps_midway_goes_on(tmp_path: Path):
    # 2**33 ticks of 90 kHz are 95443.7 s.
    clip = make_numbered(
        tmp_path / "wrap.ts", *CODECS["h264"], "-output_ts_offset", "95441.5", count=60
    )
    assert numbers(clip) == list(range(60))


def test_part_of_joined_recordings_is_counted_on_the_joined_clock(tmp_path: Path):
    parts = [
        make_numbered(tmp_path / f"{first}.ts", *CODECS["mpeg2"], first=first, count=50)
        for first in (0, 50)
    ]
    joined = join(tmp_path / "joined.ts", *parts)
    assert numbers(joined, DecodeOptions(start_s=2.4, end_s=2.8)) == list(range(60, 70))


@pytest.mark.parametrize("start", [0.1, 1.5, 3.3, 5.6])
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".ts", "mpeg2"), (".ts", "h264"), (".mpg", "mpeg2"), (".vob", "mpeg2")]
)
def test_part_of_a_file_without_index_begins_with_its_own_picture(
    tmp_path: Path, suffix: str, codec: str, start: float
):
    clip = make_numbered(tmp_path / f"clip{suffix}", *CODECS[codec], count=150)
    seen = numbers(clip, DecodeOptions(start_s=start, end_s=start + 0.4))
    assert abs(seen[0] - start * 25) <= 1
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_part_of_a_transport_stream_with_few_keyframes(assets: Path):
    clip = assets / "failing" / "videos" / "scte20-960k.ts"
    with VideoFileSource(clip, DecodeOptions(end_s=3.4, size=(None, 90))) as source:
        whole = list(source)
    options = DecodeOptions(start_s=2.3, end_s=3.3, size=(None, 90))
    with VideoFileSource(clip, options) as source:
        part = list(source)
    first = round(source.trim.start_s * source.info.fps)
    assert len(part) == 30
    assert all(np.array_equal(a, b) for a, b in zip(part, whole[first:], strict=False))


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".h264", "h264"), (".hevc", "hevc"), (".m2v", "mpeg2")]
)
def test_elementary_stream_keeps_every_frame(tmp_path: Path, suffix: str, codec: str):
    clip = make_numbered(tmp_path / f"raw{suffix}", *CODECS[codec])
    assert numbers(clip) == list(range(50))
    assert numbers(clip, DecodeOptions(start_s=1, end_s=1.4)) == list(range(25, 35))


@pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2"])
def test_start_that_cannot_be_decoded_is_left_out_and_announced(tmp_path: Path, codec: str):
    clip = make_numbered(tmp_path / "whole.ts", *CODECS[codec], "-g", "50", count=80)
    data = clip.read_bytes()
    with av.open(str(clip)) as container:
        places = [packet.pos for packet in container.demux(video=0)]
    begun = tmp_path / "begun.ts"
    # The tables at the beginning, then the stream from its 21st packet on.
    begun.write_bytes(data[:564] + data[places[20] :])
    with VideoFileSource(begun) as source:
        seen = [read_number(frame) for frame in source]
    assert seen[0] > 20
    assert seen == list(range(seen[0], 80))
    assert any("cannot be decoded; it begins later" in note for note in source.notes)
    assert abs(source.trim.video_offset_s - Fraction(seen[0] - 20, 25)) < Fraction(1, 5)


def test_frames_that_give_no_picture_are_announced(tmp_path: Path):
    parts = [
        make_numbered(tmp_path / f"{codec}.ts", *CODECS[codec], first=first, count=40)
        for codec, first in (("h264", 0), ("mpeg2", 40))
    ]
    # Another codec under the same number: only one of the two can be decoded.
    with VideoFileSource(join(tmp_path / "joined.ts", *parts)) as source:
        count = len(list(source))
    assert count == source.info.frame_count
    assert any("frames could not be decoded" in note for note in source.notes)


@pytest.mark.parametrize("count", [1, 5, 20, 30])
def test_slow_rate_of_a_short_clip_gives_at_least_a_frame(tmp_path: Path, count: int):
    clip = make_numbered(tmp_path / "short.mp4", count=count)
    assert len(numbers(clip, DecodeOptions(fps=Fraction(1)))) == max(1, round(count / 25))


def test_long_gap_is_noted(tmp_path: Path):
    clip = make_numbered(
        tmp_path / "gap.mkv", "-vf", "setpts=PTS+gte(N\\,25)*5/TB", "-fps_mode", "passthrough"
    )
    with VideoFileSource(clip) as source:
        frames = list(source)
    assert len(frames) == 175
    assert any("no frames from 1.0 to 6.0 s" in note for note in source.notes)


@pytest.mark.parametrize(("size", "bars"), [("128x96", 0), ("128x48", 12), ("32x48", 16)])
def test_other_size_midway_is_fitted_into_the_first(tmp_path: Path, size: str, bars: int):
    parts = []
    for index, each in enumerate(("64x48", size)):
        part = tmp_path / f"{index}.ts"
        # Stripes of one pixel in the larger picture: dropping every second leaves one color.
        pattern = f"color=gray:s={each}:r=25:d=1,geq=lum='16+219*mod(X,2)':cb=128:cr=128"
        ffmpeg("-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", "-qp", "0", part)
        parts.append(part)
    joined = tmp_path / "joined.mkv"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", joined)
    with VideoFileSource(joined) as source:
        frames = list(source)
    assert len(frames) == source.info.frame_count
    assert {size_of(frame) for frame in frames} == {(64, 48)}
    assert any(f"also {size}" in note for note in source.notes)
    last = frames[-1].astype(int).mean(axis=2)
    assert last[:, : bars if size == "32x48" else 0].sum() < 255
    assert last[: bars if size == "128x48" else 0].sum() < 255
    if size != "32x48":
        assert 100 < last[24].mean() < 150
        assert last[24].std() < 30


@pytest.mark.parametrize(
    "name",
    [("video.mkv", "-live", "1"), ("video.ts",), ("video.mp4", "-movflags", "frag_keyframe")],
)
def test_file_still_being_written_gives_its_readable_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: tuple[str, ...]
):
    sound = ("-f", "lavfi", "-i", "sine=d=4")
    whole = make_numbered(
        tmp_path / name[0],
        *("-g", "25", "-map", "0", "-map", "1"),
        *name[1:],
        count=100,
        inputs=sound,
    ).read_bytes()
    clip = tmp_path / name[0]
    clip.write_bytes(whole[: len(whole) * 6 // 10])
    scan = video_file_source.scan_packets

    def scan_while_written(*arguments):
        found = scan(*arguments)
        clip.write_bytes(whole)
        return found

    monkeypatch.setattr(video_file_source, "scan_packets", scan_while_written)
    result = transcode(clip, tmp_path / "out.mkv", IdentityPainter())
    assert any("still being written" in note for note in result.notes)
    count = result.info.frame_count or 0
    assert 30 < count < 80
    with av.open(str(tmp_path / "out.mkv")) as made:
        last = {
            p.stream.type: float(p.pts * p.time_base) for p in made.demux() if p.pts is not None
        }
    assert abs(last["video"] - (count - 1) / 25) < 0.1
    assert last["audio"] < count / 25 + 0.5


def test_frame_with_a_damaged_time_does_not_make_a_video_of_days(tmp_path: Path):
    clip = make_numbered(tmp_path / "clip.flv", "-c:v", "flv1", "-g", "1")
    data = bytearray(clip.read_bytes())
    place, videos = 13, 0
    while videos < 31:
        videos += data[place] == 9
        tag, place = place, place + 15 + int.from_bytes(data[place + 1 : place + 4], "big")
    data[tag + 7] ^= 16  # the highest byte of its time
    clip.write_bytes(data)
    with VideoFileSource(clip, DecodeOptions(keep_partial=True)) as source:
        seen = [read_number(frame) for frame in source]
    assert len(seen) == 50
    assert sorted(set(range(50)) - set(seen)) == [30]
    assert source.trim.length_s == 2
    assert any("damaged timestamps" in note for note in source.notes)
