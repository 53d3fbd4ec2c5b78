"""`nst-video bench`: speed of models and engines, and of other implementations."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import completion
from nst_video.cli.console import result, say
from nst_video.cli.options import number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_plot
from nst_video.cli.stylizer_options import ModelsDirOption
from nst_video.errors import UsageError
from nst_video.validation import COUNT, SECONDS

if TYPE_CHECKING:
    from nst_video.bench import PipelineTiming
    from nst_video.video.media.codec_options import TranscodeOptions

DEFAULT_SIZE = "384x384"


def bench(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            autocompletion=completion.models,
            help="Models to measure; by default all that are available.",
        ),
    ] = None,
    engines: Annotated[
        list[str] | None,
        typer.Option(
            "--engine",
            autocompletion=completion.among(completion.ENGINE_NAMES[1:]),
            help="Engines to measure; by default all that work on this machine.",
        ),
    ] = None,
    sizes: Annotated[
        list[str] | None,
        typer.Option(
            "--size",
            metavar="WxH",
            help=f"Frame size; repeat for several. By default {DEFAULT_SIZE}, or that of the clip.",
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(
            "--clip",
            metavar="FILE",
            help="Measure transcoding this file (or demo:), as a whole and each stage separately.",
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="Also measure the official implementations: litert (magenta-lite, 384x384), hub "
            "(magenta).",
        ),
    ] = None,
    rounds: Annotated[
        int, number(COUNT, "--rounds", help="Measurements of each case, taken in turn.")
    ] = 5,
    round_s: Annotated[
        float,
        number(
            SECONDS,
            "--seconds",
            help="Length of a measurement; with --clip, seconds of the clip to read.",
        ),
    ] = 2.0,
    models_dir: ModelsDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Plot fps against frame size.")
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure the speed of models, engines and frame sizes, each in a process of its own."""
    from nst_video import bench as measuring
    from nst_video.image.files import save_picture
    from nst_video.video.media.codec_options import TranscodeOptions, parse_size

    replaced = check_plot(plot, [clip] if clip else [], overwrite=overwrite)
    models = models or _available_models(models_dir)
    engines = engines or _available_engines()
    machine = measuring.machine_name()
    if clip is not None:
        if against or plot:
            raise UsageError("--clip cannot be combined with --against or --plot.")
        every = [
            TranscodeOptions(end_s=round_s, size=parse_size(size) if size else None)
            for size in sizes or [""]
        ]
        pipelines = list(_measure_clip(clip, models, engines, every, rounds, models_dir))
        describe = measuring.stages_as_json if as_json else measuring.stage_table
        result(describe(machine, pipelines))
        return
    asked = [parse_size(size) for size in sizes or [DEFAULT_SIZE]]
    cases = measuring.plan(models, engines, asked, against or [], models_dir)
    rows = measuring.run_bench(
        cases,
        rounds=rounds,
        round_s=round_s,
        on_row=None if quiet else lambda row: say(f"{row.model} {row.engine}: {row.fps:.1f} fps"),
    )
    result(measuring.as_json(machine, rows) if as_json else measuring.table(machine, rows))
    if plot:
        save_picture(plot, measuring.plot(rows, title=machine), overwrite=plot in replaced)


def _available_models(models_dir: Path | None) -> list[str]:
    """Return the models whose files are on this machine."""
    from nst_video import weights

    return [name for name in weights.MODELS if weights.is_cached(name, models_dir)]


def _available_engines() -> list[str]:
    """Return the engines that work on this machine, without the one that paints nothing."""
    from nst_video.engines import ENGINES, unavailable_reason

    return [name for name in ENGINES if name != "identity" and unavailable_reason(name) is None]


def _measure_clip(
    clip: str,
    models: Sequence[str],
    engines: Sequence[str],
    every: Sequence["TranscodeOptions"],
    rounds: int,
    models_dir: Path | None,
) -> "Iterator[PipelineTiming]":
    """Measure a transcode's stages with every model, engine and size."""
    from nst_video.bench import measure_stages
    from nst_video.settings import ModelOptions
    from nst_video.stylizer import Stylizer

    for model, engine, wanted in product(models, engines, every):
        options = ModelOptions(model, engine, models_dir=models_dir, offline=True)
        painter = Stylizer(options=options)
        painter.prepare()
        yield measure_stages(
            clip, painter, title=f"{clip}, {model}, {engine}", options=wanted, rounds=rounds
        )
