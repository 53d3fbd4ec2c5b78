"""A video painted by optimization from file to file: sound, resuming, the command."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import Negative, ffmpeg, make_clip
from rich.console import Console
from typer.testing import CliRunner

from nst_video.cli import console
from nst_video.cli.app import app
from nst_video.cli.jobs import Job
from nst_video.cli.keyframe_options import parse_interval
from nst_video.cli.video_jobs import RunOptions, keyframe_facts, optimize_job
from nst_video.errors import EngineError, NstVideoError, SinkError, UsageError
from nst_video.jobs.folders import folders_of
from nst_video.networks.vgg import LossNetwork, load_loss_network
from nst_video.optimization.gatys import GatysOptimizer
from nst_video.optimization.painting import PaintStep, StylePicture
from nst_video.optimization.progress import KeyframeProgress
from nst_video.optimization.settings import PRESETS
from nst_video.optimization.video_settings import VideoSettings
from nst_video.transcode import StreamPainter, transcode
from nst_video.transcode.gatys_video import KeyframeMethod, find_store, optimize_video
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.media.probe import probe

FAST = TranscodeOptions(preset="ultrafast")
VIDEO = VideoSettings(keyframe_interval=4, next_steps=2)
SETTINGS = replace(PRESETS["balanced"], steps=2, scales=1)


@pytest.fixture(scope="module")
def network() -> LossNetwork:
    return load_loss_network("builtin")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen frames of 64x48 with sound."""
    folder = tmp_path_factory.mktemp("video")
    silent = make_clip(folder / "silent.mp4", seconds=0.52)
    tone = ("-f", "lavfi", "-i", "sine=440:d=0.52", "-c:a", "aac")
    ffmpeg("-i", silent, *tone, "-c:v", "copy", folder / "clip.mp4")
    return folder / "clip.mp4"


def make_optimizer(network: LossNetwork, **changes: object) -> GatysOptimizer:
    style = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
    return GatysOptimizer(network, [StylePicture(style)], replace(SETTINGS, **changes))


class Stopping:
    """An optimizer that is interrupted at its third keyframe."""

    def __init__(self, optimizer: GatysOptimizer) -> None:
        self.optimizer = optimizer
        self.network, self.settings = optimizer.network, optimizer.settings
        self.styles, self.set_color_reference = optimizer.styles, optimizer.set_color_reference
        self.count = 0

    def __call__(self, *arguments, **options):
        self.count += 1
        if self.count == 3:
            raise KeyboardInterrupt
        return self.optimizer(*arguments, **options)


def negative(frame: np.ndarray) -> np.ndarray:
    return 255 - frame


def test_video_keeps_its_frames_and_its_sound(clip: Path, tmp_path: Path, network: LossNetwork):
    seen: list[KeyframeProgress] = []
    frames: list[int] = []
    result = optimize_video(
        clip,
        tmp_path / "out.mp4",
        KeyframeMethod(make_optimizer(network), VIDEO),
        options=FAST,
        on_keyframe=seen.append,
        on_progress=lambda progress: frames.append(progress.frame),
    )
    assert result.info.frame_count == 13
    assert frames == list(range(1, 14))
    assert [stream.codec for stream in probe(result.target).streams] == ["h264", "aac"]
    assert {(each.keyframe, each.frame) for each in seen} == {(1, 0), (2, 4), (3, 8), (4, 12)}
    assert {each.keyframes for each in seen} == {4}
    assert seen[-1].remaining_s == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("colors", ["style", "covariance"])
def test_interrupted_video_goes_on_to_the_same_file(
    clip: Path, tmp_path: Path, network: LossNetwork, colors: str
):
    def run(target: Path, optimizer: object) -> bytes:
        optimize_video(clip, target, KeyframeMethod(optimizer, VIDEO, negative), options=FAST)
        return target.read_bytes()

    whole = run(tmp_path / "whole.mp4", make_optimizer(network, colors=colors))
    target = tmp_path / "broken.mp4"
    with pytest.raises(KeyboardInterrupt):
        run(target, Stopping(make_optimizer(network, colors=colors)))
    (shelf,) = folders_of(target)
    assert len(list(shelf.glob("*.png"))) == 2
    rest = Stopping(make_optimizer(network, colors=colors))
    assert run(target, rest) == whole
    assert rest.count == 2
    assert not shelf.exists()


