"""Results of a benchmark as rows, Markdown tables, JSON and a plot."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import linear_regression, median
from typing import Self

import numpy as np

from nst_video.bench.runners import BASELINES, BenchmarkCase, FrameFlops
from nst_video.frames import Frame, Size
from nst_video.image.plots import plot_lines

_KEYS = ("model", "engine", "size")
"""First columns of every table."""


@dataclass(frozen=True, slots=True)
class CaseMeasurement:
    """What was measured of one case.

    Attributes:
        case: the case.
        device: where it ran.
        start_s: from the start of its process to the first painted frame, with warm caches.
        switch_ms: additional time of the first frame in another style, the minimum.
        peak_mb: peak resident memory of its process, None where unknown.
        psnr_db: to the plain float32 network; infinite where all bytes are equal.
        flops: of one frame.
        times_ms: of each timed frame.
        peak_rates: GFLOP/s of large matrix products between the frames.
    """

    case: BenchmarkCase
    device: str
    start_s: float
    switch_ms: float
    peak_mb: float | None
    psnr_db: float
    flops: FrameFlops
    times_ms: list[float] = field(default_factory=list)
    peak_rates: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """The results of one case.

    Attributes:
        model: a name from the table of weights.
        engine: an engine, or a baseline.
        device: where it ran.
        size: (width, height).
        frames: number of timed frames.
        p50_ms: median time of a frame.
        p95_ms: 95th percentile of the times.
        fps: frames per second at the median.
        switch_ms: additional time of the first frame in another style, the minimum.
        start_s: from the start of its process to the first painted frame, with warm caches.
        peak_mb: peak resident memory of its process, None where unknown.
        psnr_db: to the plain float32 network; infinite where all bytes are equal.
        gflop: per frame, see `FrameFlops`.
        plain_gflop: the same for the network without optimizations.
        peak_gflop_per_s: of a large matrix product on the same runtime, measured in alternation
            with the painting; None for baselines, and for engines that compute nothing.
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
    def of(cls, measured: CaseMeasurement) -> Self:
        """Summarize the times of a case, and the GFLOP/s of the matrix products between them."""
        case, flops, rates = measured.case, measured.flops, measured.peak_rates
        p50, p95 = (float(x) for x in np.percentile(measured.times_ms, (50, 95)))
        return cls(
            case.model, case.engine, measured.device, case.size, len(measured.times_ms),
            p50, p95, 1e3 / p50, measured.switch_ms, measured.start_s, measured.peak_mb,
            measured.psnr_db, flops.gflop, flops.plain_gflop, median(rates) if rates else None,
        )  # fmt: skip

    @property
    def gflop_per_s(self) -> float:
        """Throughput at the median."""
        return self.gflop * self.fps

    @property
    def share_of_peak(self) -> float | None:
        """Throughput relative to the peak, 0..1; None where that is unknown."""
        return None if self.peak_gflop_per_s is None else self.gflop_per_s / self.peak_gflop_per_s


def speedups(rows: Sequence[Row]) -> dict[Row, dict[str, float]]:
    """Return the speedup of each row over each baseline of its model and size."""
    return {
        row: {
            baseline.engine: baseline.p50_ms / row.p50_ms
            for baseline in rows
            if baseline.engine in BASELINES
            and (baseline.model, baseline.size) == (row.model, row.size)
        }
        for row in rows
        if row.engine not in BASELINES
    }


def scaling_exponents(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """Return the exponent of time over pixels by model and engine; 1 is linear in pixels.

    It is the slope of the regression of log time on log pixels, for two sizes or more.
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
    """Return two Markdown tables: speed and accuracy, then startup, memory and operations."""
    notes = [
        f"{model}, {engine}: time grows with pixels to the power of {exponent:.2f}."
        for (model, engine), exponent in scaling_exponents(rows).items()
    ]
    parts = [f"Machine: {machine}", markdown(_speeds(rows)), markdown(_costs(rows))]
    return "\n\n".join([*parts, "\n".join(notes)] if notes else parts)


def _speeds(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of the first table, at most 120 columns wide with one baseline."""
    baselines = [name for name in BASELINES if any(row.engine == name for row in rows)]
    head = ["p50 ms", "p95 ms", "fps", "PSNR dB", "GFLOP", "GFLOP/s", "of peak"]
    lines = [[*_KEYS, *head, *(f"x {name}" for name in baselines)]]
    factors = speedups(rows)
    for row in rows:
        mine = factors.get(row, {})
        psnr = "equal" if math.isinf(row.psnr_db) else f"{row.psnr_db:.1f}"
        share = "" if row.share_of_peak is None else f"{row.share_of_peak:.0%}"
        lines.append(
            [
                *_key(row), _figure(row.p50_ms), _figure(row.p95_ms), _figure(row.fps), psnr,
                _figure(row.gflop), _figure(row.gflop_per_s), share,
                *(f"{mine[name]:.1f}" if name in mine else "" for name in baselines),
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
    """Return a number with up to two decimals, three significant digits or so."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return cells, with the header in the first line, as an aligned Markdown table."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "| " + " | ".join(x.ljust(w) for x, w in zip(line, widths, strict=True)) + " |"
        for line in ruled
    )


def as_json(machine: str, rows: Sequence[Row]) -> str:
    """Return all rows and scaling exponents as JSON; an infinite PSNR is null."""
    cells = [
        asdict(row) | {"gflop_per_s": row.gflop_per_s, "share_of_peak": row.share_of_peak}
        for row in rows
    ]
    for cell in cells:
        cell["psnr_db"] = None if math.isinf(cell["psnr_db"]) else cell["psnr_db"]
    growth = [
        {"model": model, "engine": engine, "exponent": exponent}
        for (model, engine), exponent in scaling_exponents(rows).items()
    ]
    return json.dumps({"machine": machine, "rows": cells, "growth": growth}, indent=2)


def plot(rows: Sequence[Row], *, title: str) -> Frame:
    """Return a plot, RGB uint8, of frames per second over picture size, by engine and model.

    Raises:
        UsageError: matplotlib is not installed.
    """
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        megapixels = row.size[0] * row.size[1] / 1e6
        lines.setdefault(f"{row.model}, {row.engine}", []).append((megapixels, row.fps))
    return plot_lines(lines, title=title, x="megapixels per frame", y="frames per second")
