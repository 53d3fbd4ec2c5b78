"""`nst-video models`: list, fetch, verify and locate model files."""

from pathlib import Path
from typing import Annotated

import typer

from nst_video.cli import completion
from nst_video.cli.console import complain, result, say
from nst_video.cli.output_options import QuietOption
from nst_video.cli.progress import fetch_progress
from nst_video.cli.stylizer_options import ModelsDirOption, OfflineOption
from nst_video.errors import ModelMissingError, WeightsError

app = typer.Typer(
    help="List, fetch, verify and locate model files.", no_args_is_help=True, add_completion=False
)

Name = Annotated[
    str,
    typer.Argument(
        help="A model's name (see `models list`).",
        metavar="NAME",
        autocompletion=completion.model_files,
    ),
]
_MEGABYTE = 1e6


@app.command("list")
def list_models(models_dir: ModelsDirOption = None) -> None:
    """List all models: name, availability, size, license, title."""
    from nst_video import weights

    for model in weights.ALL_MODELS.values():
        is_available = weights.is_cached(model.name, models_dir)
        state = "available" if is_available else "missing" if model.embedded else "to fetch"
        size = "packaged" if model.embedded else f"{model.size / _MEGABYTE:.1f} MB"
        result(f"{model.name:12}  {state:9}  {size:>8}  {model.license:10}  {model.title}")


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
        typer.Option("--trust", help="Keep files whose SHA-256 is unknown."),
    ] = False,
    offline: OfflineOption = False,
    quiet: QuietOption = False,
) -> None:
    """Download model files into the cache and print their paths."""
    from nst_video import weights

    for name in names:
        with fetch_progress(quiet=quiet) as on_progress:
            paths = (
                weights.install(name, source, trust=trust)
                if source
                else weights.resolve(name, offline=offline, trust=trust, on_progress=on_progress)
            )
        if trust and not quiet:
            say(f"{name}: SHA-256 not checked (--trust).")
        for path in paths.values():
            result(path)


@app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model's name; by default all available models.",
            metavar="[NAME]",
            autocompletion=completion.model_files,
        ),
    ] = None,
    models_dir: ModelsDirOption = None,
) -> None:
    """Check the SHA-256 of model files."""
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
def path(name: Name, models_dir: ModelsDirOption = None) -> None:
    """Print the paths of a model's files, one per line; never downloads."""
    from nst_video import weights

    for each in weights.resolve(name, models_dir=models_dir, offline=True).values():
        result(each)
