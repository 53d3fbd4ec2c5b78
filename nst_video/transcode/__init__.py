"""File to file: decode, paint and encode at the same time, and carry everything else over."""

from nst_video.media.options import DecodeOptions, EncodeOptions, TranscodeOptions
from nst_video.transcode.demo import write_demo_clip
from nst_video.transcode.lanes import FilmPainter, Painter, PlanesPainter, StartingPainter
from nst_video.transcode.loop import Identity, TranscodeResult, transcode
from nst_video.transcode.progress import Progress

__all__ = [
    "DecodeOptions",
    "EncodeOptions",
    "FilmPainter",
    "Identity",
    "Painter",
    "PlanesPainter",
    "Progress",
    "StartingPainter",
    "TranscodeOptions",
    "TranscodeResult",
    "transcode",
    "write_demo_clip",
]
