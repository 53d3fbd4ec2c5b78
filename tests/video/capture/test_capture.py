"""Cameras, streams, screen, folders: what can be tested without the device, and with stand-ins."""

import time
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from live_tools import (
    ScriptedStream,
    jpeg,
    number_in,
    numbered,
    screenshot,
)

from nst_video.errors import SourceError, UsageError
from nst_video.frames import size_of
from nst_video.image.files import save_picture
from nst_video.live import open_live_source
from nst_video.live.capture_thread import CaptureThread
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.screen import ScreenSource
from nst_video.video.capture.stream import StreamSource


def test_source_that_is_not_open_says_so() -> None:
    with pytest.raises(SourceError, match="not open"):
        _ = StreamSource("http://127.0.0.1:9/").info


def test_stream_is_read_at_the_size_asked_for(network_camera) -> None:
    camera = network_camera(30)
    with StreamSource(camera.url, CaptureOptions(size=(160, 120))) as stream:
        assert next(iter(stream)).shape == (120, 160, 3)


def test_stream_without_pictures_or_that_breaks_off_says_so(network_camera, tmp_path) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    with pytest.raises(SourceError, match="no video"), StreamSource(str(tmp_path / "sound.wav")):
        pass
    camera = network_camera(30)
    with StreamSource(camera.url) as stream:
        frames = iter(stream)
        next(frames)
        camera.stop()
        with pytest.raises(SourceError, match=r"ended|failed"):
            list(frames)


def damaged(picture: bytes) -> bytes:
    return picture[:20] + bytes(200)


@pytest.mark.parametrize("bad", [(0,), (0, 1), (3,), (2, 3, 7)])
def test_damaged_pictures_of_a_stream_are_left_out(bad: tuple[int, ...]) -> None:
    parts = [jpeg(numbered(n)) for n in range(12)]
    for place in bad:
        parts[place] = damaged(parts[place])
    frames = []
    with (
        ScriptedStream(parts) as server,
        StreamSource(server.url) as stream,
        pytest.raises(SourceError, match=r"ended|failed"),
    ):
        frames.extend(stream)
    assert stream.name == server.url
    assert {size_of(frame) for frame in frames} == {(320, 240)}
    numbers = [number_in(frame) for frame in frames]
    good = [n for n in range(12) if n not in bad]
    # What is looked at while the stream opens is not kept: it would be late for ever.
    assert numbers == good[-len(numbers) :]
    assert len(numbers) >= len(good) - 2


def test_stream_of_damaged_pictures_only_is_given_up() -> None:
    parts = [damaged(jpeg(numbered(n))) for n in range(60)]
    with (
        ScriptedStream(parts) as server,
        pytest.raises(SourceError, match=r"failed|ended|opened"),
        StreamSource(server.url) as stream,
    ):
        list(stream)


@pytest.mark.parametrize("asked", [None, (200, 100)])
def test_stream_that_changes_its_size_keeps_its_aspect(asked: tuple[int, int] | None) -> None:
    sizes = [(320, 240)] * 3 + [(480, 240)] * 3 + [(256, 320)] * 3
    parts = [jpeg(numbered(n, size)) for n, size in enumerate(sizes)]
    frames = []
    with (
        ScriptedStream(parts) as server,
        StreamSource(server.url, CaptureOptions(size=asked)) as stream,
        pytest.raises(SourceError),
    ):
        frames.extend(stream)
    if asked is None:
        assert len(frames) >= 7
        assert [size_of(frame) for frame in frames] == sizes[-len(frames) :]
        assert [number_in(frame) for frame in frames] == list(range(9))[-len(frames) :]
    else:
        assert {size_of(frame) for frame in frames} == {asked}
        assert not frames[-1][:, :55].any()  # a tall picture between black bars
        assert frames[-1][:, 70:130].any()


def test_screen_region_is_grabbed_at_its_rate(screen: str) -> None:
    with ScreenSource("200x100+10+20", CaptureOptions(fps=Fraction(50))) as source:
        begun, frames = time.monotonic(), []
        for frame in source:
            frames.append(frame)
            if len(frames) == 11:
                break
        assert time.monotonic() - begun >= 10 / 50
    assert frames[0].shape == (100, 200, 3)
    assert np.array_equal(frames[0], screenshot(screen)[20:120, 10:210])


def test_screen_that_is_not_there_is_refused(screen: str, monkeypatch) -> None:
    with pytest.raises(SourceError, match="No monitor 9"), ScreenSource("9"):
        pass
    with pytest.raises(UsageError, match="640x480"):
        ScreenSource("left half")
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(SourceError, match="cannot be grabbed"), ScreenSource():
        pass


def test_notes_of_a_source_are_told_once(tmp_path: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    (tmp_path / "1.png").write_bytes(b"")
    told: list[str] = []
    reader = CaptureThread(
        open_live_source(tmp_path, CaptureOptions(fps=Fraction(100))),
        on_trouble=lambda _: None,
        on_note=told.append,
    )
    reader.start()
    for thread in reader.threads:
        thread.join(30)
    reader.stop()
    assert len(told) == 1
    assert "1.png is empty" in told[0]


def test_demo_scene_repeats_from_memory() -> None:
    options = CaptureOptions(size=(64, 48), fps=Fraction(10))
    source = open_live_source("demo:", options).open()
    count = source.info.frame_count
    frames = []
    with source:
        for frame in source._repetitions():
            frames.append(frame)
            if len(frames) == count + 3:
                break
    assert np.array_equal(frames[count + 1], frames[1])


@pytest.mark.parametrize(
    ("text", "error"), [("missing.mp4", SourceError), ("~nosuchuser/none", SourceError)]
)
def test_missing_file_is_not_taken_for_a_camera(text: str, error: type) -> None:
    with pytest.raises(error, match="there is no such file"):
        open_live_source(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rtsp://host/live", "rtsp://host/live"),
        ("HTTP://[::1", "HTTP://[::1"),  # no address, as opening it will tell
        ("screen:", "Screen"),
        ("demo:", "The demo"),
        ("7", "Camera 7"),
        ("/dev/video7", "/dev/video7"),
    ],
)
def test_sources_are_found_by_what_they_look_like(text: str, name: str) -> None:
    assert open_live_source(text).name == name
