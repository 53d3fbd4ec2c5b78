"""Cameras, streams, screen, folders: what can be tested without the device, and with stand-ins."""

import time
import wave
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_tools import (
    SIZE,
    Running,
    ScriptedStream,
    jpeg,
    number_in,
    numbered,
    save_clip,
    screenshot,
    unchanged,
    wait_until,
)

from nst_video.errors import SourceError, UsageError
from nst_video.frames import size_of
from nst_video.image.files import save_picture
from nst_video.live import LiveOptions, LiveSession, open_live_source
from nst_video.live.capture_thread import CaptureThread
from nst_video.video.capture.camera import CameraSource, construction_parameters, driver_number
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.devices import (
    Camera,
    cameras_in,
    find_camera,
    list_cameras,
    parse_listing,
)
from nst_video.video.capture.folder import FPS, PICTURE_S, PictureFolderSource
from nst_video.video.capture.screen import ScreenSource
from nst_video.video.capture.stream import StreamSource

AVFOUNDATION = """[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] FaceTime HD Camera
[AVFoundation indev @ 0x1] [1] Capture screen 0
[AVFoundation indev @ 0x1] AVFoundation audio devices:
[AVFoundation indev @ 0x1] [0] MacBook Pro Microphone
"""
DIRECTSHOW = """[dshow @ 000001] "Integrated Camera" (video)
[dshow @ 000001]   Alternative name "@device_pnp_1"
[dshow @ 000001] "OBS Virtual Camera" (video)
[dshow @ 000001] "Microphone Array" (audio)
"""


def test_linux_lists_the_first_node_of_every_camera(tmp_path: Path) -> None:
    for number, (name, index) in enumerate(
        [("HD Webcam", 0), ("HD Webcam", 1), ("Capture Card", 0)]
    ):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
    (tmp_path / "video10").mkdir()  # vanished while we looked
    assert cameras_in(tmp_path) == [Camera(0, "HD Webcam"), Camera(2, "Capture Card")]


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        (AVFOUNDATION, [Camera(0, "FaceTime HD Camera")]),
        (DIRECTSHOW, [Camera(0, "Integrated Camera"), Camera(1, "OBS Virtual Camera")]),
        ("", []),
    ],
)
def test_listings_of_other_systems_are_understood(listing: str, expected: list[Camera]) -> None:
    assert parse_listing(listing) == expected


CAMERAS = [Camera(0, "HD Webcam"), Camera(2, "HD Capture")]


def test_camera_is_found_by_number_or_part_of_its_name() -> None:
    assert find_camera("2", CAMERAS) == CAMERAS[1]
    assert find_camera("webcam", CAMERAS) == CAMERAS[0]
    assert find_camera("5", CAMERAS) == Camera(5, "Camera 5")
    with pytest.raises(SourceError, match=r"Several .* 0 \(HD Webcam\), 2 \(HD Capture\)"):
        find_camera("hd", CAMERAS)
    with pytest.raises(SourceError, match=r"No camera is called 'phone'\. There are: 0"):
        find_camera("phone", CAMERAS)
    with pytest.raises(SourceError, match="plug one in"):
        find_camera("phone", [])
    twins = [Camera(0, "HD"), Camera(1, "HD"), Camera(2, "HD Pro")]
    assert find_camera("hd pro", twins) == twins[2]
    with pytest.raises(SourceError, match=r"0 \(HD\), 1 \(HD\)\. Choose"):
        find_camera("hd", twins)


@pytest.mark.parametrize("system", ["Darwin", "Windows", "Haiku"])
def test_cameras_are_tried_where_nothing_lists_them(system: str, monkeypatch) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    assert all(camera.size is not None for camera in list_cameras())


def test_this_machine_can_be_asked_for_its_cameras() -> None:
    assert all(isinstance(camera.number, int) for camera in list_cameras())


def test_camera_settings_are_given_while_opening_pixel_format_first() -> None:
    options = CaptureOptions(size=(1280, 720), fps=Fraction(30), fourcc="mjpg")
    assert construction_parameters(options) == [
        cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH, 1280, cv2.CAP_PROP_FRAME_HEIGHT, 720, cv2.CAP_PROP_FPS, 30,
    ]  # fmt: skip


def test_camera_that_is_not_there_says_what_to_try() -> None:
    with pytest.raises(SourceError, match="nst-video devices"), CameraSource(93, "Camera 93"):
        pass


def test_camera_delivers_rgb_frames_and_reports_its_end(tmp_path: Path) -> None:
    frames = [numbered(n) for n in range(5)]
    frames[0][100:200] = (250, 10, 10)
    save_clip(tmp_path / "clip.avi", frames, 25)
    # OpenCV reads a file through the same class as a device.
    camera = CameraSource(str(tmp_path / "clip.avi"), "stand-in", CaptureOptions(driver="FFMPEG"))
    got = []
    with camera:
        assert camera.info.size == (320, 240)
        assert camera.info.fps == 25
        with pytest.raises(SourceError, match="delivers no more"):
            got.extend(camera)
    read = CameraSource(str(tmp_path / "clip.avi"), "stand-in", CaptureOptions(driver="FFMPEG"))
    with read:
        first = next(iter(read))
    assert number_in(first) == 0
    assert first[150, 160, 0] > 200 > 60 > first[150, 160, 2]


