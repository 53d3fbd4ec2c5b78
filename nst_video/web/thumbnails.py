"""Thumbnails of styles: the style applied to a scene of our own, kept in the cache."""

import hashlib
from contextlib import suppress
from dataclasses import replace

import numpy as np

from nst_video.image.resize import shrink
from nst_video.image.synthetic import draw
from nst_video.style_library.library import Style
from nst_video.system import paths
from nst_video.web.camera_session import encode_jpeg
from nst_video.web.look import Look
from nst_video.web.shared_engine import SharedEngine

SIZE = (320, 200)
"""Size of thumbnails, (width, height): two in a row on a phone with three pixels per point."""

_PAINTED = (640, 400)
"""Size at which they are painted, so that a face of the scene keeps several strokes."""

_PHASE, _QUALITY = 0.15, 82


def version(engine: SharedEngine, style: Style) -> str:
    """Return a text that changes when the thumbnail does: picture, refinement or model."""
    parts = [style.digest, engine.transformer_key]
    refined = engine.catalog.library.refined(style, engine.transformer_key)
    if refined is not None:
        parts.append(hashlib.sha256(np.ascontiguousarray(refined).data).hexdigest())
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]


def thumbnail(engine: SharedEngine, style: Style) -> bytes:
    """Return the thumbnail of a style as JPEG, from the cache or painted now.

    Raises:
        NstVideoError: it cannot be painted.
    """
    path = paths.cache_dir() / "thumbnails" / f"{version(engine, style)}.jpg"
    with suppress(OSError):
        return path.read_bytes()
    look = replace(Look(), styles=((style.name, 1.0),), steady=0.0)
    painted = engine.stylizer(look)(draw(_PAINTED, _PHASE))
    data = encode_jpeg(shrink(painted, SIZE), _QUALITY)
    with suppress(OSError):  # it is painted again then
        paths.write_atomically(path, lambda file: file.write(data))
    return data
