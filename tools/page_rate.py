"""Measures the page in a real browser: rate, delay from camera to screen, CPU time, memory.

python tools/page_rate.py [CLIP] [--seconds 25] [--switches 6] [--report-every 0]

`nst-video serve` runs on a free port, and headless Chromium with a fake camera shows its page. A
counter of ten black and white cells is drawn into the lower edge of the camera's frames. The page
reads it in what the camera delivers and in what is on the screen. Painted, a cell that has just
changed may be unreadable: it is new, and not painted yet. So the delay is also measured by the
numbers of frames: from the capture of a frame, as the browser has it, to the frame of the screen
that shows it painted. `--look intensity=0` leaves the counter as it was: both should agree.

The first third of the time, ten seconds at most, is for the working size to settle. At the end
styles are switched: from the click to the first frame on the screen that has gone more than half of
the way to the new style. CPU time and memory (proportional set size) are those of all processes of
each side. Linux only.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import cycle, islice, pairwise
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from nst_video.frames import Frame
from nst_video.image.synthetic import draw
from nst_video.video.sources import DecodeOptions, open_source

FPS = 30
NUMBERS = 128
"""Frames of the clip, which is repeated: the counter has seven bits."""

STRIP = 0.1
"""Share of the height with the counter."""

CELLS = 10

PROBE = Path(__file__).with_name("page_probe.js")

STYLES = "Comic", "Neon", "Wave", "Mosaic", "Woodcut"


def stamp(frame: Frame, number: int) -> Frame:
    """Return a frame, RGB uint8 (height, width, 3), with a number in its lower edge."""
    gray = number ^ (number >> 1)
    bits = [gray >> place & 1 for place in range(6, -1, -1)]
    cells = [0, 1, *bits, sum(bits) % 2]
    height, width = frame.shape[:2]
    edges = [round(width * cell / CELLS) for cell in range(CELLS + 1)]
    stamped = frame.copy()
    for cell, (left, right) in enumerate(pairwise(edges)):
        stamped[round(height * (1 - STRIP)) :, left:right] = 230 * cells[cell] + 12
    return stamped


def frames_of(clip: Path | None, size: tuple[int, int]) -> Iterator[Frame]:
    """Yield frames of a clip again and again, or a drawn scene that moves."""
    if clip is None:
        yield from cycle([draw(size, number / NUMBERS) for number in range(NUMBERS)])
    while clip is not None:
        with open_source(clip, DecodeOptions(size=size, fps=Fraction(FPS))) as source:
            yield from source


def write_camera(path: Path, clip: Path | None, size: tuple[int, int]) -> None:
    """Write the clip of the camera: Y4M with the tag that Chromium reads."""
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420\n" % (*size, FPS))
        for number, frame in enumerate(islice(frames_of(clip, size), NUMBERS)):
            yuv = cv2.cvtColor(stamp(frame, number), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + yuv.tobytes())


@contextmanager
def serving(arguments: list[str]) -> Iterator[tuple[str, int]]:
    """Run `nst-video serve`; yield the address and the process id."""
    command = [sys.executable, "-m", "nst_video", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip(), server.pid
        finally:
            server.terminate()


def descendants(pid: int) -> set[int]:
    """Return a process and all that it has started."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_s(pids: set[int]) -> float:
    """Return the CPU time of processes in seconds."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_cpu_s() -> float:
    """Return the CPU time of the whole machine in seconds."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split(maxsplit=4)[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def memory_mb(pids: set[int]) -> float:
    """Return the proportional set size of processes in MB."""
    size = 0
    for pid in pids:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            size += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return size / 1000


def _percentiles(times_ms: list[float]) -> str:
    p50, p95 = np.percentile(times_ms or [np.nan], (50, 95))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms"


