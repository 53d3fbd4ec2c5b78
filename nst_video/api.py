"""Pictures and videos in one call: what `from nst_video import ...` offers beside `Stylizer`.

`stylize_*` use a feed-forward network (milliseconds per frame), `paint_*` optimize each picture
(Gatys et al. 2015, arXiv 1508.06576; minutes, and richer).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image

from nst_video.errors import NstVideoError, SinkError, UsageError
from nst_video.frames import Frame, check_frames
from nst_video.image.files import load_picture, picture_to_frame
from nst_video.networks.config import DEFAULT_NETWORK
from nst_video.optimization.painting import PaintStep, StylePicture
from nst_video.optimization.progress import OnKeyframe
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.refine_state import RefineResult, RefineStep
from nst_video.optimization.settings import PaintSettings
from nst_video.optimization.video_settings import VideoSettings
from nst_video.settings import DEFAULT_STYLE, ModelOptions, StylizeSettings
from nst_video.style_library.library import StyleLibrary, StyleName
from nst_video.stylizer import Stylizer
from nst_video.system.path_lookup import os_reason, user_path
from nst_video.system.stderr import quiet_stderr
from nst_video.transcode import TranscodeResult, transcode
from nst_video.transcode.parallel.films import transcode_films
from nst_video.transcode.parallel.opening import open_worker_pool
from nst_video.transcode.parallel.state import FilmJob
from nst_video.transcode.progress import OnProgress
from nst_video.validation import check_type
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.containers import default_suffix
from nst_video.weights import OnProgress as OnFetch
from nst_video.worker_options import WorkerOptions

if TYPE_CHECKING:
    from nst_video.networks.vgg import LossNetwork
    from nst_video.optimization.refine_session import StyleRefinement

Picture: TypeAlias = str | Path | Image.Image | Frame
"""The path of a picture, a PIL image of any mode, or an array, RGB uint8 (height, width, 3)."""

Styles: TypeAlias = StyleName | Sequence[StyleName]
"""A style's name, the path of any picture, or several of these to mix."""


def stylize_image(
    picture: Picture,
    style: Styles | Stylizer = DEFAULT_STYLE,
    settings: StylizeSettings | None = None,
    *,
    intensity: float | None = None,
) -> Image.Image:
    """Paint a picture in a style.

    Args:
        picture: what to paint.
        style: the style; or a `Stylizer`, which is worth keeping for many pictures.
        settings: how the result looks.
        intensity: 0..1, replaces the one in `settings`.

    Returns:
        The painted picture, RGB, of the same size. Notebooks display it; `.save(path)` writes it.

    Raises:
        SourceError: the picture cannot be read.
        StyleError: an unknown style.
        UsageError: a value of a wrong type or out of its range.
        EngineError: the picture cannot be painted, for instance because it is too small.
    """
    content = _load(picture)
    stylizer = _stylizer(style, settings, intensity)
    stylizer.reset()
    return Image.fromarray(stylizer(content))


