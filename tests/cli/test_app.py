"""The command line as a whole, and the commands that are small."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer

from nst_video import __version__, bench
from nst_video.bench.runners import FrameFlops
from nst_video.cli import app as app_module
from nst_video.cli import stylizer_options
from nst_video.cli.command_table import COMMANDS
from nst_video.errors import UsageError


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "nst_video", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["nst-video", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        app_module.run()
    return int(stop.value.code or 0)


@pytest.fixture
def photo(assets: Path, tmp_path: Path) -> Path:
    picture = cv2.imread(str(assets / "photos" / "golden_gate.jpg"))
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), cv2.resize(picture, (160, 98), interpolation=cv2.INTER_AREA))
    return path


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['nst-video', '--help']\n"
        "from nst_video.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'av', 'openvino', 'numpy'}\n"
        "heavy |= {'rich', 'nst_video.cli.live'}\n"
        "print('heavy:', sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("transcode", "image", "demo", "doctor", "styles", "models"):
        assert command in done.stdout
    assert "heavy: []" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_of_a_command_is_the_first_line_of_its_own_help(name: str) -> None:
    group = typer.main.get_command(app_module.app)
    command = group.get_command(typer.Context(group), name)
    first, _, _ = command.help.partition("\n\n")
    assert " ".join(first.split()) == COMMANDS[name].summary
    assert command.name == name


def test_version_is_printed_on_stdout() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"nst-video {__version__}\n")


def test_user_errors_are_one_sentence_without_a_stack_trace() -> None:
    done = run("image", "no-such-photo.jpg")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no-such-photo.jpg" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("transcode", "x.mp4", "--crf", "best"), "--crf must be a whole number from 0 to 63"),
        (("transcode", "x.mp4", "--nope"), "No such option: --nope"),
        (("transcode",), "Missing argument 'INPUT...'."),
        (("image", "x.png", "--method", "best"), "'best' is not one of 'fast', 'gatys'."),
        (("nope",), "No such command 'nope'."),
        (("imag",), "No such command 'imag'. Did you mean 'image'?"),
        (("transcode", "x.mp4", "--encoder-preset", "best"), "No encoder preset 'best' for h264"),
    ],
)
def test_wrong_arguments_are_one_sentence_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert main(monkeypatch, *arguments) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert said in line


def test_no_command_shows_the_help(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch) == 2
    told = capfd.readouterr()
    assert "transcode" in told.out + told.err
    assert "Error" not in told.err


def test_doctor_says_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "doctor") == 0
    told = capfd.readouterr().out
    for part in (f"nst-video {__version__}", "tensorflow 2", "CPU cores", "ffmpeg", "auto means"):
        assert part in told


def test_image_paints_a_picture(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    assets: Path,
    photo: Path,
    tmp_path: Path,
) -> None:
    target = tmp_path / "painted.png"
    models = ("--model", "magenta-lite", "--models-dir", assets / "models")
    assert main(monkeypatch, "image", photo, "-o", target, "--style", "wave", *models) == 0
    told = capfd.readouterr()
    assert told.out == f"{target}\n"
    assert "Model magenta-lite (asked for)" in told.err
    content, painted = cv2.imread(str(photo)), cv2.imread(str(target))
    assert painted.shape == content.shape
    assert np.abs(painted.astype(int) - content).mean() > 10


def test_image_compare_shows_picture_style_and_result(
    monkeypatch: pytest.MonkeyPatch, photo: Path, tmp_path: Path
) -> None:
    target, comparison = tmp_path / "painted.png", tmp_path / "painted-comparison.png"
    arguments = ("--style", "wave", "--intensity", "0", "--blend", "pixel", "--compare", "-q")
    assert main(monkeypatch, "image", photo, "-o", target, *arguments) == 0
    assert cv2.imread(str(target)).shape == cv2.imread(str(photo)).shape
    figure = cv2.imread(str(comparison)).astype(int)
    assert figure.shape[1] > 2 * figure.shape[0]
    left, right = figure[:, : figure.shape[1] // 4], figure[:, -figure.shape[1] // 4 :]
    assert abs(left.mean() - right.mean()) < 25
    assert left.std() > 20


def test_image_replaces_another_file_only_when_told_and_the_photo_never(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    before = photo.read_bytes()
    target = tmp_path / "painted.png"
    target.write_bytes(b"precious")
    original = ("--intensity", "0", "--blend", "pixel", "-q")
    assert main(monkeypatch, "image", photo, "-o", target, *original) == 2
    assert "exists. Use -y to replace it" in capfd.readouterr().err
    assert target.read_bytes() == b"precious"
    assert main(monkeypatch, "image", photo, "-o", target, "-y", *original) == 0
    assert main(monkeypatch, "image", photo, "-o", photo, "-y", *original) == 2
    assert "would replace the input" in capfd.readouterr().err
    assert photo.read_bytes() == before


def test_demo_makes_a_playable_film_with_sound(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import av

    from nst_video import transcode

    short = partial(transcode.write_demo_clip, size=(160, 90), duration_s=1)
    monkeypatch.setattr(transcode, "write_demo_clip", short)
    target = tmp_path / "film.mp4"
    assert main(monkeypatch, "demo", "-o", target) == 0
    assert capfd.readouterr().out == f"{target}\n"
    with av.open(str(target)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert sum(1 for _ in container.decode(video)) == 24
        assert video.average_rate == 24
        assert audio.duration * audio.time_base == pytest.approx(1, abs=0.1)
        assert audio.codec_context.name == "aac"


@pytest.mark.parametrize("text", ["0.7;0.3", "a,b", "", "1,,2", "1,nan", "1,-2"])
def test_mix_that_is_not_numbers_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^Each weight of --mix '.*' must be a number from 0 to"):
        stylizer_options.parse_mix(text)


def test_mix_is_read_as_numbers() -> None:
    assert stylizer_options.parse_mix("0.7, 0.3") == [0.7, 0.3]
    assert stylizer_options.parse_mix(None) is None


def test_bench_prints_figures_as_json_and_draws_them(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def measure(
        cases: Sequence[bench.BenchmarkCase], *, on_row: Callable[[bench.Row], None], **how: float
    ) -> list[bench.Row]:
        assert how == {"rounds": 1, "round_s": 0.0}
        flops = FrameFlops(1.0, 1.0)
        rows = [
            bench.Row.of(bench.CaseMeasurement(case, "CPU", 1.0, 0.1, None, 80.0, flops, [10.0]))
            for case in cases
        ]
        for row in rows:
            on_row(row)
        return rows

    monkeypatch.setattr(bench, "run_bench", measure)
    plot = tmp_path / "plot.png"
    case = ("-m", "builtin", "--engine", "openvino", "--size", "64x48", "--rounds", "1")
    options_ = ("--seconds", "0", "--json", "--plot", plot)
    assert main(monkeypatch, "bench", *case, *options_) == 0
    told = capfd.readouterr()
    (row,) = json.loads(told.out)["rows"]
    assert (row["model"], row["engine"], row["size"]) == ("builtin", "openvino", [64, 48])
    assert (row["psnr_db"], row["fps"]) == (80, 100)
    assert "builtin openvino: 100.0 fps" in told.err
    assert cv2.imread(str(plot)) is not None


def test_imports_say_nothing_whoever_makes_them_first(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text("import os\nos.write(2, b'chatter')\nanswer = 42\n")
    (tmp_path / "broken.py").write_text("import os\nos.write(2, b'chatter')\n1 / 0\n")
    code = (
        "import sys\n"
        "from nst_video.cli.app import quiet_libraries\n"
        "from nst_video.system.stderr import QuietImports\n"
        "quiet_libraries()\n"
        "sys.meta_path.insert(0, QuietImports('noisy', 'broken', 'absent'))\n"
        "import keras, noisy\n"
        "assert noisy.answer == 42 and 'tensorflow' in sys.modules\n"
        "for name, error in (('broken', ZeroDivisionError), ('absent', ModuleNotFoundError)):\n"
        "    try: __import__(name)\n"
        "    except error: print(name)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "broken\nabsent\n", "")
