"""Opens a source and the videos painted from it, and scores them."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from nst_video.errors import UsageError
from nst_video.frames import Size, VideoInfo, fit_within
from nst_video.image.files import PICTURE_SUFFIXES
from nst_video.networks.config import DEFAULT_NETWORK
from nst_video.optimization.keyframes import CutDetector
from nst_video.scoring.measurement import Measurements, measure
from nst_video.scoring.report import MUCH_SHARPER, ScoreReport, score_videos, source_score
from nst_video.settings import DEFAULT_SCORE_SIZE
from nst_video.style_library.library import StyleLibrary
from nst_video.system.output_files import is_same_file
from nst_video.system.path_lookup import require_file, user_path
from nst_video.system.stderr import quiet_stderr
from nst_video.validation import SCORE_SIZE
from nst_video.video.media.codec_options import DecodeOptions
from nst_video.video.media.file_type import is_video_file
from nst_video.video.sources import DEMO_SCHEME, FrameSource, is_animated_webp, open_source

if TYPE_CHECKING:
    from nst_video.networks.vgg import LossNetwork

MAX_ASPECT_CHANGE = 0.03
"""Most by which the aspect ratio of a painted video may differ: sides are made even."""

OnFrame: TypeAlias = Callable[[int, int | None], None]
"""Takes the number of frames scored so far, and how many there are, None where unknown."""


@dataclass(frozen=True, slots=True)
class _Video:
    """A video that was examined.

    Attributes:
        path: as `open_source` takes it.
        info: its own size, rate and number of frames.
    """

    path: str
    info: VideoInfo

    @property
    def name(self) -> str:
        return Path(self.path).name


def score(
    source: str | Path,
    painted: str | Path | Sequence[str | Path],
    *,
    style: str | Path | None = None,
    size: int = DEFAULT_SCORE_SIZE,
    loss_network: "str | Callable[[], LossNetwork]" = DEFAULT_NETWORK,
    on_frame: OnFrame | None = None,
) -> ScoreReport:
    """Measure how steady, sharp and true to style and content painted videos are, and rank them.

    Warp errors follow Lai et al. 2018 (arXiv 1808.00449), along the flow of the source by
    `nst_video.scoring.flow`, which is not the one that keeps paintings steady. Frames of other
    sizes and rates are scaled, and matched by time. What all videos have is scored.

    Args:
        source: the video that was painted.
        painted: one or several painted videos; the first, such as one painted frame by frame, is
            what the sharpness and style of the others are compared with.
        style: name of a style, or the path of any picture, for the distance to the style.
        size: long side in pixels at which the videos are compared.
        loss_network: "builtin", "vgg16" or "vgg19", or a function that loads a network.
        on_frame: called after every frame with the number of frames so far, and of all.

    Raises:
        SourceError: a video cannot be read.
        StyleError: an unknown style.
        WeightsError: the loss network's weights cannot be had.
        UsageError: a video is a picture, is named twice, or has another shape than the source; or
            no two of its frames show the same.
    """
    SCORE_SIZE.check("The size", size)
    paths = [painted] if isinstance(painted, str | Path) else list(painted)
    videos = [_examine(each) for each in _checked([source, *paths])]
    picture = None if style is None else StyleLibrary().get(style).load()
    common = _common_size(videos, size)
    network = _load(loss_network) if isinstance(loss_network, str) else loss_network()
    from nst_video.scoring.distances import DistanceMeter

    with ExitStack() as opened:
        sources = [opened.enter_context(_reopen(each, videos[0], common)) for each in videos]
        fps, total = sources[0].info.fps, _shortest([each.info for each in sources])
        measured = measure(
            sources[0],
            sources[1:],
            fps,
            is_cut=CutDetector(fps),
            distances=DistanceMeter(network, picture, max(common)),
            on_frame=None if on_frame is None else lambda frame: on_frame(frame, total),
        )
        notes = _notes(videos, sources, measured.frames)
    _check_motion(measured)
    scores = score_videos(measured, [each.name for each in videos[1:]])
    notes += [
        f"{each.name} is {each.sharpness_ratio:.1f} times as sharp as {scores[0].name}: name the "
        "video that was painted frame by frame first, or it is judged by a blurred one."
        for each in scores[1:]
        if each.sharpness_ratio > MUCH_SHARPER
    ]
    return ScoreReport(
        source=source_score(measured, videos[0].name),
        videos=scores,
        frames=measured.frames,
        fps=fps,
        size=common,
        style=None if style is None else str(style),
        loss_network=network.name,
        cuts_s=tuple(measured.cuts_s),
        notes=tuple(notes),
    )


def _check_motion(measured: Measurements) -> None:
    """Check that there was something to measure.

    Raises:
        UsageError: fewer than two frames, or no two that show the same things.
    """
    if measured.frames < 2:
        raise UsageError("The videos have fewer than two frames in common: there is no motion.")
    if not any(measured.source.warp_errors.values()):
        raise UsageError(
            "No two frames show the same things, so nothing can be said of steadiness: name a "
            "video with longer scenes."
        )


def _checked(paths: Sequence[str | Path]) -> list[str]:
    """Return the paths of videos, each a file of its own.

    Raises:
        SourceError: there is no such file.
        UsageError: no painted video, one that is named twice, or something that is not a path.
    """
    if len(paths) < 2:
        raise UsageError("Name at least one painted video.")
    found: list[Path] = []
    for path in paths:
        if not isinstance(path, str | Path):
            raise UsageError(f"A video is the path of a video file, not {path!r}.")
        if str(path) != DEMO_SCHEME:
            _refuse_picture(require_file(path))
        at = user_path(path)
        if any(is_same_file(at, other) for other in found):
            raise UsageError(f"{path} is named twice: name each video once.")
        found.append(at)
    return [str(path) for path in found]


def _refuse_picture(path: Path) -> None:
    is_video = is_animated_webp(path) or is_video_file(path)
    if path.suffix.lower() in PICTURE_SUFFIXES and not is_video:
        raise UsageError(f"{path} is a picture: name a video.")


def _examine(path: str) -> _Video:
    with open_source(path, DecodeOptions(keep_partial=True)) as opened:
        return _Video(path, opened.info)


def _common_size(videos: Sequence[_Video], side: int) -> Size:
    """Return the size at which all videos are compared: no video is enlarged; both sides are even.

    Raises:
        UsageError: a painted video has another shape than the source.
    """
    width, height = videos[0].info.size
    for video in videos[1:]:
        own_width, own_height = video.info.size
        if abs(own_width * height / (own_height * width) - 1) > MAX_ASPECT_CHANGE:
            raise UsageError(
                f"{video.path} is {own_width}x{own_height}, and {videos[0].path} is "
                f"{width}x{height}: only videos of the same shape can be compared."
            )
    side = min(side, *(max(video.info.size) for video in videos))
    smaller = fit_within((width, height), (side, side))
    return max(2, smaller[0] // 2 * 2), max(2, smaller[1] // 2 * 2)


def _reopen(video: _Video, source: _Video, size: Size) -> FrameSource:
    """Open a video at the common size and at the rate of the source, so that times match."""
    fps = None if video.info.fps == source.info.fps else source.info.fps
    return open_source(video.path, DecodeOptions(size=size, fps=fps, keep_partial=True))


def _shortest(infos: Sequence[VideoInfo]) -> int | None:
    counts = [info.frame_count for info in infos if info.frame_count is not None]
    return min(counts, default=None)


def _load(name: str) -> "LossNetwork":
    """Return a loss network; TensorFlow, which it imports, writes nothing to standard error."""
    with quiet_stderr():
        from nst_video.networks.vgg import load_loss_network

        return load_loss_network(name)


def _notes(videos: Sequence[_Video], sources: Sequence[FrameSource], frames: int) -> list[str]:
    """Return sentences on what was read otherwise than it is, and what was left out."""
    notes = []
    own = videos[0].info
    for video, source in zip(videos, sources, strict=True):
        if video.info.fps != own.fps:
            notes.append(
                f"{video.name} has {float(video.info.fps):g} frames per second, the source "
                f"{float(own.fps):g}: it was read at the rate of the source."
            )
        else:
            notes += [f"{video.name}: {note}" for note in source.notes]
        count = source.info.frame_count
        if count is not None and count != frames:
            notes.append(f"Of the {count} frames of {video.name}, the first {frames} were scored.")
    return notes
