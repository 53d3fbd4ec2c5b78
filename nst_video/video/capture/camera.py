"""Webcams, read with OpenCV."""

import os
from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np

from nst_video.errors import SourceError, UsageError
from nst_video.frames import Frame, VideoInfo
from nst_video.video.capture.base import MAX_BAD, CaptureSource
from nst_video.video.capture.capture_options import CaptureOptions

FALLBACK_FPS = Fraction(30)
"""Rate assumed for a camera that reports none; live sessions measure the real one."""

MAX_FAILED = 3
RETRY_S = 0.05
"""Failed reads in a row after which a camera counts as lost, and seconds between them."""


class CameraSource(CaptureSource):
    """One webcam.

    Size, rate and pixel format are requested while opening: many drivers ignore them later.
    """

    def __init__(self, number: int | str, name: str, options: CaptureOptions | None = None) -> None:
        """Choose the camera; it is opened on entering the context.

        Args:
            number: OpenCV's number of the camera, or the path of its device.
            name: for messages.
            options: size, rate, pixel format and driver to request.

        Raises:
            UsageError: unknown driver.
        """
        super().__init__(name)
        self._number = number
        self._options = options or CaptureOptions()
        self._driver = driver_number(self._options.driver)
        self._capture: cv2.VideoCapture | None = None

    def _open(self) -> VideoInfo:
        # Standard error is not redirected: a driver may block here while other threads write to it.
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            parameters = construction_parameters(self._options)
            if isinstance(self._number, str):
                capture = cv2.VideoCapture(self._number, self._driver, parameters)
            else:
                capture = cv2.VideoCapture(self._number, self._driver, parameters)
        except cv2.error as error:
            raise SourceError(f"{self.name} cannot be opened: {error.err}.") from error
        self._capture = capture
        if not capture.isOpened():
            raise SourceError(
                f"{self.name} cannot be opened: it is missing, or another program uses it. "
                "`nst-video devices` lists the cameras."
            )
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        claimed = capture.get(cv2.CAP_PROP_FPS)
        fps = Fraction(claimed).limit_denominator(1001) if 0 < claimed <= 1000 else FALLBACK_FPS
        return VideoInfo((width, height), fps)

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until stopped; damaged ones are skipped.

        Raises:
            SourceError: the camera delivers no more frames, or only damaged ones.
        """
        capture = self._capture
        if capture is None:
            raise SourceError(f"{self.name} is not open: use it in a `with` statement.")
        failed = damaged = 0
        while not self.stopped.wait(RETRY_S if failed else 0):
            if not capture.grab():
                failed += 1
                if failed == MAX_FAILED:
                    raise SourceError(f"{self.name} delivers no more frames.")
                continue
            failed = 0
            frame = _retrieve(capture)
            damaged = 0 if frame is not None else damaged + 1
            if damaged == MAX_BAD:
                raise SourceError(
                    f"{self.name} delivers damaged frames: try another --fourcc, a smaller "
                    "--size or another cable."
                )
            if frame is not None:
                yield frame


def _retrieve(capture: cv2.VideoCapture) -> Frame | None:
    """Return the frame just grabbed, RGB; None where it cannot be decoded."""
    try:
        delivered, frame = capture.retrieve()
    except cv2.error:
        return None
    if not delivered or frame is None or frame.size == 0:
        return None
    if frame.ndim == 2 or frame.shape[2] == 1:
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


def construction_parameters(options: CaptureOptions) -> list[int]:
    """Return the properties to request, as OpenCV takes them: property, value, property, ..."""
    parameters: list[int] = []
    if options.fourcc is not None:
        # First, because the sizes and rates that a camera offers depend on the pixel format.
        code = cv2.VideoWriter.fourcc(*options.fourcc.upper())
        parameters += [cv2.CAP_PROP_FOURCC, code]
    if options.size is not None:
        width, height = options.size
        parameters += [cv2.CAP_PROP_FRAME_WIDTH, width, cv2.CAP_PROP_FRAME_HEIGHT, height]
    if options.fps is not None:
        parameters += [cv2.CAP_PROP_FPS, round(options.fps)]
    return parameters


def driver_number(name: str | None) -> int:
    """Return OpenCV's number of a camera driver, any driver for None.

    Raises:
        UsageError: this OpenCV has no such driver.
    """
    if name is None:
        return int(cv2.CAP_ANY)
    known = {
        cv2.videoio_registry.getBackendName(number): int(number)
        for number in cv2.videoio_registry.getCameraBackends()
    }
    if name.upper() not in known:
        raise UsageError(f"No camera driver {name!r} here. Choose from: {', '.join(known)}.")
    return known[name.upper()]
