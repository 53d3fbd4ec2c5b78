from itertools import pairwise

import numpy as np
import pytest
from typer.testing import CliRunner

from nst_video.cli.styles import app
from nst_video.errors import SourceError, StyleError, UsageError
from nst_video.image.files import load_picture, save_picture
from nst_video.optimization import refine_loss, style_refinement
from nst_video.style_library.library import StyleLibrary
from nst_video.system import paths

run = CliRunner()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "My Picture.png"
    y, x = np.mgrid[0:300, 0:400]
    save_picture(path, np.stack([x % 256, y % 256, (x + y) % 256], axis=-1).astype(np.uint8))
    return path


def test_list_shows_every_style_with_its_origin(picture):
    run.invoke(app, ["add", str(picture), "--name", "mine", "--title", "My title"])
    lines = run.invoke(app, ["list"], catch_exceptions=False).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in StyleLibrary().styles()]
    assert lines[-1].split(maxsplit=2) == ["mine", "yours", "My title"]
    assert any("packaged" in line for line in lines)


def test_list_works_without_any_style(monkeypatch, tmp_path):
    monkeypatch.setattr(
        "nst_video.style_library.library.packaged_styles_dir", lambda: tmp_path / "none"
    )
    done = run.invoke(app, ["list"])
    assert (done.exit_code, done.stdout) == (0, "")
    sheet = run.invoke(app, ["sheet", "x.png", "-o", str(tmp_path / "s.png")])
    assert isinstance(sheet.exception, SourceError)


def test_list_leaves_out_what_is_broken_and_says_so(picture):
    yours = StyleLibrary().user_dir
    for name in ("cut.png", "good.png", "empty.jpg"):
        run.invoke(app, ["add", str(picture), "--name", name.split(".")[0]])
    (yours / "cut.png").write_bytes((yours / "cut.png").read_bytes()[:-500])
    (yours / "empty.jpg").touch()
    (yours / "styles.toml").write_text("[good")
    done = run.invoke(app, ["list"], catch_exceptions=False)
    assert done.exit_code == 0
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert "good" in listed
    assert not {"cut", "empty"} & {*listed}
    notes = done.stderr.splitlines()
    assert "styles.toml is ignored" in notes[0]
    assert "Your style 'cut' is skipped" in notes[1]
    assert "a damaged PNG picture" in notes[1]
    assert "Your style 'empty' is skipped" in notes[2] or "yours/empty.jpg" in notes[2]


def test_add_prints_the_name_and_remove_takes_it_away(picture):
    added = run.invoke(app, ["add", str(picture), "--description", "One."], catch_exceptions=False)
    assert added.stdout == "my-picture\n"
    assert isinstance(run.invoke(app, ["add", str(picture)]).exception, StyleError)
    assert run.invoke(app, ["add", str(picture), "-y"]).exit_code == 0
    removed = run.invoke(app, ["remove", "my-picture"], catch_exceptions=False)
    assert "Removed" in removed.stderr
    assert list((paths.data_dir() / "styles").iterdir()) == []


def test_show_tells_all_that_is_known(picture):
    run.invoke(app, ["add", str(picture), "--name", "mine", "--title", "T", "--description", "D."])
    lines = run.invoke(app, ["show", "mine"], catch_exceptions=False).stdout.splitlines()
    assert dict(line.split(maxsplit=1) for line in lines) == {
        "name": "mine",
        "title": "T",
        "description": "D.",
        "origin": "yours",
        "size": "400x300",
        "path": str(paths.data_dir() / "styles" / "mine.png"),
    }


def test_show_suggests_a_near_name():
    near = StyleLibrary().styles()[0].name
    error = run.invoke(app, ["show", near[:-1]]).exception
    assert isinstance(error, StyleError)
    assert f"'{near}'" in str(error)


def test_sheet_paints_every_style_asked_for(picture, assets, tmp_path):
    target = tmp_path / "sheet.png"
    done = run.invoke(
        app,
        [
            *("sheet", str(assets / "photos" / "stata.jpg"), "-o", str(target), "-s", str(picture)),
            *("-s", str(assets / "paintings" / "starry-night.jpg"), "--columns", "3"),
            *("--model", "magenta-lite", "--models-dir", str(assets / "models"), "--offline"),
        ],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{target}\n"
    sheet = load_picture(target)
    cells = np.array_split(sheet, 3, axis=1)
    colors = [cell[40:300].reshape(-1, 3).mean(0) for cell in cells]
    assert all(np.abs(a - b).max() > 5 for a, b in pairwise(colors))
    again = run.invoke(app, ["sheet", str(picture), "-o", str(target)])
    assert isinstance(again.exception, UsageError)


def test_sheet_without_styles_says_so(picture, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nst_video.style_library.library.packaged_styles_dir", lambda: tmp_path / "none"
    )
    error = run.invoke(app, ["sheet", str(picture), "-o", str(tmp_path / "s.png")]).exception
    assert isinstance(error, StyleError)
    assert "styles add" in str(error)


def test_add_takes_a_name_and_several_pictures(picture, tmp_path):
    other = tmp_path / "other.png"
    save_picture(other, load_picture(picture)[::-1])
    added = run.invoke(app, ["add", "monet", str(picture), str(other)], catch_exceptions=False)
    assert added.stdout == "monet\n"
    lines = run.invoke(app, ["show", "monet"], catch_exceptions=False).stdout.splitlines()
    assert ["pictures", "2"] in [line.split(maxsplit=1) for line in lines]


@pytest.fixture
def small_refinement(monkeypatch):
    for name, value in (("SIDE", 32), ("PHOTO_COUNT", 2), ("HELD_OUT_COUNT", 1)):
        monkeypatch.setattr(style_refinement, name, value)
    monkeypatch.setattr(refine_loss, "STYLE_SIDE", 48)


@pytest.mark.usefixtures("small_refinement")
def test_refine_adds_the_picture_and_keeps_what_it_has_found(picture, tmp_path):
    shown = tmp_path / "preview.png"
    options = ["--model", "builtin", "--minutes", "0.05", "--preview", str(shown)]
    done = run.invoke(app, ["refine", str(picture), *options], catch_exceptions=False)
    assert done.stdout == "my-picture\n"
    assert "is refined" in done.stderr
    assert load_picture(shown).shape == (32, 64, 3)
    line = run.invoke(app, ["list"], catch_exceptions=False).stdout.splitlines()[-1]
    assert line.split() == ["my-picture", "yours", "refined", "My", "picture"]
    removed = run.invoke(app, ["remove", "--refined", "my-picture"], catch_exceptions=False)
    assert "no longer refined" in removed.stderr
    line = run.invoke(app, ["list"], catch_exceptions=False).stdout.splitlines()[-1]
    assert line.split() == ["my-picture", "yours", "My", "picture"]


@pytest.mark.parametrize("options", [["--minutes", "0"], ["--bold", "2"], ["--photos", "missing"]])
def test_refine_refuses_what_makes_no_sense_before_any_work(options):
    assert run.invoke(app, ["refine", "wave", *options]).exit_code != 0
