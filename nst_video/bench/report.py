"""What was measured, as rows, as a table for people, as JSON, and as a plot."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import linear_regression, median
from typing import Self

import numpy as np

from nst_video.bench.runners import PEERS, Case, Work
from nst_video.frames import Frame, Size
from nst_video.image.plots import plot_lines

_KEYS = ("model", "engine", "size")
"""What every table begins with."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one case.

    Attributes:
        model: a name from the table of weights.
        engine: an engine, or a peer.
        device: where it ran.
        size: (width, height).
        frames: how many were painted and timed.
        p50_ms: median time of a frame.
        p95_ms: time that 95 of 100 frames stay within.
        fps: frames per second at the median.
        switch_ms: how much longer the first frame in another style takes, at the least.
        start_s: from the start of its process to the first painted frame, once caches are warm.
        peak_mb: peak resident memory of its process, None where the system does not tell.
        psnr_db: to the plain float32 network; infinite where every byte is equal.
        gflop: work of a frame, in billions of floating-point operations: see `Work`.
        plain_gflop: the same of the network as it is written.
        peak_gflop_per_s: what a large matrix product reached on the same runtime, in turn with the
            painting; None for peers, and where nothing is computed.
    """

    model: str
    engine: str
    device: str
    size: Size
    frames: int
    p50_ms: float
    p95_ms: float
    fps: float
    switch_ms: float
    start_s: float
    peak_mb: float | None
    psnr_db: float
    gflop: float
    plain_gflop: float
    peak_gflop_per_s: float | None

    @classmethod
    def of(
        cls,
        case: Case,
        device: str,
        times_ms: Sequence[float],
        work: Work,
        rates: Sequence[float],
        *,
        switch_ms: float,
        start_s: float,
        peak_mb: float | None,
        psnr_db: float,
    ) -> Self:
        """Sum up the times of a case, and the GFLOP/s of the matrix products between them."""
        p50, p95 = (float(x) for x in np.percentile(times_ms, (50, 95)))
        return cls(
            case.model, case.engine, device, case.size, len(times_ms),
            p50, p95, 1e3 / p50, switch_ms, start_s, peak_mb, psnr_db,
            work.gflop, work.plain_gflop, median(rates) if rates else None,
        )  # fmt: skip

    @property
    def gflop_per_s(self) -> float:
        """What it computes in a second, at the median."""
        return self.gflop * self.fps

    @property
    def share_of_peak(self) -> float | None:
        """What it reaches of what the runtime could do, None where that is not known."""
        return None if self.peak_gflop_per_s is None else self.gflop_per_s / self.peak_gflop_per_s


def ratios(rows: Sequence[Row]) -> dict[Row, dict[str, float]]:
    """Return how many times as fast as each peer every other row of its model and size is."""
    return {
        row: {
            peer.engine: peer.p50_ms / row.p50_ms
            for peer in rows
            if peer.engine in PEERS and (peer.model, peer.size) == (row.model, row.size)
        }
        for row in rows
        if row.engine not in PEERS
    }


def exponents(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """Return how the time of each model and engine grows with size: 1 is in step with pixels.

    The slope of the best line through log time over log pixels, where two sizes or more were
    measured.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.model, row.engine), []).append(row)
    return {
        name: linear_regression(
            [math.log(row.size[0] * row.size[1]) for row in mine],
            [math.log(row.p50_ms) for row in mine],
        ).slope
        for name, mine in groups.items()
        if len({row.size[0] * row.size[1] for row in mine}) > 1
    }


def table(machine: str, rows: Sequence[Row]) -> str:
    """Return Markdown tables: they read well on a terminal, too.

    The first tells how fast and how right, the second what else it takes.
    """
    notes = [
        f"{model}, {engine}: time grows with pixels to the power of {exponent:.2f}."
        for (model, engine), exponent in exponents(rows).items()
    ]
    parts = [f"Machine: {machine}", markdown(_speeds(rows)), markdown(_costs(rows))]
    return "\n\n".join([*parts, "\n".join(notes)] if notes else parts)


def _speeds(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of the first table, which is at most 120 columns wide with one peer."""
    against = [peer for peer in PEERS if any(row.engine == peer for row in rows)]
    head = ["p50 ms", "p95 ms", "fps", "PSNR dB", "GFLOP", "GFLOP/s", "of peak"]
    lines = [[*_KEYS, *head, *(f"x {peer}" for peer in against)]]
    factors = ratios(rows)
    for row in rows:
        mine = factors.get(row, {})
        psnr = "equal" if math.isinf(row.psnr_db) else f"{row.psnr_db:.1f}"
        share = "" if row.share_of_peak is None else f"{row.share_of_peak:.0%}"
        lines.append(
            [
                *_key(row), _figure(row.p50_ms), _figure(row.p95_ms), _figure(row.fps), psnr,
                _figure(row.gflop), _figure(row.gflop_per_s), share,
                *(f"{mine[peer]:.1f}" if peer in mine else "" for peer in against),
            ]
        )  # fmt: skip
    return lines


def _costs(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of the second table."""
    head = ["start s", "switch ms", "peak MB", "plain GFLOP", "peak GFLOP/s"]
    lines = [[*_KEYS, *head]]
    for row in rows:
        peak_mb = "" if row.peak_mb is None else f"{row.peak_mb:.0f}"
        peak = "" if row.peak_gflop_per_s is None else _figure(row.peak_gflop_per_s)
        lines.append(
            [
                *_key(row), f"{row.start_s:.1f}", f"{row.switch_ms:.1f}", peak_mb,
                _figure(row.plain_gflop), peak,
            ]
        )  # fmt: skip
    return lines


def _key(row: Row) -> tuple[str, str, str]:
    return row.model, row.engine, f"{row.size[0]}x{row.size[1]}"


def _figure(value: float) -> str:
    """Return a number with as many decimals as tell something."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return cells, the head in the first line, as an aligned Markdown table."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "| " + " | ".join(x.ljust(w) for x, w in zip(line, widths, strict=True)) + " |"
        for line in ruled
    )


def as_json(machine: str, rows: Sequence[Row]) -> str:
    """Return all figures, and the exponents of time over pixels; an infinite PSNR is null."""
    cells = [
        asdict(row) | {"gflop_per_s": row.gflop_per_s, "share_of_peak": row.share_of_peak}
        for row in rows
    ]
    for cell in cells:
        cell["psnr_db"] = None if math.isinf(cell["psnr_db"]) else cell["psnr_db"]
    growth = [
        {"model": model, "engine": engine, "exponent": exponent}
        for (model, engine), exponent in exponents(rows).items()
    ]
    return json.dumps({"machine": machine, "rows": cells, "growth": growth}, indent=2)


def plot(rows: Sequence[Row], *, title: str) -> Frame:
    """Return a figure of frames per second over picture size, a line for each engine and model.

    Raises:
        UsageError: matplotlib is not installed.
    """
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        megapixels = row.size[0] * row.size[1] / 1e6
        lines.setdefault(f"{row.model}, {row.engine}", []).append((megapixels, row.fps))
    return plot_lines(lines, title=title, x="megapixels per frame", y="frames per second")
