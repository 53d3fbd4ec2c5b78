"""Progress of a command: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nst_video.cli import console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from nst_video.weights import FetchProgress
    from nst_video.weights import OnProgress as OnFetch

LINE_EVERY_S = 10.0
"""Seconds between lines where no bar can be drawn."""

_BAR_CELLS = (10, 24)
"""Minimum and maximum width of the bar."""

_NAMED_FROM = 60
"""Minimum terminal width for showing the name, which takes up to a quarter of it."""

_GAP = "  "


class Report(Protocol):
    """Shows progress."""

    def __call__(self, done: float, total: float | None, facts: Sequence[str]) -> None:
        """Show the current progress.

        Args:
            done: completed part of `total`, in any unit.
            total: None if unknown.
            facts: short texts, the most important first; those that do not fit are left out.
        """
        ...


@contextmanager
def progress(
    name: str, *, shown: bool, clock: Callable[[], float] = time.monotonic
) -> Iterator[Report | None]:
    """Yield a function that shows progress on stderr, or None if `shown` is False.

    Args:
        name: what is being processed.
        shown: show anything.
        clock: current time in seconds.
    """
    if not shown:
        yield None
        return
    with _opened(name, clock) as report:
        yield report


@contextmanager
def fetch_progress(*, quiet: bool) -> "Iterator[OnFetch | None]":
    """Yield a callback that shows the progress of downloads, or None if `quiet`."""
    if quiet:
        yield None
        return
    with ExitStack() as opened:
        report: Report | None = None

        def on_progress(state: "FetchProgress") -> None:
            nonlocal report
            if report is None:
                report = opened.enter_context(_opened("Downloading", time.monotonic))
            of = "" if state.total is None else f" of {state.total / 1e6:.1f}"
            report(state.done, state.total, [f"{state.done / 1e6:.1f}{of} MB", state.name])

        yield on_progress


def clock_time(seconds: float | None) -> str:
    """Return seconds as "1:05" or "2:03:04"; "?" if unknown."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def fit(name: str, facts: Sequence[str], width: int) -> tuple[str, int, str]:
    """Return name, bar width and text that fit into `width` cells.

    Facts that do not fit are left out, and the name is shortened.
    """
    from rich.cells import cell_len, set_cell_size

    least, most = _BAR_CELLS
    bar = max(least, min(most, width // 4))
    kept = min(cell_len(name), width // 4) if width >= _NAMED_FROM else 0
    room = width - bar - (kept + len(_GAP) if kept else 0)
    text = ""
    for fact in facts:
        if cell_len(text) + cell_len(fact) + len(_GAP) > room:
            break
        text += _GAP + fact
    if kept:
        kept = min(cell_len(name), kept + room - cell_len(text))
    shown = name if kept == cell_len(name) else set_cell_size(name, max(0, kept - 1)) + "…"
    return (shown if kept else ""), bar, text.removeprefix(_GAP)


def _opened(name: str, clock: Callable[[], float]) -> AbstractContextManager[Report]:
    name = console.shown(name)
    return _bar(name) if console.is_watched() else nullcontext(_Lines(name, clock))


@dataclass(slots=True)
class _Lines:
    """Prints a line every `LINE_EVERY_S` seconds."""

    name: str
    clock: Callable[[], float]
    _said_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._said_s = self.clock()

    def __call__(self, done: float, total: float | None, facts: Sequence[str]) -> None:
        now_s = self.clock()
        if now_s - self._said_s >= LINE_EVERY_S:
            self._said_s = now_s
            console.say(f"{self.name}: {', '.join(facts)}")


@contextmanager
def _bar(name: str) -> Iterator[Report]:
    """Draw a bar that fits the width of the terminal and is removed at the end."""
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    state: tuple[float, float | None, Sequence[str]] = (0, None, ["starting"])
    begun_s = time.monotonic()

    def line() -> "RenderableType":
        done, total, facts = state
        # The last cell stays empty: some terminals wrap when it is written.
        shown, bar_width, text = fit(name, facts, console.stderr().width - 1)
        bar = ProgressBar(total, done, width=bar_width, animation_time=time.monotonic() - begun_s)
        grid = Table.grid(padding=(0, len(_GAP), 0, 0), pad_edge=False)
        cells = [Text(shown, no_wrap=True)] if shown else []
        grid.add_row(*cells, bar, Text(text, no_wrap=True))
        return grid

    def report(done: float, total: float | None, facts: Sequence[str]) -> None:
        nonlocal state
        state = done, total, facts

    with Live(
        get_renderable=line,
        console=console.stderr(),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # not if stdout goes to another program
        refresh_per_second=8,
    ):
        yield report
