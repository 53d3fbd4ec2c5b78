"""Fuzzes the reading of pictures: each must give a frame, or an error of one sentence.

    python tools/fuzz_pictures.py --count 2000 --seed 0

Small pictures of every format are damaged, reproducibly for a seed: bits, bytes, numbers in
headers, blocks removed or repeated, ends cut off, two files joined. Worker processes load them with
limits on time and memory, and predict the style of every Nth (--styles). The death of a worker, and
every exception that is not an `NstVideoError`, is a failure. 2000 pictures take about a minute. The
exit status is 1 if there were failures; --keep keeps their inputs. POSIX only: it sets limits.
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
from forked_process import is_sentence
from PIL import Image, ImageCms

from nst_video.errors import SourceError, StyleError
from nst_video.image.files import load_picture

HEIC = Path(__file__).resolve().parent.parent / "tests" / "pictures" / "turned.heic"

CPU_LIMIT_S = 30
WALL_LIMIT_S = 300
MEMORY_LIMIT = 2 << 30
"""Address space, in bytes, that a picture may use beyond what the worker has."""

EXTREMES = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
SIZE = (24, 17)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure: the number of the picture and what happened."""

    number: int
    what: str


def valid_pictures() -> dict[str, bytes]:
    """Return small valid files by name: every format, with its modes, metadata and frames."""
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
    """Remove the end of the file."""
    del data[int(rng.integers(len(data))) :]


def remove_part(data: bytearray, rng: np.random.Generator) -> None:
    """Remove a block."""
    at = int(rng.integers(len(data)))
    del data[at : at + int(rng.integers(1, 64))]


def double_part(data: bytearray, rng: np.random.Generator) -> None:
    """Repeat a block."""
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
    """Load a picture; return "frame", "sentence", or the failure in words."""
    try:
        frame = load_picture(path)
        if predict is not None:
            predict(path)
    except (SourceError, StyleError) as error:
        text = str(error)
        return "sentence" if is_sentence(text) else f"no sentence: {text!r}"
    except Exception as error:  # noqa: BLE001 - any other exception is a failure to report
        return f"{type(error).__name__}: {error}"
    good = frame.ndim == 3 and frame.shape[2] == 3 and frame.dtype == np.uint8 and frame.size
    return "frame" if good else f"no frame: {frame.dtype} {frame.shape}"


def work(seed: int, numbers: range, every: int, folder: Path) -> None:
    """Load pictures; print a line of JSON for each.

    Args:
        seed: of the damage.
        numbers: of the pictures.
        every: predict the style of every Nth; 0 for none.
        folder: for the pictures; those that do not fail are deleted.
    """
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


def run(count: int, seed: int, every: int, folder: Path) -> Iterator[Failure | str]:
    """Yield "frame", "sentence" or a failure for each picture; a dead worker is replaced."""
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
                is_expected = outcome in ("frame", "sentence")
                yield outcome if is_expected else Failure(number, outcome)
        if start < count:
            yield Failure(start, f"the worker ended with {worker.returncode}")
            start += 1


def main() -> int:
    """Run the tool; return 1 if there were failures."""
    if sys.argv[1:2] == ["--worker"]:
        seed, start, stop, every = map(int, sys.argv[2:6])
        work(seed, range(start, stop), every, Path(sys.argv[6]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--styles", type=int, default=40, metavar="N", help="predict every Nth")
    parser.add_argument("--keep", type=Path, help="folder for inputs that fail")
    chosen = parser.parse_args()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in run(chosen.count, chosen.seed, chosen.styles, folder):
            if isinstance(outcome, Failure):
                sys.stdout.write(f"picture {outcome.number}: {outcome.what}\n")
            outcomes["failure" if isinstance(outcome, Failure) else outcome] += 1
    sys.stdout.write(f"{dict(outcomes)}\n")
    return int(outcomes["failure"] > 0)


if __name__ == "__main__":
    sys.exit(main())
