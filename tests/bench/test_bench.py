"""The benchmark: what it plans, that it really runs, and how it tells."""

import json
import math
import re
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import Negative, make_clip

from nst_video import bench
from nst_video.bench import (
    BenchmarkCase,
    CaseMeasurement,
    PipelineTiming,
    Row,
    StageTiming,
    measure_stages,
    measurement,
    stage_table,
    stages_as_json,
)
from nst_video.bench.measurement import Worker, measure_peak, psnr_db
from nst_video.bench.report import scaling_exponents, speedups
from nst_video.bench.runners import OTHER_STYLE, FrameFlops, open_runner
from nst_video.bench.runners import test_frame as bench_frame
from nst_video.cli.app import app
from nst_video.errors import UsageError, WeightsError
from nst_video.frames import VideoInfo
from nst_video.settings import DEFAULT_STYLE
from nst_video.video.media.codec_options import TranscodeOptions

SMALL = (64, 48)


def row(engine: str = "tensorflow", p50_ms: float = 10.0, **changes: object) -> Row:
    values: dict = {
        "model": "magenta-lite", "engine": engine, "device": "CPU", "size": (384, 384),
        "frames": 50, "p50_ms": p50_ms, "p95_ms": p50_ms * 1.2, "fps": 1e3 / p50_ms,
        "switch_ms": 0.2, "start_s": 2.5, "peak_mb": 512.4, "psnr_db": math.inf,
        "gflop": 3.5, "plain_gflop": 3.75, "peak_gflop_per_s": 500.0,
    }  # fmt: skip
    return Row(**{**values, **changes})


def test_plan_is_every_engine_on_every_model_and_size_and_baselines_where_they_run() -> None:
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


def test_bench_measures_a_real_model_in_processes_of_their_own(
    assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "WARM_UP_S", 0.0)
    told: list[Row] = []
    cases = [
        BenchmarkCase(engine, "magenta-lite", SMALL, assets / "models")
        for engine in ("openvino", "identity")
    ]
    rows = bench.run_bench(cases, rounds=2, round_s=0.05, on_row=told.append)
    assert rows == told
    painted, copied = rows
    assert painted.psnr_db > 45
    assert copied.psnr_db < 20
    assert painted.frames >= 2
    assert 0 < copied.p50_ms < painted.p50_ms <= painted.p95_ms
    assert painted.peak_mb is None or painted.peak_mb > 100
    # Loading and compiling the network is part of the start.
    assert painted.start_s > copied.start_s > 0.1
    assert abs(copied.switch_ms) < 100
    assert 0 < painted.gflop < painted.plain_gflop == copied.plain_gflop
    assert painted.share_of_peak is not None
    assert 0 < painted.share_of_peak < 1.5
    assert (copied.gflop, copied.peak_gflop_per_s, copied.share_of_peak) == (0, None, None)


def test_the_peak_of_openvino_is_that_of_its_own_runtime(assets: Path) -> None:
    runner = open_runner(BenchmarkCase("openvino", "magenta-lite", SMALL, assets / "models"))
    rates = measure_peak(runner, 0.0)
    assert len(rates) == 1
    assert rates[0] > 1
    assert runner.matrix_product() is runner.matrix_product()


def test_baselines_have_the_operations_of_the_plain_network(assets: Path) -> None:
    runner = open_runner(BenchmarkCase("litert", "magenta-lite", (384, 384), assets / "models"))
    flops = runner.flops()
    assert flops.gflop == flops.plain_gflop == pytest.approx(3.69, abs=0.01)
    assert measure_peak(runner, 0.0) == []


def test_row_sums_up_what_was_measured() -> None:
    case = BenchmarkCase("openvino", "magenta-lite", (384, 384))
    measured = CaseMeasurement(
        case, "CPU", start_s=1.0, switch_ms=0.1, peak_mb=None, psnr_db=80.0,
        flops=FrameFlops(2.0, 3.0), times_ms=[10.0, 20.0, 30.0], peak_rates=[100.0, 400.0, 500.0],
    )  # fmt: skip
    made = Row.of(measured)
    assert (made.p50_ms, made.fps) == (20.0, 50.0)
    assert made.gflop_per_s == pytest.approx(100)
    assert made.share_of_peak == pytest.approx(0.25)


