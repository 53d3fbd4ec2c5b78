"""Recording, virtual camera, and what users may call outputs."""

import threading
import time
from pathlib import Path
from typing import ClassVar

import av
import numpy as np
import pytest
import pyvirtualcam
from live_tools import (
    FRAME_BY_FRAME,
    Running,
    film,
    info_of,
    number_in,
    numbered,
    unchanged,
    wait_until,
)

from nst_video.errors import SinkError, UsageError
from nst_video.live import LiveOptions, LiveSession, LiveSink, Output, open_output
from nst_video.live.outputs.microphone import microphone_input
from nst_video.live.outputs.recording import RecordingSink
from nst_video.live.outputs.threads import OutputThread
from nst_video.live.outputs.virtual_camera import HINTS, VirtualCameraSink

FIXED = LiveOptions(target_fps=None)


def write_until_it_fails(sink: RecordingSink) -> None:
    with sink:
        for number in range(2000):
            sink.write(numbered(number))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_recording_lasts_as_long_as_it_was_made(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"take{suffix}"
    pause = threading.Event()
    with RecordingSink(target, (320, 240)) as sink:
        begun = time.monotonic()
        for number in range(45):  # first 30 a second, then 5
            sink.write(numbered(number))
            pause.wait(1 / 30 if number < 30 else 0.2)
        lasted_s = time.monotonic() - begun
    with av.open(str(target)) as container:
        assert container.duration / 1e6 == pytest.approx(lasted_s, rel=0.02)
        assert [s.codec_context.codec.name for s in container.streams] == ["h264"]


def test_recorded_frames_keep_the_times_at_which_they_came(tmp_path: Path) -> None:
    target = tmp_path / "take.mp4"
    pause, written_s = threading.Event(), []
    with RecordingSink(target, (320, 240)) as sink:
        for number, gap_s in enumerate((0.1, 0.5, 0.2, 0.8, 0.1)):
            written_s.append(time.monotonic())
            sink.write(numbered(number))
            pause.wait(gap_s)
    with av.open(str(target)) as container:
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
    # A picture that stays for long is recorded again.
    times = [next(at for at, frame in frames if number_in(frame) == n) for n in range(5)]
    gaps = np.diff(times)
    assert gaps == pytest.approx(np.diff(written_s), abs=0.06)


def test_recording_fits_frames_of_another_size(tmp_path: Path) -> None:
    with RecordingSink(tmp_path / "take.mp4", (161, 121)) as sink:
        for size in ((161, 121), (320, 240), (64, 400)):
            sink.write(numbered(1, size))
    with av.open(str(tmp_path / "take.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (162, 122)
        assert len(list(container.decode(stream))) == 5  # the last one lasts until the end


def test_recording_without_a_microphone_there_says_so(tmp_path: Path) -> None:
    sink = RecordingSink(tmp_path / "take.mp4", (320, 240), "no such microphone")
    with pytest.raises(SinkError):
        write_until_it_fails(sink)


@pytest.mark.parametrize(
    ("name", "system", "expected"),
    [
        ("default", "Linux", ["pulse", "default"]),
        ("default", "Darwin", ["avfoundation", ":0"]),
        ("USB Audio", "Windows", ["dshow", "audio=USB Audio"]),
    ],
)
def test_microphone_is_named_as_the_system_wants(
    name: str, system: str, expected: list[str]
) -> None:
    arguments = microphone_input(name, system)
    assert [arguments[-3], arguments[-1]] == expected


def test_microphone_must_be_named_on_windows() -> None:
    with pytest.raises(UsageError, match="must be named"):
        microphone_input("default", "Windows")
    with pytest.raises(UsageError, match="Plan9"):
        microphone_input("default", "Plan9")


def test_recording_of_a_session_plays_as_fast_as_its_film(tmp_path: Path) -> None:
    told: list[str] = []
    session = LiveSession(
        film(fps=30), unchanged, has_window=False, settings=FRAME_BY_FRAME, on_message=told.append,
        options=LiveOptions(target_fps=None, save_dir=tmp_path),
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: session.result.shown > 3)
        session.press("r")
        wait_until(lambda: any(tmp_path.iterdir()))
        captured = session.capture.frames.put_count
        wait_until(lambda: session.capture.frames.put_count > captured + 90)
        session.press("r")
        wait_until(lambda: told)
    saved = next(tmp_path.glob("*.mp4"))
    assert told == [f"Saved {saved}"]
    with av.open(str(saved)) as container:
        frames = [
            (frame.time, number_in(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]
    # The first may have been standing for long when it was recorded.
    (begin_s, first), (end_s, last) = frames[1], frames[-1]
    assert last - first > 60
    assert end_s - begin_s == pytest.approx((last - first) / 30, abs=0.25)


class Loopback:
    """A camera driver that keeps what it is sent."""

    opened: ClassVar[list["Loopback"]] = []

    def __init__(self, *, width, height, fps, fourcc, device) -> None:
        if (width, height) == (2, 2):
            raise RuntimeError("no device")
        if any(not camera.is_closed for camera in Loopback.opened):
            raise RuntimeError("Device or resource busy.")
        self.size, self.frames, self.is_closed = (width, height), [], False
        Loopback.opened.append(self)

    def close(self) -> None:
        self.is_closed = True

    def send(self, frame) -> None:
        self.frames.append(np.array(frame).reshape(self.size[1], self.size[0], 3))

    def device(self) -> str:
        return "/dev/loop"

    def native_fourcc(self) -> None:
        return None


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> type[Loopback]:
    pyvirtualcam.register_backend("loopback", Loopback)
    Loopback.opened = []
    return Loopback


def test_virtual_camera_has_a_fixed_size_and_letterboxes(loopback: type[Loopback]) -> None:
    with VirtualCameraSink((641, 360), 30, "loopback") as sink:
        sink.write(np.full((240, 320, 3), 200, np.uint8))
    camera = loopback.opened[0]
    frame = camera.frames[0]
    assert frame.shape == (360, 640, 3)
    assert (frame[:, 80:560] == 200).all()
    assert not frame[:, :79].any()
    assert not frame[:, 561:].any()
    assert camera.is_closed


def test_virtual_camera_whose_driver_gives_up_says_so(
    loopback: type[Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self, frame) -> None:
        raise RuntimeError("unplugged")

    monkeypatch.setattr(Loopback, "send", refuse)
    with VirtualCameraSink((64, 48), 30, "loopback") as sink:
        with pytest.raises(SinkError, match="unplugged"):
            sink.write(numbered(1))
        sink.stop()


def test_virtual_camera_is_switched_by_key(loopback: type[Loopback]) -> None:
    options = LiveOptions(target_fps=None, virtual_size=(640, 480), virtual_backend="loopback")
    session = LiveSession(
        film(), unchanged, has_window=False, settings=FRAME_BY_FRAME, options=options
    )
    with Running(session):
        session.press("v")
        wait_until(lambda: loopback.opened and len(loopback.opened[0].frames) > 5)
        session.press("v")
        wait_until(lambda: loopback.opened[0].is_closed)
        shown = session.result.shown
        wait_until(lambda: session.result.shown > shown + 5)
    assert session.result.lost_outputs == ()


def test_virtual_camera_is_turned_on_again_however_fast(
    loopback: type[Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_slowly(self: Loopback) -> None:
        threading.Event().wait(0.2)
        self.is_closed = True

    monkeypatch.setattr(Loopback, "close", close_slowly)
    options = LiveOptions(target_fps=None, virtual_size=(640, 480), virtual_backend="loopback")
    session = LiveSession(
        film(), unchanged, has_window=False, settings=FRAME_BY_FRAME, options=options
    )
    with Running(session):
        for round_number in range(3):
            before = len(loopback.opened)
            for _ in range(3 + 2 * round_number):  # on, off, on, ...
                session.press("v")
                shown = session.result.shown
                wait_until(lambda shown=shown: session.result.shown > shown)
            wait_until(lambda before=before: len(loopback.opened) > before)
            wait_until(lambda: len(loopback.opened[-1].frames) > 2)
            session.press("v")
            wait_until(lambda: all(camera.is_closed for camera in loopback.opened))
    assert session.result.lost_outputs == ()


@pytest.mark.parametrize(
    ("size", "expected"), [((1, 1), (2, 2)), ((33, 3), (32, 2)), ((1919, 1081), (1918, 1080))]
)
def test_virtual_camera_has_even_sides(
    loopback: type[Loopback], size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert VirtualCameraSink(size, 30, "loopback")._size == expected


def test_virtual_camera_keeps_its_size_when_the_source_changes(loopback: type[Loopback]) -> None:
    with VirtualCameraSink((320, 240), 30, "loopback") as sink:
        for size in ((320, 240), (641, 361), (100, 400), (1, 1)):
            sink.write(np.full((size[1], size[0], 3), 200, np.uint8))
    assert [frame.shape for frame in loopback.opened[0].frames] == [(240, 320, 3)] * 4
    assert all((frame[120, 160] == 200).all() for frame in loopback.opened[0].frames)


def test_virtual_camera_without_a_driver_says_what_to_install(loopback: type[Loopback]) -> None:
    with pytest.raises(SinkError) as caught, VirtualCameraSink((2, 2), 30, "loopback"):
        pass
    assert any(str(caught.value).endswith(f"(no device): {hint}.") for hint in HINTS.values())
    with pytest.raises(SinkError, match="no virtual camera driver 'nope'"):
        VirtualCameraSink((64, 48), 30, "nope").__enter__()


def test_slow_output_drops_its_oldest_frames_and_holds_nobody_up() -> None:
    gate, taken = threading.Event(), []

    class Stuck(LiveSink):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, frame) -> None:
            gate.wait(20)
            taken.append(int(frame[0, 0, 0]))

        def stop(self) -> None:
            gate.set()

    thread = OutputThread(Output("stuck", lambda info: Stuck()), lambda ended: None)
    for number in range(40):
        thread.put(np.full((4, 4, 3), number, np.uint8), info_of((4, 4)))
    gate.set()
    thread.close()
    assert taken[-4:] == [36, 37, 38, 39]
    assert thread.dropped >= 30


@pytest.mark.parametrize("text", ["http:abc", "http:70000", "virtual:640x", "take.gif", "take"])
def test_output_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        open_output(text)


def test_recording_into_a_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="there is no folder"):
        open_output(tmp_path / "none" / "take.mp4")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("null:", "null"),
        ("http:", "HTTP"),
        ("http:0", "HTTP"),
        ("virtual:640x480", "virtual camera"),
    ],
)
def test_outputs_are_found_by_their_prefix(text: str, name: str) -> None:
    assert open_output(text).name == name
