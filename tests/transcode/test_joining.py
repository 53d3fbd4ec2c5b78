"""Films are joined on a disk with room for one of both, and a killed join is resumed."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from clips import Mixing, make_numbered
from live_tools import wait_until

from nst_video.jobs import folders
from nst_video.jobs.joining import GrowingFilm
from nst_video.transcode import ResumeOptions, TranscodeOptions, joining, transcode
from nst_video.video.media import index_room
from nst_video.video.media.ffmpeg import ffmpeg_exe

LARGE = TranscodeOptions(preset="ultrafast", crf=0, batch_size=10)
FRAMES, FPS = 150, 5
"""Three chunks, each larger than what ffmpeg holds back."""


class Interrupted(BaseException):
    """What ends a run, as Ctrl-C does."""


class Noise(Mixing):
    """Paints noise, so that chunks are large."""

    def __init__(self) -> None:
        super().__init__()
        self._rng = np.random.default_rng(5)

    def __call__(self, frames: np.ndarray, /) -> np.ndarray:
        return self._rng.integers(0, 256, frames.shape, np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sound = ("-f", "lavfi", "-i", f"sine=440:d={FRAMES / FPS}")
    coding = ("-c:v", "libx264", "-g", "50", "-sc_threshold", "0", "-c:a", "aac")
    return make_numbered(path, *coding, count=FRAMES, fps=FPS, inputs=sound)


@pytest.fixture
def spared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SPARED_FROM_BYTES", 0)
    monkeypatch.setattr(index_room, "BASE_BYTES", 3000)


def hashes(path: Path) -> str:
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def paint(film: Path, target: Path) -> list[str]:
    said = list[str]()
    resume = ResumeOptions(on_note=said.append)
    transcode(film, target, Noise(), options=LARGE, resume=resume)
    assert list(target.parent.iterdir()) == [target]
    return said


def interrupt_join(film: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt joining when the second of three chunks has made room."""
    add = GrowingFilm.add

    def add_last(self: GrowingFilm, entry: object, packets: object) -> None:
        add(self, entry, packets)
        if entry.number == 2:
            (folder,) = folders.folders_of(target)

            def has_made_room() -> bool:
                self._release_arrived()
                return not (folder / "00001.mp4").exists()

            wait_until(has_made_room, what="the joined chunk")
            raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(GrowingFilm, "add", add_last)
        with pytest.raises(Interrupted):
            transcode(film, target, Noise(), options=LARGE)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_interrupted_join_is_resumed_with_the_same_film(
    film: Path, tmp_path: Path, spared: None, suffix: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "out").mkdir()
    target, whole = tmp_path / "out" / f"film{suffix}", tmp_path / f"whole{suffix}"
    interrupt_join(film, target, monkeypatch)
    (said,) = paint(film, target)
    assert said.startswith("An interrupted run has finished 3 of 3 chunks; 0 frames are left.")
    monkeypatch.setattr(joining, "SPARED_FROM_BYTES", 1 << 40)
    transcode(film, whole, Noise(), options=LARGE)
    assert hashes(target) == hashes(whole)


def test_index_that_does_not_fit_into_its_room_is_written_at_the_end(
    film: Path, tmp_path: Path, spared: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(index_room, "BASE_BYTES", 100)
    monkeypatch.setattr(index_room, "PACKET_BYTES", 1)
    (tmp_path / "out").mkdir()
    target, whole = tmp_path / "out" / "film.mp4", tmp_path / "whole.mp4"
    assert paint(film, target) == []
    monkeypatch.setattr(joining, "SPARED_FROM_BYTES", 1 << 40)
    transcode(film, whole, Noise(), options=LARGE)
    assert target.read_bytes() == whole.read_bytes()
