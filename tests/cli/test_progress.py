"""How far a command is: the bar at any width, lines where there is none, the time left."""

import io
import itertools
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from nst_video.cli import console
from nst_video.cli.progress import clock_time, fetch_progress, fit, progress
from nst_video.optimization.painting import PaintStep
from nst_video.optimization.progress import RemainingTime, completed_fraction
from nst_video.weights import FetchProgress

FACTS = ("frame 30/377", "0:23 left", "15.1 fps", "0:02 elapsed", "limited by paint")
LONG = "a very long name of a film that somebody gave in earnest.mp4"


class Screen(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch, width: int, **terminal: object) -> Screen:
    screen = Screen()
    shown = Console(file=screen, width=width, **{"force_terminal": True, **terminal})
    monkeypatch.setattr(console, "stderr", lambda: shown)
    return screen


@pytest.mark.parametrize("width", [12, 20, 39, 40, 59, 60, 79, 80, 120, 200])
@pytest.mark.parametrize("name", ["a.mp4", LONG, "映画" * 20 + ".mp4", ""])
def test_bar_is_never_pushed_out(name: str, width: int):
    shown, bar, text = fit(name, FACTS, width)
    assert 10 <= bar <= 24
    cells = sum(cell_len(part) + 2 for part in (shown, text) if part) + bar
    assert cells <= width or not (shown or text)
    assert FACTS[: len([each for each in text.split("  ") if each])] == tuple(
        each for each in text.split("  ") if each
    )


def test_the_most_important_is_left_on_narrow_terminals():
    assert fit(LONG, FACTS, 39) == ("", 10, "frame 30/377  0:23 left")
    name, bar, text = fit(LONG, FACTS, 79)
    assert name.endswith("…")
    assert (bar, text) == (19, "frame 30/377  0:23 left  15.1 fps")
    assert fit("a.mp4", FACTS, 199) == ("a.mp4", 24, "  ".join(FACTS))


def test_a_terminal_gets_a_bar_of_its_width(monkeypatch: pytest.MonkeyPatch):
    screen = watch(monkeypatch, 80)
    with progress(LONG, shown=True) as report:
        assert report is not None
        report(30, 377, FACTS)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    lines = [line for line in re.split(r"[\r\n]+", plain) if "30/377" in line]
    assert lines
    assert all(re.search("[━╸╺ ]{19}", line) and len(line) < 80 for line in lines), lines


@pytest.mark.parametrize("terminal", ["none", "dumb"])
def test_without_a_terminal_a_line_comes_every_10_seconds(
    monkeypatch: pytest.MonkeyPatch, terminal: str
):
    if terminal == "dumb":
        monkeypatch.setenv("TERM", "dumb")
        screen = watch(monkeypatch, 80, _environ={"TERM": "dumb"})
    else:
        screen = io.StringIO()
        monkeypatch.setattr(console, "stderr", lambda: Console(file=screen))
    times = itertools.count(0, 3.0)
    with progress("a.mp4", shown=True, clock=lambda: next(times)) as report:
        assert report is not None
        for frame in range(1, 11):
            report(frame, 10, [f"frame {frame}/10", "0:05 left"])
    assert screen.getvalue().splitlines() == [
        "a.mp4: frame 4/10, 0:05 left",
        "a.mp4: frame 8/10, 0:05 left",
    ]


def test_nothing_is_shown_unasked(monkeypatch: pytest.MonkeyPatch):
    screen = watch(monkeypatch, 80)
    with progress("a.mp4", shown=False) as report, fetch_progress(quiet=True) as fetching:
        assert report is None
        assert fetching is None
    with fetch_progress(quiet=False):
        pass
    assert screen.getvalue() == ""


def test_downloads_are_shown(monkeypatch: pytest.MonkeyPatch):
    screen = watch(monkeypatch, 80)
    with fetch_progress(quiet=False) as on_progress:
        assert on_progress is not None
        on_progress(FetchProgress("magenta.tflite", 1_500_000, 3_000_000))
    assert "1.5 of 3.0 MB" in screen.getvalue()


def test_clock_time_is_short():
    assert [clock_time(each) for each in (5, 65, 7384, None)] == ["0:05", "1:05", "2:03:04", "?"]


def test_work_is_counted_in_pixels():
    def done(scale: int, step: int) -> float:
        return completed_fraction(PaintStep(scale, 3, step, 10, {}))

    assert done(1, 10) == pytest.approx(1 / 21)
    assert done(2, 5) == pytest.approx(3 / 21)
    assert done(3, 10) == 1


def test_time_left_counts_the_scales_that_remain():
    now = 0.0
    remaining = RemainingTime(lambda: now)
    left: list[float | None] = []
    for scale, step in itertools.product((1, 2, 3), range(1, 11)):
        now += 4.0**scale / 40 + (1.5 if step == 1 else 0)
        left.append(remaining.after_step(PaintStep(scale, 3, step, 10, {})))
        end_s = 3 * 1.5 + 10 * (4 + 16 + 64) / 40
        if step > 1:
            assert left[-1] == pytest.approx(end_s - now, rel=0.05, abs=0.01)
    assert left[0] is None
    assert left[-1] == 0
