"""Paint pictures, videos and webcams in the style of any picture.

    from nst_video import Stylizer, run_live, stylize_image, stylize_video

    stylize_image("photo.jpg", "wave").save("painted.png")
    stylize_video("holiday.mp4", "wave", "painted.mp4")
    run_live(0, "wave")

    stylizer = Stylizer("wave", intensity=0.8)
    painted = [stylizer(frame) for frame in frames]  # RGB uint8, (height, width, 3)

Everything in `__all__` is loaded when it is first used: importing the package takes milliseconds
and loads neither NumPy nor any network. What is not in `__all__` may change in any version.
"""

import importlib
import os
from typing import TYPE_CHECKING

from nst_video.errors import (
    DownloadError,
    EngineError,
    HashMismatchError,
    MissingExtraError,
    ModelMissingError,
    NstVideoError,
    OutOfMemoryError,
    SinkError,
    SourceError,
    StyleError,
    UsageError,
    WeightsError,
)
from nst_video.system.opencv_xcb import load_opencv_xcb

if TYPE_CHECKING:
    from nst_video.api import (
        paint_image,
        paint_video,
        refine_style,
        stylize_image,
        stylize_video,
        stylize_videos,
    )
    from nst_video.live import LiveOptions, LiveResult, run_live
    from nst_video.optimization.refine_settings import RefineSettings
    from nst_video.optimization.refine_state import RefineResult, RefineStep
    from nst_video.optimization.settings import PaintSettings
    from nst_video.optimization.video_settings import VideoSettings
    from nst_video.scoring import ScoreReport, SourceScore, VideoScore, score
    from nst_video.settings import ModelOptions, Regions, StylizeSettings
    from nst_video.style_library.folder import Style
    from nst_video.style_library.library import StyleLibrary
    from nst_video.stylizer import Stylizer
    from nst_video.transcode import Progress, TranscodeResult
    from nst_video.video.media.codec_options import TranscodeOptions
    from nst_video.worker_options import WorkerOptions

__version__ = "0.1.0"

__all__ = [
    "DownloadError",
    "EngineError",
    "HashMismatchError",
    "LiveOptions",
    "LiveResult",
    "MissingExtraError",
    "ModelMissingError",
    "ModelOptions",
    "NstVideoError",
    "OutOfMemoryError",
    "PaintSettings",
    "Progress",
    "RefineResult",
    "RefineSettings",
    "RefineStep",
    "Regions",
    "ScoreReport",
    "SinkError",
    "SourceError",
    "SourceScore",
    "Style",
    "StyleError",
    "StyleLibrary",
    "StylizeSettings",
    "Stylizer",
    "TranscodeOptions",
    "TranscodeResult",
    "UsageError",
    "VideoScore",
    "VideoSettings",
    "WeightsError",
    "WorkerOptions",
    "__version__",
    "paint_image",
    "paint_video",
    "refine_style",
    "run_live",
    "score",
    "stylize_image",
    "stylize_video",
    "stylize_videos",
]

_MODULES = {
    "LiveOptions": "live",
    "LiveResult": "live",
    "ModelOptions": "settings",
    "PaintSettings": "optimization.settings",
    "Progress": "transcode",
    "RefineResult": "optimization.refine_state",
    "RefineSettings": "optimization.refine_settings",
    "RefineStep": "optimization.refine_state",
    "Regions": "settings",
    "ScoreReport": "scoring",
    "SourceScore": "scoring",
    "Style": "style_library.folder",
    "StyleLibrary": "style_library.library",
    "StylizeSettings": "settings",
    "Stylizer": "stylizer",
    "TranscodeOptions": "video.media.codec_options",
    "TranscodeResult": "transcode",
    "VideoScore": "scoring",
    "VideoSettings": "optimization.video_settings",
    "WorkerOptions": "worker_options",
    "paint_image": "api",
    "paint_video": "api",
    "refine_style": "api",
    "run_live": "live",
    "score": "scoring",
    "stylize_image": "api",
    "stylize_video": "api",
    "stylize_videos": "api",
}
"""Where each name that is loaded late is defined."""

# Keras reads this when it is imported, before the user's keras.json, which may name a backend that
# is not installed. TensorFlow always is.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

load_opencv_xcb()

if not TYPE_CHECKING:  # a type checker would accept any name otherwise

    def __getattr__(name: str) -> object:
        """Load a name of `__all__` from its module when it is first used (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
