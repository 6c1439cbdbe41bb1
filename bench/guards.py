"""The full report: every set, the shipped cases, latency, and disguises; also as a page in both languages."""

from __future__ import annotations

from sekisho.evals import eval_sets, measure_evasion, measure_guard, write_report
from tests.guards.disguises import DISGUISES

from .evasion import SETS
from .result import Options, Result, loaded, result, told

NEEDS_DATA = True


def run(options: Options) -> Result:
    """All measurements of all guards; pages in guards/ and guards/ja/ beside the result."""
    assert options.data is not None
    sets = eval_sets(options.data)
    harmful = [example for one in sets if one.name in SETS for example in one]
    guards, left_out = loaded(options)
    reports = []
    for guard in guards:
        report = measure_guard(guard, sets, limit=options.limit, command=options.command, progress=told)
        evasion = measure_evasion(guard, harmful[: options.limit], DISGUISES, progress=told)
        reports.append(report.model_copy(update={"evasion": tuple(evasion)}))
    if reports:
        budget = guards[0].policy.false_positive_budget
        write_report(reports, options.out / "guards", budget=budget)
        write_report(reports, options.out / "guards" / "ja", language="ja", budget=budget)
    found = [m for report in reports for m in report.measurements]
    return result("guards", options, found, left_out=left_out)
