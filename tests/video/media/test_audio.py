"""Copied audio: complete from its first sample, in sync, and never a reason for a failure."""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import ffmpeg, make_clip
from numpy.typing import NDArray

from nst_video.transcode import IdentityPainter, TranscodeOptions, transcode
from nst_video.video.media.ffmpeg import ffmpeg_exe

RATE = 48000
SWEEP = "0.5*sin(2*PI*(200*t+300*t*t))"
"""Nowhere like itself at another time, so that a shift shows."""


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of AAC, and video whose keyframes are far apart."""
    path = tmp_path_factory.mktemp("sweep") / "sweep.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=3"),
        *("-f", "lavfi", "-i", f"aevalsrc={SWEEP}:d=3:s=44100"),
        *("-pix_fmt", "yuv420p", "-g", "75", "-c:a", "aac", "-b:a", "128k", path),
    )
    return path


def remux(source: Path, name: str, *arguments: str) -> Path:
    path = source.with_name(name)
    ffmpeg("-i", source, "-c", "copy", *arguments, path)
    return path


def heard(path: Path) -> NDArray[np.float32]:
    """Return mono sound at RATE as a player gives it from the moment of the first picture on."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        first_s = float((video.start_time or 0) * video.time_base)
    # Time 0 is asked for by hand: ffmpeg would count from the first sample.
    place = f"aresample={RATE}:async=1:min_hard_comp=0.01:first_pts=0"
    command = [ffmpeg_exe(), "-v", "error", "-copyts", "-i", str(path), "-map", "0:a:0"]
    command += ["-af", place, "-ac", "1", "-f", "f32le", "-"]
    sound = np.frombuffer(subprocess.run(command, capture_output=True).stdout, np.float32)
    return sound[round(first_s * RATE) :]


def lag_s(reference: NDArray[np.float32], sound: NDArray[np.float32]) -> float:
    """Return how much later `sound` is, by cross-correlation of their shared length."""
    count = min(len(reference), len(sound))
    spectrum = np.fft.rfft(sound[:count], 2 * count)
    spectrum *= np.conj(np.fft.rfft(reference[:count], 2 * count))
    best = int(np.argmax(np.fft.irfft(spectrum)))
    return (best if best < count else best - 2 * count) / RATE


def similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def paint(source: Path, target: Path, start_s: float = 0, end_s: float | None = None):
    options = TranscodeOptions(
        preset="ultrafast", size=(None, 48), start_s=start_s, end_s=end_s, keep_partial=True
    )
    return transcode(source, target, IdentityPainter(), options=options)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", ["edts.mp4", "dolbyVision-hdr.MOV"])
def test_sound_begins_with_its_first_sample(assets: Path, tmp_path: Path, name: str, suffix: str):
    source, target = assets / "failing" / "videos" / name, tmp_path / f"out{suffix}"
    paint(source, target)
    before, after = heard(source), heard(target)
    assert len(after) == pytest.approx(len(before), abs=0.001 * RATE)
    assert lag_s(before, after) == pytest.approx(0, abs=0.001)
    beginning = int(0.1 * RATE)
    assert similarity(before[:beginning], after[:beginning]) > 0.999


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "original", ["sweep.mp4", "sweep.mkv", "sweep.ts", "sweep.mp3.mp4", "sweep.pcm.mkv"]
)
def test_part_of_sound_is_in_sync_and_whole_from_its_start(
    sweep: Path, tmp_path: Path, original: str, suffix: str
):
    codec = {".mp3": ["-c:a", "libmp3lame"], ".pcm": ["-c:a", "pcm_s24be"]}
    source = sweep.with_name(original)
    if not source.exists():
        remux(sweep, original, *codec.get(Path(source.stem).suffix, []))
    # Half-way between two keyframes, and within a packet of sound.
    start_s = Fraction(152, 100)
    paint(source, tmp_path / f"out{suffix}", float(start_s), 2.52)
    # In MPEG-TS the sound begins before the pictures, from the first of which is counted here.
    begin_s = Fraction(148, 100) if original.endswith(".ts") else start_s
    before, after = heard(source)[int(begin_s * RATE) :][:RATE], heard(tmp_path / f"out{suffix}")
    assert 1.0 * RATE - 48 <= len(after) <= 1.06 * RATE
    # Matroska counts milliseconds.
    lag = lag_s(before, after[: len(before)])
    assert lag == pytest.approx(0, abs=0.0015)
    shift = round(lag * RATE)
    block = slice(max(0, -shift), max(0, -shift) + int(0.02 * RATE))
    moved = slice(block.start + shift, block.stop + shift)
    assert similarity(before[block], after[moved]) > 0.97


