"""The cameras of this machine, how they are found, and how they are opened."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_tools import (
    number_in,
    numbered,
    save_clip,
)

from nst_video.errors import SourceError, UsageError
from nst_video.video.capture.camera import CameraSource, construction_parameters, driver_number
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.devices import (
    Camera,
    cameras_in,
    find_camera,
    list_cameras,
    parse_listing,
)

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
