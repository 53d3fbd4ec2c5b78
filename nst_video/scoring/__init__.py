"""Scores painted videos: how steady and sharp they are, and how true to style and content."""

from nst_video.scoring.films import score
from nst_video.scoring.report import FilmScore, ScoreReport, SourceScore

__all__ = ["FilmScore", "ScoreReport", "SourceScore", "score"]
