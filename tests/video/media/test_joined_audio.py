"""Audio and video stay in sync where timestamps jump: flashes and clicks coincide."""

from pathlib import Path

import av
import numpy as np
import pytest
from clips import ffmpeg

from nst_video.transcode import IdentityPainter, transcode
from nst_video.video.media.codec_options import TranscodeOptions

RATE = 48_000


def flash_and_click(path: Path, at_s: float, *extra: str, seconds: float = 2) -> Path:
    """Write a video that is black and silent but for a tenth of a second."""
    on = f"between(t,{at_s},{at_s + 0.099})"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=64x48:r=25:d={seconds}"),
        *("-f", "lavfi", "-i", f"aevalsrc='{on}*sin(6000*t)':s={RATE}:d={seconds}"),
        *("-vf", f"drawbox=c=white:t=fill:enable='{on}'", "-pix_fmt", "yuv420p"),
        *("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3", "-c:a", "mp2", *extra, path),
    )
    return path


def flashes(path: Path) -> list[float]:
    """Return when white pictures begin."""
    with av.open(str(path)) as container:
        seen = [
            (float(f.time), f.to_ndarray(format="gray").mean() > 128)
            for f in container.decode(video=0)
        ]
    return [
        t for (t, on), (_, before) in zip(seen[1:], seen[:-1], strict=True) if on and not before
    ]


def clicks(path: Path) -> list[float]:
    """Return when sound begins after silence."""
    times, loud = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).reshape(-1, frame.samples)[0]
            scale = 32768 if frame.format.name.startswith("s16") else 1
            times.append(float(frame.time) + np.arange(frame.samples) / frame.sample_rate)
            loud.append(samples / scale > 0.1)
    where = np.concatenate(times)[np.concatenate(loud)]
    return [float(t) for t in where[np.diff(where, prepend=-1) > 0.2]]


@pytest.mark.parametrize("start_s", [0.0, 2.4])
@pytest.mark.parametrize("target", ["out.mp4", "out.webm"])
@pytest.mark.parametrize("begins", [(50, 0, 7000), (95441, 500, 95441)])
def test_flash_and_click_coincide(
    tmp_path: Path, begins: tuple[int, ...], target: str, start_s: float
):
    parts = [
        flash_and_click(tmp_path / f"{i}.ts", 0.6 + 0.2 * i, "-output_ts_offset", str(begin))
        for i, begin in enumerate(begins)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    made = tmp_path / target
    transcode(joined, made, IdentityPainter(), options=TranscodeOptions(start_s=start_s))
    seen, heard = flashes(made), clicks(made)
    expected = [t - start_s for t in (0.6, 2.8, 5.0) if t > start_s]
    assert len(seen) == len(heard) == len(expected)
    assert np.abs(np.subtract(seen, expected)).max() < 0.15
    assert np.abs(np.subtract(seen, heard)).max() < 0.06
