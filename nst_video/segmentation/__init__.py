"""Masks of people: networks that find them, edges that follow the picture, and masks from files.

A new segmenter is one class and one line in `SEGMENTERS`.
"""

from nst_video.segmentation.mask_files import FileMasks
from nst_video.segmentation.people import PersonMasks, StillPersonMasks
from nst_video.segmentation.segmenters import (
    SEGMENTERS,
    BuiltinSegmenter,
    Segmenter,
    SelfieSegmenter,
    choose_segmenter,
    open_segmenter,
)

__all__ = [
    "SEGMENTERS",
    "BuiltinSegmenter",
    "FileMasks",
    "PersonMasks",
    "Segmenter",
    "SelfieSegmenter",
    "StillPersonMasks",
    "choose_segmenter",
    "open_segmenter",
]
