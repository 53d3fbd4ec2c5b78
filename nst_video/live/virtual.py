"""A virtual camera for other programs, through pyvirtualcam."""

import platform
from types import TracebackType
from typing import Any, Self

from nst_video.errors import SinkError
from nst_video.frames import Frame, Size
from nst_video.letterbox import letterbox

HINTS = {
    "Linux": (
        "Load the driver: sudo modprobe v4l2loopback devices=1 exclusive_caps=1 "
        "(package v4l2loopback-dkms)."
    ),
    "Darwin": "Install OBS Studio 30 or later and start and stop its virtual camera once.",
    "Windows": "Install OBS Studio: its virtual camera is then found.",
}
"""What to do where no driver is there, by system."""


class VirtualCameraSink:
    """A camera of a fixed size that other programs can choose; frames are fitted into it."""

    def __init__(self, size: Size, fps: float, backend: str | None = None) -> None:
        """Say what it should be; it appears on entering the context.

        Args:
            size: (width, height), fixed from then on; odd sides lose a pixel.
            fps: what it claims.
            backend: pyvirtualcam's name of a driver; None takes the first that works.
        """
        self._size = (size[0] - size[0] % 2, size[1] - size[1] % 2)
        self._fps = fps
        self._backend = backend
        self._camera: Any = None

    def __enter__(self) -> Self:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                "The virtual camera needs pyvirtualcam: pip install 'nst-video[live]'."
            ) from error
        width, height = self._size
        try:
            self._camera = pyvirtualcam.Camera(
                width, height, self._fps, fmt=pyvirtualcam.PixelFormat.RGB, backend=self._backend
            )
        except RuntimeError as error:
            hint = HINTS.get(platform.system(), "This system has no driver for one.")
            raise SinkError(f"No virtual camera can be opened. {hint}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._camera is not None:
            self._camera.close()

    def write(self, frame: Frame) -> None:
        """Send a frame.

        Raises:
            SinkError: the driver does not take it.
        """
        try:
            self._camera.send(letterbox(frame, self._size))
        except RuntimeError as error:
            raise SinkError(f"The virtual camera takes no more pictures: {error}.") from error

    def stop(self) -> None:
        """Sending does not hang."""
