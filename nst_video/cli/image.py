"""`nst-video image`: stylize pictures."""

from typing import Annotated

import typer

from nst_video.cli import file_kinds
from nst_video.cli.batch import BatchOptions
from nst_video.cli.console import say
from nst_video.cli.jobs import plan_jobs
from nst_video.cli.optimization_options import (
    LossNetworkOptions,
    MethodOption,
    OptimizationOptions,
    PaintMethod,
)
from nst_video.cli.optimization_progress import PicturePainter
from nst_video.cli.options import grouped
from nst_video.cli.output_options import check_outputs
from nst_video.cli.picture_jobs import (
    ExtraPictureOptions,
    Paint,
    paint_all,
    paint_by_network,
    paint_by_optimization,
)
from nst_video.cli.stylizer_options import ModelArguments, StylizeOptions, build_stylizer
from nst_video.errors import UsageError
from nst_video.system.path_lookup import user_path


@grouped
def image(
    photos: Annotated[
        list[str],
        typer.Argument(help="Pictures, folders of pictures, or patterns.", metavar="PHOTO..."),
    ],
    *,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="File (for a single PHOTO) or folder; by default beside PHOTO.",
        ),
    ] = None,
    method: MethodOption = PaintMethod.FAST,
    style: StylizeOptions,
    model: ModelArguments,
    optimization: OptimizationOptions,
    network: LossNetworkOptions,
    extra: ExtraPictureOptions,
    batch: BatchOptions,
) -> None:
    """Stylize pictures.

    The options under Optimization and Loss network need --method gatys.
    """
    from nst_video.style_library.library import StyleLibrary

    jobs = plan_jobs(
        photos,
        output,
        style=StyleLibrary().file_stem(style.style),
        template=batch.template,
        kind=file_kinds.pictures(),
        is_recursive=batch.recursive,
        on_note=None if batch.quiet else say,
    )
    pending = batch.pending(jobs)
    if not pending:
        return
    read = [*style.style, *(optimization.mask or ())]
    replaced = check_outputs(
        extra.outputs(pending),
        [job.source for job in pending] + [user_path(each) for each in read],
        overwrite=batch.overwrite,
        make_folders=output is not None and pending[0].target != user_path(output),
    )
    if method is PaintMethod.GATYS:
        settings = optimization.settings(keep_colors=style.keep_colors)

        def open_painter() -> Paint:
            pictures = optimization.load_styles(style)
            painter = PicturePainter(
                network=network.load(model, quiet=batch.quiet),
                styles=pictures,
                settings=settings,
                work_size=style.work_size,
                preview_every=extra.preview_every,
                quiet=batch.quiet,
            )
            return paint_by_optimization(painter, style.intensity)
    else:
        if (
            optimization != OptimizationOptions()
            or network != LossNetworkOptions()
            or extra.need_optimization
        ):
            raise UsageError("Settings of the optimization need --method gatys.")

        def open_painter() -> Paint:
            return paint_by_network(build_stylizer(style, model, quiet=batch.quiet))

    # An optimization shows its own progress.
    shown = method is PaintMethod.FAST and not batch.quiet
    paint_all(pending, open_painter, style.style, extra, replaced, show_progress=shown)
