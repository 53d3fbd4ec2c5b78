"""Parts of nst-video that are not installed: one type of error, which names the extra."""

import sys
from collections.abc import Callable

import pytest

from nst_video.errors import MissingExtraError, UsageError
from nst_video.image.plots import require_matplotlib
from nst_video.live.outputs.virtual_camera import VirtualCameraSink
from nst_video.video.capture.screen import ScreenSource


@pytest.mark.parametrize(
    ("use", "package", "extra"),
    [
        (require_matplotlib, "matplotlib", "plot"),
        (lambda: ScreenSource().__enter__(), "mss", "live"),
        (lambda: VirtualCameraSink((64, 48), 10).__enter__(), "pyvirtualcam", "live"),
    ],
    ids=["plot", "screen", "virtual camera"],
)
def test_what_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[], object], package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"needs {package}: .*nst-video.{extra}.") as caught:
        use()
    assert isinstance(caught.value, UsageError)
