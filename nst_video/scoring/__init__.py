"""Scores painted videos: how steady and sharp they are, and how true to style and content."""

from nst_video.scoring.report import ScoreReport, SourceScore, VideoScore
from nst_video.scoring.videos import score

__all__ = ["ScoreReport", "SourceScore", "VideoScore", "score"]
