"""A page of the server in a browser, and the camera that it sees."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from clips import ffmpeg
from playwright.sync_api import ConsoleMessage, Page, Response


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


@dataclass
class Tab:
    """A page of the server in the browser, and everything that it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)

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
