"""From measurements to what the report page shows: cells and rows. No layout here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sekisho.core import Measurement

from . import charts
from .guard_report import GuardReport, SetReport
from .published import peers

COLUMNS = {
    "both": (
        *("f1", "recall", "fpr", "precision", "auroc", "average_precision"),
        *("recall_at_1pct_fpr", "recall_at_5pct_fpr", "ece"),
    ),
    "harmful": ("recall", "f1"),
    "harmless": ("fpr",),
}
"""What is shown of a set that has texts of these labels."""
GROUPS = ("prompts", "responses", "injection", "benign", "hate", "unknown")
_FIRST_LANGUAGES = ("en", "ja", "zh", "ko")


@dataclass(frozen=True)
class Cell:
    """A value as shown: text, interval, and a share for colouring."""

    text: str = "–"
    range: str = ""
    share: float | None = None
    low: float | None = None
    high: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class Reading:
    """One guard's value on a card."""

    guard: str
    colour: str
    cell: Cell
    unit: str = ""


@dataclass(frozen=True)
class Card:
    """A headline figure for every guard."""

    title: str
    hint: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Row:
    """One line of a table."""

    label: str
    cells: tuple[Cell, ...]
    guard: int = 0
    aside: str = ""
    first: bool = True
    span: int = 1
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SetTable:
    """Sets that measure the same thing and hold the same labels."""

    kind: str
    labels: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    published: bool


Words = dict[str, Any]


def percent(value: float) -> str:
    """82.4; 100 and 0 without a decimal; a minus sign, not a hyphen."""
    shown = f"{100 * value:.1f}"
    short = {"100.0": "100", "0.0": "0", "-0.0": "0"}.get(shown, shown)
    return short.replace("-", "\N{MINUS SIGN}")


def cell(m: Measurement | None, *, tone: str = "") -> Cell:
    """A share as per cent with its interval; times and rates with three digits."""
    if m is None or m.value is None:
        return Cell()
    share = not m.name.startswith(("latency", "texts", "thousand", "severity_kappa"))
    show = percent if share else _plain
    span = ""
    if m.low is not None and m.high is not None:
        span = f"{show(m.low)}{' … ' if m.low < 0 else '–'}{show(m.high)}"
    return Cell(
        text=show(m.value),
        range=span,
        share=m.value if share else None,
        low=m.low if share else None,
        high=m.high if share else None,
        tone=tone,
    )


