"""`nst-video models`: what models there are, where their files lie, getting and checking them."""

from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import common_options, completion
from nst_video.cli.console import complain, result, say
from nst_video.cli.progress import fetch_progress
from nst_video.errors import ModelMissingError, WeightsError

app = typer.Typer(help="List, fetch and check the models' files.", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        help="A model's name, see `models list`.",
        metavar="NAME",
        autocompletion=completion.model_files,
    ),
]
_MEGABYTE = 1e6


@app.command("list")
def list_models(models_dir: common_options.ModelsDirOption = None) -> None:
    """List every model: name, whether it is at hand, size, license."""
    from nst_video import weights

    for model in weights.ALL_MODELS.values():
        at_hand = weights.is_cached(model.name, models_dir)
        state = "at hand" if at_hand else "missing" if model.embedded else "to fetch"
        size = "packaged" if model.embedded else f"{model.size / _MEGABYTE:.1f} MB"
        result(f"{model.name:12}  {state:8}  {size:>8}  {model.license:10}  {model.title}")


@app.command()
def fetch(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Models to fetch.", metavar="NAME...", autocompletion=completion.model_files
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Copy the files from a folder instead."),
    ] = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Keep files even if their SHA-256 is not a known one."),
    ] = False,
    offline: common_options.OfflineOption = False,
    quiet: common_options.QuietOption = False,
) -> None:
    """Put models' files into the cache and print where they are."""
    from nst_video import weights

    for name in names:
        with fetch_progress(quiet=quiet) as on_progress:
            paths = (
                weights.install(name, source, trust=trust)
                if source
                else weights.resolve(name, offline=offline, trust=trust, on_progress=on_progress)
            )
        if trust and not quiet:
            say(f"{name}: kept without comparing SHA-256, because you said --trust.")
        for path in paths.values():
            result(path)


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model's name; by default all at hand.",
            metavar="[NAME]",
            autocompletion=completion.model_files,
        ),
    ] = None,
    models_dir: common_options.ModelsDirOption = None,
) -> None:
    """Read models' files from first byte to last and compare them with what they should be."""
    from nst_video import weights

    is_well = True
    for each in [name] if name else list(weights.ALL_MODELS):
        try:
            files = weights.verify(each, models_dir=models_dir)
        except ModelMissingError as error:
            if name:
                raise
            say(f"{each}: {error}")
            continue
        except WeightsError as error:
            complain(error)
            is_well = False
            continue
        for file in files:
            result(f"ok  {file.sha256}  {file.path}  ({file.basis})")
    if not is_well:
        raise typer.Exit(1)


@app.command()
def path(name: Name, models_dir: common_options.ModelsDirOption = None) -> None:
    """Print where a model's files are, one a line; never downloads."""
    from nst_video import weights

    for each in weights.resolve(name, models_dir=models_dir, offline=True).values():
        result(each)
