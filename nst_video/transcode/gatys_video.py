"""Paints a video file by optimization; an interrupted run is resumed."""

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from nst_video import __version__
from nst_video.image import synthetic
from nst_video.jobs.fingerprint import digest_of_array, identify_source
from nst_video.jobs.folders import check_free
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.interpolation import FillFrame
from nst_video.optimization.keyframe_store import KeyframeStore
from nst_video.optimization.progress import OnKeyframe
from nst_video.optimization.video import VideoPainter
from nst_video.optimization.video_settings import VideoSettings
from nst_video.system.words import counted
from nst_video.transcode.pipeline import transcode
from nst_video.transcode.progress import OnProgress
from nst_video.transcode.result import ResumeOptions, TranscodeResult
from nst_video.video.media.codec_options import DecodeOptions, TranscodeOptions

PROBE_SIZE = (96, 64)
"""(width, height) of the picture whose painting identifies a fast painter."""


@dataclass(frozen=True)
class KeyframeMethod:
    """What paints a video: keyframes by optimization, and the frames between along the flow.

    Attributes:
        optimizer: paints the keyframes.
        settings: which frames are keyframes, and how they are joined.
        fill: paints areas that no keyframe shows, RGB uint8 (h, w, 3) to the same; stateless and
            deterministic, such as a `Stylizer` at intensity 1 and steadiness 0. None leaves them as
            they are.
    """

    optimizer: GatysOptimizer
    settings: VideoSettings = field(default_factory=VideoSettings)
    fill: FillFrame | None = None


def optimize_video(
    source: Path | str,
    target: Path | str,
    method: KeyframeMethod,
    *,
    options: TranscodeOptions | None = None,
    resume: ResumeOptions | None = None,
    on_keyframe: OnKeyframe | None = None,
    on_progress: OnProgress | None = None,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint keyframes of a video by optimization, and the frames between them along the flow.

    Audio, subtitles and metadata are copied as by `transcode`. Finished keyframes are stored in a
    hidden folder beside the target until the video is complete. The same call resumes an
    interrupted run, and gives the same file as an uninterrupted one.

    Args:
        source: a video file, or "demo:".
        target: the file to write.
        method: paints the frames.
        options: what to read and how to write it.
        resume: whether finished keyframes are used, and who is told.
        on_keyframe: called after every step of every keyframe.
        on_progress: called after every frame.
        overwrite: an existing target is replaced once the new one is complete.

    Raises:
        NstVideoError: as `transcode`, or keyframes cannot be stored.
    """
    options = options or TranscodeOptions()
    resume = resume or ResumeOptions()
    check_free(Path(target))
    with find_store(source, target, method, options, resume.command) as store:
        if resume.restart:
            store.restart()
        elif kept := store.count():
            resume.note(
                f"{kept} finished keyframes of an interrupted run are used; --restart begins anew."
            )
        painter = VideoPainter(
            method.optimizer,
            method.settings,
            fill=method.fill,
            store=store,
            on_keyframe=on_keyframe,
        )
        try:
            result = transcode(
                source,
                target,
                painter,
                options=options,
                resume=replace(resume, own=store.folder),
                on_progress=on_progress,
                overwrite=overwrite,
            )
        except BaseException:
            if kept := store.count():
                are = "is" if kept == 1 else "are"
                resume.note(
                    f"{counted(kept, 'keyframe')} {are} kept in {store.folder}: run the same "
                    "command to resume."
                )
            raise
        store.discard()
    return result


def find_store(
    source: Path | str,
    target: Path | str,
    method: KeyframeMethod,
    options: DecodeOptions,
    command: str = "",
) -> KeyframeStore:
    """Return the store, not opened, for the keyframes of a source with styles and settings.

    Raises:
        SourceError: there is no such source.
    """
    optimizer, fill = method.optimizer, method.fill
    decoding = {each.name: getattr(options, each.name) for each in fields(DecodeOptions)}
    inputs = {
        "source": identify_source(source),
        "decoding": decoding,
        "settings": asdict(optimizer.settings),
        "video": asdict(method.settings),
        "network": optimizer.network.key,
        "styles": [
            {
                "picture": digest_of_array(each.picture),
                "weight": each.weight,
                "mask": each.mask.key if callable(each.mask) else digest_of_array(each.mask),
            }
            for each in optimizer.styles
        ],
        "fill": digest_of_array(fill(synthetic.draw(PROBE_SIZE, 0.5)) if fill else None),
        "version": __version__,
    }
    return KeyframeStore(Path(target), str(source), inputs, command)