@pytest.mark.parametrize("options", [{"fourcc": "MJ"}, {"fps": Fraction(0)}])
def test_senseless_camera_settings_are_refused(options: dict) -> None:
    with pytest.raises(UsageError):
        CaptureOptions(**options)


def test_unknown_driver_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"V4L2|DSHOW|AVFOUNDATION|FFMPEG"):
        driver_number("nonsense")


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


class ScriptedCapture:
    """Stands for OpenCV's: grabs and retrieves what a script says, "?" being a damaged picture."""

    def __init__(self, script: str) -> None:
        self._left = list(script)
        self._now = ""

    def grab(self) -> bool:
        self._now = self._left.pop(0) if self._left else "-"
        return self._now != "-"

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self._now == "!":
            raise cv2.error("(-215) !buf.empty()")
        if self._now == "?":
            return False, None
        return True, np.full((48, 64, 3), int(self._now), np.uint8)

    def release(self) -> None:
        self._left = []


@pytest.mark.parametrize(
    ("script", "seen", "why"),
    [
        ("123", "123", "no more frames"),
        ("?12!3??4", "1234", "no more frames"),
        ("1-2--3", "123", "no more frames"),
        ("1" + "?" * 40 + "2", "1", "damaged frames"),
    ],
)
def test_camera_leaves_out_damaged_pictures(script: str, seen: str, why: str) -> None:
    camera = CameraSource(0, "Camera 0")
    camera._capture = ScriptedCapture(script)
    frames = []
    with pytest.raises(SourceError, match=why):
        frames.extend(camera)
    assert "".join(str(frame[0, 0, 0]) for frame in frames) == seen


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


AS_VIDEO = CaptureOptions(fps=Fraction(25))


def test_each_picture_of_a_folder_is_shown_for_seconds(tmp_path: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    (tmp_path / "1.png").write_bytes(b"no picture")
    with PictureFolderSource(tmp_path) as source:
        shown = [number_in(frame) for frame in source]
        assert source.info.fps == FPS
    count = round(PICTURE_S * FPS)
    assert shown == [0] * count + [2] * count


@pytest.mark.parametrize(
    ("size", "shown"), [((4000, 3000), (1440, 1080)), ((300, 4000), (81, 1080)), (SIZE, SIZE)]
)
def test_photos_of_a_folder_are_brought_to_the_size_of_screens(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    save_picture(tmp_path / "photo.jpg", np.full((size[1], size[0], 3), 99, np.uint8))
    with PictureFolderSource(tmp_path) as source:
        assert source.info.size == size_of(next(iter(source))) == shown


def test_style_turns_into_another_while_one_picture_of_a_folder_is_shown(tmp_path: Path) -> None:
    save_picture(tmp_path / "photo.png", numbered(7))
    session = LiveSession(
        open_live_source(tmp_path), lambda: unchanged(fade_s=0.1), has_window=False,
        options=LiveOptions(target_fps=None),
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(session.state.thumbnails) > 3, 60)
        begun = time.monotonic()
        session.press("3")
        wanted = session.state.styles[2]
        wait_until(lambda: session.renderer.stylizer.styles == (wanted,))
        assert time.monotonic() - begun < PICTURE_S / 2


def test_folder_of_pictures_is_shown_in_order_and_in_one_size(tmp_path: Path) -> None:
    for number, size in enumerate([(320, 240), (320, 240), (640, 240)]):
        save_picture(tmp_path / f"{number}.png", numbered(number, size))
    (tmp_path / "notes.txt").write_text("no picture")
    with PictureFolderSource(tmp_path, AS_VIDEO) as source:
        frames = list(source)
        assert source.info.frame_count == 3
    assert [frame.shape for frame in frames] == [(240, 320, 3)] * 3
    assert [number_in(frame) for frame in frames[:2]] == [0, 1]
    assert not frames[2][:50].any()  # letterboxed


def test_folder_leaves_out_pictures_that_are_broken(tmp_path: Path) -> None:
    for number in range(4):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    for number in (0, 2):
        path = tmp_path / f"{number}.png"
        path.write_bytes(path.read_bytes()[:-200])
    (tmp_path / "3.png").unlink()
    (tmp_path / "3.png").mkdir()
    with PictureFolderSource(tmp_path, AS_VIDEO) as source:
        assert [number_in(frame) for frame in source] == [1]
    assert [note.split(": ")[0] for note in source.notes] == ["Left out"] * 3
    assert "0.png is a damaged PNG picture" in source.notes[0]
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"None of the 4 pictures.*can be read"):
        PictureFolderSource(tmp_path).__enter__()


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


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        PictureFolderSource(tmp_path)


def test_folder_plays_at_its_rate(tmp_path: Path) -> None:
    for number in range(6):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    source = open_live_source(tmp_path, CaptureOptions(fps=Fraction(20), loop=True)).open()
    begun, numbers = time.monotonic(), []
    with source:
        for frame in source:
            numbers.append(number_in(frame))
            if len(numbers) == 15:
                break
    assert numbers == [n % 6 for n in range(15)]
    assert time.monotonic() - begun >= 14 / 20


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
