"""File to file: decode, paint and encode at the same time, and carry everything else over."""

from nst_video.transcode.demo_clip import write_demo_clip
from nst_video.transcode.pipeline import Identity, TranscodeResult, transcode
from nst_video.transcode.pixel_format import Painter, StreamPainter
from nst_video.transcode.progress import Progress
from nst_video.video.media.codec_options import DecodeOptions, EncodeOptions, TranscodeOptions

__all__ = [
    "DecodeOptions",
    "EncodeOptions",
    "Identity",
    "Painter",
    "Progress",
    "StreamPainter",
    "TranscodeOptions",
    "TranscodeResult",
    "transcode",
    "write_demo_clip",
]
