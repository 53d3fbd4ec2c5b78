"""The command: what it makes of its arguments, its messages, its exit codes, its manners."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, touch
from rich.console import Console
from typer.testing import CliRunner

from nst_video.cli import console
from nst_video.cli.app import app
from nst_video.cli.jobs import plan_jobs
from nst_video.cli.unexpected_errors import report_bugs
from nst_video.cli.video_jobs import progress_facts
from nst_video.errors import NstVideoError, UsageError
from nst_video.live.outputs.recording import RecordingSink
from nst_video.system import paths
from nst_video.transcode import IdentityPainter, Progress, TranscodeOptions, transcode
from nst_video.video.media.probe import probe

PLAIN = ["--intensity", "0", "--blend", "pixel", "--encoder-preset", "ultrafast"]


COMMAND = [sys.executable, "-m", "nst_video", "transcode", *PLAIN]


class Screen(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True


def run(*arguments: str | Path):
    """Run `transcode` in this process; errors that `main` would print come as exceptions."""
    result = CliRunner().invoke(app, ["transcode", *PLAIN, *map(str, arguments)])
    if isinstance(result.exception, NstVideoError):
        raise result.exception
    return result


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_what_we_have_painted_is_painted_again_only_by_name(tmp_path: Path, suffix: str):
    clip = make_clip(tmp_path / "clip.mkv")
    options = TranscodeOptions(size=(16, 16), end_s=0.2)
    made = transcode(
        clip, tmp_path / f"by-another-name{suffix}", IdentityPainter(), options=options
    )
    notes: list[str] = []
    for text in (str(tmp_path), str(tmp_path / "*.*")):
        jobs = plan_jobs([text], style="wave", on_note=notes.append)
        assert [job.source for job in jobs] == [clip]
    assert notes[-1] == f"Skipped (already stylized): {made.target.name}."
    (job,) = plan_jobs([str(made.target)], style="wave")
    assert job.source == made.target


def test_recording_is_not_painted_again(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    with RecordingSink(tmp_path / "take.mp4", (16, 16)) as sink:
        for _ in range(3):
            sink.write(np.zeros((16, 16, 3), np.uint8))
    assert [job.source for job in plan_jobs([str(tmp_path)], style="wave")] == [clip]


def test_the_same_input_twice_is_done_once(tmp_path: Path):
    touch(tmp_path, "a.mp4")
    assert len(plan_jobs([str(tmp_path), str(tmp_path / "a.mp4")], style="wave")) == 1


@pytest.mark.parametrize(
    ("inputs", "output", "template", "sentence"),
    [
        (["a.mp4", "b.mp4"], "x.mp4", "{stem}{ext}", "cannot hold 2 videos"),
        (["a.mp4", "sub/a.mp4"], "out", "{stem}{ext}", "would both become"),
        (["a.mp4"], None, "{name}{ext}", "may only contain"),
        (["a.mp4"], None, "{stem", "may only contain"),
        (["a.mp4"], None, "sub/{stem}{ext}", "must make a file name"),
        (["*.avi"], None, "{stem}{ext}", "Nothing matches"),
        (["a.mp4"], "out.avi", "{stem}{ext}", r"use .mp4, .m4v, .mov, .mkv.* or out.avi/"),
        (["a.mp4"], "out.TS", "{stem}{ext}", "not a video format"),
        (["a.mp4"], "-", "{stem}{ext}", "standard output is not supported: name a file"),
        (["a.mp4"], "rtmp://host/live", "{stem}{ext}", "is an address"),
        (["empty"], None, "{stem}{ext}", "has no video"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs, output, template, sentence
):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "a.mp4", "b.mp4", "sub/a.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=sentence):
        plan_jobs(inputs, output, style="wave", template=template)
    assert not Path("out.avi").exists()


def test_film_is_painted_and_its_path_is_the_result(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    result = run(clip, "-o", tmp_path / "out.mp4", "--size", "32x24", "--fps", "10", "--end", "0.5")
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'out.mp4'}\n"
    assert "5 frames in" in result.stderr
    assert "limited by" in result.stderr
    assert probe(tmp_path / "out.mp4").streams[0].codec == "h264"


def test_quiet_says_only_the_result(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    result = run(clip, "-q", "--style", "starfield")
    assert result.stdout == f"{tmp_path / 'clip-starfield.mkv'}\n"
    assert result.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_any_name_is_painted_and_shown_as_it_is(tmp_path: Path):
    names = [":smile:.mkv", "λ.mkv", os.fsdecode(b"\xff.mkv"), "a\nb\x1b[31m.mkv"]
    clip = make_clip(tmp_path / "clip.mkv")
    for name in names:
        (tmp_path / name).write_bytes(clip.read_bytes())
    done = subprocess.run(
        [*COMMAND, "--template", "{stem}.mp4", "--end", "0.2", tmp_path],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "LANG": "C"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.isascii()
    for said in (
        b":smile:.mkv: 5 frames",
        b"\\u03bb.mkv: ",
        b"\\udcff.mkv: ",
        b"a\\nb\\x1b[31m.mkv: ",
    ):
        assert said in done.stderr
    for name in [*names, "clip.mkv"]:
        assert os.fsencode(tmp_path / name).replace(b".mkv", b".mp4\n") in done.stdout


def test_existing_output_is_refused_skipped_or_replaced(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    target = tmp_path / "out.mp4"
    target.write_bytes(b"old")
    with pytest.raises(UsageError, match="exists"):
        run(clip, "-o", target)
    skipped = run(clip, "-o", target, "-n")
    assert skipped.exit_code == 0
    assert "skipped" in skipped.stderr
    assert target.read_bytes() == b"old"
    assert run(clip, "-o", target, "-y").exit_code == 0
    assert target.read_bytes() != b"old"
    with pytest.raises(UsageError, match="use one of them"):
        run(clip, "-o", target, "-y", "-n")


@pytest.mark.parametrize("error", [RuntimeError("out\nof order"), MemoryError(), UnicodeError("x")])
def test_not_even_a_bug_ends_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    for name in ("a", "b", "c"):
        make_clip(tmp_path / f"{name}.mkv")
    real = transcode

    def fails(source: Path, *arguments, **options):
        if source.name == "b.mkv":
            raise error
        return real(source, *arguments, **options)

    monkeypatch.setattr("nst_video.transcode.transcode", fails)
    result = run(tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert [Path(line).name[0] for line in result.stdout.splitlines()] == ["a", "c"]
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert "1 of 3 videos failed" in result.stderr
    if isinstance(error, MemoryError):
        assert "needs more memory" in line
    else:
        cause = f"{type(error).__name__}: {error.args[0].split()[0]}"
        assert f"failed because of a bug in nst-video ({cause}" in line
        log = paths.cache_dir() / "bugs.log"
        assert str(log) in line
        assert "Traceback" in log.read_text()


def test_interrupt_that_a_library_wraps_ends_a_batch():
    wrapped = RuntimeError("stopped")
    wrapped.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), report_bugs("clip.mp4"):
        raise wrapped


def test_batch_goes_on_after_a_failure_and_reports_it(assets: Path, tmp_path: Path):
    make_clip(tmp_path / "a.mkv")
    (tmp_path / "b.mp4").write_bytes(b"no film")
    make_clip(tmp_path / "c.mkv")
    sound = assets / "videos" / "audio-only.mp4"
    result = run(tmp_path, sound, tmp_path / "none.mp4", "-o", tmp_path / "out")
    assert result.exit_code == 1
    made = [Path(line).name for line in result.stdout.splitlines()]
    assert made == ["a-starfield.mkv", "c-starfield.mkv"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == made
    summary = result.stderr[result.stderr.index("3 of 5 videos failed") :]
    assert all(text in summary for text in ("b.mp4", "only audio", "there is no such file"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("audio-only.mp4", "no video, only audio"),
        ("truncated-claims-1331s.mkv", "incomplete"),
        ("invalid-bitstream.webm", "can be decoded"),
    ],
)
def test_hopeless_file_is_one_sentence_and_exit_1(
    assets: Path, tmp_path: Path, name: str, sentence: str
):
    command = [*COMMAND, str(assets / "videos" / name), "-o", str(tmp_path / "out.mp4")]
    command += ["--model", "no-such-model"]  # It must not come to that.
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert sentence in line
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_option_that_makes_no_sense_is_exit_2(tmp_path: Path):
    done = subprocess.run(
        [*COMMAND, str(tmp_path / "x.mp4"), "--start", "3", "--end", "2"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "must come after" in done.stderr


def children(pid: int) -> list[int]:
    """Process ids of the ffmpegs that `pid` has started and that still run."""
    command = ["ps", "-A", "-o", "pid=,ppid=,comm="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    return [int(row[0]) for row in rows if int(row[1]) == pid and "ffmpeg" in row[2]]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """Programs started meanwhile heed Ctrl-C, even where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send itself a Ctrl-C")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_interrupt_ends_within_two_seconds_and_leaves_nothing(
    assets: Path, tmp_path: Path, number: signal.Signals
):
    source = assets / "videos" / "bunny-720p-vorbis.webm"
    command = [*COMMAND, str(source), "-o", str(tmp_path / "out.mp4")]
    command += ["--encoder-preset", "veryslow"]
    ready = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            deadline = time.monotonic() + 90
            while not any(path.stat().st_size for path in tmp_path.rglob("*.part.mp4")):
                assert process.poll() is None
                assert time.monotonic() < deadline
                ready.wait(0.05)
            ffmpegs = children(process.pid)
            begun = time.monotonic()
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=30)
            took = time.monotonic() - begun
        finally:
            process.kill()
    assert len(ffmpegs) == 2
    assert process.returncode == 130
    assert took < 2
    assert list(tmp_path.iterdir()) == []
    assert not any(is_running(pid) for pid in ffmpegs)
    assert stdout == b""
    assert stderr.strip().endswith(b"Interrupted.")
    assert b"Traceback" not in stderr