def test_a_switch_leads_to_another_painting_and_back(assets: Path) -> None:
    runner = open_runner(BenchmarkCase("openvino", "magenta-lite", SMALL, assets / "models"))
    frame = bench_frame(SMALL)
    first = runner.paint(frame)
    runner.select_style(OTHER_STYLE)
    assert psnr_db(runner.paint(frame), first) < 30
    runner.select_style(DEFAULT_STYLE)
    assert psnr_db(runner.paint(frame), first) == math.inf


def test_exponent_is_the_slope_of_time_over_pixels() -> None:
    sizes = [(64, 64), (128, 128), (256, 256)]
    linear = [row(size=size, p50_ms=size[0] * size[1] / 1e3) for size in sizes]
    square = [row("openvino", size=size, p50_ms=(size[0] * size[1]) ** 2 / 1e6) for size in sizes]
    found = scaling_exponents([*linear, *square, row("litert")])
    assert found == {
        ("magenta-lite", "tensorflow"): pytest.approx(1),
        ("magenta-lite", "openvino"): pytest.approx(2),
    }
    assert "openvino: time grows with pixels to the power of 2.00" in bench.table("m", square)
    assert json.loads(bench.as_json("m", square))["growth"][0]["exponent"] == pytest.approx(2)


def test_worker_hands_on_the_errors_of_its_process(tmp_path: Path) -> None:
    with (
        Worker(BenchmarkCase("tensorflow", "magenta-lite", SMALL, tmp_path)) as worker,
        pytest.raises(WeightsError, match="magenta-lite"),
    ):
        worker.wait_loaded()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells it")
def test_peak_memory_is_the_workers_own() -> None:
    ballast = np.ones(1 << 26)
    with Worker(BenchmarkCase("identity", "builtin", SMALL)) as worker:
        worker.wait_loaded()
        peak_mb = worker.peak_mb()
    assert peak_mb is not None
    assert 20 < peak_mb < ballast.nbytes / 1e6


def test_psnr_follows_its_formula() -> None:
    frame = np.full((4, 4, 3), 100, np.uint8)
    assert psnr_db(frame, frame) == math.inf
    assert psnr_db(frame, frame + 1) == pytest.approx(20 * math.log10(255))


def test_ratios_compare_each_engine_with_the_baselines_of_its_model_and_size() -> None:
    ours, peer, other = row(), row("litert", 55.0), row(size=(640, 360))
    factors = speedups([ours, peer, other])
    assert factors == {ours: {"litert": pytest.approx(5.5)}, other: {}}


def test_table_is_markdown_with_a_ratio_for_each_baseline() -> None:
    peer_row = row("litert", 55.0, psnr_db=80.04, peak_mb=None, peak_gflop_per_s=None)
    text = bench.table("a machine", [row(), peer_row])
    head, rule, ours, peer = text.splitlines()[2:6]
    assert text.startswith("Machine: a machine\n")
    assert head.rstrip(" |").endswith("x litert")
    assert set(rule) == set("|- ")
    assert "| equal" in ours
    assert "| 350.0   | 70%" in ours
    assert ours.rstrip(" |").endswith("5.5")
    assert "| 80.0" in peer
    assert peer.endswith("| 63.6    |         |          |")
    assert len({len(line) for line in (head, rule, ours, peer)}) == 1


