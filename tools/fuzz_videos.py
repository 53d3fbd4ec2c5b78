"""Fuzzes the reading of video files: no traceback, no hang, bounded memory.

    python tools/fuzz_videos.py --count 200 --seed 1

Small videos of every container are damaged, reproducibly for a seed. Each is read in a process of
its own, and every fourth is transcoded with all its streams. 200 videos take about five minutes on
two CPU cores. Failures are printed, and with --keep their inputs are copied; the exit status is the
number of failures, at most 100. POSIX only: processes are forked.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forked_process import is_sentence, run_forked

from nst_video.errors import NstVideoError
from nst_video.transcode import IdentityPainter, transcode
from nst_video.video.media.codec_options import DecodeOptions, TranscodeOptions
from nst_video.video.media.ffmpeg import ffmpeg_exe
from nst_video.video.sources import open_source

TIMEOUT_S = 60
MEMORY_MB = 1500
TRANSCODED_EVERY = 4

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "2")
MPEG2 = ("-c:v", "mpeg2video", "-g", "10", "-bf", "2")
CLIPS: dict[str, tuple[str, ...]] = {
    "mp4": (*H264, "-c:a", "aac"),
    "frag.mp4": (*H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "mov": ("-c:v", "prores_ks", "-c:a", "pcm_s16le"),
    "mkv": (*H264, "-c:a", "ac3"),
    "hevc.mkv": ("-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "flac"),
    "webm": ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "ts": (*H264, "-c:a", "mp2"),
    "mpeg2.ts": (*MPEG2, "-c:a", "ac3"),
    "mpg": (*MPEG2, "-c:a", "mp2"),
    "avi": ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
    "flv": ("-c:v", "flv1", "-c:a", "aac"),
    "ogv": ("-c:v", "libtheora", "-c:a", "libvorbis"),
    "wmv": ("-c:v", "wmv2", "-c:a", "wmav2"),
    "gif": ("-an",),
    "webp": ("-an", "-loop", "0"),
    "h264": (*H264, "-an"),
    "m2v": (*MPEG2, "-an"),
    "y4m": ("-an",),
}
"""Small videos by suffix, with the ffmpeg arguments that encode them."""

Damage = Callable[[random.Random, bytes], bytes]


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    """Flip 1 to 1000 bits."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 10, 100, 1000))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_header_bits(rng: random.Random, data: bytes) -> bytes:
    """Flip bits in the first or the last 2000 bytes, where headers are."""
    size = min(len(data), 2000)
    if rng.random() < 0.5:
        return flip_bits(rng, data[:size]) + data[size:]
    return data[:-size] + flip_bits(rng, data[-size:])


def truncate(rng: random.Random, data: bytes) -> bytes:
    """Remove the end."""
    return data[: rng.randrange(1, len(data))]


def behead(rng: random.Random, data: bytes) -> bytes:
    """Remove the beginning."""
    return data[rng.randrange(1, len(data)) :]


def remove(rng: random.Random, data: bytes) -> bytes:
    """Remove a block in the middle."""
    begin, end = _range(rng, data)
    return data[:begin] + data[end:]


def duplicate(rng: random.Random, data: bytes) -> bytes:
    """Repeat a block in the middle."""
    begin, end = _range(rng, data)
    return data[:end] + data[begin:]


def zero(rng: random.Random, data: bytes) -> bytes:
    """Set a block to zeros, as in an incomplete copy."""
    begin, end = _range(rng, data)
    return data[:begin] + bytes(end - begin) + data[end:]


def scramble(rng: random.Random, data: bytes) -> bytes:
    """Replace a block by random bytes."""
    begin, end = _range(rng, data)
    return data[:begin] + rng.randbytes(end - begin) + data[end:]


def join(rng: random.Random, data: bytes) -> bytes:
    """Append the file to itself, from a random position."""
    return data + data[rng.randrange(len(data)) :]


def same(rng: random.Random, data: bytes) -> bytes:
    """Change nothing: for videos with the suffix of another container."""
    return data


DAMAGES: tuple[Damage, ...] = (
    *(flip_bits, flip_header_bits, truncate, behead, remove),
    *(duplicate, zero, scramble, join, same),
)


@dataclass(frozen=True)
class Outcome:
    """How an input was handled; `problem` is empty unless it failed."""

    kind: str
    problem: str = ""
    said: str = ""


def make_clips(folder: Path) -> dict[str, bytes]:
    """Return a second of video in every format, with sound where the format allows it."""
    made = {}
    for suffix, arguments in CLIPS.items():
        path = folder / f"clip.{suffix}"
        inputs = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1"]
        inputs += ["-f", "lavfi", "-i", "sine=r=44100:d=1"]
        pixels = () if suffix in ("mov", "gif", "webp") else ("-pix_fmt", "yuv420p")
        command = [ffmpeg_exe(), "-v", "error", "-y", *inputs, *pixels, *arguments, str(path)]
        subprocess.run(command, check=True)
        made[suffix] = path.read_bytes()
    return made


