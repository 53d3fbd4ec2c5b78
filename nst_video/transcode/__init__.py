"""Video file to video file: decode, paint and encode at the same time, copy everything else.

Begin with `pipeline.transcode`. It opens the source and paints it at once, or in chunks that
survive an interruption (`chunked`). Both run `stages`: decoding, painting and encoding at the same
time. `pixel_format` says in which format frames travel, `batches` how they are grouped, `painters`
what can paint them.
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
