"""The command that scores painted videos, and the function behind it."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip
from scoring_ladder import SIZE, blurred, painted_by_frame, scene, steadied

from nst_video import StyleError, UsageError, VideoScore, score
from nst_video.cli import app as app_module
from nst_video.frames import Frame
from nst_video.image.files import save_picture
from nst_video.video.media.ffmpeg import ffmpeg_exe


def write(path: Path, frames: list[Frame], fps: int = 25, size: str | None = None) -> Path:
    """Write a video without losses, scaled to `size` if given."""
    height, width = frames[0].shape[:2]
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps))
    scaled = () if size is None else ("-s", size)
    command = [ffmpeg_exe(), "-v", "error", "-y", *raw, "-i", "-", *scaled]
    codec = ("-c:v", "libx264rgb", "-qp", "0", "-preset", "ultrafast")
    subprocess.run([*command, *codec, str(path)], check=True, input=np.stack(frames).tobytes())
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("videos")
    source = scene(26)
    painted = painted_by_frame(source)
    save_picture(folder / "style.png", painted[0])
    return {
        "folder": folder,
        "style": folder / "style.png",
        "source": write(folder / "source.mkv", source),
        "painted": write(folder / "painted.mkv", painted),
        "steady": write(folder / "steady.mkv", steadied(source, painted)),
        "blurred": write(folder / "blurred.mkv", blurred(painted, 2)),
        "short": write(folder / "short.mkv", painted[:12]),
        "large": write(folder / "large.mkv", painted, size=f"{2 * SIZE[0]}x{2 * SIZE[1]}"),
        "slow": write(folder / "slow.mkv", painted[::2] + painted[-1:], fps=12),
    }


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["nst-video", "score", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        app_module.run()
    return int(stop.value.code or 0)


def test_videos_are_ranked_in_a_table(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    painted = (videos["painted"], videos["blurred"], videos["steady"])
    assert main(monkeypatch, videos["source"], *painted, "--style", videos["style"], "-q") == 0
    told = capfd.readouterr()
    assert told.err == ""
    head, _, *rows = told.out.splitlines()
    assert head.split()[:2] == ["video", "score"]
    assert [row.split()[0] for row in rows] == [
        "source.mkv",
        "steady.mkv",
        "painted.mkv",
        "blurred.mkv",
    ]


def test_json_and_plot(
    videos: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    plot = tmp_path / "plot.png"
    arguments = (videos["source"], videos["painted"], videos["short"], "--json", "--plot", plot)
    assert main(monkeypatch, *arguments) == 0
    told = capfd.readouterr()
    found = json.loads(told.out)
    assert (found["frames"], found["fps"], found["size"]) == (12, 25, list(SIZE))
    assert [video["name"] for video in found["videos"]] == ["painted.mkv", "short.mkv"]
    assert found["videos"][0]["warp_error"]["1"] == found["videos"][1]["warp_error"]["1"]
    assert found["videos"][0]["warp_error"]["20"] is None
    assert found["videos"][0]["style_distance"] is None
    assert "Of the 26 frames of painted.mkv, the first 12 were scored." in told.err
    picture = cv2.imread(str(plot))
    assert picture is not None
    assert picture.std() > 10
    assert main(monkeypatch, *arguments) == 2
    assert "exists. Use -y to replace it" in capfd.readouterr().err


def test_videos_of_other_sizes_and_rates_are_compared_with_the_source(
    videos: dict[str, Path],
) -> None:
    found = score(videos["source"], [videos["painted"], videos["large"], videos["slow"]])
    assert found.size == SIZE
    assert found.fps == Fraction(25)
    same, large, slow = found.videos
    assert large.warp_error[5] == pytest.approx(same.warp_error[5], rel=0.4)
    assert slow.warp_error[1] < same.warp_error[1]
    assert any("slow.mkv has 12 frames per second, the source 25" in note for note in found.notes)


def test_a_first_video_that_is_blurred_is_noted(videos: dict[str, Path]) -> None:
    found = score(videos["source"], [videos["blurred"], videos["painted"]])
    assert isinstance(found.videos[0], VideoScore)
    assert any("painted.mkv is" in note and "as sharp" in note for note in found.notes)


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (("source", "missing.mkv"), 1, "missing.mkv"),
        (("missing.mkv", "painted"), 1, "missing.mkv"),
        (("source", "style"), 2, "style.png is a picture: name a video."),
        (("source", "text"), 1, "text.mp4"),
        (("source", "painted", "painted"), 2, "painted.mkv is named twice"),
        (("source", "source"), 2, "source.mkv is named twice"),
        (("source", "narrow"), 2, "only videos of the same shape can be compared"),
        (("source", "painted", "--style", "wvae"), 1, "Did you mean 'wave'?"),
        (
            ("source", "painted", "--size", "5"),
            2,
            "--size must be a whole number of pixels from 64",
        ),
        (("source", "painted", "--loss-network", "vgg"), 2, "No loss network 'vgg'"),
        (("source", "painted", "--plot", "plot.txt"), 2, "plot.txt"),
        (("source",), 2, "Missing argument 'PAINTED...'"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    videos: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    names: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("not a video")
    own = {"narrow": make_clip(Path("narrow.mp4"), seconds=0.2), "text": Path("text.mp4")}
    assert main(monkeypatch, *((videos | own).get(name, name) for name in names)) == code
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert said in line


def test_a_plot_without_matplotlib_is_one_error_before_any_work(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(monkeypatch, videos["source"], videos["painted"], "--plot", "plot.png") == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "A figure needs matplotlib" in line


def test_python_errors(videos: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="Name at least one painted video"):
        score(videos["source"], [])
    with pytest.raises(UsageError, match="A video is the path of a video file, not 5"):
        score(videos["source"], [5])
    with pytest.raises(StyleError):
        score(videos["source"], videos["painted"], style="no such style")
