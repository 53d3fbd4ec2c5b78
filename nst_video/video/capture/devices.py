"""Cameras of this machine, by number and name."""

import platform
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from nst_video.errors import SourceError
from nst_video.frames import Size
from nst_video.system.stderr import quiet_stderr
from nst_video.video.media.ffmpeg import ffmpeg_exe

NUMBERS_TRIED = 5
"""How many camera numbers to try where the system does not list its cameras."""

LINUX_FOLDER = Path("/sys/class/video4linux")

LIST_TIMEOUT_S = 10.0

NO_CAMERA = "No camera was found: plug one in, or close the program that uses it."


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera.

    Attributes:
        number: OpenCV's number of the camera.
        name: its name in the operating system.
        size: (width, height) of its frames by default; None where it was not opened.
    """

    number: int
    name: str
    size: Size | None = None


def list_cameras() -> list[Camera]:
    """Return the cameras by number; opens none where the system can list them."""
    lister = _LISTERS.get(platform.system(), _cameras_by_trying)
    return lister()


def measure(camera: Camera) -> Camera:
    """Return `camera` with the size of its frames; without a size where it cannot be opened."""
    with quiet_stderr():
        capture = cv2.VideoCapture(camera.number)
        try:
            if not capture.isOpened():
                return camera
            size = (
                int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            )
        finally:
            capture.release()
    return Camera(camera.number, camera.name, size)


def find_camera(text: str, cameras: list[Camera] | None = None) -> Camera:
    """Return the camera with a number, or the one whose name contains a text.

    Args:
        text: a number, or part of a name in any case.
        cameras: the cameras to choose from; by default those of this machine.

    Raises:
        SourceError: no camera, or several, have that name.
    """
    known = list_cameras() if cameras is None else cameras
    if text.isdecimal():
        number = int(text)
        return next((c for c in known if c.number == number), Camera(number, f"Camera {number}"))
    same = [camera for camera in known if text.lower() == camera.name.lower()]
    matches = same or [camera for camera in known if text.lower() in camera.name.lower()]
    if len(matches) == 1:
        return matches[0]
    listed = ", ".join(f"{camera.number} ({camera.name})" for camera in matches or known)
    if matches:
        raise SourceError(f"Several cameras are called {text!r}: {listed}. Choose by number.")
    raise SourceError(
        f"No camera is called {text!r}. " + (f"There are: {listed}." if listed else NO_CAMERA)
    )


def cameras_in(folder: Path) -> list[Camera]:
    """Return the cameras in a sysfs folder of Linux: of each device the first node, its video."""
    found = []
    for node in sorted(folder.glob("video*"), key=lambda node: int(node.name[5:] or 0)):
        try:
            name = (node / "name").read_text("utf-8").strip()
            index = int((node / "index").read_text("ascii"))
        except (OSError, ValueError):
            continue
        if index == 0:
            found.append(Camera(int(node.name[5:]), name))
    return found


def parse_listing(text: str) -> list[Camera]:
    """Return the cameras in what ffmpeg prints for `-list_devices true`.

    Two forms are known: AVFoundation's "[0] FaceTime HD Camera" below "video devices:", and
    DirectShow's '"Integrated Camera" (video)', where the order is the number.
    """
    numbered = re.findall(r'"([^"]+)" \(video\)', text)
    if numbered:
        return [Camera(number, name) for number, name in enumerate(numbered)]
    videos = text.partition("video devices:")[2].partition("audio devices:")[0]
    listed = re.findall(r"\] \[(\d+)\] (.+)", videos)
    return [
        Camera(int(number), name.strip())
        for number, name in listed
        if not name.startswith("Capture screen")
    ]


def _cameras_listed_by_ffmpeg(device: str, name: str) -> list[Camera]:
    command = [ffmpeg_exe(), "-hide_banner", "-f", device, "-list_devices", "true", "-i", name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIST_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return _cameras_by_trying()
    return parse_listing(done.stderr.decode("utf-8", "replace")) or _cameras_by_trying()


def _cameras_by_trying() -> list[Camera]:
    tried = [measure(Camera(number, f"Camera {number}")) for number in range(NUMBERS_TRIED)]
    return [camera for camera in tried if camera.size is not None]


_LISTERS: dict[str, Callable[[], list[Camera]]] = {
    "Linux": lambda: cameras_in(LINUX_FOLDER),
    "Darwin": lambda: _cameras_listed_by_ffmpeg("avfoundation", ""),
    "Windows": lambda: _cameras_listed_by_ffmpeg("dshow", "dummy"),
}
