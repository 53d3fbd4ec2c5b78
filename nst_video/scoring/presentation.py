"""Scores as JSON and as a plot over time."""

import json
from dataclasses import asdict

from nst_video.frames import Frame
from nst_video.image.plots import Panel, plot_over_time
from nst_video.scoring.report import ScoreReport, SourceScore, VideoScore


def as_json(report: ScoreReport) -> str:
    """Return a report as a JSON object; names are those of the attributes of `ScoreReport`."""
    values = asdict(report) | {"fps": float(report.fps)}
    return json.dumps(values, indent=1)


def plot(report: ScoreReport) -> Frame:
    """Draw warp errors and sharpness over time, cuts as dashed lines; RGB uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    videos: dict[str, SourceScore | VideoScore] = {
        f"{report.source.name} (source)": report.source,
        **{video.name: video for video in report.videos},
    }
    panels = [
        Panel(
            f"Warp error at {distance} frame{'s' * (distance > 1)}",
            {name: video.warp_error_over_time[distance] for name, video in videos.items()},
        )
        for distance in report.source.warp_error
        if report.source.warp_error[distance] is not None
    ]
    panels.append(
        Panel("Sharpness", {name: video.sharpness_over_time for name, video in videos.items()})
    )
    return plot_over_time(panels, x="Time in seconds", marks=report.cuts_s)
