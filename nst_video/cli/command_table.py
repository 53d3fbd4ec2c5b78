"""The commands by name; their modules are imported when a command is used, so `--help` is quick."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from typer import Context


class Entry(NamedTuple):
    """A command, without its module.

    Attributes:
        module: where it is, in `nst_video.cli`.
        attribute: its function, or its Typer application.
        summary: the first line of its help.
    """

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "live": Entry(
        "live",
        "live",
        "Stylize a camera or another source live in a window; press ? there for all keys.",
    ),
    "serve": Entry(
        "serve",
        "serve",
        "Open a page: the browser's camera painted, controls for a phone, videos and pictures.",
    ),
    "devices": Entry("devices", "devices", "List the cameras: number, name, frame size."),
    "transcode": Entry(
        "transcode",
        "transcode_app",
        "Stylize video files; sound, subtitles and metadata are kept.",
    ),
    "paint": Entry(
        "transcode", "paint", "Stylize videos by optimization: `transcode --method gatys`."
    ),
    "image": Entry("image", "image", "Stylize pictures."),
    "mask": Entry("mask", "mask", "Write the mask of the people in a picture or video."),
    "demo": Entry(
        "demo",
        "demo",
        "Generate a short video with sound, stylize it, and print where it is.",
    ),
    "doctor": Entry(
        "doctor",
        "doctor",
        "Check the installation: versions, devices, engines, ffmpeg, cameras, windows, models.",
    ),
    "bench": Entry(
        "bench",
        "bench",
        "Measure the speed of models, engines and frame sizes, each in a process of its own.",
    ),
    "score": Entry(
        "score", "score", "Measure how steady, sharp and true to style painted videos are."
    ),
    "train": Entry(
        "train",
        "train",
        "Train the builtin networks on folders of pictures, with magenta-lite as the teacher.",
    ),
    "styles": Entry("styles", "app", "List, add, remove, show and refine styles."),
    "jobs": Entry(
        "unfinished", "app", "List, show and remove unfinished videos of interrupted runs."
    ),
    "models": Entry("models", "app", "List, fetch, verify and locate model files."),
}


class LazyGroup(TyperGroup):
    """The group of all `COMMANDS`: each is imported when it runs or its own help is shown.

    Until then a command without options stands in for it, so that the names are known for
    suggestions.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - those of `TyperGroup`
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.summary))
        self._loaded: set[str] = set()

    def get_command(self, ctx: "Context", cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ANN401 - Typer's classes have no public names
        """Return a command with all its options, None if there is none of this name."""
        if cmd_name in COMMANDS and cmd_name not in self._loaded:
            self.add_command(_load(cmd_name), cmd_name)
            self._loaded.add(cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: "Context", formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401 - as above
        """Write the names and summaries of the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


def typer_app(name: str) -> typer.Typer:
    """Import a command or a group of commands, and return it as a Typer application."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"nst_video.cli.{entry.module}"), entry.attribute)
    if isinstance(found, typer.Typer):
        return found
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return alone


def _load(name: str) -> Any:  # noqa: ANN401 - Typer's classes have no public names
    """Import a command."""
    command = typer.main.get_command(typer_app(name))
    command.name = name
    return command
