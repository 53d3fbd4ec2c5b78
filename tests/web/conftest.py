"""A server in a thread of its own, asked through real sockets and by a real browser."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from browser_tab import Tab, make_camera
from live_tools import wait_until
from page_client import Page
from playwright.sync_api import Browser, sync_playwright

from nst_video.settings import ModelOptions
from nst_video.web import guard, server
from nst_video.web.access import Access
from nst_video.web.assembly import assemble
from nst_video.web.catalog import StyleCatalog
from nst_video.web.limits import Limits, RateLimiter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

CAMERA = "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"

SMALL = {"width": 640, "height": 480}
"""Size of the window: a small one, as every pixel is drawn by the processor."""

LIMITS = Limits(picture_bytes=1 << 20, film_bytes=4 << 20, films=3, stall_s=0.3)


def run_server(folder: Path, token: str | None = None) -> Iterator[Page]:
    """Run a server with the builtin model; one address may ask as often as fast tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "RateLimiter", partial(RateLimiter, burst=10_000))
        yield from _run_server(folder, token)


def _run_server(folder: Path, token: str | None) -> Iterator[Page]:
    binding = server.bind("127.0.0.1", 0)
    app = assemble(
        Access(binding.port, token),
        ModelOptions("builtin", offline=True),
        catalog=StyleCatalog(folder=folder / "styles"),
        limits=LIMITS,
        films_dir=folder / "films",
        store=folder / "kept",
    )
    started = threading.Event()
    running = server.make_server(app, started.set)
    thread = threading.Thread(target=running.run, args=([binding.listener],))
    thread.start()
    try:
        assert started.wait(30)
        yield Page(binding.port, token)
    finally:
        running.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server on loopback, ready to paint."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "films").mkdir()
    for found in run_server(folder):
        wait_until(lambda page=found: page.get("/api/server").json["ready"], what="the model")
        yield found


@pytest.fixture(scope="package")
def shared_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server that wants a token."""
    yield from run_server(tmp_path_factory.mktemp("shared"), "secret-token")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera shows a test pattern."""
    if CHROMIUM is None:
        reason = "no Chromium (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    clip = make_camera(tmp_path_factory.mktemp("camera"))
    arguments = [*CAMERA, f"--use-file-for-fake-video-capture={clip}", "--disable-gpu"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses to run as root otherwise
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(browser: Browser, page: Page) -> Iterator[Callable[..., Tab]]:
    """Return a function that opens the page at an address such as "#style=wave".

    The camera is painted at once where `starts` is true; otherwise the page waits to be asked for.
    `at` is another server than that of most tests.
    """
    contexts, tabs = [], []

    def open_at(
        address: str = "", *, starts: bool = False, at: Page | None = None, **options: object
    ) -> Tab:
        context = browser.new_context(**{"viewport": SMALL, "reduced_motion": "reduce", **options})
        contexts.append(context)
        tab = Tab(context.new_page())
        tabs.append(tab)
        if not starts:
            tab.page.add_init_script(
                "navigator.permissions.query = () => Promise.resolve({state: 'prompt'})"
            )
        tab.page.on("console", tab.hear)
        tab.page.on("response", lambda answer: tab.answers.append(answer))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.goto(f"http://127.0.0.1:{(at or page).port}/{address}")
        return tab

    yield open_at
    for context in contexts:
        context.close()
    assert [tab.complaints for tab in tabs if tab.complaints] == []