def test_terminal_shows_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shown = Screen()
    terminal = Console(file=shown, force_terminal=True, width=160)
    monkeypatch.setattr(console, "stderr", lambda: terminal)
    clip = make_clip(tmp_path / "clip.mkv", seconds=3)
    run(clip, "-q")
    assert shown.getvalue() == ""
    run(clip, "--no-progress", "-y")
    assert "elapsed" not in shown.getvalue()
    assert run(clip, "-y").exit_code == 0
    assert "frame 75/75" in shown.getvalue()
    assert "limited by" in shown.getvalue()


@pytest.mark.parametrize(
    ("progress", "facts"),
    [
        (
            Progress(30, 377, 15.06, 2.0, 23.04, "paint"),
            ("frame 30/377", "0:23 left", "15.1 fps", "0:02 elapsed", "limited by paint"),
        ),
        (
            Progress(1, None, 0.0, 3723.0, None, "decode"),
            ("frame 1/?", "? left", "? fps", "1:02:03 elapsed", "limited by decode"),
        ),
    ],
)
def test_progress_says_it_all(progress: Progress, facts: tuple[str, ...]):
    assert progress_facts(progress) == facts


def test_help_answers_without_anything_heavy():
    code = (
        "import sys; sys.argv = ['nst-video', 'transcode', '--help']\n"
        "from nst_video.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'av', 'numpy', 'nst_video.transcode'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--keep-partial" in done.stdout


def test_the_longest_name_a_film_can_have_has_a_result(tmp_path: Path):
    clip = make_clip(tmp_path / f"{'ü' * 125}x.mkv", seconds=0.2)
    result = run(clip, "-q")
    assert result.exit_code == 0, result.output
    made = Path(result.stdout.strip())
    assert made.exists()
    assert made.name.endswith("-starfield.mkv")
