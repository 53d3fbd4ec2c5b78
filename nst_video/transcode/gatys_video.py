"""A film painted by optimization, from file to file, resumed where it was interrupted."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst_video import __version__
from nst_video.errors import SourceError
from nst_video.frames import Frame
from nst_video.image import synthetic
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.keyframe_store import KeyframeStore
from nst_video.optimization.progress import OnKeyframe
from nst_video.optimization.video import VideoPainter
from nst_video.optimization.video_settings import VideoSettings
from nst_video.transcode.pipeline import TranscodeResult, transcode
from nst_video.transcode.progress import OnProgress
from nst_video.video.media.codec_options import DecodeOptions, TranscodeOptions

HEAD_BYTES = 1 << 20
"""How much of a source is read to recognize it, besides its size and time."""

PROBE_SIZE = (96, 64)
"""(width, height) of the picture by whose painting a fast painter is recognized."""


def optimize_video(
    source: Path | str,
    target: Path | str,
    optimizer: GatysOptimizer,
    *,
    fill: Callable[[Frame], Frame] | None = None,
    settings: VideoSettings | None = None,
    options: TranscodeOptions | None = None,
    store: KeyframeStore | None = None,
    on_keyframe: OnKeyframe | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint keyframes of a film by optimization, and the frames between them along the flow.

    Everything else in the file is carried over as by `transcode`. Finished keyframes are kept in a
    folder beside the target until the film is whole: the same call goes on with them, and gives the
    file that it would have given without a break.

    Args:
        source: a video file, or "demo:".
        target: the file to write.
        optimizer: paints the keyframes.
        fill: paints, without memory of earlier frames, what no keyframe shows, and the same for the
            same frame; such as a `Stylizer` at intensity 1.
        settings: see `VideoSettings`.
        options: what to read and how to write it.
        store: where keyframes are kept, by default `find_store` of the same arguments.
        on_keyframe: called after every step of every keyframe.
        on_progress: called after every frame.
        overwrite: an existing target is replaced once the new one is complete.

    Raises:
        NstVideoError: as `transcode`, and where keyframes cannot be kept.
    """
    settings, options = settings or VideoSettings(), options or TranscodeOptions()
    store = store or find_store(source, target, optimizer, fill, settings, options)
    painter = VideoPainter(optimizer, settings, fill=fill, store=store, on_keyframe=on_keyframe)
    result = transcode(
        source, target, painter, options=options, on_progress=on_progress, overwrite=overwrite
    )
    store.discard()
    return result


def find_store(
    source: Path | str,
    target: Path | str,
    optimizer: GatysOptimizer,
    fill: Callable[[Frame], Frame] | None,
    settings: VideoSettings,
    options: DecodeOptions,
) -> KeyframeStore:
    """Return where the keyframes of this very film, painted in this very way, are kept.

    Raises:
        SourceError: there is no such source.
    """
    decoding = {each.name: getattr(options, each.name) for each in fields(DecodeOptions)}
    facts = {
        "source": _identity(source),
        "decoding": decoding,
        "settings": asdict(optimizer.settings),
        "film": asdict(settings),
        "network": optimizer.network.key,
        "styles": [
            {"picture": _digest(each.picture), "weight": each.weight, "mask": _digest(each.mask)}
            for each in optimizer.styles
        ],
        "fill": _digest(fill(synthetic.draw(PROBE_SIZE, 0.5)) if fill else None),
        "version": __version__,
    }
    return KeyframeStore(Path(target), facts)


def _identity(source: Path | str) -> dict[str, Any]:
    path = Path(source)
    if not path.exists():
        return {"name": str(source)}
    try:
        state = path.stat()
        with path.open("rb") as file:
            head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    except OSError as error:
        raise SourceError(f"Cannot read {path}: {error.strerror}.") from error
    return {"bytes": state.st_size, "changed_ns": state.st_mtime_ns, "head": head}


def _digest(array: NDArray[Any] | None) -> str | None:
    if array is None:
        return None
    data = np.ascontiguousarray(array)
    return hashlib.sha256(f"{data.dtype} {data.shape} ".encode() + data.tobytes()).hexdigest()
