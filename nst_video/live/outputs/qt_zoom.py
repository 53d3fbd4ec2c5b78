"""Disabling the zoom of OpenCV's Qt window by the mouse wheel.

A window of OpenCV that is built with Qt, as the packages for Linux are, zooms with the mouse wheel,
and no option turns that off. Its view has a slot `resetZoom`, which is called here through the Qt
libraries of the package. On other systems and builds, nothing is done.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2

_QUEUED = 2
"""Qt::QueuedConnection: after the event at hand, and before the window is painted."""

_SPACE = "14QtOpenCVPython"
_INVOKE = (
    f"_ZN{_SPACE}11QMetaObject12invokeMethodEPNS_7QObjectEPKcNS_2Qt14ConnectionTypeE"
    f"NS_22QGenericReturnArgumentENS_16QGenericArgumentE{'S8_' * 9}"
)


class _Argument(ctypes.Structure):
    """Qt's QGenericArgument and QGenericReturnArgument; empty ones end the list."""

    _fields_ = (("data", ctypes.c_void_p), ("name", ctypes.c_char_p))


def reset_zoom() -> None:
    """Undo the zoom; call it in the mouse callback that reports the wheel."""
    reset = _resetter()
    if reset is not None:
        reset()


@cache
def _resetter() -> Callable[[], None] | None:
    folder = Path(cv2.__file__).parent.parent / "opencv_python.libs"
    try:
        core, gui, widgets = (
            ctypes.CDLL(str(next(folder.glob(f"libQt5{name}-*.so*"))))
            for name in ("Core", "Gui", "Widgets")
        )
        position = getattr(gui, f"_ZN{_SPACE}7QCursor3posEv")
        widget_at = getattr(widgets, f"_ZN{_SPACE}12QApplication8widgetAtERKNS_6QPointE")
        view_of = getattr(widgets, f"_ZNK{_SPACE}7QWidget10focusProxyEv")
        invoke = getattr(core, _INVOKE)
    except (OSError, StopIteration, RuntimeError, AttributeError):
        return None
    position.restype = ctypes.c_uint64  # QPoint: two integers
    widget_at.argtypes, widget_at.restype = [ctypes.c_void_p], ctypes.c_void_p
    view_of.argtypes, view_of.restype = [ctypes.c_void_p], ctypes.c_void_p
    invoke.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, *[_Argument] * 11]
    invoke.restype = ctypes.c_bool

    def reset() -> None:
        point = ctypes.c_uint64(position())
        surface = widget_at(ctypes.byref(point))
        view = view_of(surface) if surface else None
        if view:
            invoke(view, b"resetZoom", _QUEUED, *(_Argument() for _ in range(11)))

    return reset