def stylize_video(
    source: str | Path,
    style: Styles | Stylizer,
    target: str | Path,
    settings: StylizeSettings | None = None,
    *,
    intensity: float | None = None,
    options: TranscodeOptions | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint every frame of a video file; sound, subtitles and metadata are kept.

    Finished chunks are kept beside the target until it is complete, so that the same call goes on
    after an interruption. `transcode` also takes `ResumeOptions`.

    Args:
        source: a video file.
        style: the style, or a `Stylizer`.
        target: the file to write; its suffix chooses the container, such as ".mp4" or ".webm".
        settings: how the result looks.
        intensity: 0..1, replaces the one in `settings`.
        options: which part to read, and how to encode.
        on_progress: called with a `Progress` after every batch of frames.
        overwrite: replace an existing target once the new one is complete.

    Returns:
        What was written; its `notes` say in sentences what could not be kept as it was.

    Raises:
        SourceError: the source cannot be read, or not to its end.
        SinkError: the target cannot be written.
        StyleError: an unknown style.
        UsageError: a value of a wrong type or out of its range, or the target exists.
    """
    stylizer = _stylizer(style, settings, intensity)
    return transcode(
        _path("A source", source),
        _path("A target", target),
        stylizer,
        options=options,
        on_progress=on_progress,
        overwrite=overwrite,
    )


def stylize_videos(
    sources: Sequence[str | Path],
    style: Styles | Stylizer,
    folder: str | Path,
    settings: StylizeSettings | None = None,
    *,
    workers: WorkerOptions | None = None,
    options: TranscodeOptions | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> list[TranscodeResult | NstVideoError]:
    """Paint every frame of many video files, by many processes or machines; see `stylize_video`.

    A film that fails does not stop the others. The same call goes on after an interruption, with
    any number of workers, and gives the same frames.

    Args:
        sources: video files with different names.
        style: the style, or a `Stylizer`.
        folder: where the results go, under the names of their sources; made if missing.
        settings: how the result looks.
        workers: who paints; by default one process of this machine.
        options: which part to read, and how to encode.
        on_progress: called with the progress of all films together.
        overwrite: replace existing results once the new ones are complete.

    Returns:
        For each source what was written, or why it failed.

    Raises:
        UsageError: a value of a wrong type or out of its range, two sources of one name, or no
            cluster answers.
        StyleError: an unknown style.
        SinkError: the folder cannot be made.
    """
    stylizer = _stylizer(style, settings, None)
    workers = WorkerOptions() if workers is None else workers
    place = Path(_path("A folder", folder))
    jobs = [_film_job(Path(_path("A source", each)), place, overwrite) for each in sources]
    if len({job.target for job in jobs}) < len(jobs):
        raise UsageError("Two sources have the same name: stylize them into different folders.")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{place} cannot be made: {os_reason(error)}.") from error
    with open_worker_pool(stylizer, workers) as pool:
        going = workers.keep_going
        return transcode_films(
            jobs, stylizer, pool, options, keep_going=going, on_progress=on_progress
        )


def paint_image(
    picture: Picture,
    style: Styles = DEFAULT_STYLE,
    settings: PaintSettings | None = None,
    *,
    mix: Sequence[float] | None = None,
    work_size: int | None = None,
    network: str = DEFAULT_NETWORK,
    on_step: Callable[[PaintStep], None] | None = None,
) -> Image.Image:
    """Paint a picture in a style by optimization, Gatys' method.

    `nst_video.optimization.image.optimize_image` also takes masks and returns every loss.

    Args:
        picture: what to paint.
        style: the style, or several to mix.
        settings: weights, steps and the like; see `nst_video.optimization.settings.PRESETS`.
        mix: a weight for each style, by default equal.
        work_size: short side in pixels at which to optimize, None for the picture's own; the
            result is brought back to full size.
        network: the loss network, "builtin", "vgg16" or "vgg19".
        on_step: called after every step of the optimization.

    Returns:
        The painted picture, RGB, of the same size.

    Raises:
        SourceError: the picture cannot be read.
        StyleError: an unknown style.
        UsageError: a value of a wrong type or out of its range.
        WeightsError: the loss network's weights cannot be had.
    """
    settings = PaintSettings() if settings is None else settings
    check_type("The settings", settings, PaintSettings)
    content = _load(picture)
    pictures = _style_pictures(Stylizer(style, mix=mix))
    loss_network = _load_network(network)
    from nst_video.optimization.gatys import GatysOptimizer
    from nst_video.optimization.image import optimize_image

    optimizer = GatysOptimizer(loss_network, pictures, settings)
    painting = optimize_image(content, optimizer, work_size=work_size, on_step=on_step)
    return Image.fromarray(painting.frame)


def paint_video(
    source: str | Path,
    style: Styles,
    target: str | Path,
    settings: PaintSettings | None = None,
    *,
    mix: Sequence[float] | None = None,
    video_settings: VideoSettings | None = None,
    network: str = DEFAULT_NETWORK,
    options: TranscodeOptions | None = None,
    on_keyframe: OnKeyframe | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint a video file by optimization: keyframes, and the frames between along optical flow.

    Finished keyframes are kept beside the target until it is complete, so that the same call goes
    on after an interruption.

    Args:
        source: a video file.
        style: the style, or several to mix.
        target: the file to write.
        settings: how each keyframe is painted.
        mix: a weight for each style, by default equal.
        video_settings: distance of the keyframes, and how they follow each other.
        network: the loss network, "builtin", "vgg16" or "vgg19".
        options: which part to read, and how to encode.
        on_keyframe: called after every step of every keyframe.
        overwrite: replace an existing target once the new one is complete.

    Returns:
        What was written; its `notes` say in sentences what could not be kept as it was.

    Raises:
        NstVideoError: as for `stylize_video` and `paint_image`.
    """
    settings = PaintSettings() if settings is None else settings
    check_type("The settings", settings, PaintSettings)
    source, target = _path("A source", source), _path("A target", target)
    # Paints what no keyframe shows, with the colors that the keyframes will have.
    keeps_colors = settings.colors in ("keep", "luminance")
    # Single frames in any order: nothing is carried from one to the next.
    stylizer = Stylizer(style, StylizeSettings(keep_colors=keeps_colors, steady=0), mix=mix)
    pictures = _style_pictures(stylizer)
    loss_network = _load_network(network)
    from nst_video.optimization.gatys import GatysOptimizer
    from nst_video.transcode.gatys_video import KeyframeMethod, optimize_video

    optimizer = GatysOptimizer(loss_network, pictures, settings)
    return optimize_video(
        source,
        target,
        KeyframeMethod(optimizer, video_settings or VideoSettings(), stylizer),
        options=options,
        on_keyframe=on_keyframe,
        overwrite=overwrite,
    )


def refine_style(
    style: StyleName,
    settings: RefineSettings | None = None,
    options: ModelOptions | None = None,
    *,
    photos: Sequence[Picture] | None = None,
    library: StyleLibrary | None = None,
    on_step: Callable[[RefineStep], None] | None = None,
) -> RefineResult:
    """Refine a style: optimize its style parameters until paintings look more like its picture.

    The result is kept with the style, and found by everything that paints in it from then on. A
    picture that is no style yet is added to the user's. Whatever ends this early, such as an
    exception of `on_step`, keeps the best so far, and the same call goes on from there.

    Args:
        style: the style's name, or the path of any picture.
        settings: how long, and how bold.
        options: the network whose style parameters are refined.
        photos: pictures to refine on, by default made by code.
        library: where the style comes from, and where the result is kept.
        on_step: called after every step.

    Returns:
        The style, and its losses before and after.

    Raises:
        SourceError: a picture cannot be read.
        StyleError: an unknown style, or the result cannot be kept.
        UsageError: a value of a wrong type or out of its range.
        WeightsError: the model's files cannot be had.
    """
    frames = None if photos is None else [_load(photo) for photo in photos]
    refinement = open_refinement(style, settings, options, photos=frames, library=library)
    for step in refinement.steps():
        if on_step is not None:
            on_step(step)
    return refinement.result()


def open_refinement(
    style: StyleName,
    settings: RefineSettings | None = None,
    options: ModelOptions | None = None,
    *,
    photos: Sequence[Frame] | None = None,
    library: StyleLibrary | None = None,
    on_fetch: OnFetch | None = None,
) -> "StyleRefinement":
    """Return the refinement that `refine_style` does, for callers that take step by step."""
    settings = RefineSettings() if settings is None else settings
    check_type("The settings", settings, RefineSettings)
    stylizer = Stylizer(options=options, library=library, on_fetch=on_fetch)
    found = stylizer.library.adopt(style)
    network = _load_network(DEFAULT_NETWORK)
    from nst_video.optimization.refine_session import StyleRefinement

    return StyleRefinement(
        stylizer.model, found, stylizer.library, network, settings, photos=photos
    )


def _load(picture: Picture) -> Frame:
    """Return a picture as an array, RGB uint8 (height, width, 3)."""
    if isinstance(picture, str | Path):
        return load_picture(user_path(picture))
    if isinstance(picture, Image.Image):
        return picture_to_frame(picture)
    if not hasattr(picture, "dtype"):
        raise UsageError(f"A picture is a path, a PIL image or an array, not {picture!r}.")
    check_frames(picture, (3,))
    return picture


def _film_job(source: Path, folder: Path, overwrite: bool) -> FilmJob:
    return FilmJob(source, folder / f"{source.stem}{default_suffix(source)}", overwrite)


def _path(name: str, path: str | Path) -> Path | str:
    if not isinstance(path, str | Path):
        raise UsageError(f"{name} is the path of a video file, not {path!r}.")
    return path


def _stylizer(
    style: Styles | Stylizer, settings: StylizeSettings | None, intensity: float | None
) -> Stylizer:
    if not isinstance(style, Stylizer):
        return Stylizer(style, settings, intensity=intensity)
    if settings is not None or intensity is not None:
        raise UsageError("A Stylizer has its own settings: change those instead of giving others.")
    return style


def _load_network(name: str) -> "LossNetwork":
    """Return a loss network; TensorFlow, which it imports, writes nothing to standard error."""
    with quiet_stderr():
        from nst_video.networks.vgg import load_loss_network

        return load_loss_network(name)


def _style_pictures(stylizer: Stylizer) -> list[StylePicture]:
    """Return the pictures of the styles with their weights, as the optimization takes them."""
    pairs = zip(stylizer.styles, stylizer.mix, strict=True)
    return [
        StylePicture(part.load(), weight / len(style.parts))
        for style, weight in pairs
        for part in style.parts
    ]
