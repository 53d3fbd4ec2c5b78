"""Video file to video file: decode, paint and encode at the same time, copy everything else.

`pipeline` is the way of a frame, `painters` what can paint it, `pixel_format` in which format it
travels, `batches` how frames are grouped.
"""

from nst_video.transcode.demo_clip import write_demo_clip
from nst_video.transcode.painters import IdentityPainter, Painter, StreamPainter
from nst_video.transcode.pipeline import transcode
from nst_video.transcode.progress import Progress
from nst_video.transcode.result import ResumeOptions, TranscodeResult
from nst_video.video.media.codec_options import DecodeOptions, EncodeOptions, TranscodeOptions

__all__ = [
    "DecodeOptions",
    "EncodeOptions",
    "IdentityPainter",
    "Painter",
    "Progress",
    "ResumeOptions",
    "StreamPainter",
    "TranscodeOptions",
    "TranscodeResult",
    "transcode",
    "write_demo_clip",
]
