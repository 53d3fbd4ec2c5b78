"""The transparency of films: VP8 and VP9 with an alpha channel, ProRes 4444, and what else has one.

FFmpeg's own decoders of VP8 and VP9 leave it out; those of libvpx read it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LIBVPX = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that read alpha, by libavcodec's name of the others."""


def alpha_decoder(path: Path) -> str | None:
    """Return the name of the decoder that reads a film's transparency; None where it has none."""
    import av

    try:
        with av.open(str(path)) as film:
            stream = next(iter(film.streams.video), None)
            if stream is None:
                return None
            context: Any = stream.codec_context
            if stream.metadata.get("alpha_mode") == "1":
                return _LIBVPX.get(context.name)
            layout = context.format
            has_alpha = layout is not None and any(each.is_alpha for each in layout.components)
            return str(context.name) if has_alpha else None
    except (av.FFmpegError, OSError):
        return None


def opacities(path: Path, decoder: str) -> Iterator[NDArray[np.uint8]]:
    """Yield the opacity of each frame of a film, uint8 (height, width): 255 is opaque.

    Args:
        path: of the film.
        decoder: of `alpha_decoder`.
    """
    import av

    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        context: Any = av.CodecContext.create(decoder, "r")
        context.extradata = stream.codec_context.extradata
        for packet in film.demux(stream):
            for frame in context.decode(packet):
                yield np.ascontiguousarray(frame.to_ndarray(format="rgba")[..., 3])
