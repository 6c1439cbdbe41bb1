"""Everything that returns measurements: guard benchmarks, and the reports made from them.

    from sekisho.evals import eval_sets, measure_guard, write_report

    report = measure_guard(sekisho.load_guard("fast"), eval_sets("DIR"), command="…")
    write_report(report, "out", language="en")                  # out/index.html, out/report.json

The statistics and charts need the extra `eval`; they are imported when they are first used.
"""

from __future__ import annotations

from .datasets import KNOWN_SETS, EvalSet, SetCount, SetInfo, eval_sets
from .errors import ErrorCase, ErrorGroup, GuardErrors
from .evasion import measure_evasion
from .guard_benchmark import measure_guard
from .guard_report import GuardFacts, GuardReport, Machine, ReportFile, SetReport, report_schema
from .neighbours import TrainingCorpus
from .published import Published, published_figures
from .report import write_report
from .shipped import Case, CaseOutcome, ShippedReport, shipped_cases

__all__ = [
    "KNOWN_SETS",
    "Case",
    "CaseOutcome",
    "ErrorCase",
    "ErrorGroup",
    "EvalSet",
    "GuardErrors",
    "GuardFacts",
    "GuardReport",
    "Machine",
    "Published",
    "ReportFile",
    "SetCount",
    "SetInfo",
    "SetReport",
    "ShippedReport",
    "TrainingCorpus",
    "eval_sets",
    "measure_evasion",
    "measure_guard",
    "published_figures",
    "report_schema",
    "shipped_cases",
    "write_report",
]
