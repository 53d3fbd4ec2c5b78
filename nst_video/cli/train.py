"""`nst-video train`: trains the networks of the `builtin` model on your own pictures."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli.console import result, say
from nst_video.cli.options import number
from nst_video.cli.output_options import OverwriteOption, QuietOption, check_outputs
from nst_video.cli.stylizer_options import ModelsDirOption, OfflineOption
from nst_video.system.output_files import OutputFile
from nst_video.validation import COUNT, SEED

TEACHER = "magenta-lite"


class Part(StrEnum):
    """The networks that can be trained."""

    TRANSFORMER = "transformer"
    PREDICTOR = "predictor"
    LOSS = "loss"


def train(
    out: Annotated[
        Path,
        typer.Argument(help="Folder for the weights; give it again to resume.", metavar="FOLDER"),
    ],
    photos: Annotated[
        list[Path],
        typer.Option(
            "--photos",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of photos; repeat for several.",
        ),
    ],
    artworks: Annotated[
        list[Path],
        typer.Option(
            "--artworks",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of style pictures; repeat for several.",
        ),
    ],
    part: Annotated[
        list[Part] | None, typer.Option("--part", help="What to train; all by default.")
    ] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            "--vgg",
            exists=True,
            dir_okay=False,
            help="Weights of VGG-19 (.npz), the loss network; without them, no perceptual loss.",
        ),
    ] = None,
    seed: Annotated[int, number(SEED, "--seed", help="Random seed.")] = 0,
    shorten: Annotated[
        int,
        number(COUNT, "--shorten", help="Divide the number of steps by this, for a trial run."),
    ] = 1,
    evaluate: Annotated[
        bool,
        typer.Option(
            "--evaluate", help="Only evaluate the weights in FOLDER on held-out pictures."
        ),
    ] = False,
    models_dir: ModelsDirOption = None,
    offline: OfflineOption = False,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train the builtin networks on folders of pictures, with magenta-lite as the teacher.

    One picture in ten is held out for evaluation. Takes about two hours on two CPU cores; an
    interrupted run is resumed.
    """
    from nst_video.networks.models import load_model
    from nst_video.training import config, dataset, runs
    from nst_video.weights import resolve

    def on_log(entry: Mapping[str, float | str]) -> None:
        if not quiet:
            say("  ".join(f"{key} {_short(value)}" for key, value in entry.items()))

    if not evaluate:
        _check_folder(out, vgg, overwrite=overwrite)
    on_note = None if quiet else say
    files = resolve(TEACHER, models_dir=models_dir, offline=offline)
    run = runs.TrainingRun(
        load_model(TEACHER, files),
        dataset.read_pictures(photos, on_note),
        dataset.read_pictures(artworks, on_note),
        out,
        seed,
        vgg,
    )
    if evaluate:
        result(runs.evaluate_run(run))
        return
    for each in part or [each for each in Part if vgg or each is not Part.LOSS]:
        train_part = {
            Part.TRANSFORMER: runs.train_transformer,
            Part.PREDICTOR: runs.train_predictor,
            Part.LOSS: runs.train_loss_network,
        }
        result(train_part[each](run, config.shortened(shorten), on_log))


def _check_folder(folder: Path, vgg: Path | None, *, overwrite: bool) -> None:
    """Make the folder for the weights, and check that they may be written.

    Raises:
        UsageError: they exist and are not those of a run that can be resumed, or `vgg` is one.
    """
    from nst_video.training.loop import LOG
    from nst_video.training.runs import RESULTS

    # A folder with a log is that of a run, which is resumed and may replace its results.
    is_own = (folder / LOG).is_file()
    check_outputs(
        [OutputFile(folder / name, "weights", overwrite=is_own) for name in RESULTS],
        [vgg] if vgg else [],
        overwrite=overwrite,
        make_folders=True,
    )


def _short(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
