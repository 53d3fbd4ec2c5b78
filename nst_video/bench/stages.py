"""A transcode against its stages alone: which of them holds it up, and what the cores allow."""

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
"""The name of everything at once, among those of the stages."""

HELD_FRAMES = 24
"""Frames kept in memory for the stages that must not wait for a decoder."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The figures of one stage, or of the whole.

    Attributes:
        name: "decode", "paint", "encode", or "whole".
        ms: milliseconds per frame, median of the rounds; starting and finishing included.
        cpu_ms: milliseconds of CPU per frame, on all cores and in all processes together; None
            where the system does not tell.
    """

    name: str
    ms: float
    cpu_ms: float | None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of transcoding one clip with one painter.

    Attributes:
        title: clip and painter in words.
        info: what was read: size, rate and number of frames.
        stages: each alone, then the whole.
        cores: how many the machine has.
    """

    title: str
    info: VideoInfo
    stages: tuple[Stage, ...]
    cores: int

    @property
    def slowest(self) -> Stage:
        """The stage that takes longest alone."""
        return max(self.stages[:-1], key=lambda stage: stage.ms)

    @property
    def share_of_slowest(self) -> float:
        """Rate of the whole over that of the slowest stage, which has all cores when alone."""
        return self.slowest.ms / self.stages[-1].ms

    @property
    def share_of_cores(self) -> float | None:
        """Rate of the whole over what the cores allow: all CPU time of the stages, no waiting."""
        alone = [stage.cpu_ms for stage in self.stages[:-1] if stage.cpu_ms is not None]
        return sum(alone) / self.cores / self.stages[-1].ms if alone else None


def measure_stages(
    clip: Path | str,
    painter: Painter,
    *,
    title: str,
    options: TranscodeOptions,
    rounds: int = 5,
) -> Pipeline:
    """Measure decoding, painting, encoding and all at once, in turn.

    Args:
        clip: a video file, or "demo:".
        painter: what paints.
        title: what to call it in the report.
        options: which part of the clip to read, and how to write it.
        rounds: turns of each.

    Raises:
        NstVideoError: the clip cannot be read, painted or written.
    """
    COUNT.check("The rounds", rounds)
    with tempfile.TemporaryDirectory(prefix="nst-video-") as folder:
        target = Path(folder) / "painted.mp4"
        info, turns = _prepare(clip, painter, options, target)
        times: dict[str, list[tuple[float, float | None]]] = {name: [] for name in turns}
        for _ in range(rounds):
            for name, turn in turns.items():
                times[name].append(_timed(turn))
    stages = tuple(_stage(name, mine) for name, mine in times.items())
    return Pipeline(title, info, stages, os.cpu_count() or 1)


Turn = Callable[[], int]
"""Works once through a stage; returns how many frames that were."""


def _prepare(
    clip: Path | str, painter: Painter, options: TranscodeOptions, target: Path
) -> tuple[VideoInfo, dict[str, Turn]]:
    """Return what the clip looks like, and each stage as a function, warmed up."""
    with open_source(clip, options) as source:
        info, pixel_path = source.info, negotiate_format(source, painter)
        held = list(islice(pixel_path.frames, HELD_FRAMES))
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
            for frame in islice(_to_and_fro(painted), count):
                sink.write(frame)
        return count

    def whole() -> int:
        done = transcode(clip, target, painter, options=options, overwrite=True)
        return done.info.frame_count or 1

    return info, {"decode": decode, "paint": paint, "encode": encode, WHOLE: whole}


def _to_and_fro(frames: Frames) -> Iterator[Frames]:
    """Repeat frames without a jump: forward, backward, and so on."""
    return cycle(chain(frames, frames[-2:0:-1]))


def _timed(turn: Turn) -> tuple[float, float | None]:
    """Return seconds and CPU seconds per frame of one turn."""
    cpu, begun = cpu_s(), time.perf_counter()
    count = turn()
    taken, after = time.perf_counter() - begun, cpu_s()
    return taken / count, None if cpu is None or after is None else (after - cpu) / count


def _stage(name: str, times: Sequence[tuple[float, float | None]]) -> Stage:
    cpu = [cpu for _, cpu in times if cpu is not None]
    wall_ms = median(wall for wall, _ in times) * 1e3
    return Stage(name, wall_ms, median(cpu) * 1e3 if cpu else None)


def stage_table(machine: str, pipelines: Sequence[Pipeline]) -> str:
    """Return a Markdown table for each pipeline, and what limits it in words."""
    parts = [f"Machine: {machine}"]
    for pipeline in pipelines:
        lines = [["stage", "ms", "fps", "CPU ms"]]
        for stage in pipeline.stages:
            cpu = "" if stage.cpu_ms is None else f"{stage.cpu_ms:.1f}"
            lines.append([stage.name, f"{stage.ms:.1f}", f"{1e3 / stage.ms:.1f}", cpu])
        parts += ["", f"{pipeline.title}:", "", markdown(lines), "", _verdict(pipeline)]
    return "\n".join(parts)


def _verdict(pipeline: Pipeline) -> str:
    text = (
        f"The whole reaches {pipeline.share_of_slowest:.0%} of the rate of {pipeline.slowest.name} "
        "alone"
    )
    if pipeline.share_of_cores is None:
        return f"{text}."
    return f"{text}, and {pipeline.share_of_cores:.0%} of what {pipeline.cores} cores allow."


def stages_as_json(machine: str, pipelines: Sequence[Pipeline]) -> str:
    """Return all figures."""
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
