"""`nst-video score`: how steady, sharp and true to its style a painted video is."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli import completion
from nst_video.cli.console import result, say, shown
from nst_video.cli.options import number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_plot
from nst_video.cli.progress import Report, clock_time, fetch_progress, progress
from nst_video.cli.stylizer_options import ModelsDirOption, OfflineOption
from nst_video.networks.config import DEFAULT_NETWORK, LOSS_NETWORKS
from nst_video.settings import DEFAULT_SCORE_SIZE
from nst_video.validation import SCORE_SIZE

if TYPE_CHECKING:
    from nst_video.networks.vgg import LossNetwork
    from nst_video.scoring import ScoreReport, SourceScore, VideoScore
    from nst_video.scoring.videos import OnFrame


def score(
    source: Annotated[str, typer.Argument(help="The video that was painted.", metavar="SOURCE")],
    painted: Annotated[
        list[str],
        typer.Argument(
            help="Videos painted from it. The sharpness and style of the others are compared with "
            "the first.",
            metavar="PAINTED...",
        ),
    ],
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            "-s",
            autocompletion=completion.styles,
            help="Also measure the distance to this style: a name, or the path of any picture.",
        ),
    ] = None,
    size: Annotated[
        int,
        number(
            SCORE_SIZE,
            "--size",
            metavar="N",
            help="Long side in pixels at which the videos are compared.",
        ),
    ] = DEFAULT_SCORE_SIZE,
    loss_network: Annotated[
        str,
        typer.Option(
            "--loss-network",
            autocompletion=completion.among(LOSS_NETWORKS),
            metavar="|".join(LOSS_NETWORKS),
            help="Network that measures the distances to style and content.",
        ),
    ] = DEFAULT_NETWORK,
    models_dir: ModelsDirOption = None,
    offline: OfflineOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Plot the measures over time.")
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure how steady, sharp and true to style painted videos are.

    Videos are compared frame by frame, along the motion of the source.
    """
    from nst_video.image.files import save_picture
    from nst_video.scoring import presentation
    from nst_video.scoring import score as measure

    replaced = check_plot(plot, [source, *painted], overwrite=overwrite)

    def load_network() -> "LossNetwork":
        from nst_video.networks.vgg import load_loss_network

        with fetch_progress(quiet=quiet) as on_fetch:
            return load_loss_network(
                loss_network, models_dir=models_dir, offline=offline, on_fetch=on_fetch
            )

    with progress("Scoring", shown=not quiet) as report:
        scored = measure(
            source,
            painted,
            style=style,
            size=size,
            loss_network=load_network,
            on_frame=None if report is None else _frame_reporter(report),
        )
    if not quiet:
        for note in scored.notes:
            say(note)
    if plot is not None:
        save_picture(plot, presentation.plot(scored), overwrite=plot in replaced)
    result(presentation.as_json(scored) if as_json else _table(scored))


def _frame_reporter(report: Report) -> "OnFrame":
    """Return a callback of `score` that shows its progress."""
    begun_s: float | None = None

    def on_frame(frame: int, count: int | None) -> None:
        nonlocal begun_s
        if begun_s is None:  # the first frame waits for the start of ffmpeg
            begun_s = time.monotonic()
        elapsed_s = time.monotonic() - begun_s
        per_frame_s = elapsed_s / max(frame - 1, 1)
        remaining_s = None if count is None or frame == 1 else per_frame_s * (count - frame)
        report(
            frame,
            count,
            (
                f"frame {frame}/{'?' if count is None else count}",
                f"{clock_time(remaining_s)} left",
                f"{1 / max(per_frame_s, 1e-6):.1f} fps",
                f"{clock_time(elapsed_s)} elapsed",
            ),
        )

    return on_frame


def _table(scored: "ScoreReport") -> str:
    """Return a table of the source and the painted videos, the best first."""
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table

    distances = list(scored.source.warp_error)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("video", overflow="fold")
    for head in (
        "score",
        *(f"error {distance}" for distance in distances),
        *("sharpness", "style", "content"),
    ):
        table.add_column(head, justify="right")

    def errors(of: "SourceScore | VideoScore") -> list[str]:
        return [_figure(of.warp_error[distance], 2) for distance in distances]

    source = scored.source
    table.add_row(f"{shown(source.name)} (source)", "", *errors(source))
    for video in scored.ranking:
        table.add_row(
            shown(video.name),
            _figure(video.score, 1),
            *errors(video),
            _figure(video.sharpness_ratio, 2),
            _figure(video.style_distance, 3),
            _figure(video.content_distance, 3),
        )
    text = StringIO()
    Console(file=text, width=110, markup=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
