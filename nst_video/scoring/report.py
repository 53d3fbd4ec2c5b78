"""The result of scoring painted videos, and the score that ranks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from nst_video.frames import Size
from nst_video.scoring.measurement import Measurements, Series, VideoSeries, mean_or_none

HALF_STEADY = 10.0
"""Warp error, above the source's, of a video that is half steady: 8 of 255 levels, which is seen as
flicker at once. Painted frame by frame, videos have 40 to 150."""

STYLE_FLOOR = 0.1
"""Added to distances of Gram matrices before they are compared: among videos so close to a style,
twice the distance is not seen. Packaged styles are painted at 0.2 to 0.3."""

MUCH_SHARPER = 1.25
"""Sharpness relative to the first video from which there is a note."""

SHARPNESS_FLOOR = 0.1
"""Added to sharpness before it is compared, so that flat videos, which have none, keep all of it.
Painted videos have 200 to 2000; a video blurred beyond recognition has 5."""

Errors: TypeAlias = Mapping[int, float | None]
"""Warp errors by distance in frames; None where no two frames could be compared."""


@dataclass(frozen=True, slots=True)
class SourceScore:
    """The measures of the source, which those of a painted video are compared with.

    Attributes:
        name: of the file.
        warp_error: by distance in frames, in units of 1e-4 of squared 0..1 values.
        sharpness: mean variance of the Laplacian, in squared levels of 0..255.
        visible: mean share of the picture, 0..1, that could be compared, by distance.
        warp_error_over_time: (seconds, error) of each pair of frames, by distance.
        sharpness_over_time: (seconds, sharpness) of each frame.
    """

    name: str
    warp_error: Errors
    sharpness: float
    visible: Errors
    warp_error_over_time: Mapping[int, Series]
    sharpness_over_time: Series


@dataclass(frozen=True, slots=True)
class VideoScore:
    """The measures of a painted video.

    Attributes:
        name: of the file.
        score: 0..100, the product of `steadiness` and of the shares of sharpness and style that the
            video keeps, see `score_of`; comparable among the videos of one report.
        rank: 1 for the highest score.
        steadiness: 0..1: 1 for a video as steady as its source.
        warp_error: by distance in frames, in units of 1e-4 of squared 0..1 values.
        sharpness: mean variance of the Laplacian, in squared levels of 0..255.
        sharpness_ratio: relative to the first painted video.
        style_distance: of Gram matrices, relative and squared; None without a style.
        content_distance: of deep features to the source's, relative and squared; None where it was
            not measured.
        warp_error_over_time: (seconds, error) of each pair of frames, by distance.
        sharpness_over_time: (seconds, sharpness) of each frame.
    """

    name: str
    score: float
    rank: int
    steadiness: float
    warp_error: Errors
    sharpness: float
    sharpness_ratio: float
    style_distance: float | None
    content_distance: float | None
    warp_error_over_time: Mapping[int, Series]
    sharpness_over_time: Series


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """What `nst_video.score` returns.

    Attributes:
        source: the measures of the source.
        videos: those of the painted videos, in the order in which they were given.
        frames: number of frames that were scored.
        fps: frames per second.
        size: (width, height) at which all videos were compared.
        style: name of the style, None where none was given.
        loss_network: name of the network that measured the distances to style and content.
        cuts_s: times of scene cuts, in seconds; no two frames across a cut were compared.
        notes: sentences for the user.
    """

    source: SourceScore
    videos: tuple[VideoScore, ...]
    frames: int
    fps: Fraction
    size: Size
    style: str | None
    loss_network: str
    cuts_s: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def ranking(self) -> tuple[VideoScore, ...]:
        """The painted videos, the best first."""
        return tuple(sorted(self.videos, key=lambda video: video.rank))


def steadiness_of(errors: Errors, source: Errors) -> float:
    """Return how steady a video is, 0..1.

    1 / (1 + e / `HALF_STEADY`), e being what its warp error exceeds that of the source by; the mean
    over the distances that could be measured.
    """
    shares = [
        1 / (1 + max(0.0, error - own) / HALF_STEADY)
        for error, own in ((errors[distance], source[distance]) for distance in errors)
        if error is not None and own is not None
    ]
    return sum(shares) / len(shares) if shares else 0.0


def score_of(steadiness: float, sharpness_ratio: float, style_ratio: float) -> float:
    """Return the score of a video, 0..100.

    Blurring and averaging make a video steadier, too, but take its strokes. So steadiness is
    multiplied by what the video keeps of the first one's sharpness and style. More than the first
    one has does not count: sharpness can be raised at will by a filter.

    Args:
        steadiness: 0..1.
        sharpness_ratio: sharpness relative to the first painted video.
        style_ratio: distance of the first video to the style relative to this one's, each plus
            `STYLE_FLOOR`; 1 without a style.
    """
    return 100 * steadiness * min(1.0, sharpness_ratio) * min(1.0, style_ratio)


def score_videos(measured: Measurements, names: Sequence[str]) -> tuple[VideoScore, ...]:
    """Return the scores of painted videos, in their order.

    Args:
        measured: the measures of the source and the painted videos.
        names: of the painted videos.
    """
    unranked = [
        _video_score(name, video, measured.painted[0], measured.source.mean_warp_errors)
        for name, video in zip(names, measured.painted, strict=True)
    ]
    return tuple(
        replace(video, rank=1 + sum(other.score > video.score for other in unranked))
        for video in unranked
    )


def _video_score(name: str, video: VideoSeries, first: VideoSeries, source: Errors) -> VideoScore:
    """Return the score of a video; its rank is not known yet."""
    errors = video.mean_warp_errors
    steadiness = steadiness_of(errors, source)
    sharpness_ratio = (video.mean_sharpness + SHARPNESS_FLOOR) / (
        first.mean_sharpness + SHARPNESS_FLOOR
    )
    style, first_style = mean_or_none(video.style), mean_or_none(first.style)
    style_ratio = 1.0
    if style is not None and first_style is not None:
        style_ratio = (first_style + STYLE_FLOOR) / (style + STYLE_FLOOR)
    return VideoScore(
        name=name,
        score=score_of(steadiness, sharpness_ratio, style_ratio),
        rank=0,
        steadiness=steadiness,
        warp_error=errors,
        sharpness=video.mean_sharpness,
        sharpness_ratio=sharpness_ratio,
        style_distance=style,
        content_distance=mean_or_none(video.content),
        warp_error_over_time=video.warp_errors,
        sharpness_over_time=video.sharpness,
    )


def source_score(measured: Measurements, name: str) -> SourceScore:
    """Return the measures of the source."""
    source = measured.source
    return SourceScore(
        name=name,
        warp_error=source.mean_warp_errors,
        sharpness=source.mean_sharpness,
        visible={distance: mean_or_none(each) for distance, each in measured.visible.items()},
        warp_error_over_time=source.warp_errors,
        sharpness_over_time=source.sharpness,
    )
