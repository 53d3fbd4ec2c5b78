#!/usr/bin/env python3
"""Load thousands of damaged pictures: each must come out as a frame or as one sentence.

Small pictures of every format that is read are damaged in seeded ways (bits, bytes, numbers of
headers, parts taken out or doubled, ends cut off, two files joined). Worker processes load them
under limits of time and memory, and predict a style of some; what a worker dies of, and any
exception that is none of ours, is a fault.

Usage: fuzz_pictures.py [--count 2000] [--seed 0] [--styles 40] [--keep FOLDER]
"""

import argparse
import io
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from nst_video.errors import SourceError, StyleError
from nst_video.image.files import load_picture

HEIC = Path(__file__).resolve().parent.parent / "tests" / "pictures" / "turned.heic"

CPU_LIMIT_S = 30
WALL_LIMIT_S = 300
MEMORY_LIMIT = 2 << 30
"""Address space, in bytes, that a picture may take beyond what the worker has."""

EXTREMES = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
SIZE = (24, 17)


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong with a picture: its number in the sequence and what happened."""

    number: int
    what: str


def valid_pictures() -> dict[str, bytes]:
    """Return small valid files by name: each format, with the modes and extras it can have."""
    rng = np.random.default_rng(0)
    pixels = np.cumsum(rng.integers(-3, 4, (SIZE[1], SIZE[0], 4)), axis=1) * 9 % 256
    rgba = Image.fromarray(pixels.astype(np.uint8))
    wide = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {"heic": HEIC.read_bytes()}

    def add(kind: str, image: Image.Image, name: str = "", **options: object) -> None:
        data = io.BytesIO()
        try:
            image.save(data, kind, **options)
        except (OSError, ValueError, KeyError):
            return  # this format has no such mode
        files[f"{kind}-{image.mode}{name}"] = data.getvalue()

    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA"):
        for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK"):
            add(kind, rgba.convert(mode))
        add(kind, wide)
        add(kind, rgba.convert("RGB"), "-tagged", exif=exif.tobytes(), icc_profile=profile)
    frames = [rgba.rotate(turn).convert("RGB") for turn in (90, 180)]
    for kind in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        add(kind, rgba.convert("RGB"), "-frames", save_all=True, append_images=frames)
    for way in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        add("TIFF", rgba.convert("RGB"), f"-{way}", compression=way)
    add("JPEG", rgba.convert("RGB"), "-progressive", progressive=True)
    return files


def flip_bits(data: bytearray, rng: np.random.Generator) -> None:
    """Flip up to 16 bits anywhere."""
    for at in rng.integers(len(data), size=rng.integers(1, 17)):
        data[at] ^= 1 << int(rng.integers(8))


def change_header(data: bytearray, rng: np.random.Generator) -> None:
    """Replace some of the first 200 bytes."""
    for at in rng.integers(min(200, len(data)), size=rng.integers(1, 5)):
        data[at] = int(rng.integers(256))


def change_number(data: bytearray, rng: np.random.Generator) -> None:
    """Put an extreme number somewhere in the first 400 bytes."""
    width, order = rng.choice(["H", "I"]), rng.choice(["<", ">"])
    number = int(rng.choice(EXTREMES)) & (0xFFFF if width == "H" else 0xFFFFFFFF)
    packed = struct.pack(f"{order}{width}", number)
    at = int(rng.integers(max(1, min(400, len(data)) - len(packed))))
    data[at : at + len(packed)] = packed


def cut_end(data: bytearray, rng: np.random.Generator) -> None:
    """Cut the file off."""
    del data[int(rng.integers(len(data))) :]


def remove_part(data: bytearray, rng: np.random.Generator) -> None:
    """Take a part out."""
    at = int(rng.integers(len(data)))
    del data[at : at + int(rng.integers(1, 64))]


def double_part(data: bytearray, rng: np.random.Generator) -> None:
    """Put a part in twice."""
    at = int(rng.integers(len(data)))
    data[at:at] = data[at : at + int(rng.integers(1, 64))]


DAMAGES: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    *(flip_bits, change_header, change_number),
    *(cut_end, remove_part, double_part),
)


def damaged_picture(number: int, seed: int, files: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the name and bytes of picture `number` of the sequence `seed`."""
    rng = np.random.default_rng((seed, number))
    names = sorted(files)
    name = names[number % len(names)]
    data = bytearray(files[name])
    if rng.random() < 0.05:
        other = files[names[int(rng.integers(len(names)))]]
        data[int(rng.integers(len(data))) :] = other[int(rng.integers(len(other))) :]
    for _ in range(int(rng.integers(1, 4))):
        if data:
            DAMAGES[int(rng.integers(len(DAMAGES)))](data, rng)
    return name, bytes(data)


