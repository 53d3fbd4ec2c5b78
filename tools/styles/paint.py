"""Paint the packaged style pictures.

Every picture in `styles` is painted by `painters`, from a fixed seed, so that it can
be repainted to the same bytes:

    python tools/styles/paint.py                 # all pictures
    python tools/styles/paint.py wave mosaic     # only these
    python tools/styles/paint.py --out DIR wave  # somewhere else

Needs numpy and OpenCV, nothing else; each picture takes a few seconds.
"""

import argparse
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from painters import (
    chalk,
    dots,
    facets,
    gesture,
    knife,
    layers,
    night,
    relief,
    tiles,
    ukiyo,
    wet,
    wires,
)
from painters.canvas import Image, Rng, finish

STYLES = Path(__file__).resolve().parents[2] / "styles"
QUALITY = 86
PAINTERS: dict[str, Callable[[Rng], Image]] = {
    "starfield": night.starfield,
    "wave": ukiyo.wave,
    "stained-glass": tiles.stained_glass,
    "dusk": gesture.dusk,
    "woodcut": relief.woodcut,
    "comic": dots.comic,
    "watercolor": wet.watercolor,
    "deco": facets.deco,
    "neon": wires.neon,
    "autumn": knife.autumn,
    "mosaic": tiles.mosaic,
    "ink-wash": wet.ink_wash,
    "marbled": wet.marbled,
    "garden": relief.garden,
    "lavender": chalk.lavender,
    "cubist": facets.cubist,
    "gilded": gesture.gilded,
    "reef": layers.reef,
    "pointillism": dots.pointillism,
    "charcoal": chalk.charcoal,
    "kilim": layers.kilim,
    "drip": gesture.drip,
    "contour": layers.contour,
}


def paint(name: str, folder: Path) -> Path:
    """Paint one picture and save it as `folder`/`name`.jpg."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    picture = finish(PAINTERS[name](rng))
    target = folder / f"{name}.jpg"
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise OSError(f"OpenCV could not encode {target}")
    target.write_bytes(data.tobytes())
    return target


def main() -> None:
    """Paint the pictures named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description="Paint the packaged style pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PAINTERS))
    parser.add_argument("--out", type=Path, default=STYLES, help="folder to write to")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(PAINTERS))
    if unknown:
        parser.error(f"no painter of {', '.join(unknown)}; known: {', '.join(PAINTERS)}")
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or PAINTERS:
        started = time.perf_counter()
        size = paint(name, arguments.out).stat().st_size
        sys.stdout.write(f"{name:16} {size:8,} bytes {time.perf_counter() - started:5.1f} s\n")


if __name__ == "__main__":
    main()
