"""`nst-video bench`: how fast each engine paints, and against what others use."""

from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import options
from nst_video.cli.console import result, say


def bench(
    models: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Models to measure; by default all at hand."),
    ] = None,
    engines: Annotated[
        list[str] | None,
        typer.Option("--engine", help="Engines to measure; by default all but identity."),
    ] = None,
    sizes: Annotated[
        list[str], typer.Option("--size", metavar="WxH", help="Frame sizes; repeat for more.")
    ] = ["384x384"],  # noqa: B006 - Typer copies it
    against: Annotated[
        list[str] | None,
        typer.Option("--against", help="Peers: litert (magenta-lite, 384x384), hub (magenta)."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Turns of each case.")] = 5,
    round_s: Annotated[float, typer.Option("--seconds", min=0.0, help="Seconds of a turn.")] = 2.0,
    models_dir: options.ModelsDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Also draw fps over size to this picture.")
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Measure engines, models and sizes, in turn, each in a process of its own."""
    from nst_video import bench as measuring
    from nst_video import weights
    from nst_video.engines import ENGINES, has_bfloat16
    from nst_video.media.options import parse_size
    from nst_video.pictures import save_picture

    chosen = models or [name for name in weights.MODELS if weights.is_cached(name, models_dir)]
    left_out = {"identity"} if has_bfloat16() else {"identity", "openvino-bf16"}
    runners = engines or [name for name in ENGINES if name not in left_out]
    cases = measuring.plan(
        chosen, runners, [parse_size(size) for size in sizes], against or [], models_dir
    )
    rows = measuring.run_bench(
        cases,
        rounds=rounds,
        round_s=round_s,
        on_row=None if quiet else lambda row: say(f"{row.model} {row.engine}: {row.fps:.1f} fps"),
    )
    machine = measuring.machine_name()
    result(measuring.as_json(machine, rows) if as_json else measuring.table(machine, rows))
    if plot:
        save_picture(plot, measuring.plot(rows, title=machine))
