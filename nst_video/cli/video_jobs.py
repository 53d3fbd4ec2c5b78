"""Stylizing one video after the other, by the fast network or by optimization, with progress."""

import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.cli import optimization_progress
from nst_video.cli.batch import run_all
from nst_video.cli.console import result, say
from nst_video.cli.jobs import Job
from nst_video.cli.progress import Report, clock_time, progress
from nst_video.cli.region_options import NOBODY_FOUND
from nst_video.video.media.codec_options import TranscodeOptions

if TYPE_CHECKING:
    from nst_video.optimization.progress import KeyframeProgress, OnKeyframe
    from nst_video.stylizer import Stylizer
    from nst_video.transcode import Progress, TranscodeResult
    from nst_video.transcode.gatys_video import KeyframeMethod
    from nst_video.transcode.progress import OnProgress


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the videos of a command are made.

    Attributes:
        coding: what to decode and how to encode.
        restart: begin anew instead of going on where an interrupted run was.
        replaced: targets that exist and may be replaced.
        quiet: print nothing but errors and results.
        show_progress: show a progress bar.
    """

    coding: TranscodeOptions
    restart: bool = False
    replaced: Collection[Path] = ()
    quiet: bool = False
    show_progress: bool = True


def transcode_all(jobs: Sequence[Job], painter: "Stylizer", options: RunOptions) -> None:
    """Stylize one video after the other; go on after a failure and report it at the end.

    Args:
        jobs: the files to make.
        painter: stylizes the frames.
        options: how.

    Raises:
        NstVideoError: the only video failed.
        typer.Exit: with code 1, some of several videos failed.
    """
    from nst_video.transcode import ResumeOptions, transcode

    def work(job: Job) -> None:
        def note(text: str) -> None:
            say(f"{job.source.name}: {text}")

        command = shlex.join(["nst-video", *sys.argv[1:]])
        resume = ResumeOptions(options.restart, command, None if options.quiet else note)
        with progress(job.source.name, shown=options.show_progress) as report:
            done = transcode(
                job.source,
                job.target,
                painter,
                options=options.coding,
                resume=resume,
                on_progress=_frame_reporter(report),
                overwrite=job.target in options.replaced,
            )
        if not options.quiet:
            describe(job, done, painter)
        result(done.target)

    run_all(jobs, work, "videos")


def describe(job: Job, done: "TranscodeResult", painter: "Stylizer") -> None:
    """Say what was painted, and how fast."""
    from nst_video.finishing import working_size

    for note in done.notes:
        say(f"{job.source.name}: {note}")
    if painter.found_nobody():
        say(f"{job.source.name}: {NOBODY_FOUND}")
    frames = (done.info.frame_count or 0) - done.kept_frames
    slowest = max(done.busy_s, key=lambda stage: done.busy_s[stage])
    how = []
    if done.kept_frames:
        how.append(f"of {done.info.frame_count}")
    elif painter.frames_per_painting > 1 and painter.paintings:
        how.append(f"{painter.paintings} of them painted")
    work = working_size(done.info.size, painter.settings)
    if work != done.info.size and not painter.settings.is_original:
        how.append("{}at {}x{} and enlarged".format("" if how else "painted ", *work))
    aside = f" ({', '.join(how)})" if how else ""
    say(
        f"{job.source.name}: {frames} frames{aside} in {done.elapsed_s:.1f} s "
        f"({frames / max(done.elapsed_s, 1e-6):.1f} fps, limited by {slowest})."
    )


def _frame_reporter(report: Report | None) -> "OnProgress | None":
    """Return a callback of `transcode` that shows its progress by `report`."""
    if report is None:
        return None
    return lambda state: report(state.frame, state.frame_count, progress_facts(state))


def progress_facts(state: "Progress") -> tuple[str, ...]:
    """Return "frame 30/377", "0:23 left" and so on, the most important first."""
    count = "?" if state.frame_count is None else str(state.frame_count)
    return (
        f"frame {state.frame}/{count}",
        f"{clock_time(state.remaining_s)} left",
        f"{state.fps:.1f} fps" if state.fps else "? fps",
        f"{clock_time(state.elapsed_s)} elapsed",
        f"limited by {state.limiting_stage}",
    )


def optimize_all(
    jobs: Sequence[Job],
    method: "KeyframeMethod",
    options: RunOptions,
) -> None:
    """Paint one video after the other by optimization; see `transcode_all`.

    Args:
        jobs: the files to make.
        method: paints the frames.
        options: how the videos are made.

    Raises:
        NstVideoError: the only video failed.
        typer.Exit: with code 1, some of several videos failed.
    """

    def work(job: Job) -> None:
        done = optimize_job(job, method, options)
        if not options.quiet:
            for note in done.notes:
                say(f"{job.source.name}: {note}")
            frames, taken = done.info.frame_count, clock_time(done.elapsed_s)
            say(f"{job.source.name}: {frames} frames in {taken}.")
        result(done.target)

    run_all(jobs, work, "videos")


def optimize_job(
    job: Job,
    method: "KeyframeMethod",
    options: RunOptions,
) -> "TranscodeResult":
    """Paint a video by optimization, resuming an interrupted run; see `optimize_all`.

    Raises:
        NstVideoError: the video cannot be painted.
    """
    from nst_video.transcode import ResumeOptions
    from nst_video.transcode.gatys_video import optimize_video

    command = shlex.join(["nst-video", *sys.argv[1:]])
    resume = ResumeOptions(options.restart, command, None if options.quiet else say)
    with progress(job.source.name, shown=options.show_progress) as report:
        return optimize_video(
            job.source,
            job.target,
            method,
            options=options.coding,
            resume=resume,
            on_keyframe=_keyframe_reporter(report),
            overwrite=job.target in options.replaced,
        )


def _keyframe_reporter(report: Report | None) -> "OnKeyframe | None":
    """Return a callback of `optimize_video` that shows its progress by `report`."""
    if report is None:
        return None
    from nst_video.optimization.progress import completed_fraction

    def on_keyframe(state: "KeyframeProgress") -> None:
        report(
            state.keyframe - 1 + completed_fraction(state.step),
            state.keyframes,
            keyframe_facts(state),
        )

    return on_keyframe


def keyframe_facts(state: "KeyframeProgress") -> tuple[str, ...]:
    """Return "keyframe 3/12", "2:10 left" and so on, the most important first."""
    count = "?" if state.keyframes is None else str(state.keyframes)
    scale, step, *losses = optimization_progress.describe(state.step)
    return (
        f"keyframe {state.keyframe}/{count}",
        f"{clock_time(state.remaining_s)} left",
        step,
        scale,
        f"{clock_time(state.elapsed_s)} elapsed",
        *losses,
    )
