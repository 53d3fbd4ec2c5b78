"""Steady films: painted strokes that move with the picture instead of flickering."""

from nst_video.temporal.steadiness import Steadiness, Step

__all__ = ["Steadiness", "Step"]
