"""Measuring: engines, models and sizes against each other and against what others use."""

from nst_video.bench.machine import machine_name
from nst_video.bench.report import Row, as_json, plot, table
from nst_video.bench.rounds import run_bench
from nst_video.bench.runners import Case, plan
from nst_video.bench.stages import Pipeline, Stage, measure_stages, stage_table, stages_as_json

__all__ = [
    "Case",
    "Pipeline",
    "Row",
    "Stage",
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