def make_input(seed: int, number: int, clips: dict[str, bytes], folder: Path) -> Path:
    """Write the input of a number, always the same for the same seed."""
    rng = random.Random(f"{seed}-{number}")
    suffix = rng.choice(sorted(clips))
    damage = DAMAGES[number % len(DAMAGES)]
    data = damage(rng, clips[suffix])
    if damage is same or rng.random() < 0.1:
        suffix = rng.choice(sorted(clips))
    path = folder / f"{number:04}-{damage.__name__}.{suffix}"
    path.write_bytes(data)
    os.utime(path, (0, 0))  # a recent file would be watched for seconds, in case it still grows
    return path


def paint(path: Path, rng: random.Random, target: Path | None) -> str:
    """Read a video, or transcode it to `target`; return the result in words.

    Raises:
        NstVideoError: it cannot be read.
        ValueError: the number of frames differs from that announced.
    """
    keep = rng.random() < 0.6
    start = rng.choice((0.0, 0.0, 0.3))
    if target is not None:
        options = TranscodeOptions(keep_partial=keep, start_s=start, preset="ultrafast")
        result = transcode(path, target, IdentityPainter(), options=options)
        return f"transcoded with {len(result.notes)} notes"
    with open_source(path, DecodeOptions(keep_partial=keep, start_s=start)) as source:
        count = sum(1 for _ in source)
    if not keep and count != source.info.frame_count:
        raise ValueError(f"{count} frames came where {source.info.frame_count} were announced")
    return "read whole" if count == source.info.frame_count else "read in part"


def run(path: Path, number: int, folder: Path) -> Outcome:
    """Read or transcode a video in a forked process; check how it ended."""
    log = folder / "log.txt"
    target = folder / "out.mkv" if number % TRANSCODED_EVERY == 0 else None
    finished = run_forked(lambda: _paint_and_log(path, number, target, log), TIMEOUT_S)
    if finished.exit_code is None:
        return Outcome("hang", f"still ran after {TIMEOUT_S} s")
    said = log.read_text(encoding="utf-8")
    if finished.exit_code:
        return Outcome("traceback", said or f"ended with status {finished.exit_code}")
    if finished.peak_mb > MEMORY_MB:
        return Outcome("memory", f"took {finished.peak_mb} MB")
    leftovers = [each.name for each in folder.glob(".out*")]
    if leftovers or (target is not None and said.startswith("refused") and target.exists()):
        return Outcome("leftover", f"left {leftovers or target} behind")
    if said.startswith("refused") and not is_sentence(said):
        return Outcome("sentence", said)
    return Outcome(said.split(":")[0].split(" with ")[0], said=said)


def _paint_and_log(path: Path, number: int, target: Path | None, log: Path) -> int:
    try:
        said = paint(path, random.Random(number), target)
    except NstVideoError as error:
        said = f"refused: {error}"
    except BaseException:  # noqa: BLE001 - any exception is a failure to report
        log.write_text(traceback.format_exc(), encoding="utf-8")
        return 1
    log.write_text(said, encoding="utf-8")
    return 0


def _range(rng: random.Random, data: bytes) -> tuple[int, int]:
    begin = rng.randrange(len(data))
    return begin, min(len(data), begin + rng.choice((1, 50, 188, 1000, len(data) // 4)))


def main() -> int:
    """Run the tool; return the number of failures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="number of videos")
    parser.add_argument("--seed", type=int, default=1, help="of the damage")
    parser.add_argument("--only", type=int, help="only the video of this number")
    parser.add_argument("--verbose", action="store_true", help="print every result")
    parser.add_argument("--keep", type=Path, help="folder for inputs that fail")
    arguments = parser.parse_args()
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    kinds: Counter[str] = Counter()
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clips = make_clips(folder)
        for number in numbers:
            (folder / "out.mkv").unlink(missing_ok=True)
            path = make_input(arguments.seed, number, clips, folder)
            outcome = run(path, number, folder)
            kinds[outcome.kind] += 1
            if arguments.verbose:
                print(f"{path.name}: {outcome.said}")
            if outcome.problem:
                failures += 1
                print(f"{path.name}: {outcome.kind}: {outcome.problem}", flush=True)
                if arguments.keep is not None:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, arguments.keep)
            path.unlink()
    print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    return min(failures, 100)


if __name__ == "__main__":
    sys.exit(main())