def test_tables_fit_120_columns() -> None:
    worst = row("openvino-fast", 9999.9, size=(3840, 2160), gflop=8000.0, plain_gflop=8100.0)
    text = bench.table("a machine", [worst, replace(worst, engine="litert")])
    assert all(len(line) <= 120 for line in text.splitlines())
    costs = text.splitlines()[7:]
    assert costs[0].split(" | ")[3:] == [
        "start s", "switch ms", "peak MB", "plain GFLOP", "peak GFLOP/s |"
    ]  # fmt: skip
    assert costs[2].replace(" ", "").split("|")[4:-1] == ["2.5", "0.2", "512", "8100", "500.0"]


def test_json_holds_every_figure() -> None:
    told = json.loads(bench.as_json("a machine", [row()]))
    assert told["machine"] == "a machine"
    assert told["rows"][0]["p50_ms"] == 10.0
    assert told["rows"][0]["psnr_db"] is None
    assert told["rows"][0]["gflop_per_s"] == 350.0
    assert told["rows"][0]["share_of_peak"] == 0.7


def test_plot_draws_a_line_for_each_engine() -> None:
    rows = [row(), row(size=(640, 360), fps=60.0), row("litert", 55.0)]
    picture = bench.plot(rows, title="a machine")
    alone = bench.plot(rows[:2], title="a machine")
    assert picture.dtype == np.uint8
    assert picture.shape == alone.shape
    assert (picture != alone).any()


def test_machine_name_tells_cores_and_system() -> None:
    name = bench.machine_name()
    assert " cores, " in name
    info = Path("/proc/cpuinfo")
    if info.is_file() and "cpu family" in info.read_text():
        assert re.search(r" \(family \d+, model \d+\), ", name)


def test_stages_are_measured_alone_and_together(tmp_path: Path) -> None:
    painter = Negative()
    clip = make_clip(tmp_path / "clip.mkv")
    options = TranscodeOptions(end_s=0.4, preset="ultrafast")
    pipeline = measure_stages(clip, painter, title="A clip", options=options, rounds=2)
    assert [stage.name for stage in pipeline.stages] == ["decode", "paint", "encode", "whole"]
    assert pipeline.info.frame_count == 10
    assert all(stage.ms > 0 for stage in pipeline.stages)
    # Its three batches are painted to warm up, then alone and in the whole, twice each.
    assert len(painter.batches) == 3 * 5
    assert pipeline.slowest.name != "paint"
    if pipeline.share_of_cores is not None:
        assert pipeline.stages[2].cpu_ms > pipeline.stages[1].cpu_ms


def test_stage_table_says_what_limits() -> None:
    figures = (("decode", 5.0, 6.0), ("paint", 40.0, 75.0), ("encode", 15.0, 20.0))
    stages = tuple(StageTiming(*each) for each in (*figures, ("whole", 50.5, 101.0)))
    pipeline = PipelineTiming("A clip", VideoInfo((64, 48), Fraction(25), 10), stages, 2)
    text = stage_table("a machine", [pipeline])
    assert "The whole reaches 79% of the rate of paint alone, and 100% of what 2 cores" in text
    assert "| whole  | 50.5 | 19.8  | 101.0  |" in text
    told = json.loads(stages_as_json("a machine", [pipeline]))["pipelines"][0]
    assert (told["slowest"], told["share_of_cores"]) == ("paint", 1.0)


def test_stage_table_does_without_cpu_time() -> None:
    stages = tuple(StageTiming(name, 10.0, None) for name in ("decode", "paint", "encode", "whole"))
    pipeline = PipelineTiming("A clip", VideoInfo((64, 48), Fraction(25), 10), stages, 2)
    assert "reaches 100% of the rate of decode alone." in stage_table("a machine", [pipeline])


def test_bench_command_measures_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = make_clip(tmp_path / "clip.mkv")
    what = ["--clip", str(clip), "--model", "builtin", "--engine", "openvino"]
    how = ["--rounds", "1", "--seconds", "0.2", "--json"]
    app(["bench", *what, *how], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)["pipelines"]
    assert [each["title"].split(", ")[1:] for each in told] == [["builtin", "openvino"]]
    assert told[0]["frames"] == 5
