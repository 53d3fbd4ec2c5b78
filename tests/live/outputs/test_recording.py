"""Recordings that are interrupted or fail: what was recorded is always kept."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from live_tools import (
    FRAME_BY_FRAME,
    Running,
    film,
    info_of,
    number_in,
    numbered,
    save_clip,
    unchanged,
    wait_until,
)
from repository import REPO

from nst_video.errors import SinkError
from nst_video.live import LiveOptions, LiveSession, LiveSink, Output
from nst_video.live.outputs import microphone, recording, recording_journal, recording_recovery
from nst_video.live.outputs.microphone import RATE, SAMPLE_BYTES, SoundTrack
from nst_video.live.outputs.recording import RecordingSink
from nst_video.live.outputs.recording_recovery import RecordingRecovery
from nst_video.live.outputs.threads import OutputThread
from nst_video.system import paths
from nst_video.system.partial_file import PartialFile, is_recoverable, remove_abandoned

SIZE = (320, 240)
SUFFIXES = pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
RECORDER = """
import sys, time
from pathlib import Path
from live_tools import numbered
from nst_video.live.outputs.recording import RecordingSink
with RecordingSink(Path(sys.argv[1]), (320, 240)) as sink:
    begun = time.monotonic()
    for number in range(10000):
        sink.write(numbered(number))
        print(number, flush=True)
        time.sleep(max(0, begun + (number + 1) / 30 - time.monotonic()))
"""


def numbers_of(path: Path) -> list[int]:
    """Decode a recording as a player would, and read the frames' numbers."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[0])
        return [number_in(frame.to_ndarray(format="rgb24")) for frame in frames]


def write_until(sink: RecordingSink, is_enough: Callable[[int], bool]) -> None:
    pause = threading.Event()
    number = 0
    while not is_enough(number):
        sink.write(numbered(number))
        number += 1
        pause.wait(1 / 60)


def visible(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_file())