def try_picture(path: Path, predict: Callable[[Path], object] | None = None) -> str:
    """Return "frame", "sentence", or what was wrong with how a picture was loaded."""
    try:
        frame = load_picture(path)
        if predict is not None:
            predict(path)
    except (SourceError, StyleError) as error:
        text = str(error)
        return "sentence" if "\n" not in text and text.endswith(".") else f"no sentence: {text!r}"
    except Exception as error:  # noqa: BLE001 - that nothing else comes is what is tested
        return f"{type(error).__name__}: {error}"
    good = frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8 and frame.size
    return "frame" if good else f"no frame: {frame.dtype} {frame.shape}"


def work(seed: int, numbers: range, every: int, folder: Path) -> None:
    """Load pictures, one line of JSON on standard output for each; 0 predicts no style."""
    files = valid_pictures()
    predict = _predictor() if every else None
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_LIMIT,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)  # ends C code, too
    for number in numbers:
        name, data = damaged_picture(number, seed, files)
        path = folder / f"{number}-{name}"
        path.write_bytes(data)
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)
        signal.alarm(WALL_LIMIT_S)
        outcome = try_picture(path, predict if every and number % every == 0 else None)
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps([number, outcome]) + "\n")
        sys.stdout.flush()
        if outcome in ("frame", "sentence"):
            path.unlink()


def _predictor() -> Callable[[Path], object]:
    from nst_video.networks.models import load_model
    from nst_video.style_library.library import StyleLibrary
    from nst_video.weights import resolve

    predictor = load_model("builtin", resolve("builtin")).predictor
    library = StyleLibrary()
    predictor(np.zeros((64, 64, 3), np.uint8))
    return lambda path: library.bottleneck(library.get(path), predictor)


def run(count: int, seed: int, every: int, folder: Path) -> Iterator[Fault | str]:
    """Yield "frame", "sentence" or a fault for each picture; a dead worker is replaced."""
    start = 0
    while start < count:
        command = [sys.executable, __file__, "--worker", str(seed), str(start), str(count)]
        with subprocess.Popen(
            [*command, str(every), str(folder)], stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdout is not None
            for line in worker.stdout:
                number, outcome = json.loads(line)
                start = number + 1
                is_well = outcome in ("frame", "sentence")
                yield outcome if is_well else Fault(number, outcome)
        if start < count:
            yield Fault(start, f"the worker ended with {worker.returncode}")
            start += 1


def main() -> int:
    """Run the tool; 1 where there was a fault."""
    if sys.argv[1:2] == ["--worker"]:
        seed, start, stop, every = map(int, sys.argv[2:6])
        work(seed, range(start, stop), every, Path(sys.argv[6]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--styles", type=int, default=40, metavar="N", help="predict every Nth")
    parser.add_argument("--keep", type=Path, help="where pictures with faults stay")
    chosen = parser.parse_args()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in run(chosen.count, chosen.seed, chosen.styles, folder):
            if isinstance(outcome, Fault):
                sys.stdout.write(f"picture {outcome.number}: {outcome.what}\n")
            outcomes["fault" if isinstance(outcome, Fault) else outcome] += 1
    sys.stdout.write(f"{dict(outcomes)}\n")
    return int(outcomes["fault"] > 0)


if __name__ == "__main__":
    sys.exit(main())
