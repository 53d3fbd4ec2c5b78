"""File to file: streams, time, damage, progress."""

import os
import subprocess
import threading
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import Negative, ffmpeg, make_clip, make_rich_clip

from nst_video.errors import EngineError, SinkError, SourceError, UsageError
from nst_video.transcode import (
    IdentityPainter,
    Progress,
    TranscodeOptions,
    transcode,
    write_demo_clip,
)
from nst_video.transcode.progress import ProgressMeter
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.video.media.probe import probe
from nst_video.video.sources import VideoFileSource

FAST = TranscodeOptions(preset="ultrafast")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with everything in it."""
    return make_rich_clip(tmp_path_factory.mktemp("rich"))


def streams(path: Path) -> list[tuple[str, str, str | None]]:
    return [(s.kind, s.codec, s.language) for s in probe(path).streams]


def test_every_frame_is_painted_once_and_in_order(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    painter = Negative()
    options = TranscodeOptions(batch_size=4, crf=1)
    result = transcode(clip, tmp_path / "out.mkv", painter, options=options)
    assert painter.resets == 1
    assert [shape[0] for shape in painter.batches] == [4] * 6 + [1]
    assert (result.info.frame_count, result.info.fps) == (25, 25)
    assert set(result.busy_s) == {"decode", "paint", "encode"}
    with VideoFileSource(clip) as before, VideoFileSource(result.target) as after:
        for old, new in zip(before, after, strict=True):
            assert np.abs(255 - old.astype(int) - new).mean() < 4


@pytest.mark.parametrize(
    ("suffix", "expected", "notes"),
    [
        (
            ".mkv",
            [
                ("video", "h264", "jpn"),
                ("audio", "ac3", "deu"),
                ("audio", "vorbis", "fra"),
                ("subtitle", "subrip", "eng"),
                ("subtitle", "ass", None),
                ("attachment", "", None),
            ],
            ["Cover image stream 6"],
        ),
        (
            ".mp4",
            [
                ("video", "h264", "jpn"),
                ("audio", "ac3", "deu"),
                ("audio", "aac", "fra"),
                ("subtitle", "mov_text", "eng"),
                ("subtitle", "mov_text", None),
                ("data", "", "eng"),  # The track that MP4 keeps its chapters in.
                ("video", "png", None),
            ],
            [
                "Audio stream 2 (vorbis) was converted to AAC",
                "Subtitle stream 3",
                "Subtitle stream 4",
                "Attachment stream 5",
            ],
        ),
        (
            ".webm",
            [
                ("video", "vp9", "jpn"),
                ("audio", "opus", "deu"),
                ("audio", "vorbis", "fra"),
                ("subtitle", "webvtt", "eng"),
                ("subtitle", "webvtt", None),
            ],
            [
                "Audio stream 1 (ac3) was converted to Opus",
                "Subtitle stream 3",
                "Subtitle stream 4",
                "Attachment stream 5",
                "Cover image stream 6",
            ],
        ),
    ],
)
def test_everything_is_carried_over_and_what_is_not_is_said(
    rich: Path, tmp_path: Path, suffix: str, expected: list, notes: list[str]
):
    target = tmp_path / f"out{suffix}"
    result = transcode(rich, target, IdentityPainter())
    assert streams(target) == expected
    assert len(result.notes) == len(notes)
    assert all(said.startswith(note) for said, note in zip(result.notes, notes, strict=True))
    media = probe(target)
    assert media.chapter_count == 2
    defaults = [s.is_default for s in media.streams if s.kind == "audio"]
    assert defaults == [False, True]
    with av.open(str(target)) as container:
        tags = {key.lower(): value for key, value in container.metadata.items()}
    assert (tags["title"], tags["artist"]) == ("Rich", "Nobody")
    assert "major_brand" not in tags or suffix == ".mp4"


def cues(path: Path, index: int) -> list[tuple[float, str]]:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", f"0:{index}", "-f", "webvtt"]
    lines = subprocess.run([*command, "-"], capture_output=True, text=True, check=True).stdout
    found = [block.split("\n") for block in lines.split("\n\n") if "-->" in block]
    return [(float(block[0][:9].replace(":", "") or 0), block[1]) for block in found]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".webm"])
def test_part_has_its_part_of_sound_subtitles_and_chapters(rich: Path, tmp_path: Path, suffix: str):
    target = tmp_path / f"out{suffix}"
    transcode(rich, target, IdentityPainter(), options=TranscodeOptions(start_s=1, end_s=2.2))
    whole = transcode(rich, tmp_path / f"whole{suffix}", IdentityPainter())
    assert len(streams(target)) == len(streams(whole.target))
    with av.open(str(target)) as container:
        assert container.start_time == pytest.approx(0, abs=1000)
        # Sound that a decoder needs comes before the picture where nothing can hide it.
        video = container.streams.video[0]
        first = float(video.start_time * video.time_base)
        assert 0 <= first <= (0 if suffix == ".mp4" else 0.06)
        times_s: dict[int, list[float]] = {s.index: [] for s in container.streams.audio}
        for packet in container.demux(*container.streams.audio):
            if packet.pts is not None:
                times_s[packet.stream_index].append(float(packet.pts * packet.time_base))
        for times in times_s.values():
            assert -0.06 <= min(times) - first <= 0
            assert 1.14 <= max(times) - first <= 1.24
        chapters = container.chapters()
    assert cues(target, 3) == [(pytest.approx(0.2 + first, abs=0.002), "There")]
    assert len(chapters) == 2
    assert chapters[-1]["end"] * chapters[-1]["time_base"] <= Fraction(125, 100)


def test_sound_is_copied_bit_by_bit(assets: Path, tmp_path: Path):
    source = assets / "videos" / "bunny-rotated-90-5.1.mp4"
    target = tmp_path / "out.mp4"
    transcode(
        source,
        target,
        IdentityPainter(),
        options=TranscodeOptions(size=(None, 64), preset="ultrafast"),
    )
    packets = []
    for path in (source, target):
        with av.open(str(path)) as container:
            audio = container.streams.audio[0]
            packets.append(
                [
                    (round(float(p.pts * p.time_base), 3), bytes(p))
                    for p in container.demux(audio)
                    if p.pts is not None
                ]
            )
    assert packets[0] == packets[1]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("start", [None, 0.7])
def test_sound_stays_in_sync_with_a_late_picture(tmp_path: Path, suffix: str, start: float | None):
    # A flash and a beep at 1.0 s, in a file whose video begins at 0.24 s.
    source = tmp_path / "flash.mp4"
    ffmpeg(
        *("-itsoffset", "0.24", "-f", "lavfi", "-i"),
        "color=black:s=64x48:r=25:d=1.5,drawbox=c=white:t=fill:enable='gte(t,0.76)'",
        *("-f", "lavfi", "-i", "aevalsrc='if(gte(t,1),sin(880*2*PI*t),0)':d=2:s=48000"),
        *("-map", "0", "-map", "1", "-c:a", "aac", "-pix_fmt", "yuv420p", source),
    )
    target = tmp_path / f"out{suffix}"
    options = FAST if start is None else TranscodeOptions(start_s=start, preset="ultrafast")
    transcode(source, target, IdentityPainter(), options=options)
    for path in (source, target):
        flash, beep = flash_and_beep(path)
        assert abs(flash - beep) <= 0.04 + 0.022


def flash_and_beep(path: Path) -> tuple[float, float]:
    with av.open(str(path)) as container:
        flash = next(
            f.time for f in container.decode(video=0) if f.to_ndarray(format="gray").mean() > 128
        )
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2)
            if len(loud):
                return flash, frame.time + loud[0] / frame.sample_rate
    pytest.fail("no beep")


def test_second_video_stream_is_painted_when_asked_for(assets: Path, tmp_path: Path):
    source = assets / "videos" / "nasa-2video-2audio-2subs.mp4"
    options = TranscodeOptions(video_stream=2, end_s=1, preset="ultrafast")
    result = transcode(source, tmp_path / "out.mp4", IdentityPainter(), options=options)
    assert (result.info.size, result.info.fps) == ((480, 270), Fraction(30000, 1001))
    assert "Video stream 2 of 2 was painted" in result.notes[0]


def test_size_rate_and_part_are_as_asked_for(assets: Path, tmp_path: Path):
    options = TranscodeOptions(
        start_s=1, end_s=3, fps=Fraction(10), size=(None, 90), preset="ultrafast"
    )
    source = assets / "videos" / "traffic-aac.mp4"
    result = transcode(source, tmp_path / "out.mp4", IdentityPainter(), options=options)
    assert (result.info.size, result.info.fps) == ((160, 90), 10)
    assert result.info.frame_count == 20
    assert abs(probe(result.target).duration_s - 2) < 0.1


def test_progress_counts_to_the_end(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    seen: list[Progress] = []
    options = TranscodeOptions(batch_size=10)
    transcode(
        clip, tmp_path / "out.mp4", IdentityPainter(), options=options, on_progress=seen.append
    )
    assert [progress.frame for progress in seen] == [10, 20, 25]
    assert {progress.frame_count for progress in seen} == {25}
    assert seen[-1].remaining_s == 0
    assert all(a.elapsed_s <= b.elapsed_s for a, b in pairwise(seen))


def test_meter_leaves_the_first_batch_out_of_the_speed():
    times = iter([0.0, 10.0, 11.0, 12.0])
    meter = ProgressMeter(40, clock=lambda: next(times))
    busy = {"decode": 1.0, "paint": 3.0, "encode": 2.0}
    first, second, third = (meter.advance(10, busy) for _ in range(3))
    assert (first.fps, first.remaining_s, first.elapsed_s) == (0, None, 10)
    assert (second.fps, second.remaining_s) == (10, 2)
    assert (third.frame, third.fps, third.remaining_s) == (30, 10, 1)
    assert third.limiting_stage == "paint"


class Failing(IdentityPainter):
    """Fails at the second batch."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.calls = 0

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        self.calls += 1
        if self.calls == 2:
            raise self.error
        return frames