def recover(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr(recording_recovery, "PAUSE_S", 0.05)
    search = RecordingRecovery([folder], told.append)
    search.start()
    search._thread.join(20)
    search.close()
    return told


def record_and_kill(target: Path, frames: int, *, kills_ffmpeg: bool) -> int:
    """Record in another process, kill it with SIGKILL and return the last frame handed over."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", RECORDER, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= frames:
                break
        tasks = Path(f"/proc/{child.pid}/task").glob("*/children")
        ffmpeg = [int(pid) for task in tasks for pid in task.read_text().split()]
        child.send_signal(signal.SIGSTOP)
        for pid in [*(ffmpeg if kills_ffmpeg else ()), child.pid]:
            os.kill(pid, signal.SIGKILL)
        return max([frames, *(int(line) for line in child.stdout if line.strip())])


@SUFFIXES
def test_recording_whose_ffmpeg_dies_keeps_what_was_written(tmp_path: Path, suffix: str) -> None:
    sink = RecordingSink(tmp_path / f"take{suffix}", SIZE)

    def kill_late(number: int) -> bool:
        if number == 120:
            assert sink._process is not None
            os.kill(sink._process.pid, signal.SIGKILL)
        return number > 500

    with pytest.raises(SinkError, match=r"signal 9\. Kept .*take \(unfinished\)\.m.* s\)"), sink:
        write_until(sink, kill_late)
    assert visible(tmp_path) == [f"take (unfinished){suffix}"]
    numbers = numbers_of(tmp_path / f"take (unfinished){suffix}")
    assert numbers[0] == 0
    assert max(numbers) > 60  # at most a second is lost
    assert recording_journal.noted() == []


@SUFFIXES
def test_recording_that_grows_too_large_keeps_what_was_written(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free in (1 << 40, 0):  # room to write it anew, and none
        monkeypatch.setattr(
            "nst_video.live.outputs.recording_repair.shutil.disk_usage",
            lambda folder, free=free: shutil._ntuple_diskusage(1 << 40, 0, free),
        )
        sink = RecordingSink(tmp_path / f"{free}{suffix}", SIZE)

        def limit(number: int, sink: RecordingSink = sink) -> bool:
            if number == 1:
                assert sink._process is not None
                resource.prlimit(sink._process.pid, resource.RLIMIT_FSIZE, (10_000, 10_000))
            return number > 5000

        with pytest.raises(SinkError, match=r"larger than the system allows\. Kept "), sink:
            write_until(sink, limit)
        numbers = numbers_of(tmp_path / f"{free} (unfinished){suffix}")
        assert numbers == [*range(len(numbers))]
        assert len(numbers) > 10


def test_recording_with_an_error_in_our_own_code_is_kept(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "take.mp4", SIZE)

    def fail(number: int) -> bool:
        if number == 60:
            raise MemoryError
        return False

    with pytest.raises(SinkError, match=r"MemoryError.* Kept "), sink:
        write_until(sink, fail)
    assert visible(tmp_path) == ["take (unfinished).mp4"]


def test_recording_never_replaces_what_it_may_not(tmp_path: Path) -> None:
    target = tmp_path / "take.mp4"
    target.write_bytes(b"a film")
    for overwrite, saved in ((False, tmp_path / "take (2).mp4"), (True, target)):
        sink = RecordingSink(target, SIZE, overwrite=overwrite)
        with sink:
            write_until(sink, lambda number: number == 3)
        assert sink.target == saved
        assert numbers_of(saved)[:3] == [0, 1, 2]
        assert overwrite or target.read_bytes() == b"a film"


def test_picture_that_stays_is_recorded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "STILL_S", 0.05)
    monkeypatch.setattr(recording, "_TICK_S", 0.05)
    monkeypatch.setattr(recording, "_MUXERS", {"matroska": ("-cluster_time_limit", "50")})
    sink = RecordingSink(tmp_path / "take.mkv", SIZE)

    def held() -> int:
        try:
            return len(numbers_of(sink._part.path))
        except av.FFmpegError:
            return 0

    with sink:
        sink.write(numbered(7))
        wait_until(lambda: held() > 5)


@pytest.mark.parametrize(
    ("suffix", "kills_ffmpeg"), [(".mp4", True), (".mkv", True), (".mov", False)]
)
def test_recording_of_a_killed_process_is_found_and_plays(
    tmp_path: Path, suffix: str, kills_ffmpeg: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    last = record_and_kill(folder / f"take{suffix}", 75, kills_ffmpeg=kills_ffmpeg)
    assert not remove_abandoned(folder)
    # Not where it was begun, as after a change of folders.
    told = recover(tmp_path, monkeypatch)
    found = folder / f"take (recovered){suffix}"
    assert len(told) == 1
    assert told[0].startswith(f"Recovered a recording that was cut off: {found} (")
    assert visible(folder) == [found.name]
    numbers = numbers_of(found)
    assert numbers[0] == 0
    assert max(numbers) >= last - (45 if kills_ffmpeg else 2)
    with av.open(str(found)) as container:
        assert container.duration / 1e6 == pytest.approx(max(numbers) / 30, abs=0.5)
        container.seek(2_000_000)
        assert number_in(next(container.decode(video=0)).to_ndarray(format="rgb24")) > 20
    assert recover(folder, monkeypatch) == []


def test_session_says_what_it_has_recovered(tmp_path: Path) -> None:
    record_and_kill(tmp_path / "take.mkv", 40, kills_ffmpeg=True)
    told: list[str] = []
    session = LiveSession(
        film(fps=30), unchanged, [Output("null", lambda info: _Nothing())], has_window=False,
        settings=FRAME_BY_FRAME,
        options=LiveOptions(target_fps=None, save_dir=tmp_path / "other"), on_message=told.append,
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: told)
    assert "take (recovered).mkv" in told[0]


def test_recording_that_runs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = RecordingSink(tmp_path / "take.mp4", SIZE)
    with sink:
        write_until(sink, lambda number: number == 30)
        monkeypatch.setattr(recording_recovery, "TRIES", 2)
        monkeypatch.setattr("nst_video.system.partial_file.UNLOCKED_AGE_S", -1)
        assert recover(tmp_path, monkeypatch) == []
        assert remove_abandoned(tmp_path) == []
    assert visible(tmp_path) == ["take.mp4"]


def test_recording_that_the_journal_does_not_know_is_found_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_and_kill(tmp_path / "take.mp4", 40, kills_ffmpeg=True)
    shutil.rmtree(paths.cache_dir().parent)
    assert recover(tmp_path, monkeypatch) == []  # perhaps another machine still writes to it
    monkeypatch.setattr("nst_video.system.partial_file.UNLOCKED_AGE_S", -1)
    assert len(recover(tmp_path, monkeypatch)) == 1


def test_recording_in_a_folder_that_is_not_there_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick, elsewhere = tmp_path / "stick", tmp_path / "elsewhere"
    stick.mkdir()
    record_and_kill(stick / "take.mp4", 40, kills_ffmpeg=True)
    stick.rename(elsewhere)
    told = recover(tmp_path, monkeypatch)
    assert len(told) == 1
    assert f"{stick}, which is not there" in told[0]
    elsewhere.rename(stick)
    assert "take (recovered).mp4" in recover(tmp_path, monkeypatch)[0]


def test_killed_recording_that_holds_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PartialFile(tmp_path / "take.mp4", is_recoverable=True) as part:
        part.path.write_bytes(b"only a header")
        recording_journal.note(part.path)
    assert is_recoverable(part.path)
    assert part.path.exists()
    assert recover(tmp_path, monkeypatch) == []
    assert visible(tmp_path) == []
    assert recording_journal.noted() == []


class _Nothing(LiveSink):
    """Takes frames; leaving it takes until `stop` is called, or `is_slow` is taken back."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.is_stopped = False
        self.is_slow = False

    def __enter__(self) -> "_Nothing":
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_slow:
            self.is_done.wait(30)

    def write(self, frame: object) -> None:
        pass

    def stop(self) -> None:
        self.is_stopped = True
        self.is_done.set()


SINE = "sine=r=48000:f=440:b=4{},arealtime"
"""A microphone that hears a tone, for ever or only for a while."""


@pytest.mark.parametrize(("tone", "ends"), [(SINE.format(""), False), (SINE.format(":d=1"), True)])
def test_recording_goes_on_where_its_microphone_ends(
    tmp_path: Path, tone: str, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone, "MICROPHONES", {"Linux": ("lavfi", (), "{}")})
    sink = RecordingSink(tmp_path / "take.mp4", SIZE, tone)

    with sink:
        write_until(sink, lambda number: number > 60)
        listening = sink._microphone
        assert listening is not None
        wait_until(lambda: listening.has_sound and (listening.problem is not None) == ends)
        write_until(sink, lambda number: number > 20)
    assert bool(sink.notes) == ends
    assert len(numbers_of(tmp_path / "take.mp4")) > 80
    with av.open(str(tmp_path / "take.mp4")) as container:
        sound = [f.to_ndarray() for f in container.decode(audio=0)]
        video, audio = container.streams.video[0], container.streams.audio[0]
        lasts_s = [float(s.duration * s.time_base) for s in (video, audio)]
    assert lasts_s[0] == pytest.approx(lasts_s[1], abs=1)
    assert np.abs(np.concatenate(sound, axis=1)).max() > 0.1


def test_microphone_that_hears_nothing_in_time_gives_silence() -> None:
    second = bytes(RATE * SAMPLE_BYTES)
    tenth = b"\1" * (len(second) // 10)
    track = SoundTrack(100.0)
    assert track.place(100.1, tenth) == tenth
    assert track.place(100.25, tenth) == tenth  # a little late is as it always is
    late = track.place(101.3, tenth)
    assert late.endswith(tenth)
    assert len(late) == pytest.approx(1.1 * len(second), rel=0.01)
    assert track.place(100.9, tenth) == b""  # what is too early would delay all that follows
    assert track.fill(101.5) == b""
    assert len(track.fill(102.6)) == pytest.approx(len(second), rel=0.01)


class _Interrupted(threading.Event):
    """An event whose first wait is ended by Ctrl-C."""

    is_waited_for = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_waited_for:
            self.is_waited_for = True
            raise KeyboardInterrupt
        return super().wait(timeout)


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_recording_finishes_as_long_as_it_takes_or_until_ctrl_c(
    is_interrupted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst_video.live.outputs.threads.CLOSE_S", 0.01)
    sink = _Nothing()
    sink.is_slow = True
    output = OutputThread(Output("slow", lambda info: sink, close_s=None), lambda ended: None)
    output.put(numbered(0), info_of(SIZE))
    wait_until(lambda: output.written)
    if is_interrupted:
        output._has_ended = _Interrupted()
        with pytest.raises(KeyboardInterrupt):
            output.close()
    else:
        timer = threading.Timer(0.3, sink.is_done.set)
        timer.start()
        output.close()
        timer.join()
    assert sink.is_stopped == is_interrupted
    wait_until(lambda: not output.is_alive)


def test_command_whose_recording_fails_says_so_and_exits_with_1(tmp_path: Path) -> None:
    save_clip(tmp_path / "clip.avi", [numbered(n, SIZE) for n in range(60)], 30)
    done = subprocess.run(
        [sys.executable, "-m", "nst_video", "live", str(tmp_path / "clip.avi"),
         "--output", str(tmp_path / "take.mp4"), "--output", "null:", "--engine", "identity"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        cwd=REPO, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "frames stylized" in done.stderr
    assert "take.mp4 was cut off" in " ".join(done.stderr.split())
