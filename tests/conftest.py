"""Fixtures shared by all tests: where the real clips, pictures and models are."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Its threads wait by spinning: where other tests have the cores, that takes seconds of them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from repository import REPO

if TYPE_CHECKING:
    from live_tools import NetworkCamera

# Every process would compile the tests and the package anew: six seconds of CPU time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SCREEN_PROGRAMS = ("Xvfb", "xdotool", "openbox")

OPENBOX = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <theme><keepBorder>no</keepBorder></theme>
  <applications>
    <application class="*">
      <decor>no</decor>
      <focus>yes</focus>
      <position force="yes"><x>0</x><y>0</y></position>
    </application>
  </applications>
</openbox_config>
"""
"""Windows without frames in the upper left corner; no keys of its own."""


SLOW = (
    "tests/training/test_runs.py",
    "tests/training/test_loss_network.py",
    "tests/optimization/",
    "tests/networks/test_builtin.py",
    "tests/live/",
)
"""Where single tests take long: they begin first, so that none is left for one process alone."""


def pytest_xdist_auto_num_workers() -> int:
    """Run more processes than there are cores: live sessions and child processes are waited for."""
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Compile the loops once, before several processes would each do it."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        code = "from nst_video.temporal import compile_loops; compile_loops()"
        subprocess.run([sys.executable, "-c", code], check=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow tests first, otherwise in their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))


@pytest.fixture(scope="session")
def assets() -> Path:
    """Folder of real models, clips and pictures; absent ones skip, except in CI."""
    folder = Path(os.environ.get("NST_VIDEO_ASSETS", REPO.parent / "shared" / "assets"))
    if not folder.is_dir():
        reason = f"no test assets in {folder} (set NST_VIDEO_ASSETS)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def lite_files(assets: Path) -> Mapping[str, Path]:
    """The real `magenta-lite` files by role."""
    folder = assets / "models" / "magenta-lite"
    return {
        "predictor": folder / "style_predict_quantized_256.tflite",
        "transformer": folder / "style_transfer_f16_384.tflite",
    }


@pytest.fixture(scope="session")
def hub_folder(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real TF-Hub graph of `magenta` with seeded synthetic weights."""
    script = assets.parent / "tools" / "make_hub_fixture.py"
    spec = importlib.util.spec_from_file_location("make_hub_fixture", script)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    folder = tmp_path_factory.mktemp("hub") / "magenta"
    maker.main(folder, 0)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _shared_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is made once for all tests away from them, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_VIDEO_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's real cache, config and styles."""
    home = tmp_path.with_name(f"{tmp_path.name}-home")
    monkeypatch.setenv("NST_VIDEO_HOME", str(home))
    for name in ("NST_VIDEO_MODELS", "NST_VIDEO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _compiled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openvino")


@pytest.fixture(autouse=True)
def compiled_networks(_own_folders: None, _compiled_folder: Path) -> None:
    """Share the compiled networks of OpenVINO: to compile one takes half a second of CPU time.

    Modules whose tests look at what is in an empty cache replace it by a fixture of this name.
    """
    cache = Path(os.environ["NST_VIDEO_HOME"], "cache")
    cache.mkdir(parents=True)
    with suppress(OSError):  # Windows allows links to few; the tests are only slower then
        (cache / "openvino").symlink_to(_compiled_folder, target_is_directory=True)


@pytest.fixture
def eager() -> Iterator[None]:
    """Run TensorFlow without compiling graphs: for a few steps, that takes longer than they do."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def network_camera() -> Iterator[Callable[..., "NetworkCamera"]]:
    """Makes HTTP cameras of a rate and a size; they end with the test."""
    from live_tools import SIZE, NetworkCamera

    cameras = []

    def make(fps: float = 30, size: tuple[int, int] = SIZE) -> NetworkCamera:
        cameras.append(NetworkCamera(fps, size))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.stop()


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A screen of 1280x800, as DISPLAY; skips where there can be none, except in CI.

    It has a window manager, as users' screens do. Without one, Qt sometimes misses that its window
    has been mapped and never paints it: 2 to 20 of 100 windows, the more the busier the machine.
    """
    missing = [program for program in SCREEN_PROGRAMS if shutil.which(program) is None]
    if missing:
        reason = f"not installed: {', '.join(missing)} (Debian: xvfb xdotool openbox)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp",
         "-noreset",  # or it begins anew whenever xdotool was its only client
         "-r"],  # no repetition of keys: on a busy machine it reaches the next test's window
        pass_fds=(writing,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            display = f":{answer.readline().strip()}"
        settings = tmp_path_factory.mktemp("openbox") / "rc.xml"
        settings.write_text(OPENBOX)
        with _window_manager(display, settings):
            yield display
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def _window_manager(display: str, settings: Path) -> Iterator[None]:
    """Run openbox on a display; entered when it manages windows."""
    from live_tools import wait_until

    is_ready = settings.with_name("ready")
    manager = subprocess.Popen(
        ["openbox", "--config-file", str(settings), "--startup", f"touch {is_ready}"],
        env={**os.environ, "DISPLAY": display}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(is_ready.exists, what="the window manager")
        yield
    finally:
        manager.terminate()
        manager.wait(10)


@pytest.fixture
def screen(display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The screen, as DISPLAY of this process."""
    monkeypatch.setenv("DISPLAY", display)
    return display