@dataclass
class Measurement:
    """The figures of one run.

    Attributes:
        page: with the probe.
        server: process id.
    """

    page: Page
    server: int
    _cpu: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _begun_s: float = 0.0
    _memory: list[tuple[float, float, float]] = field(default_factory=list)

    def _sides(self) -> tuple[set[int], set[int]]:
        server = descendants(self.server)
        return server, descendants(os.getpid()) - server - {os.getpid()}

    def begin(self) -> None:
        """Forget what was before."""
        self.page.evaluate("Object.assign(probe, {shown: [], ages: [], unread: 0, grabbed: 0})")
        server, browser = self._sides()
        self._cpu = cpu_s(server), cpu_s(browser), machine_cpu_s()
        self._begun_s = time.monotonic()

    def report(self) -> str:
        """Return the figures since `begin`."""
        took_s = time.monotonic() - self._begun_s
        server, browser = self._sides()
        now = cpu_s(server), cpu_s(browser), machine_cpu_s()
        shares = [(each - before) / took_s for each, before in zip(now, self._cpu, strict=True)]
        others = shares[2] - shares[0] - shares[1]
        memory = memory_mb(server), memory_mb(browser)
        self._memory.append((time.monotonic(), *memory))
        probe = self.page.evaluate("({...probe, colors: null})")
        frames, status = len(probe["ages"]), probe["status"]
        delays = (_percentiles(probe[kind]) for kind in ("ages", "shown"))
        return (
            f"{frames / took_s:.1f} fps shown (camera {probe['grabbed'] / took_s:.1f}), camera to "
            f"screen {next(delays)}, by the counter {next(delays)} ({probe['unread']} unread); "
            f"server: in {status.get('age_ms')} ms, painted in {status.get('paint_ms')} ms at "
            f"{status.get('lines')} lines, one of {status.get('every')}; CPU of one core: server "
            f"{shares[0]:.0%}, browser {shares[1]:.0%}, others {others:.0%}; "
            f"memory {memory[0]:.0f} + {memory[1]:.0f} MB"
        )

    def growth(self) -> str:
        """Return how memory has grown over all reports, by least squares."""
        rows = np.array(self._memory)
        if len(rows) < 3:
            return ""
        slopes = [np.polyfit(rows[:, 0], rows[:, side], 1)[0] * 600 for side in (1, 2)]
        return f"growth in 10 minutes: server {slopes[0]:+.1f} MB, browser {slopes[1]:+.1f} MB"

    def switch(self, title: str) -> float:
        """Switch to a style; return milliseconds until it shows."""
        page = self.page
        page.evaluate("Object.assign(probe, {colors: [], watchesColors: true})")
        page.wait_for_timeout(500)
        page.locator(".tile-main", has_text=title).first.dispatch_event("click")
        page.wait_for_timeout(1500)
        rows, clicked_ms = page.evaluate("[probe.colors, probe.clicked_ms]")
        page.evaluate("probe.watchesColors = false")
        times = np.array([at for at, _ in rows])
        colors = np.array([color for _, color in rows], float)
        before, after = colors[times < clicked_ms].mean(0), colors[times > clicked_ms + 700].mean(0)
        way = after - before
        shows = times[(times > clicked_ms) & ((colors - before) @ way > 0.5 * (way @ way))]
        return shows[0] - clicked_ms if len(shows) else np.nan


def open_page(page: Page, address: str, look: str) -> None:
    """Open the page and wait until it paints."""
    page.add_init_script(path=PROBE)
    page.goto(f"{address}#{look}")
    for sign in (".tile-mix", "#stage.has-picture", "#status[data-state=painting]"):
        page.wait_for_selector(sign, state="attached", timeout=120_000)


def chromium_arguments(camera: Path) -> list[str]:
    """Return the options of a browser whose camera shows a clip."""
    fake = "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"
    arguments = [*fake, f"--use-file-for-fake-video-capture={camera}", "--disable-gpu"]
    return arguments if os.geteuid() else [*arguments, "--no-sandbox"]


def measure(page: Page, server: int, options: argparse.Namespace) -> None:
    """Print the figures."""
    settle_s = min(10, options.seconds / 3)
    page.wait_for_timeout(1000 * settle_s)
    measurement = Measurement(page, server)
    rest_s = options.seconds - settle_s
    span_s = options.report_every or rest_s
    for _ in range(max(1, round(rest_s / span_s))):
        measurement.begin()
        page.wait_for_timeout(1000 * span_s)
        print(measurement.report(), flush=True)
    if growth := measurement.growth():
        print(growth)
    for title in islice(cycle(STYLES), options.switches):
        print(f"{title}: shows {measurement.switch(title):.0f} ms after the click", flush=True)


def main() -> None:
    """Run server and browser, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", help="by default a drawn scene")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--report-every", type=float, default=0, help="seconds; 0 reports once")
    parser.add_argument("--switches", type=int, default=0)
    parser.add_argument("--look", default="style=wave", help="as in the page's address")
    parser.add_argument("--window", default="1280x800")
    parser.add_argument("--screenshot", type=Path)
    options = parser.parse_args()
    size, window = (tuple(map(int, text.split("x"))) for text in (options.size, options.window))
    with tempfile.TemporaryDirectory() as folder, serving(["--model", "builtin"]) as (address, pid):
        begun = time.monotonic()
        camera = Path(folder, "camera.y4m")
        write_camera(camera, options.clip, size)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=chromium_arguments(camera)
            )
            page = browser.new_page(viewport={"width": window[0], "height": window[1]})
            open_page(page, address, options.look)
            print(f"painting {time.monotonic() - begun:.1f} s after the start", flush=True)
            measure(page, pid, options)
            if options.screenshot:
                page.screenshot(path=options.screenshot)
            browser.close()


if __name__ == "__main__":
    main()
