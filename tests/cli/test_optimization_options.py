"""`nst-video image --method gatys`: what a user sees of painting by optimization."""

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from nst_video.cli import optimization_progress
from nst_video.cli.app import app
from nst_video.cli.optimization_options import OptimizationOptions
from nst_video.errors import ModelMissingError, SourceError, StyleError, UsageError
from nst_video.image.files import load_picture, save_picture
from nst_video.optimization.painting import PaintStep
from nst_video.optimization.settings import PRESETS

QUICK = ("--method", "gatys", "-s", "wave", "--steps", "4", "--scales", "1", "--work-size", "48")


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (6, 8, 3), np.uint8)
    path = tmp_path / "photo.png"
    save_picture(path, np.asarray(cv2.resize(coarse, (96, 72)), np.uint8))
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["image", *map(str, arguments)])


def test_image_is_painted_by_optimization_with_curves_and_previews(photo, tmp_path, monkeypatch):
    shown = []

    def save(path, frame, quality=95, *, overwrite=False):
        shown.append(path.name)
        return save_picture(path, frame, quality, overwrite=overwrite)

    monkeypatch.setattr("nst_video.image.files.save_picture", save)
    target, curves = tmp_path / "painted.png", tmp_path / "curves.png"
    done = run(photo, "-o", target, *QUICK, "--plot", curves, "--preview-every", 2)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{target}\n"
    assert "Loss network builtin" in done.stderr
    assert load_picture(target).shape == (72, 96, 3)
    assert load_picture(curves).std() > 10
    assert shown == ["painted-preview.png", "painted-preview.png", "painted.png", "curves.png"]
    assert not (tmp_path / "painted-preview.png").exists()


def test_compare_shows_picture_style_and_result(photo, tmp_path):
    target = tmp_path / "painted.png"
    done = run(photo, "-o", target, *QUICK, "--compare", "-q")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert load_picture(target).shape == (72, 96, 3)
    height, width = load_picture(tmp_path / "painted-comparison.png").shape[:2]
    assert width > 2 * height


def test_masks_mix_and_colors_reach_the_painter(photo, tmp_path):
    mask, target = tmp_path / "mask.png", tmp_path / "painted.png"
    half = np.zeros((72, 96, 3), np.uint8)
    half[:, :48] = 255
    save_picture(mask, half)
    options = ("--style", "comic", "--mix", "0.7,0.3", "--mask", mask, "--colors", "covariance")
    done = run(photo, "-o", target, *QUICK, *options, "--optimizer", "lbfgs", "-q")
    assert done.exit_code == 0, done.output
    assert target.exists()


def test_people_can_be_the_mask_even_where_nobody_is(photo, tmp_path):
    target = tmp_path / "painted.png"
    done = run(photo, "-o", target, *QUICK, "-s", "comic", "--mask", "person", "-q")
    assert done.exit_code == 0, done.output
    assert target.exists()


def test_what_is_no_mask_is_refused_before_any_painting(photo, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("black on white")
    failure = run(photo, "-o", tmp_path / "painted.png", "-q", "--mask", note).exception
    assert isinstance(failure, SourceError)
    assert "it is a text. A mask is a picture or a video" in str(failure)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("--steps", 5), UsageError, "--steps needs --method gatys"),
        (("--method", "gatys", "--preset", "bold"), UsageError, "classic, faithful"),
        (("--method", "gatys", "--preset", "classic"), UsageError, "no layer 'block5_conv2'"),
        (("--method", "gatys", "--network", "vgg11"), UsageError, "builtin, vgg16, vgg19"),
        (("--method", "gatys", "--network", "vgg19", "--offline"), ModelMissingError, "fetch"),
        (
            ("--method", "gatys", "--style-layers", "block1_conv1:much"),
            UsageError,
            "weight of block1_conv1",
        ),
        (("--method", "gatys", "--mix", "0.5,0.5"), UsageError, "2 mix weights for 1 styles"),
        (("--method", "gatys", "--style", "wvae"), StyleError, "'wave'"),
        (("--method", "gatys", "--work-size", "8"), UsageError, "--work-size"),
        (("--method", "gatys", "--intensity", "2"), UsageError, "intensity"),
        (
            ("--mask", "person", "--style", "original", "-s", "wave"),
            UsageError,
            "cannot be mixed with other styles",
        ),
    ],
)
def test_mistakes_are_told_before_any_painting(photo, tmp_path, arguments, error, said):
    target = tmp_path / "painted.png"
    failure = run(photo, "-o", target, "-q", *arguments).exception
    assert isinstance(failure, error)
    assert said in str(failure)
    assert not target.exists()


def test_what_is_typed_changes_the_preset_and_nothing_else():
    given = OptimizationOptions(
        preset="faithful",
        steps=7,
        optimizer="lbfgs",
        init="noise",
        style_layers="block1_conv1,block2_conv1:2",
    )
    settings = given.settings(keep_colors=True)
    assert settings.style_layers == (("block1_conv1", 1.0), ("block2_conv1", 2.0))
    assert (settings.steps, settings.colors) == (7, "keep")
    assert (settings.optimizer, settings.start) == ("lbfgs", "noise")
    assert settings.content_weight == PRESETS["faithful"].content_weight
    assert OptimizationOptions().settings() == PRESETS["balanced"]


def test_a_step_is_described_with_the_losses_that_count():
    losses = {"content": 0.5, "style": 0.25, "tv": 0.0, "total": 0.75}
    told = optimization_progress.describe(PaintStep(1, 2, 3, 150, losses))
    assert told == ("scale 1/2", "step 3/150", "content 0.5", "style 0.25", "total 0.75")
