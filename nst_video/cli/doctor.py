"""`nst-video doctor`: check the installation, devices and engines."""

import os
import platform
from collections.abc import Callable, Iterator

import typer

from nst_video import __version__
from nst_video.cli.console import result
from nst_video.errors import NstVideoError

PACKAGES = (
    "tensorflow", "keras", "tensorflow-hub", "ai-edge-litert", "opencv-python", "openvino", "numpy",
    "av", "imageio-ffmpeg", "matplotlib", "mss", "pyvirtualcam",
)  # fmt: skip


def doctor() -> None:
    """Check the installation: versions, devices, engines, ffmpeg, cameras, windows, models."""
    width = max(len(title) for title, _ in CHECKS)
    is_well = True
    for title, check in CHECKS:
        try:
            lines = list(check())
        except NstVideoError as error:
            lines, is_well = [f"PROBLEM: {error}"], False
        for index, line in enumerate(lines):
            result(f"{title if index == 0 else '':{width}}  {line}")
    if not is_well:
        raise typer.Exit(1)


def _versions() -> Iterator[str]:
    from importlib import metadata

    yield f"nst-video {__version__}, Python {platform.python_version()}, {platform.platform()}"
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    yield ", ".join(found)


def _device() -> Iterator[str]:
    from nst_video.engines import pick_device

    device = pick_device()
    yield f"{device.name}, {device.dtype}{', XLA' if device.xla else ''}"
    yield f"{device.reason}; {os.cpu_count()} CPU cores"


def _engines() -> Iterator[str]:
    from nst_video.engines import explain_engines

    yield from explain_engines()


def _ffmpeg() -> Iterator[str]:
    import imageio_ffmpeg

    from nst_video.video.media.ffmpeg import ffmpeg_exe

    yield f"{imageio_ffmpeg.get_ffmpeg_version()} at {ffmpeg_exe()}"


def _cameras() -> Iterator[str]:
    from nst_video.cli.devices import describe_cameras

    yield from describe_cameras()


def _windows() -> Iterator[str]:
    import cv2

    from nst_video.live.outputs.window import why_no_window

    reason = why_no_window()
    yield (cv2.currentUIFramework() or "native") if reason is None else f"none: {reason}"


def _models() -> Iterator[str]:
    from nst_video import weights
    from nst_video.engines import choose_model

    for name in weights.MODELS:
        yield f"{name}: {'ready' if weights.is_cached(name) else 'not downloaded'}"
    choice = choose_model()
    yield f"auto means {choice.name}: {choice.reason}"


CHECKS: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
    ("versions", _versions),
    ("device", _device),
    ("engines", _engines),
    ("ffmpeg", _ffmpeg),
    ("cameras", _cameras),
    ("windows", _windows),
    ("models", _models),
)