def _plain(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def find(measurements: Sequence[Measurement], name: str, slice: str) -> Measurement | None:
    """The measurement of that name and slice."""
    return next((m for m in measurements if m.name == name and m.slice == slice), None)


def headline_cards(reports: Sequence[GuardReport], words: Words) -> list[Card]:
    """The headline figures that any of the guards has."""
    keys = dict.fromkeys((m.name, m.slice) for report in reports for m in report.headline)
    found = []
    for name, slice in keys:
        readings = []
        for number, report in enumerate(reports):
            m = next((h for h in report.headline if (h.name, h.slice) == (name, slice)), None)
            unit = words["ms"] if name.startswith("latency") else "" if name.startswith("texts") else "%"
            readings.append(Reading(report.guard.name, charts.guard_colour(number), cell(m), unit))
        lower = name.endswith("fpr") or name.startswith("latency")
        hint = words["lower"] if lower else words["higher"]
        if name.startswith("macro") and slice != "shipped":
            hint += " · " + words["mean_over" if name == "macro_f1" else "mean_sets"]
        found.append(Card(words[f"{name}.{slice}"], hint, tuple(readings)))
    return found


def set_names(reports: Sequence[GuardReport], kind: str | None = None) -> list[str]:
    """The sets of any report, in order, of one kind or all."""
    return list(
        dict.fromkeys(
            s.info.name for report in reports for s in report.sets if kind is None or s.info.measures == kind
        )
    )


def any_report(reports: Sequence[GuardReport], name: str) -> SetReport:
    """The first report on that set: for its title and counts."""
    return next(s for report in reports for s in report.sets if s.info.name == name)


def set_tables(reports: Sequence[GuardReport]) -> list[SetTable]:
    """One table for every kind of sets and the labels that they hold: a row a set and guard."""
    tables = []
    for kind in GROUPS:
        for labels in ("both", "harmful", "harmless"):
            names = [
                name for name in set_names(reports, kind) if _labels(any_report(reports, name)) == labels
            ]
            if names:
                tables.append(_set_table(reports, kind, labels, names))
    return tables


def _labels(one: SetReport) -> str:
    return "both" if one.positives and one.negatives else "harmful" if one.positives else "harmless"


def _set_table(reports: Sequence[GuardReport], kind: str, labels: str, names: Sequence[str]) -> SetTable:
    undecided = any(s.undecided for r in reports for name in names if (s := r.set(name)) is not None)
    columns = [*COLUMNS[labels], *(["undecided"] if undecided else [])]
    rows = []
    for name in names:
        shown = [(g, s) for g, r in enumerate(reports) if (s := r.set(name)) is not None]
        rows += [
            Row(
                label=one.info.title,
                cells=tuple(cell(one.get(column)) for column in columns),
                guard=g,
                first=place == 0,
                span=len(shown),
                facts={"set": one, "published": published_summary(name)},
            )
            for place, (g, one) in enumerate(shown)
        ]
    published = any(row.facts["published"] for row in rows)
    return SetTable(kind, labels, tuple(columns), tuple(rows), published)


def published_summary(name: str) -> dict[str, Any] | None:
    """Range of the published values of a set, for its table row."""
    metric = "fpr" if name == "xstest" else "f1"
    found = [p for p in peers(name, metric) if p.mode != "oracle"]
    if not found:
        return None
    low, high = min(p.value for p in found), max(p.value for p in found)
    return {
        "metric": metric,
        "low": percent(low),
        "high": percent(high),
        "best": found[0].label,
        "systems": len({p.system for p in found}),
    }


def language_rows(reports: Sequence[GuardReport], words: Words) -> tuple[list[str], list[Row]]:
    """Sets in several languages: one row a set and guard, one column a language."""
    rows_of: list[tuple[str, str, int, dict[str, Measurement]]] = []
    for name in set_names(reports):
        for g, report in enumerate(reports):
            one = report.set(name)
            found: dict[str, Measurement] = {}
            metric = ""
            for language in one.languages if one else ():
                assert one is not None
                for metric in ("f1", "fpr") if one.positives and one.negatives else ("recall", "fpr"):
                    m = one.get(metric, language=language)
                    if m is not None and m.value is not None:
                        found[language] = m
                        break
            if len(found) > 1 and one is not None:
                kinds = dict.fromkeys(m.name for m in found.values())
                rows_of.append((one.info.title, " / ".join(words[kind] for kind in kinds), g, found))
    for g, report in enumerate(reports):
        if report.shipped is not None:
            for metric, label in (("macro_f1", words["macro_f1.shipped"]), ("fpr", words["fpr.shipped"])):
                found = {
                    m.slice.partition("language=")[2]: m
                    for m in report.shipped.measurements
                    if m.name == metric and "/language=" in m.slice and m.value is not None
                }
                if found:
                    rows_of.append((words["shipped_set"], label, g, found))
    seen = {language for *_, found in rows_of for language in found}
    languages = [lang for lang in _FIRST_LANGUAGES if lang in seen] + sorted(seen - set(_FIRST_LANGUAGES))
    rows = [
        Row(
            label=title,
            aside=aside,
            guard=g,
            cells=tuple(
                cell(found.get(lang), tone="bad" if found[lang].name == "fpr" else "good")
                if lang in found
                else Cell()
                for lang in languages
            ),
        )
        for title, aside, g, found in rows_of
    ]
    return languages, rows


def rule_rows(report: GuardReport) -> tuple[list[str], list[Row]]:
    """The shipped set rule by rule: counts found and near misses flagged, all and per language."""
    if report.shipped is None:
        return [], []
    cases = report.shipped.cases
    languages = list(dict.fromkeys(case.language for case in cases))
    rows = []
    for rule in dict.fromkeys(case.rule for case in cases):
        mine = [case for case in cases if case.rule == rule]
        bad = [case for case in mine if case.kind == "violating"]
        near = [case for case in mine if case.kind == "near_miss"]
        cells = [
            _count([case.named for case in bad], "good"),
            _count([case.acted for case in bad], "good"),
            *(_count([c.named for c in bad if c.language == lang], "good") for lang in languages),
            _count([case.acted or case.undecided for case in near], "bad"),
            *(
                _count([c.acted or c.undecided for c in near if c.language == lang], "bad")
                for lang in languages
            ),
        ]
        rows.append(Row(label=rule, cells=tuple(cells)))
    return languages, rows


def _count(hits: Sequence[bool], tone: str) -> Cell:
    if not hits:
        return Cell()
    return Cell(text=f"{sum(hits)}/{len(hits)}", share=sum(hits) / len(hits), tone=tone)


def surface_rows(report: GuardReport, words: Words) -> list[Row]:
    """The shipped set by surface: recall, recall by any rule, false alarms."""
    if report.shipped is None:
        return []
    slices = dict.fromkeys(
        m.slice for m in report.shipped.measurements if "=" not in m.slice or "/surface=" in m.slice
    )
    rows = []
    for slice in slices:
        name = slice.partition("=")[2]
        figures = [
            find(report.shipped.measurements, metric, slice) for metric in ("recall", "recall_any", "fpr")
        ]
        rows.append(
            Row(label=words.get(name, name) if name else words["all"], cells=tuple(map(cell, figures)))
        )
    return rows


def said(m: Measurement) -> str:
    """A value with its interval, for a sentence."""
    shown = cell(m)
    return f"{shown.text} ({shown.range})" if shown.range else shown.text


def glance(report: GuardReport, words: Words) -> list[tuple[str, str]]:
    """What stands out, in a few lines."""
    found: list[tuple[str, str]] = []
    both = [
        (m, s.info.title)
        for s in report.sets
        if s.info.measures in ("prompts", "responses", "injection") and s.positives and s.negatives
        if (m := s.get("f1")) is not None and m.value is not None
    ]
    if both:
        best, worst = max(both, key=lambda p: p[0].value or 0), min(both, key=lambda p: p[0].value or 0)
        found += [
            (words["glance.best_set"], f"{best[1]}: {said(best[0])}"),
            (words["glance.worst_set"], f"{worst[1]}: {said(worst[0])}"),
        ]
    benign = [(m, s.info.title) for s in report.sets if not s.positives and (m := s.get("fpr")) is not None]
    if benign:
        most = max(benign, key=lambda p: p[0].value or 0)
        found.append((words["glance.worst_benign"], f"{most[1]}: {said(most[0])}\N{NO-BREAK SPACE}%"))
    if report.shipped is not None:
        for metric, key in (("recall", "glance.weak_rules"), ("fpr", "glance.over_rules")):
            rules = [
                (m.value, m.slice.partition("rule=")[2])
                for m in report.shipped.measurements
                if m.name == metric and "/rule=" in m.slice and m.value is not None
            ]
            rules.sort(key=lambda pair: (pair[0] if metric == "recall" else -pair[0], pair[1]))
            if rules:
                found.append(
                    (
                        words[key],
                        ", ".join(f"{rule} {percent(value)}\N{NO-BREAK SPACE}%" for value, rule in rules[:3]),
                    )
                )
        languages = [
            m
            for m in report.shipped.measurements
            if m.name == "macro_f1" and "/language=" in m.slice and m.value is not None
        ]
        if languages:
            weak = min(languages, key=lambda m: m.value or 0)
            found.append((words["glance.language"], f"{weak.slice.partition('language=')[2]}: {said(weak)}"))
    return found