@pytest.mark.parametrize("error", [EngineError("no picture"), KeyboardInterrupt()])
def test_failure_of_the_painter_leaves_nothing_behind(tmp_path: Path, error: BaseException):
    clip = make_clip(tmp_path / "clip.mkv", seconds=4)
    with pytest.raises(type(error)):
        transcode(clip, tmp_path / "out.mp4", Failing(error))
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]
    assert not [t for t in threading.enumerate() if t.name in ("prefetch", "writer", "ffmpeg-log")]


def test_painter_that_changes_the_shape_is_refused(tmp_path: Path):
    class Half(IdentityPainter):
        def __call__(self, frames: np.ndarray, /) -> np.ndarray:
            return frames[:, ::2]

    with pytest.raises(EngineError, match="painter returned"):
        transcode(make_clip(tmp_path / "clip.mkv"), tmp_path / "out.mp4", Half())


def test_source_is_never_overwritten(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    before = clip.read_bytes()
    with pytest.raises(UsageError, match="would replace the input"):
        transcode(clip, tmp_path / "." / "clip.mkv", IdentityPainter())
    assert clip.read_bytes() == before


def test_damage_found_while_decoding_leaves_nothing(assets: Path, tmp_path: Path):
    data = bytearray((assets / "videos" / "traffic-aac.mp4").read_bytes())
    data[1_000_000:1_060_000] = np.random.default_rng(1).bytes(60_000)
    clip = tmp_path / "bad.mp4"
    clip.write_bytes(data)
    os.utime(clip, (0, 0))
    small = {"size": (None, 64), "preset": "ultrafast"}
    with pytest.raises(SourceError, match="377 frames"):
        transcode(clip, tmp_path / "out.mp4", IdentityPainter(), options=TranscodeOptions(**small))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.mp4"]
    options = TranscodeOptions(keep_partial=True, **small)
    result = transcode(clip, tmp_path / "out.mp4", IdentityPainter(), options=options)
    assert any("was kept" in note for note in result.notes)
    assert ("audio", "aac", "eng") in streams(result.target)


def test_truncated_clip_gives_its_frames_when_asked_for(assets: Path, tmp_path: Path):
    source = assets / "videos" / "truncated-claims-1331s.mkv"
    options = TranscodeOptions(keep_partial=True, preset="ultrafast")
    result = transcode(source, tmp_path / "out.mkv", IdentityPainter(), options=options)
    assert result.info.frame_count in (12, 13)
    assert [kind for kind, _, _ in streams(result.target)] == ["video", "audio"]


def test_target_without_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(SinkError, match="no folder"):
        transcode(make_clip(tmp_path / "a.mkv"), tmp_path / "none" / "out.mp4", IdentityPainter())


def test_scene_can_be_painted_without_a_file(tmp_path: Path):
    options = TranscodeOptions(size=(160, None), end_s=0.5)
    result = transcode("demo:", tmp_path / "out.mp4", IdentityPainter(), options=options)
    assert result.info.frame_count == 12
    assert streams(result.target) == [("video", "h264", None)]


def test_demo_clip_is_a_video_with_a_tone(tmp_path: Path):
    path = write_demo_clip(tmp_path / "demo.mp4", size=(160, 90), duration_s=1.0)
    assert [(kind, codec) for kind, codec, _ in streams(path)] == [
        ("video", "h264"),
        ("audio", "aac"),
    ]
    assert abs(probe(path).duration_s - 1) < 0.05
    with av.open(str(path)) as container:
        loudness = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
    assert 0.1 < loudness < 1
