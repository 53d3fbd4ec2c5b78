"""A short run of `tools/fuzz_commands.py`."""

import importlib.util
import random
import sys
from types import ModuleType

import pytest
from repository import REPO

TOOL = REPO / "tools" / "fuzz_commands.py"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_commands", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.syspath_prepend(TOOL.parent)
    monkeypatch.setitem(sys.modules, "fuzz_commands", module)
    spec.loader.exec_module(module)
    return module


def test_every_command_is_drawn_with_all_its_options(tool: ModuleType) -> None:
    known = tool.commands()
    assert {"live", "transcode", "paint", "image", "bench", "styles add"} <= set(known)
    lines = [tool.draw_line(random.Random(number), known) for number in range(4000)]
    typed = {word for line in lines for word in line}
    flags = {flag for parameters in known.values() for each in parameters for flag in each.flags}
    assert flags <= typed
    assert lines[0] == tool.draw_line(random.Random(0), known)


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_random_command_lines_end_as_they_should(
    tool: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    quick = ("styles add", "styles show", "models verify", "models path", "transcode")
    commands = [word for name in quick for word in ("--command", name)]
    # A process of its own: this one may have threads, with which it must not be forked.
    import subprocess

    done = subprocess.run(
        [sys.executable, str(TOOL), "--count", "6", *commands],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=TOOL.parent.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("6 right\n")
