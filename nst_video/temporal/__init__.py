"""Steady films: painted strokes that move with the picture instead of flickering."""

from nst_video.temporal.canvas import Canvas, MixRates
from nst_video.temporal.motion import Motion, MotionEstimator
from nst_video.temporal.steadiness import Steadiness, Step, compile_loops, mix_rates

__all__ = [
    "Canvas",
    "MixRates",
    "Motion",
    "MotionEstimator",
    "Steadiness",
    "Step",
    "compile_loops",
    "mix_rates",
]
