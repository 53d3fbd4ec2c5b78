"""`nst-video image` with several pictures: what is painted, skipped, refused and told."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from nst_video.cli import file_kinds
from nst_video.cli.app import app
from nst_video.cli.jobs import plan_jobs
from nst_video.errors import NstVideoError, SourceError, UsageError
from nst_video.image.files import WRITABLE_SUFFIXES, is_painted, load_picture, save_picture

PLAIN = ["--intensity", "0", "--blend", "pixel"]


def run(*arguments: str | Path):
    """Run `image` in this process; errors that `main` would print come as exceptions."""
    plain = PLAIN[:2] if "gatys" in arguments else PLAIN
    done = CliRunner().invoke(app, ["image", *map(str, arguments), *plain])
    if isinstance(done.exception, NstVideoError):
        raise done.exception
    return done


def make_photo(path: Path, seed: int = 0) -> Path:
    """Write a photo as a camera does, not as we do."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(cv2.resize(coarse, (48, 36)), np.uint8)).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for seed, name in enumerate(("a.jpg", "b.PNG", "c.webp", ".hidden.jpg", "sub/d.jpg")):
        make_photo(folder / name, seed)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_of_photos_is_painted_beside_them_once(photos: Path):
    done = run(photos)
    assert done.exit_code == 0
    names = [Path(line).name for line in done.stdout.splitlines()]
    assert names == ["a-starfield.png", "b-starfield.png", "c-starfield.png"]
    assert all((photos / name).is_file() for name in names)
    assert "Skipped (not a picture): notes.txt." in done.stderr
    again = run(photos, "-n")
    assert again.stdout == ""
    assert "Skipped (already stylized): a-starfield.png, b-starfield.png" in again.stderr
    other = run(photos, "-s", "wave", "-q")
    assert [Path(line).name for line in other.stdout.splitlines()] == [
        "a-wave.png",
        "b-wave.png",
        "c-wave.png",
    ]


def test_results_go_into_a_folder_and_folders_are_repeated(photos: Path, tmp_path: Path):
    done = run(photos, "-r", "-o", tmp_path / "out", "--template", "{style}_{stem}.jpg")
    assert done.exit_code == 0
    made = sorted(path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.jpg"))
    assert [str(path) for path in made] == [
        "starfield_a.jpg",
        "starfield_b.jpg",
        "starfield_c.jpg",
        "sub/starfield_d.jpg",
    ]


def test_one_bad_photo_does_not_stop_the_others(photos: Path, tmp_path: Path):
    (photos / "aa.jpg").write_bytes(b"no picture")
    (photos / "bb.png").write_bytes((photos / "b.PNG").read_bytes()[:300])
    done = run(photos, photos / "none.jpg", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 3
    assert "3 of 6 pictures failed" in done.stderr
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == [
        "a-starfield",
        "b-starfield",
        "c-starfield",
    ]


def test_a_single_bad_photo_is_refused_before_the_model_is_loaded(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(SourceError, match="picture"):
        run(tmp_path / "a.jpg", "-m", "no-such-model")


def test_an_unknown_model_is_told_once_for_all_photos(photos: Path):
    with pytest.raises(UsageError, match="no-such-model"):
        run(photos, "-m", "no-such-model")


def test_existing_results_are_refused_skipped_or_replaced(photos: Path):
    old = photos / "a-starfield.png"
    old.write_bytes(b"old")
    with pytest.raises(UsageError, match="exists"):
        run(photos)
    done = run(photos, "-n")
    assert "Skipped 1 of 3, whose outputs exist: a.jpg." in done.stderr
    assert old.read_bytes() == b"old"
    assert run(photos / "a.jpg", "-y").exit_code == 0
    assert load_picture(old).shape == (36, 48, 3)


def test_each_photo_has_its_comparison(photos: Path, tmp_path: Path):
    done = run(photos / "a.jpg", photos / "b.PNG", "-o", tmp_path / "out", "--compare")
    assert done.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a-starfield-comparison.png",
        "a-starfield.png",
        "b-starfield-comparison.png",
        "b-starfield.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.jpg", "b.PNG", "-o", "x.png"], "cannot hold 2 pictures"),
        (["a.jpg", "-o", "x.mp4"], "is not a picture format"),
        (["a.jpg", "b.PNG", "--method", "gatys", "--plot", "l.png"], "losses of one picture"),
        (["a.jpg", "--method", "gatys", "--blend", "latent"], "--blend needs --method fast"),
        (["a.jpg", "--method", "gatys", "--tile", "auto"], "--tile needs --method fast"),
        (["a.jpg", "--plot", "l.png", "--tv", "1"], "--plot and --tv-weight need --method gatys"),
        (["*.gif"], "Nothing matches"),
        (["a.jpg", "b.PNG", "--template", "{style}{ext}"], "would both become"),
    ],
)
def test_what_makes_no_sense_is_refused(
    photos: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
):
    monkeypatch.chdir(photos)
    with pytest.raises(UsageError, match=said):
        run(*arguments)


def test_several_photos_are_painted_by_optimization(photos: Path, tmp_path: Path):
    quick = ("--method", "gatys", "--steps", "2", "--scales", "1", "-q")
    done = CliRunner().invoke(
        app, ["image", str(photos), "-o", str(tmp_path / "out"), "-s", "wave", *quick]
    )
    assert done.exit_code == 0, done.output
    pictures = [load_picture(path) for path in sorted((tmp_path / "out").iterdir())]
    assert len(pictures) == 3
    assert all(picture.shape == (36, 48, 3) for picture in pictures)


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_our_own_pictures_are_recognized(tmp_path: Path, suffix: str):
    picture = load_picture(make_photo(tmp_path / f"photo{suffix}"))
    assert not is_painted(tmp_path / f"photo{suffix}")
    save_picture(tmp_path / f"ours{suffix}", picture)
    holds_notes = suffix not in {".gif", ".bmp", ".jp2", ".ppm"}
    assert is_painted(tmp_path / f"ours{suffix}") == holds_notes


def test_results_of_the_same_call_are_no_inputs_even_without_a_note(photos: Path):
    make_photo(photos / "a-wave.png")
    jobs = plan_jobs([str(photos)], style="wave", kind=file_kinds.pictures())
    assert [job.source.name for job in jobs] == ["a.jpg", "b.PNG", "c.webp"]


def test_the_size_at_which_a_large_picture_is_painted_is_said(tmp_path: Path) -> None:
    save_picture(tmp_path / "photo.png", np.full((64, 96, 3), 90, np.uint8))
    target = tmp_path / "out.png"
    arguments = ["image", tmp_path / "photo.png", "-s", "wave", "-o", target, "--stroke-scale", "2"]
    assert "painted at" not in run(*arguments[1:]).stderr
    done = CliRunner().invoke(app, [*map(str, arguments), "-y"])
    assert "out.png: painted at 48x32 and enlarged." in done.stderr
    assert load_picture(target).shape == (64, 96, 3)
