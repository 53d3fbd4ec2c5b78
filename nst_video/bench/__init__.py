"""Measuring: engines, models and sizes against each other and against what others use."""

from nst_video.bench.machine import machine_name
from nst_video.bench.report import Row, as_json, plot, table
from nst_video.bench.rounds import run_bench
from nst_video.bench.runners import Case, plan

__all__ = ["Case", "Row", "as_json", "machine_name", "plan", "plot", "run_bench", "table"]
