"""The thread that reads: silence, damage, reconnecting again and again, walking away."""

import gc
import os
import threading
import time
from pathlib import Path

import pytest
from live_tools import Film, ScriptedStream, jpeg, numbered, save_clip, wait_until

from nst_video.errors import SourceError
from nst_video.live import LiveSource
from nst_video.live import capture_thread as reader_module
from nst_video.live.capture_thread import CaptureThread, Silence
from nst_video.video.capture.camera import CameraSource
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.stream import StreamSource


def used() -> tuple[int, int, float]:
    """OS threads, open descriptors, resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    tasks, files = (len([*Path("/proc/self", kind).iterdir()]) for kind in ("task", "fd"))
    return tasks, files, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts by Linux's /proc")
@pytest.mark.parametrize("kind", ["stream", "camera"])
def test_hundred_reconnects_leave_no_thread_descriptor_or_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst_video.video.capture.camera.RETRY_S", 0.001)
    frames = [numbered(n, (320, 240)) for n in range(4)]
    save_clip(tmp_path / "clip.avi", frames, 30)
    opened = []

    with ScriptedStream([jpeg(frame) for frame in frames]) as server:

        def open_again() -> StreamSource | CameraSource:
            opened.append(1)
            if kind == "stream":
                return StreamSource(server.url)
            # OpenCV reads a file through the same class as a device, with decoding threads.
            driver = CaptureOptions(driver="FFMPEG")
            return CameraSource(str(tmp_path / "clip.avi"), "stand-in", driver)

        reader = CaptureThread(
            LiveSource("source", open_again), on_trouble=lambda text: None, back_off_s=(0.001,)
        )
        gc.disable()  # what only the collector finds is there until it comes
        try:
            reader.start()
            wait_until(lambda: len(opened) > 20)
            before = used()
            wait_until(lambda: len(opened) > 120)
            after = used()
        finally:
            gc.enable()
            end(reader)
    assert after[0] <= before[0] + 6, "threads"  # some of the server's connections
    assert after[1] <= before[1] + 6, "descriptors"
    assert after[2] <= before[2] + 20, "memory"


def end(reader: CaptureThread) -> None:
    reader.stop()
    for thread in reader.threads:
        thread.join(10)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "OPEN_S", 0.4)
    monkeypatch.setattr(reader_module, "ASK_S", 0.1)


class Endless:
    """Something that hangs until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def open(self) -> Film:
        self.over.wait(20)
        raise SourceError("too late")


@pytest.mark.parametrize(
    ("is_camera", "advice"), [(True, "another program may hold it"), (False, "check its address")]
)
@pytest.mark.usefixtures("impatient")
def test_source_that_never_answers_is_given_up_in_words(is_camera: bool, advice: str) -> None:
    device, told = Endless(), []
    reader = CaptureThread(
        LiveSource("The thing", device.open, is_camera=is_camera), on_trouble=told.append
    )
    reader.start()
    with pytest.raises(SourceError, match=f"The thing has not answered for 0.4 s: {advice}"):
        wait_until(lambda: reader.frames.take(0.05) is not None)
    assert told == ["Waiting for The thing, up to 0.4 s."]
    device.over.set()
    end(reader)


class Unsteady(Film):
    """A source that breaks at its first picture."""

    def __iter__(self):
        raise SourceError("the first picture is damaged")
        yield


@pytest.mark.parametrize("bad", [1, 2])
def test_bad_first_picture_does_not_end_the_session(bad: int) -> None:
    opened, told = [], []

    def open_again() -> Film:
        opened.append(1)
        return Unsteady(9) if len(opened) <= bad else Film(None, fps=100)

    reader = CaptureThread(
        LiveSource("film", open_again), on_trouble=told.append, back_off_s=(0.01,)
    )
    reader.start()
    wait_until(lambda: reader.frames.take(0.05) is not None)
    end(reader)
    assert told == [
        *(f"the first picture is damaged Trying again ({n})." for n in range(1, bad + 1)), None
    ]  # fmt: skip


def test_one_slow_frame_of_the_reader_loses_none() -> None:
    reader = CaptureThread(
        LiveSource("film", lambda: Film(2), is_endless=False), on_trouble=lambda text: None
    )
    reader.start()
    wait_until(lambda: reader.frames.put_count == 2)
    assert [reader.frames.take(1).number for _ in range(2)] == [0, 1]
    assert reader.frames.dropped == 0


def test_films_stay_at_their_first_frame_until_they_may_play(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader_module, "OPEN_S", 0.3)  # which the wait must not exceed
    sent_s: dict[int, float] = {}
    reader = CaptureThread(
        LiveSource("film", lambda: Film(5, sent_s=sent_s), is_endless=False),
        on_trouble=lambda text: None, holds_films=True,
    )  # fmt: skip
    reader.start()
    wait_until(lambda: reader.frames.put_count == 1)
    assert not reader.frames.is_closed
    threading.Event().wait(0.6)
    assert reader.frames.put_count == 1
    played_s = time.monotonic()
    reader.play()
    wait_until(lambda: reader.frames.put_count == 5)
    assert sent_s[1] >= played_s
    end(reader)


def test_source_that_never_gives_a_picture_ends_the_session_after_some_tries() -> None:
    opened: list[int] = []

    def open_again() -> Film:
        opened.append(1)
        return Unsteady(9)

    reader = CaptureThread(
        LiveSource("film", open_again), on_trouble=lambda t: None, back_off_s=(0.01,)
    )
    reader.start()
    with pytest.raises(SourceError, match="the first picture is damaged"):
        wait_until(lambda: reader.frames.take(0.05) is not None)
    end(reader)
    assert len(opened) == reader_module.FIRST_TRIES


def test_switching_while_a_driver_hangs_reads_the_other_source() -> None:
    device = Endless()
    reader = CaptureThread(LiveSource("hanging", device.open), on_trouble=lambda text: None)
    reader.start()
    reader.switch(LiveSource("film", lambda: Film(None, fps=100)))
    begun = time.monotonic()
    wait_until(lambda: reader.frames.take(0.05) is not None)
    assert time.monotonic() - begun < 2
    device.over.set()
    end(reader)


@pytest.mark.parametrize("paused_at", [1, 25, 49])
def test_silence_of_a_source_is_not_the_time_in_which_the_process_was_stopped(
    paused_at: int,
) -> None:
    silence, now = Silence(100.0), 100.0
    for look in range(50):
        now += 60 if look == paused_at else 0.1
        seconds = silence.duration_s(None, now)
    assert seconds == pytest.approx(4.9)
    assert silence.duration_s(now, now + 0.1) == pytest.approx(0.1)
    assert silence.duration_s(now, now + 0.2) == pytest.approx(0.2)
    assert silence.duration_s(now + 0.25, now + 0.3) == pytest.approx(0.05)