def test_sound_that_begins_after_the_picture_does_so_in_a_transport_stream(
    assets: Path, tmp_path: Path
):
    source = assets / "failing" / "videos" / "joined-back.ts"
    paint(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        audio = container.streams.audio[0]
        assert float(audio.start_time * audio.time_base) == pytest.approx(0.044, abs=0.002)


def scramble(path: Path, target: Path, chosen: range) -> Path:
    """Replace the bytes of some sound packets, found in the file by what they hold."""
    data, random = bytearray(path.read_bytes()), np.random.default_rng(0)
    with av.open(str(path)) as container:
        for index, packet in enumerate(container.demux(audio=0)):
            at = data.find(bytes(packet)) if packet.size and index in chosen else -1
            if at >= 0:
                data[at : at + packet.size] = random.bytes(packet.size)
    target.write_bytes(data)
    return target


def test_sound_that_cannot_be_decoded_is_left_out_and_said(
    sweep: Path, assets: Path, tmp_path: Path
):
    unknown = assets / "failing" / "videos" / "sample_missing_stsd.mp4"
    broken = scramble(sweep, tmp_path / "broken.mp4", range(10_000))
    for source, reason in ((unknown, "its codec is unknown"), (broken, "it cannot be decoded")):
        for suffix in (".mp4", ".mkv"):
            result = paint(source, tmp_path / f"{source.stem}-out{suffix}")
            (note,) = [note for note in result.notes if "left out" in note]
            assert note.startswith("Audio stream 1")
            assert note.endswith(f"was left out: {reason}.")
            assert result.info.frame_count > 20


def test_damage_midway_does_not_end_a_video(sweep: Path, tmp_path: Path):
    source = scramble(sweep, tmp_path / "middle.mp4", range(30, 60))
    stream = tmp_path / "middle.ts"
    data, random = bytearray(remux(sweep, "whole.ts").read_bytes()), np.random.default_rng(0)
    for at in range(len(data) // 3 // 188 * 188, len(data), 188):
        if data[at + 1] & 31 == 1 and data[at + 2] == 1 and random.random() < 0.3:
            data[at + 20 : at + 188] = random.bytes(168)
    stream.write_bytes(data)
    for path in (source, stream):
        for suffix in (".mp4", ".mkv"):
            made = paint(path, tmp_path / f"{path.suffix[1:]}-out{suffix}").target
            assert len(heard(made)) > 2 * RATE


@pytest.mark.parametrize(
    ("codec", "suffix", "kept"),
    [("pcm_u8", ".mp4", "aac"), ("pcm_s24be", ".mkv", "aac"), ("pcm_s16be", ".mov", "pcm_s16be")],
)
def test_kind_of_pcm_that_a_container_refuses_is_converted(
    sweep: Path, tmp_path: Path, codec: str, suffix: str, kept: str
):
    source = tmp_path / f"source{'.mov' if codec.endswith('be') else '.mkv'}"
    ffmpeg("-i", sweep, "-c:v", "copy", "-c:a", codec, source)
    result = paint(source, tmp_path / f"out{suffix}")
    with av.open(str(result.target)) as container:
        assert container.streams.audio[0].codec_context.name == kept
    assert lag_s(heard(source), heard(result.target)) == pytest.approx(0, abs=0.0015)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_part_after_the_end_of_the_sound_is_painted(sweep: Path, tmp_path: Path, suffix: str):
    source = tmp_path / "short.ts"
    ffmpeg("-i", sweep, "-t", "1", "-i", sweep, "-map", "0:v", "-map", "1:a", "-c", "copy", source)
    assert paint(source, tmp_path / f"out{suffix}", 2.0).info.frame_count == pytest.approx(
        25, abs=2
    )


def test_codec_tag_that_is_not_text_is_no_trouble(assets: Path, tmp_path: Path):
    result = paint(assets / "failing" / "videos" / "aac-in-avi.avi", tmp_path / "out.mp4")
    assert result.info.frame_count == pytest.approx(30, abs=1)
    assert len(heard(result.target)) > 0.9 * RATE


def test_sound_stream_without_a_packet_is_left_out(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4")
    source = tmp_path / "silent.ts"
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "copy", "-c:a", "aac", source)
    data = bytearray(source.read_bytes())
    for at in range(0, len(data), 188):
        if data[at + 1] & 31 == 1 and data[at + 2] == 1:
            data[at + 1 : at + 3] = b"\x1f\xff"  # A packet of nothing.
    source.write_bytes(data)
    result = paint(source, tmp_path / "out.mp4")
    assert "Audio stream 1 (aac) was left out: there is nothing in it." in result.notes
