"""Write a guard report as a page that people read and a file that programs read.

The page is one file with nothing from outside. Its one script only filters: without it everything is there.
Texts of public sets stand on it only if they were asked for when measuring, and in `report.json` never.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from sekisho.core import InputError

from . import figures, view
from .browser import error_browser
from .charts import guard_colour
from .extra import need
from .guard_benchmark import OWN_THRESHOLD
from .guard_report import GuardReport, ReportFile
from .published import published_figures

LANGUAGES = ("en", "ja")
PAGE, DATA = "index.html", "report.json"


def write_report(
    report: GuardReport | Sequence[GuardReport],
    out_dir: str | Path,
    *,
    language: str = "en",
    budget: float | None = 0.02,
) -> tuple[Path, Path]:
    """Write `index.html` and `report.json` into `out_dir`; several guards stand side by side.

    language: en or ja. budget: the false-positive budget to draw, usually the policy's.
    Returns both paths. Raises `InputError` for another language or a folder that cannot be written,
    `MissingExtra` without the extra `eval`.
    """
    reports = (report,) if isinstance(report, GuardReport) else tuple(report)
    page = render(reports, language=language, budget=budget)
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DATA).write_text(ReportFile(reports=reports).model_dump_json(indent=1), encoding="utf-8")
        (folder / PAGE).write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report cannot be written: {error.strerror}", where=str(folder)) from None
    return folder / PAGE, folder / DATA


def read_reports(path: str | Path) -> tuple[GuardReport, ...]:
    """The reports of a `report.json`, for instance to render them in another language."""
    try:
        return ReportFile.model_validate_json(Path(path).read_bytes()).reports
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=str(path)) from None
    except ValueError:
        raise InputError("this is not a guard report of this version", where=str(path)) from None


def render(reports: Sequence[GuardReport], *, language: str = "en", budget: float | None = 0.02) -> str:
    """The page as HTML."""
    if language not in LANGUAGES:
        raise InputError("there is no report in this language", remedy=f"Use {' or '.join(LANGUAGES)}")
    if not reports:
        raise InputError("there is nothing to report")
    jinja2 = need("jinja2")
    folder = files("sekisho.evals") / "templates"
    words = json.loads((folder / "words.json").read_text(encoding="utf-8"))[language]
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = view.percent
    markup = jinja2.filters.Markup
    page: str = environment.get_template("report.html.j2").render(
        css=markup((folder / "report.css").read_text(encoding="utf-8")),
        words=words,
        reports=reports,
        colour=guard_colour,
        many=len(reports) > 1,
        safe=markup,
        browser=error_browser(
            reports, words, script=markup((folder / "errors.js").read_text(encoding="utf-8").strip())
        ),
        **_parts(reports, words, budget),
    )
    return page


def _parts(reports: Sequence[GuardReport], words: dict[str, Any], budget: float | None) -> dict[str, Any]:
    """Everything that the template loops over."""
    tables = view.set_tables(reports)
    held = set(view.set_names(reports))
    shown = [row.facts["set"] for table in tables for row in table.rows if row.first]
    both = [one for one in shown if one.positives and one.negatives]
    single = [one for one in shown if not (one.positives and one.negatives)]
    return {
        "cards": view.headline_cards(reports, words),
        "glances": [view.glance(report, words) for report in reports],
        "comparisons": figures.comparison_figures(reports, words),
        "over": figures.over_flagging(reports, words, budget=budget),
        "tables": [table for table in tables if table.labels != "harmless"],
        "harmless": [table for table in tables if table.labels == "harmless"],
        "details": [(one, figures.detail_figures(reports, one.info.name, words)) for one in both],
        "score_figures": [
            figure for one in single for figure in figures.detail_figures(reports, one.info.name, words)
        ],
        "languages": view.language_rows(reports, words),
        "rules": [view.rule_rows(report) for report in reports],
        "surfaces": [view.surface_rows(report, words) for report in reports],
        "severities": [
            [
                (words[m.name], view.cell(m), m.n)
                for m in (report.shipped.measurements if report.shipped else ())
                if m.name.startswith("severity")
            ]
            for report in reports
        ],
        "latencies": [[(words[m.name], view.cell(m), m.n) for m in report.latency] for report in reports],
        "evasion": figures.evasion_figure(reports, words),
        "evasion_rows": [_evasion_rows(report, words) for report in reports],
        "elsewhere": [one for one in published_figures() if one.set not in held],
        "here": [one for one in published_figures() if one.set in held],
        "own_threshold": OWN_THRESHOLD,
        "sampled": any(one.sampled for report in reports for one in report.sets),
    }


def _evasion_rows(report: GuardReport, words: dict[str, Any]) -> list[view.Row]:
    names = dict.fromkeys(m.slice for m in report.evasion)
    return [
        view.Row(
            label=words["plain"] if name == "plain" else name.partition("=")[2],
            cells=tuple(
                view.cell(view.find(report.evasion, metric, name)) for metric in ("recall", "recall_change")
            ),
            facts={"n": next(m.n for m in report.evasion if m.slice == name)},
        )
        for name in names
    ]
