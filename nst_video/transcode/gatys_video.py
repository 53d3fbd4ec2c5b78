"""Paints a video file by optimization; an interrupted run is resumed."""

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
from nst_video.transcode.pipeline import transcode
from nst_video.transcode.progress import OnProgress
from nst_video.transcode.result import TranscodeResult
from nst_video.video.media.codec_options import DecodeOptions, TranscodeOptions

HEAD_BYTES = 1 << 20
"""Bytes of a source that identify it, together with its size and modification time."""

PROBE_SIZE = (96, 64)
"""(width, height) of the picture whose painting identifies a fast painter."""


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
    """Paint keyframes of a video by optimization, and the frames between them along the flow.

    Audio, subtitles and metadata are copied as by `transcode`. Finished keyframes are stored in a
    folder beside the target until the video is complete. The same call resumes an interrupted run,
    and gives the same file as an uninterrupted one.

    Args:
        source: a video file, or "demo:".
        target: the file to write.
        optimizer: paints the keyframes.
        fill: paints areas that no keyframe shows, RGB uint8 (h, w, 3) to the same; stateless and
            deterministic, such as a `Stylizer` at intensity 1 and steadiness 0.
        settings: see `VideoSettings`.
        options: what to read and how to write it.
        store: of the keyframes; by default `find_store` of the same arguments.
        on_keyframe: called after every step of every keyframe.
        on_progress: called after every frame.
        overwrite: an existing target is replaced once the new one is complete.

    Raises:
        NstVideoError: as `transcode`, or keyframes cannot be stored.
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
    """Return the store for the keyframes of this source, with these styles and settings.

    Raises:
        SourceError: there is no such source.
    """
    decoding = {each.name: getattr(options, each.name) for each in fields(DecodeOptions)}
    inputs = {
        "source": _identity(source),
        "decoding": decoding,
        "settings": asdict(optimizer.settings),
        "video": asdict(settings),
        "network": optimizer.network.key,
        "styles": [
            {"picture": _digest(each.picture), "weight": each.weight, "mask": _digest(each.mask)}
            for each in optimizer.styles
        ],
        "fill": _digest(fill(synthetic.draw(PROBE_SIZE, 0.5)) if fill else None),
        "version": __version__,
    }
    return KeyframeStore(Path(target), inputs)


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
