"""HEIC images, decoded in a separate process.

About one in a thousand damaged files crashes the decoder, which ends the process.
"""

import io
import subprocess
import sys
from pathlib import Path

_TIME_LIMIT_S = 120.0


def heic_to_tiff(path: Path, max_pixels: int) -> bytes:
    """Return an uncompressed TIFF file, upright, of the same pixels and color profile.

    Args:
        path: the HEIC file.
        max_pixels: larger images are refused.

    Raises:
        ValueError: it is damaged or too large.
    """
    command = [sys.executable, "-P", __file__, str(path), str(max_pixels)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"its decoder took longer than {_TIME_LIMIT_S:.0f} s") from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "its decoder crashed"
        raise ValueError(reason.removeprefix("ValueError: "))
    return done.stdout


def _decode(path: str, max_pixels: int) -> bytes:
    """Decode in this process."""
    # Imported only here, so that the parent process never loads it.
    import pi_heif

    options = pi_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    picture = pi_heif.open_heif(path)
    width, height = picture.size
    if width * height > max_pixels:
        raise ValueError(f"{width}x{height} pixels, more than {max_pixels}")
    data = io.BytesIO()
    profile = picture.info.get("icc_profile")
    picture.to_pillow().save(data, "TIFF", icc_profile=profile, exif=b"")
    return data.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(_decode(sys.argv[1], int(sys.argv[2])))
