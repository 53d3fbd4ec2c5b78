"""Debian's Chromium with a camera that plays a clip, and pages of the server in it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from clips import ffmpeg

# Its own name for a page of a browser, as `page` is the server of the tests around these.
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

CAMERA = "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"

SMALL = {"width": 640, "height": 480}
"""Size of the window: a small one, as every pixel is drawn by the processor."""


def make_camera(folder: Path) -> Path:
    """Write a clip of 320x240 pixels and 8 frames per second: few, as every one is painted."""
    raw, clip = folder / "camera.yuv", folder / "camera.y4m"
    pattern = "testsrc2=s=320x240:r=8:d=2"
    ffmpeg("-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", "-f", "rawvideo", raw)
    frames = np.fromfile(raw, np.uint8).reshape(-1, 320 * 240 * 3 // 2)
    # Chromium reads no other tag for 4:2:0 than C420, which ffmpeg does not write.
    header = b"YUV4MPEG2 W320 H240 F8:1 Ip A1:1 C420\n"
    clip.write_bytes(header + b"".join(b"FRAME\n" + frame.tobytes() for frame in frames))
    return clip


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


@dataclass
class Tab:
    """A page of the server in the browser, and everything that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def wait_for(self, condition: str, seconds: float = 30) -> None:
        """Wait until a JavaScript expression is true."""
        # `wait_for_function` evaluates text in the page, which its policy forbids.
        for _ in range(round(seconds * 20)):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not within {seconds} s: {condition}")

    def wait_for_styles(self) -> None:
        """Wait until the styles are listed."""
        self.page.wait_for_selector(".tile-mix", state="attached", timeout=60_000)

    def wait_for_painting(self) -> None:
        """Wait until styles are listed and frames painted, not only passed through."""
        self.wait_for_styles()
        for sign in ("#stage.has-picture", "#status[data-state=painting]"):
            self.page.wait_for_selector(sign, state="attached", timeout=60_000)
        self.wake()

    def wake(self) -> None:
        """Move the mouse, so that the controls are there."""
        self.page.mouse.move(300, 150)
        self.page.mouse.move(310, 150)

    def color(self) -> list[float]:
        """Return the mean color of the canvas, red, green and blue, 0 to 255."""
        return self.page.evaluate(
            """() => {
              const small = new OffscreenCanvas(8, 8).getContext('2d');
              small.drawImage(document.querySelector('#painting'), 0, 0, 8, 8);
              const {data} = small.getImageData(0, 0, 8, 8);
              const sum = (channel) =>
                data.filter((_, at) => at % 4 === channel).reduce((a, b) => a + b);
              return [0, 1, 2].map((channel) => sum(channel) / 64);
            }"""
        )


@pytest.fixture
def open_tab(browser: Browser, page, tmp_path: Path) -> Iterator:  # type: ignore[no-untyped-def]
    """Return a function that opens the page at an address such as "#style=wave".

    The camera is painted at once where `starts` is true; otherwise the page waits to be asked for.
    """
    contexts, tabs = [], []

    def open_at(address: str = "", *, starts: bool = False, **options: object) -> Tab:
        context = browser.new_context(viewport=SMALL, reduced_motion="reduce", **options)
        contexts.append(context)
        tab = Tab(context.new_page())
        tabs.append(tab)
        if not starts:
            tab.page.add_init_script(
                "navigator.permissions.query = () => Promise.resolve({state: 'prompt'})"
            )
        tab.page.on("console", tab.hear)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.goto(f"http://127.0.0.1:{page.port}/{address}")
        return tab

    yield open_at
    for context in contexts:
        context.close()
    assert [tab.complaints for tab in tabs if tab.complaints] == []