def test_changed_settings_source_style_or_fill_begin_again(
    clip: Path, tmp_path: Path, network: LossNetwork
):
    def folder(
        source: Path = clip,
        video: VideoSettings = VIDEO,
        options: TranscodeOptions = FAST,
        fill: object = negative,
        **changes: object,
    ) -> Path:
        optimizer = make_optimizer(network, **changes)
        method = KeyframeMethod(optimizer, video, fill)
        return find_store(source, tmp_path / "o.mp4", method, options).folder

    touched = tmp_path / "touched.mp4"
    touched.write_bytes(clip.read_bytes() + b"\0")
    folders = {
        folder(),
        folder(source=touched),
        folder(video=replace(VIDEO, keyframe_interval=5)),
        folder(options=replace(FAST, end_s=0.3)),
        folder(fill=lambda frame: frame),
        folder(steps=3),
    }
    assert len(folders) == 6
    assert folder() == folder(options=replace(FAST, crf=30))


def test_video_painter_must_return_every_frame(clip: Path, tmp_path: Path):
    class Loses(StreamPainter):
        def stream(self, frames, info) -> Iterator[np.ndarray]:
            yield from list(frames)[1:]

    class Shrinks(StreamPainter):
        def stream(self, frames, info) -> Iterator[np.ndarray]:
            return (frame[::2] for frame in frames)

    with pytest.raises(EngineError, match="12 frames for 13"):
        transcode(clip, tmp_path / "out.mp4", Loses(), options=FAST)
    with pytest.raises(EngineError, match="painter returned"):
        transcode(clip, tmp_path / "out.mp4", Shrinks(), options=FAST)
    assert list(tmp_path.iterdir()) == []


def test_video_painter_may_read_on_before_it_gives(clip: Path, tmp_path: Path):
    class Patient(StreamPainter):
        def stream(self, frames, info) -> Iterator[np.ndarray]:
            yield from [255 - frame for frame in frames]

    lossless = TranscodeOptions(crf=0, preset="ultrafast")
    first = transcode(clip, tmp_path / "a.mp4", Patient(), options=lossless)
    second = transcode(clip, tmp_path / "b.mp4", Negative(), options=lossless)
    assert first.target.read_bytes() == second.target.read_bytes()


def run(*arguments: str | Path, command: Sequence[str] = ("paint",)):
    """Run a command in this process; errors that `main` would print come as exceptions."""
    fast = ["--steps", "2", "--next-steps", "1", "--scales", "1", "--encoder-preset", "ultrafast"]
    result = CliRunner().invoke(app, [*command, *fast, *map(str, arguments)])
    if isinstance(result.exception, NstVideoError):
        raise result.exception
    return result


def test_command_paints_a_video_beside_it(clip: Path, tmp_path: Path):
    source = tmp_path / "clip.mp4"
    source.write_bytes(clip.read_bytes())
    result = run(source, "-s", "wave", "--every", "6", "--end", "0.3")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'clip-wave.mp4'}\n"
    assert "8 frames in" in result.stderr
    assert "Loss network builtin" in result.stderr
    with pytest.raises(UsageError, match="exists"):
        run(source, "-s", "wave")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--every", "0"], "--every must be a whole number from 1 to 24"),
        (["--every", "often"], "from 1 to 24, or adaptive, not .often"),
        (["--scene-start", "door"], "No scene start"),
        (["--start", "3", "--end", "2"], "must come after"),
        (["--preset", "none"], "No preset"),
        (["--work-size", "3"], "--work-size must"),
    ],
)
def test_options_that_make_no_sense_are_refused(clip: Path, arguments: list[str], sentence: str):
    with pytest.raises(UsageError, match=sentence):
        run(clip, *arguments)


