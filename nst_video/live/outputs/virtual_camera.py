"""A virtual camera for other programs, through pyvirtualcam."""

import platform
import threading
from types import TracebackType
from typing import Any, Self

from nst_video.errors import MissingExtraError, SinkError
from nst_video.frames import Frame, Size
from nst_video.image.resize import letterbox
from nst_video.live.outputs.threads import LiveSink

HINTS = {
    "Linux": (
        "install v4l2loopback-dkms and load it by "
        "`sudo modprobe v4l2loopback devices=1 exclusive_caps=1`"
    ),
    "Darwin": "install OBS Studio 30 or later, and start and stop its virtual camera once",
    "Windows": "install OBS Studio, which brings one",
}
"""How to install a driver, by system."""

REOPEN_S = 3.0
"""Seconds to wait until the previous virtual camera has released the driver."""

_closed = threading.Condition()
_open: "set[VirtualCameraSink]" = set()


class VirtualCameraSink(LiveSink):
    """A virtual camera of a fixed size for other programs; frames are letterboxed."""

    def __init__(self, size: Size, fps: float, backend: str | None = None) -> None:
        """Set its properties; it opens on entering the context.

        Args:
            size: (width, height); odd sides are reduced by a pixel, as drivers require.
            fps: nominal frame rate.
            backend: pyvirtualcam's name of a driver; None uses the first that works.
        """
        self._size = (max(2, size[0] - size[0] % 2), max(2, size[1] - size[1] % 2))
        self._fps = fps
        self._backend = backend
        self._camera: Any = None

    def __enter__(self) -> Self:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise MissingExtraError("The virtual camera", "pyvirtualcam", "live") from error
        drivers = pyvirtualcam.camera.BACKENDS
        if self._backend is not None and self._backend not in drivers:
            raise SinkError(
                f"There is no virtual camera driver {self._backend!r}: {', '.join(drivers)}."
            )
        try:
            self._camera = self._connect(pyvirtualcam)
        except RuntimeError as error:
            if not self._wait_for_predecessor():
                raise SinkError(_explain(error)) from error
            try:
                self._camera = self._connect(pyvirtualcam)
            except RuntimeError as again:
                raise SinkError(_explain(again)) from again
        with _closed:
            _open.add(self)
        return self

    def _connect(self, pyvirtualcam: Any) -> Any:  # noqa: ANN401 - it has no types
        width, height = self._size
        return pyvirtualcam.Camera(
            width, height, self._fps, fmt=pyvirtualcam.PixelFormat.RGB, backend=self._backend
        )

    def _wait_for_predecessor(self) -> bool:
        """Wait until the other virtual cameras of this program are closed; False if there is none.

        A camera that was just turned off may still be sending its last frame.
        """
        with _closed:
            return bool(_open) and _closed.wait_for(lambda: not _open, REOPEN_S)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._camera is not None:
            self._camera.close()
            with _closed:
                _open.discard(self)
                _closed.notify_all()

    def write(self, frame: Frame) -> None:
        """Send a frame, uint8 RGB (height, width, 3).

        Raises:
            SinkError: the driver fails.
        """
        try:
            self._camera.send(letterbox(frame, self._size))
        except RuntimeError as error:
            raise SinkError(f"The virtual camera takes no more pictures: {error}.") from error

    def stop(self) -> None:
        """Do nothing: sending never blocks."""


def _explain(error: RuntimeError) -> str:
    """Return why the camera cannot be opened, and what to do."""
    reason = str(error).rpartition("backend:")[2].strip().split(". ")[0].rstrip(".")
    hint = HINTS.get(platform.system(), "this system has no driver for one")
    return f"No virtual camera can be opened ({reason}): {hint}."
