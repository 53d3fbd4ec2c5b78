"""Masks as files: a film with transparency or of the masks alone, for editing programs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nst_video.frames import Frame, VideoInfo
from nst_video.system.paths import write_atomically

Mask = Callable[[Frame], NDArray[np.uint8]]
"""A frame (height, width, 3) to its mask (height, width), uint8."""


@dataclass(frozen=True, slots=True)
class MaskFormat:
    """How a film of masks is encoded.

    Attributes:
        container: libavformat's name.
        codec: libavcodec's name.
        pixels: libavutil's name of the pixel format.
        options: of the codec.
        has_alpha: the film has the colors of the input, and the mask as transparency.
    """

    container: str
    codec: str
    pixels: str
    options: Mapping[str, str]
    has_alpha: bool


_GRAY = {"crf": "12", "preset": "medium"}

FORMATS: Mapping[str, MaskFormat] = MappingProxyType(
    {
        ".webm": MaskFormat(
            "webm", "libvpx-vp9", "yuva420p", {"crf": "18", "b": "0", "row-mt": "1"}, True
        ),
        ".mov": MaskFormat("mov", "prores_ks", "yuva444p10le", {"profile": "4444"}, True),
        ".mp4": MaskFormat("mp4", "libx264", "yuv420p", _GRAY, False),
        ".mkv": MaskFormat("matroska", "libx264", "yuv420p", _GRAY, False),
    }
)
"""By suffix: VP9 and ProRes 4444 with transparency, H.264 with the mask alone."""


def mask_picture(frame: Frame, mask: NDArray[np.uint8], *, has_alpha: bool) -> NDArray[np.uint8]:
    """Return a frame with its mask as transparency (height, width, 4), or the mask as gray."""
    if has_alpha:
        return np.dstack([frame, mask])
    return np.repeat(mask[..., None], 3, axis=2)


def write_mask_film(
    frames: Iterable[Frame],
    info: VideoInfo,
    target: Path,
    mask: Mask,
    *,
    overwrite: bool = False,
    on_frame: Callable[[], None] = lambda: None,
) -> Path:
    """Write the masks of a film; sound is left out.

    Args:
        frames: RGB uint8 (height, width, 3).
        info: their size and rate.
        target: its suffix is one of `FORMATS`.
        mask: finds the mask of the next frame.
        overwrite: replace an existing file, rather than use a free name beside it.
        on_frame: called after each frame.

    Returns:
        The path of the film.
    """
    form = FORMATS[target.suffix.lower()]

    def write(file: BinaryIO) -> None:
        import av

        with av.open(file, "w", format=form.container) as film:
            stream: Any = film.add_stream(form.codec, rate=info.fps, options=dict(form.options))
            # 4:2:0 needs even sides; the last row or column is left out.
            stream.width, stream.height = (side - side % 2 for side in info.size)
            stream.pix_fmt = form.pixels
            layout = "rgba" if form.has_alpha else "rgb24"
            for frame in frames:
                picture = mask_picture(frame, mask(frame), has_alpha=form.has_alpha)
                cut = np.ascontiguousarray(picture[: stream.height, : stream.width])
                film.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format=layout)))
                on_frame()
            film.mux(stream.encode(None))

    return write_atomically(target, write, overwrite=overwrite)
