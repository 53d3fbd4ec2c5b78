"""Benchmarks: engines, models and sizes against each other and against baselines."""

from nst_video.bench.machine import machine_name
from nst_video.bench.measurement import run_bench
from nst_video.bench.report import CaseMeasurement, Row, as_json, plot, table
from nst_video.bench.runners import BenchmarkCase, plan
from nst_video.bench.stages import (
    PipelineTiming,
    StageTiming,
    measure_stages,
    stage_table,
    stages_as_json,
)

__all__ = [
    "BenchmarkCase",
    "CaseMeasurement",
    "PipelineTiming",
    "Row",
    "StageTiming",
    "as_json",
    "machine_name",
    "measure_stages",
    "plan",
    "plot",
    "run_bench",
    "stage_table",
    "stages_as_json",
    "table",
]
