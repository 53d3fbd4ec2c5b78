"""The benchmark: what it plans, that it really runs, and how it tells."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from nst_video import bench
from nst_video.bench import Case, Row
from nst_video.bench.report import ratios
from nst_video.bench.rounds import Worker, psnr_db
from nst_video.errors import UsageError, WeightsError

SMALL = (64, 48)


def row(engine: str = "tensorflow", p50_ms: float = 10.0, **changes: object) -> Row:
    values: dict = {
        "model": "magenta-lite", "engine": engine, "device": "CPU", "size": (384, 384),
        "frames": 50, "p50_ms": p50_ms, "p95_ms": p50_ms * 1.2, "fps": 1e3 / p50_ms,
        "start_s": 2.5, "peak_mb": 512.4, "psnr_db": math.inf,
    }  # fmt: skip
    return Row(**{**values, **changes})


def test_plan_is_every_engine_on_every_model_and_size_and_peers_where_they_run() -> None:
    cases = bench.plan(
        ["magenta-lite", "magenta"], ["tensorflow"], [(384, 384), (640, 360)], ["litert", "hub"]
    )
    planned = [(case.engine, case.model, case.size) for case in cases]
    assert len(planned) == 7
    assert ("litert", "magenta-lite", (384, 384)) in planned
    assert [p[1:] for p in planned if p[0] == "hub"] == [
        ("magenta", (384, 384)),
        ("magenta", (640, 360)),
    ]


@pytest.mark.parametrize(
    ("models", "engines", "sizes", "against", "message"),
    [
        (["magenta-lite"], ["abacus"], [(384, 384)], [], "No engine 'abacus' to measure"),
        (["magenta-lite"], ["tensorflow"], [(384, 384)], ["rival"], "No engine 'rival'"),
        (["magenta-lite"], ["tensorflow"], [(640, 360)], ["litert"], "magenta-lite at 384x384"),
        (["magenta-lite"], ["tensorflow"], [(640, None)], [], "need both sides"),
        ([], ["tensorflow"], [(384, 384)], [], "No model is at hand"),
    ],
)
def test_plan_refuses_what_cannot_be_measured(
    models: list[str],
    engines: list[str],
    sizes: list[tuple[int | None, int | None]],
    against: list[str],
    message: str,
) -> None:
    with pytest.raises(UsageError, match=message):
        bench.plan(models, engines, sizes, against)


def test_bench_measures_a_real_model_in_processes_of_their_own(assets: Path) -> None:
    told: list[Row] = []
    cases = [
        Case(engine, "magenta-lite", SMALL, assets / "models")
        for engine in ("tensorflow", "identity")
    ]
    rows = bench.run_bench(cases, rounds=2, round_s=0.05, on_row=told.append)
    assert rows == told
    painted, copied = rows
    assert painted.psnr_db > 45
    assert copied.psnr_db < 20
    assert painted.frames >= 2
    assert 0 < copied.p50_ms < painted.p50_ms <= painted.p95_ms
    assert painted.peak_mb is None or painted.peak_mb > 100


def test_worker_hands_on_the_errors_of_its_process(tmp_path: Path) -> None:
    with (
        Worker(Case("tensorflow", "magenta-lite", SMALL, tmp_path)) as worker,
        pytest.raises(WeightsError, match="magenta-lite"),
    ):
        worker.ready()


def test_psnr_follows_its_formula() -> None:
    frame = np.full((4, 4, 3), 100, np.uint8)
    assert psnr_db(frame, frame) == math.inf
    assert psnr_db(frame, frame + 1) == pytest.approx(20 * math.log10(255))


def test_ratios_compare_each_engine_with_the_peers_of_its_model_and_size() -> None:
    ours, peer, other = row(), row("litert", 55.0), row(size=(640, 360))
    factors = ratios([ours, peer, other])
    assert factors == {ours: {"litert": pytest.approx(5.5)}, other: {}}


def test_table_is_markdown_with_a_ratio_for_each_peer() -> None:
    text = bench.table("a machine", [row(), row("litert", 55.0, psnr_db=80.04, peak_mb=None)])
    head, rule, ours, peer = text.splitlines()[2:]
    assert text.startswith("Machine: a machine\n")
    assert head.rstrip(" |").endswith("x litert")
    assert set(rule) == set("|- ")
    assert "| equal" in ours
    assert ours.rstrip(" |").endswith("5.5")
    assert "| 80.0" in peer
    assert len({len(line) for line in (head, rule, ours, peer)}) == 1


def test_json_holds_every_figure() -> None:
    told = json.loads(bench.as_json("a machine", [row()]))
    assert told["machine"] == "a machine"
    assert told["rows"][0]["p50_ms"] == 10.0
    assert told["rows"][0]["psnr_db"] is None


def test_plot_draws_a_line_for_each_engine() -> None:
    rows = [row(), row(size=(640, 360), fps=60.0), row("litert", 55.0)]
    picture = bench.plot(rows, title="a machine")
    alone = bench.plot(rows[:2], title="a machine")
    assert picture.dtype == np.uint8
    assert picture.shape == alone.shape
    assert (picture != alone).any()


def test_machine_name_tells_cores_and_system() -> None:
    assert " cores, " in bench.machine_name()
