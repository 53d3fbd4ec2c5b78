"""Measures a transcode and each of its stages alone, to find the bottleneck."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median

import numpy as np

from nst_video.bench.machine import cpu_s
from nst_video.bench.report import markdown
from nst_video.errors import SourceError
from nst_video.frames import Frames, VideoInfo
from nst_video.transcode import Painter, transcode
from nst_video.transcode.batches import default_batch_size, paint_batches, stack_batches
from nst_video.transcode.pixel_format import negotiate_format
from nst_video.validation import COUNT
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.sinks import open_sink
from nst_video.video.sources import open_source

WHOLE = "whole"
"""Name of the complete transcode among the stages."""

FRAMES_IN_MEMORY = 24
"""Frames kept in memory for the stages that are measured without decoding."""


@dataclass(frozen=True, slots=True)
class StageTiming:
    """Time of one stage, or of the complete transcode.

    Attributes:
        name: "decode", "paint", "encode", or "whole".
        ms: milliseconds per frame, the median of the rounds, with start and end.
        cpu_ms: milliseconds of CPU per frame, the sum over all cores and processes; None where
            unknown.
    """

    name: str
    ms: float
    cpu_ms: float | None


@dataclass(frozen=True, slots=True)
class PipelineTiming:
    """Times of the stages of transcoding one clip with one painter.

    Attributes:
        title: of clip and painter.
        info: size, rate and number of frames of the clip.
        stages: each stage alone, then the complete transcode.
        cores: number of CPU cores.
    """

    title: str
    info: VideoInfo
    stages: tuple[StageTiming, ...]
    cores: int

    @property
    def slowest(self) -> StageTiming:
        """The stage that takes longest alone."""
        return max(self.stages[:-1], key=lambda stage: stage.ms)

    @property
    def share_of_slowest(self) -> float:
        """Rate of the transcode relative to that of the slowest stage alone."""
        return self.slowest.ms / self.stages[-1].ms

    @property
    def share_of_cores(self) -> float | None:
        """Rate of the transcode relative to full load on all cores; None where unknown."""
        alone = [stage.cpu_ms for stage in self.stages[:-1] if stage.cpu_ms is not None]
        return sum(alone) / self.cores / self.stages[-1].ms if alone else None


def measure_stages(
    clip: Path | str,
    painter: Painter,
    *,
    title: str,
    options: TranscodeOptions,
    rounds: int = 5,
) -> PipelineTiming:
    """Measure decoding, painting, encoding and the complete transcode, in alternation.

    Args:
        clip: a video file, or "demo:".
        painter: paints the frames.
        title: of clip and painter, for the report.
        options: what to read of the clip, and how to encode.
        rounds: number of rounds.

    Raises:
        NstVideoError: the clip cannot be read, painted or written.
    """
    COUNT.check("The rounds", rounds)
    with tempfile.TemporaryDirectory(prefix="nst-video-") as folder:
        target = Path(folder) / "painted.mp4"
        info, runs = _prepare(clip, painter, options, target)
        times: dict[str, list[tuple[float, float | None]]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run_stage in runs.items():
                times[name].append(_timed(run_stage))
    stages = tuple(_stage(name, mine) for name, mine in times.items())
    return PipelineTiming(title, info, stages, os.cpu_count() or 1)


RunStage = Callable[[], int]
"""Run a stage once; returns the number of frames."""


def _prepare(
    clip: Path | str, painter: Painter, options: TranscodeOptions, target: Path
) -> tuple[VideoInfo, dict[str, RunStage]]:
    """Return information on the clip, and each stage as a function, warmed up."""
    with open_source(clip, options) as source:
        info, pixel_path = source.info, negotiate_format(source, painter)
        held = list(islice(pixel_path.frames, FRAMES_IN_MEMORY))
    if not held:
        raise SourceError(f"{clip} holds no frame to measure with.")
    count = info.frame_count or len(held)
    groups = list(stack_batches(held, options.batch_size or default_batch_size(info.size)))
    painted = np.concatenate(list(paint_batches(pixel_path.painter, groups)))

    def decode() -> int:
        with open_source(clip, options) as source:
            return sum(1 for _ in negotiate_format(source, painter).frames)

    def paint() -> int:
        return sum(len(painted) for painted in paint_batches(pixel_path.painter, groups))

    def encode() -> int:
        yuv = pixel_path.as_yuv
        with open_sink(target, info, options, as_yuv=yuv, overwrite=True) as sink:
            for frame in islice(_ping_pong(painted), count):
                sink.write(frame)
        return count

    def whole() -> int:
        done = transcode(clip, target, painter, options=options, overwrite=True)
        return done.info.frame_count or 1

    return info, {"decode": decode, "paint": paint, "encode": encode, WHOLE: whole}


def _ping_pong(frames: Frames) -> Iterator[Frames]:
    """Repeat frames endlessly, forward and backward, so that there is no cut."""
    return cycle(chain(frames, frames[-2:0:-1]))


def _timed(run_stage: RunStage) -> tuple[float, float | None]:
    """Run a stage; return seconds and CPU seconds per frame."""
    cpu_before, started_s = cpu_s(), time.perf_counter()
    count = run_stage()
    elapsed_s, cpu_after = time.perf_counter() - started_s, cpu_s()
    if cpu_before is None or cpu_after is None:
        return elapsed_s / count, None
    return elapsed_s / count, (cpu_after - cpu_before) / count


def _stage(name: str, times: Sequence[tuple[float, float | None]]) -> StageTiming:
    cpu = [cpu for _, cpu in times if cpu is not None]
    wall_ms = median(wall for wall, _ in times) * 1e3
    return StageTiming(name, wall_ms, median(cpu) * 1e3 if cpu else None)


def stage_table(machine: str, pipelines: Sequence[PipelineTiming]) -> str:
    """Return a Markdown table and a summary in words for each pipeline."""
    parts = [f"Machine: {machine}"]
    for pipeline in pipelines:
        lines = [["stage", "ms", "fps", "CPU ms"]]
        for stage in pipeline.stages:
            cpu = "" if stage.cpu_ms is None else f"{stage.cpu_ms:.1f}"
            lines.append([stage.name, f"{stage.ms:.1f}", f"{1e3 / stage.ms:.1f}", cpu])
        parts += ["", f"{pipeline.title}:", "", markdown(lines), "", _summary(pipeline)]
    return "\n".join(parts)


def _summary(pipeline: PipelineTiming) -> str:
    text = (
        f"The whole reaches {pipeline.share_of_slowest:.0%} of the rate of {pipeline.slowest.name} "
        "alone"
    )
    if pipeline.share_of_cores is None:
        return f"{text}."
    return f"{text}, and {pipeline.share_of_cores:.0%} of what {pipeline.cores} cores allow."


def stages_as_json(machine: str, pipelines: Sequence[PipelineTiming]) -> str:
    """Return all times and ratios as JSON."""
    cells = [
        {
            "title": pipeline.title,
            "size": pipeline.info.size,
            "frames": pipeline.info.frame_count,
            "stages": [asdict(stage) for stage in pipeline.stages],
            "slowest": pipeline.slowest.name,
            "share_of_slowest": pipeline.share_of_slowest,
            "share_of_cores": pipeline.share_of_cores,
        }
        for pipeline in pipelines
    ]
    return json.dumps({"machine": machine, "pipelines": cells}, indent=2)
