"""How steady a film is and how much of it is painted: from the command line to the painter."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import ffmpeg
from moving_pictures import pan
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.cli.steady_options import FilmStyleOptions
from nst_video.cli.stylizer_options import ModelArguments
from nst_video.errors import NstVideoError, UsageError
from nst_video.settings import FAST_PAINT_EVERY, ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.video.sources import VideoFileSource

FRAMES = 25
PAINTED = ["--style", "wave", "--model", "builtin", "--no-progress", "--crf", "1"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slow pan of one second, enlarged to 192x128."""
    folder = tmp_path_factory.mktemp("pan")
    for index, frame in enumerate(pan(FRAMES)):
        large = cv2.resize(frame, (192, 128), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index:03}.png"), cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
    path = folder / "pan.mkv"
    ffmpeg("-framerate", "25", "-i", folder / "%03d.png", "-c:v", "libx264", "-crf", "1",
           "-pix_fmt", "yuv420p", path)  # fmt: skip
    return path


def run(*arguments: str | Path):
    """Run `transcode` in this process; errors that `main` would print come as exceptions."""
    result = CliRunner().invoke(app, ["transcode", *PAINTED, *map(str, arguments)])
    if isinstance(result.exception, NstVideoError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def read(path: Path) -> np.ndarray:
    with VideoFileSource(path) as frames:
        return np.stack(list(frames))


def change_along(film: np.ndarray) -> float:
    """Return the mean squared change of a film along the pan, 2 pixels a frame."""
    later, earlier = film[1:, :, :-2].astype(np.float32), film[:-1, :, 2:].astype(np.float32)
    return float(np.square(later - earlier)[:, 16:-16, 16:-16].mean())


def sharpness(film: np.ndarray) -> float:
    return float(np.mean([cv2.Laplacian(frame, cv2.CV_32F).var() for frame in film]))


def test_the_dial_reaches_the_film(clip: Path, tmp_path: Path) -> None:
    by_frame, steady = tmp_path / "by-frame.mkv", tmp_path / "steady.mkv"
    run(clip, "-o", by_frame, "--steady", "0")
    run(clip, "-o", steady)
    assert change_along(read(steady)) < change_along(read(by_frame)) / 4


def test_fast_is_steady_and_sharp_and_says_what_it_painted(clip: Path, tmp_path: Path) -> None:
    by_frame, fast = tmp_path / "by-frame.mkv", tmp_path / "fast.mkv"
    run(clip, "-o", by_frame, "--steady", "0")
    said = run(clip, "-o", fast, "--fast").output
    count = int(said.split(" of them painted")[0].rpartition("(")[2])
    assert FRAMES / FAST_PAINT_EVERY <= count < FRAMES / 2
    before, after = read(by_frame), read(fast)
    assert len(after) == FRAMES
    assert change_along(after) < change_along(before) / 4
    assert 0.9 < sharpness(after) / sharpness(before) < 1.1


def test_a_part_of_a_film_begins_with_a_painting(clip: Path, tmp_path: Path) -> None:
    part, by_frame = tmp_path / "part.mkv", tmp_path / "by-frame.mkv"
    for path, steady in ((part, "1"), (by_frame, "0")):
        run(clip, "-o", path, "--start", "0.4", "--end", "0.8", "--steady", steady,
            "--paint-every", "5" if steady == "1" else "1")  # fmt: skip
    first = read(part)[0].astype(int) - read(by_frame)[0]
    assert np.abs(first).mean() < 1
    assert len(read(part)) == 10


def test_previews_are_as_fast_as_the_film(clip: Path, tmp_path: Path) -> None:
    said = run(clip, "-o", tmp_path / "out.mkv", "--fast", "--preview", "0.4").output
    assert "the whole, 25 frames" in said
    assert len(read(tmp_path / "out-preview.mkv")) == 10


@pytest.mark.parametrize(
    ("given", "every"),
    [
        (FilmStyleOptions(), 1),
        (FilmStyleOptions(paint_every="3"), 3),
        (FilmStyleOptions(fast=True), FAST_PAINT_EVERY),
        (FilmStyleOptions(fast=True, paint_every="auto"), FAST_PAINT_EVERY),
        (FilmStyleOptions(fast=True, paint_every="2"), 2),
    ],
)
def test_a_number_wins_over_fast(given: FilmStyleOptions, every: int) -> None:
    assert given.settings().every == every


def test_an_engine_wins_over_fast() -> None:
    fast, chosen = FilmStyleOptions(fast=True), ModelArguments(engine="openvino")
    assert fast.choose_engine(chosen) == chosen
    assert fast.choose_engine(ModelArguments()).engine in ("openvino-fast", "tensorflow")
    assert FilmStyleOptions().choose_engine(ModelArguments()) == ModelArguments()


def test_no_steadiness_is_frame_by_frame_in_batches_too() -> None:
    film = np.stack(pan(5))
    stylizer = Stylizer("wave", StylizeSettings(steady=0), ModelOptions("builtin", "openvino"))
    together = stylizer.submit(film).wait()
    stylizer.reset()
    two, three = stylizer.submit(film[:2]), stylizer.submit(film[2:])
    np.testing.assert_array_equal(np.concatenate([two.wait(), three.wait()]), together)
    assert stylizer.frames_per_painting == 1


@pytest.mark.parametrize(
    "option", [["--steady", "1"], ["--steady", "0.5"], ["--paint-every", "auto"], ["--fast"]]
)
def test_optimization_refuses_them(clip: Path, option: list[str]) -> None:
    with pytest.raises(UsageError, match=rf"{option[0]} needs --method fast"):
        run(clip, "--method", "gatys", *option)


def test_no_steadiness_and_painting_seldom_contradict_each_other(clip: Path) -> None:
    with pytest.raises(UsageError, match=r"--paint-every 4 .* --steady 0"):
        run(clip, "--steady", "0", "--paint-every", "4")


def test_no_steadiness_paints_every_frame_with_fast_too() -> None:
    settings = FilmStyleOptions(steady=0, fast=True).settings()
    assert settings.is_frame_by_frame
    assert settings.every == 1


@pytest.mark.parametrize("text", ["0", "13", "2.5", "often"])
def test_other_numbers_of_frames_are_refused(clip: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"--paint-every must be .*, or auto"):
        run(clip, "--paint-every", text)
