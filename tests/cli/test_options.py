"""Groups of options: dataclasses on the one side, single options on the other."""

from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from nst_video.cli.options import grouped, number
from nst_video.cli.stylizer_options import parse_paint_every
from nst_video.errors import UsageError
from nst_video.validation import Range


@dataclass(frozen=True, kw_only=True)
class SizeOptions:
    width: Annotated[int, number(Range(1, 99, is_whole=True), "--width", help="In pixels.")] = 64
    names: Annotated[list[str], typer.Option("--name")] = field(default_factory=lambda: ["a"])


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    photo: Annotated[str, typer.Argument()]
    size: SizeOptions = field(default_factory=SizeOptions)


called: list[tuple[PictureOptions, bool]] = []
app = typer.Typer()


@app.command()
@grouped
def resize(*, picture: PictureOptions, quiet: bool = False) -> None:
    """Resize a picture."""
    called.append((picture, quiet))


def test_command_gets_groups_made_of_options():
    done = CliRunner().invoke(app, ["photo.png", "--width", "7", "--name", "b", "--quiet"])
    assert done.exit_code == 0, done.output
    given = PictureOptions(photo="photo.png", size=SizeOptions(width=7, names=["b"]))
    assert called.pop() == (given, True)


def test_options_that_are_not_given_have_the_defaults_of_their_group():
    assert CliRunner().invoke(app, ["photo.png"]).exit_code == 0
    assert called.pop() == (PictureOptions(photo="photo.png"), False)


def test_number_that_is_out_of_range_is_refused():
    for text in ("0", "100", "1.5", "many"):
        error = CliRunner().invoke(app, ["photo.png", "--width", text]).exception
        assert isinstance(error, UsageError)
        assert str(error).startswith("--width must be a whole number from 1 to 99, not ")


def test_help_shows_every_option_of_a_group():
    shown = (
        CliRunner()
        .invoke(app, ["--help"], env={"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"})
        .output
    )
    for part in ("photo", "--width", "1..99", "64", "--name", "--quiet", "Resize a picture."):
        assert part in shown


def test_options_of_two_groups_must_differ():
    def twice(*, size: SizeOptions, width: int) -> None:
        raise NotImplementedError

    with pytest.raises(ValueError, match="duplicate parameter name: 'width'"):
        grouped(twice)


def test_paint_every_is_a_number_of_frames_or_auto():
    assert [parse_paint_every(text) for text in (None, "auto", "3")] == [None, "auto", 3]
    for text in ("0", "13", "1.5", "often"):
        with pytest.raises(UsageError, match=r"--paint-every must be .* or auto, not "):
            parse_paint_every(text)
