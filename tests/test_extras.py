"""Dependencies: a missing extra is named in the error, and the documentation has them all."""

import importlib
import re
import sys
import tomllib
from collections.abc import Callable

import pytest
from repository import REPO

from nst_video.errors import MissingExtraError, UsageError
from nst_video.image.plots import require_matplotlib
from nst_video.live.outputs.virtual_camera import VirtualCameraSink
from nst_video.video.capture.screen import ScreenSource
from nst_video.web import server


@pytest.mark.parametrize(
    ("use", "package", "extra"),
    [
        (require_matplotlib, "matplotlib", "plot"),
        (lambda: ScreenSource().__enter__(), "mss", "live"),
        (lambda: VirtualCameraSink((64, 48), 10).__enter__(), "pyvirtualcam", "live"),
        (lambda: importlib.reload(server), "uvicorn", "web"),
    ],
    ids=["plot", "screen", "virtual camera", "page"],
)
def test_what_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[], object], package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=f"needs {package}: .*nst-video.{extra}.") as caught:
        use()
    assert isinstance(caught.value, UsageError)


def test_documentation_lists_every_dependency() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[<>=\[]", line)[0] for line in required}
    cells = {
        name.strip()
        for row in (REPO / "docs" / "dependencies.md").read_text("utf-8").splitlines()
        if row.startswith("|")
        for cell in row.split("|")[1:3]
        for name in cell.split(",")
    }
    assert names <= cells