def test_transcode_by_gatys_is_paint(clip: Path, tmp_path: Path):
    quick = ["-s", "wave", "--every", "6", "--end", "0.3", "--work-size", "48", "-q"]
    run(clip, "-o", tmp_path / "paint.mp4", *quick)
    run(clip, "-o", tmp_path / "transcode.mp4", *quick, command=("transcode", "--method", "gatys"))
    assert (tmp_path / "paint.mp4").read_bytes() == (tmp_path / "transcode.mp4").read_bytes()


def test_settings_of_the_optimization_need_the_method(clip: Path):
    for option in (["--steps", "3"], ["--every", "3"], ["--network", "vgg19"]):
        with pytest.raises(UsageError, match=f"{option[0]}.* needs? --method gatys"):
            run(clip, *option, command=("transcode",))
    for option in (["--intensity", "0.5"], ["--batch-size", "2"], ["--preview"]):
        with pytest.raises(UsageError, match=f"{option[0]}.* needs? --method fast"):
            run(clip, *option, command=("transcode", "--method", "gatys"))


def test_one_video_that_fails_does_not_stop_the_others(clip: Path, tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    (tmp_path / "b.mp4").write_bytes(clip.read_bytes())
    quick = ["--every", "6", "--end", "0.2", "--work-size", "48", "-s", "wave"]
    done = run(tmp_path / "a.mp4", tmp_path / "b.mp4", *quick)
    assert done.exit_code == 1
    assert done.stdout == f"{tmp_path / 'b-wave.mp4'}\n"
    assert "1 of 2 videos failed" in done.stderr


def test_interrupt_says_how_to_go_on(
    clip: Path, tmp_path: Path, network: LossNetwork, monkeypatch: pytest.MonkeyPatch
):
    shown = io.StringIO()
    terminal = Console(file=shown, width=400)
    monkeypatch.setattr(console, "stderr", lambda: terminal)
    job = Job(clip, tmp_path / "out.mp4")

    def go(optimizer: object, *, restart: bool = False) -> None:
        optimize_job(job, KeyframeMethod(optimizer, VIDEO, negative), RunOptions(FAST, restart))

    with pytest.raises(KeyboardInterrupt):
        go(Stopping(make_optimizer(network)))
    assert "2 keyframes are kept in" in shown.getvalue()
    again = Stopping(make_optimizer(network))
    with pytest.raises(KeyboardInterrupt):
        go(again, restart=True)
    go(Stopping(make_optimizer(network)))
    assert "2 finished keyframes of an interrupted run are used" in shown.getvalue()
    assert job.target.exists()


def test_keyframes_that_cannot_be_kept_are_an_error(
    clip: Path, tmp_path: Path, network: LossNetwork
):
    target, method = tmp_path / "out.mp4", KeyframeMethod(make_optimizer(network), VIDEO)
    find_store(clip, target, method, FAST).folder.touch()
    with pytest.raises(SinkError, match="Nothing can be kept"):
        optimize_video(clip, target, method, options=FAST)
    assert not target.exists()


def test_terminal_shows_keyframes(
    clip: Path, tmp_path: Path, network: LossNetwork, monkeypatch: pytest.MonkeyPatch
):
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True)
    terminal = Console(file=shown, force_terminal=True, width=200)
    monkeypatch.setattr(console, "stderr", lambda: terminal)
    job = Job(clip, tmp_path / "out.mp4")
    optimize_job(job, KeyframeMethod(make_optimizer(network), VIDEO, negative), RunOptions(FAST))
    assert re.search(r"keyframe 4/4 .* left  step .*scale 1/1", shown.getvalue())


def test_progress_of_keyframes_says_it_all():
    step = PaintStep(2, 2, 7, 40, {"style": 0.01, "tv": 0.0, "total": 0.01})
    facts = keyframe_facts(KeyframeProgress(3, 12, 20, step, 40.0, 130.0))
    assert facts[:4] == ("keyframe 3/12", "2:10 left", "step 7/40", "scale 2/2")
    assert facts[4:] == ("0:40 elapsed", "style 0.01", "total 0.01")
    assert keyframe_facts(KeyframeProgress(3, None, 20, step, 40.0, None))[0] == "keyframe 3/?"


def test_every_is_a_number_or_adaptive():
    assert (parse_interval("12"), parse_interval("adaptive")) == (12, "adaptive")
