"""`nst-video image`: stylize pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import file_kinds
from nst_video.cli.batch import BatchOptions
from nst_video.cli.console import say
from nst_video.cli.jobs import Job, plan_jobs
from nst_video.cli.optimization_options import (
    LossNetworkOptions,
    MethodOption,
    OptimizationOptions,
    PaintMethod,
    load_styles,
)
from nst_video.cli.optimization_progress import PicturePainter
from nst_video.cli.options import grouped, option_names, refuse_given
from nst_video.cli.output_options import check_outputs
from nst_video.cli.picture_jobs import (
    ExtraPictureOptions,
    Paint,
    paint_all,
    paint_by_network,
    paint_by_optimization,
)
from nst_video.cli.region_options import MaskOptions, RegionOptions, choose_regions, mask_files
from nst_video.cli.stylizer_options import (
    ModelArguments,
    StylizeOptions,
    build_stylizer,
    parse_work_size,
)
from nst_video.system.path_lookup import user_path


@dataclass(frozen=True, kw_only=True)
class PictureFileOptions:
    """Which pictures to read and where to write the results."""

    photos: Annotated[
        list[str],
        typer.Argument(help="Pictures, folders of pictures, or patterns.", metavar="PHOTO..."),
    ]
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="File (for a single PHOTO) or folder; by default beside PHOTO.",
        ),
    ] = None
    batch: BatchOptions = field(default_factory=BatchOptions)
    extra: ExtraPictureOptions = field(default_factory=ExtraPictureOptions)


_GATYS_ONLY = option_names(OptimizationOptions, LossNetworkOptions) | {
    "plot",
    "preview_every",
}
_FAST_ONLY = option_names(RegionOptions) - option_names(MaskOptions) | {
    "blend",
    "stroke_scale",
    "gentle",
    "model",
    "engine",
    "tile",
}


@grouped
def image(
    context: typer.Context,
    *,
    files: PictureFileOptions,
    method: MethodOption = PaintMethod.FAST,
    style: StylizeOptions,
    region: RegionOptions,
    model: ModelArguments,
    optimization: OptimizationOptions,
    network: LossNetworkOptions,
) -> None:
    """Stylize pictures.

    The options under Optimization and Loss network need --method gatys.
    """
    quiet = files.batch.quiet
    open_painter: Callable[[], Paint]
    if method is PaintMethod.GATYS:
        refuse_given(context, _FAST_ONLY, "--method fast")
        open_painter = _optimizer_opener(files, style, model, optimization, network, region.masks)
    else:
        refuse_given(context, _GATYS_ONLY, "--method gatys")
        styles, regions = choose_regions(style.style, region.masks, region)
        style = replace(style, style=styles)

        def open_painter() -> Paint:
            stylizer = build_stylizer(style, model, quiet=quiet, regions=regions)
            return paint_by_network(stylizer, quiet=quiet)

    jobs, replaced = _plan(files, style.style, region.masks)
    # An optimization shows its own progress.
    shown = method is PaintMethod.FAST and not quiet
    if jobs:
        paint_all(jobs, open_painter, style.style, files.extra, replaced, show_progress=shown)


def _optimizer_opener(
    files: PictureFileOptions,
    style: StylizeOptions,
    model: ModelArguments,
    optimization: OptimizationOptions,
    network: LossNetworkOptions,
    masks: Sequence[Path],
) -> Callable[[], Paint]:
    """Return a function that loads styles and loss network; settings are checked at once."""
    settings = optimization.settings(keep_colors=style.keep_colors)
    work_size = parse_work_size(style.work_size)

    def open_painter() -> Paint:
        styles = load_styles(style, masks, model)
        loss_network = network.load(model, quiet=files.batch.quiet)
        from nst_video.optimization.gatys import GatysOptimizer

        painter = PicturePainter(
            optimizer=GatysOptimizer(loss_network, styles, settings),
            work_size=work_size if isinstance(work_size, int) else None,
            preview_every=files.extra.preview_every,
            quiet=files.batch.quiet,
        )
        return paint_by_optimization(painter, style.intensity)

    return open_painter


def _plan(
    files: PictureFileOptions, styles: Sequence[str], masks: Sequence[Path]
) -> tuple[list[Job], frozenset[Path]]:
    """Return the files to make, and which outputs exist and may be replaced.

    Raises:
        NstVideoError: inputs or outputs with which nothing can be made.
    """
    from nst_video.style_library.library import StyleLibrary

    batch = files.batch
    jobs = batch.pending(
        plan_jobs(
            files.photos,
            files.output,
            style=StyleLibrary().file_stem(styles),
            template=batch.template,
            kind=file_kinds.pictures(),
            is_recursive=batch.recursive,
            on_note=None if batch.quiet else say,
        )
    )
    if not jobs:
        return [], frozenset()
    replaced = check_outputs(
        files.extra.outputs(jobs),
        [*(job.source for job in jobs), *map(user_path, styles), *mask_files(masks)],
        overwrite=batch.overwrite,
        make_folders=files.output is not None and jobs[0].target != user_path(files.output),
    )
    return jobs, replaced
