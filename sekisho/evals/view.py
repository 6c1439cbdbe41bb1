"""From measurements to what the report page shows: cells, rows and drawn charts. No layout here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sekisho.core import Measurement

from . import charts
from .curves import Curve
from .guard_report import GuardReport, SetReport
from .published import Published, comparable_average, peers

COLUMNS = (
    "f1",
    "recall",
    "fpr",
    "precision",
    "auroc",
    "average_precision",
    "recall_at_1pct_fpr",
    "recall_at_5pct_fpr",
    "ece",
    "undecided",
)
GROUPS = ("prompts", "responses", "injection", "benign", "hate", "unknown")
HELD_ENGLISH = ("toxicchat_test", "openai_moderation", "simplesafetytests", "harmbench_prompt")
_FIRST_LANGUAGES = ("en", "ja", "zh", "ko")


@dataclass(frozen=True)
class Figure:
    """A drawn chart with its words."""

    title: str
    svg: str
    alt: str
    aside: str = ""


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


Words = dict[str, Any]


def percent(value: float) -> str:
    """82.4; 100 without a decimal."""
    shown = f"{100 * value:.1f}"
    return "100" if shown == "100.0" else "0" if shown == "0.0" else shown


def cell(m: Measurement | None, *, tone: str = "") -> Cell:
    """A share as per cent with its interval; times and rates with three digits."""
    if m is None or m.value is None:
        return Cell()
    share = not m.name.startswith(("latency", "texts", "thousand", "severity_kappa"))
    show = percent if share else _plain
    span = "" if m.low is None or m.high is None else f"{show(m.low)}–{show(m.high)}"
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


def set_rows(reports: Sequence[GuardReport], kind: str) -> tuple[list[str], list[Row]]:
    """Columns and rows of the table of one kind of sets: a row a set and guard."""
    names = set_names(reports, kind)
    columns = ["fpr", "undecided"] if kind == "benign" else list(COLUMNS)
    rows = []
    for name in names:
        present = [(g, r.set(name)) for g, r in enumerate(reports)]
        shown = [(g, s) for g, s in present if s is not None]
        for place, (g, one) in enumerate(shown):
            rows.append(
                Row(
                    label=one.info.title,
                    cells=tuple(cell(one.get(column)) for column in columns),
                    guard=g,
                    first=place == 0,
                    span=len(shown),
                    facts={"set": one, "published": published_summary(name)},
                )
            )
    return columns, rows


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


def comparison_figures(reports: Sequence[GuardReport], words: Words) -> list[Figure]:
    """A forest plot for every set with published figures, and one for the mean of the four held here."""
    found = []
    for name in set_names(reports):
        for metric in ("f1", "fpr"):
            published = [p for p in peers(name, metric) if p.mode != "oracle"]
            ours = [(r.guard.name, s.get(metric)) for r in reports if (s := r.set(name)) is not None]
            drawn = [(n, m) for n, m in ours if m is not None and m.value is not None]
            if published and drawn:
                title = any_report(reports, name).info.title
                found.append(_forest(title, metric, drawn, published, key=f"f-{name}-{metric}", words=words))
    average = _average_figure(reports, words)
    return found if average is None else [average, *found]


def _average_figure(reports: Sequence[GuardReport], words: Words) -> Figure | None:
    ours = []
    for report in reports:
        values = [s.get("f1") for name in HELD_ENGLISH if (s := report.set(name)) is not None]
        known = [m.value for m in values if m is not None and m.value is not None]
        if len(known) == len(HELD_ENGLISH):
            mean = Measurement(
                name="f1", subject=report.guard.name, value=sum(known) / len(known), n=len(known)
            )
            ours.append((report.guard.name, mean))
    if not ours:
        return None
    others = []
    for label, value in comparable_average(HELD_ENGLISH, "f1").items():
        system, _, mode = label.removesuffix(")").partition(" (")
        others.append(
            Published.model_validate(
                {
                    "set": "",
                    "metric": "f1",
                    "system": system,
                    "value": value,
                    "source": "",
                    "grade": "P",
                    "mode": mode,
                }
            )
        )
    return _forest(words["compare.average"], "f1", ours, others, key="f-average", words=words)


def _forest(
    title: str,
    metric: str,
    ours: Sequence[tuple[str, Measurement]],
    published: Sequence[Published],
    *,
    key: str,
    words: Words,
) -> Figure:
    svg = charts.forest(
        [(name, m.value or 0.0, m.low, m.high) for name, m in ours],
        [(_row_name(p, words), p.protocol or p.mode, p.value) for p in published],
        key=key,
        axis=f"{words[metric]}, %",
        lowest_first=metric == "fpr",
    )
    ranked = sorted(published, key=lambda p: p.value)
    own = "; ".join(f"{name} {_said(m)}" for name, m in ours)
    alt = (
        f"{title}, {words[metric]} %: {own}. {words['published']}: {percent(ranked[0].value)} "
        f"({ranked[0].label}) – {percent(ranked[-1].value)} ({ranked[-1].label})."
    )
    systems = len({p.system for p in published})
    return Figure(title, svg, alt, f"{words[metric]} · {systems} {words['systems']}")


def _row_name(p: Published, words: Words) -> str:
    return f"{p.system} *" if p.grade == "S" else p.system


def _said(m: Measurement) -> str:
    shown = cell(m)
    return f"{shown.text} ({shown.range})" if shown.range else shown.text


def over_flagging(reports: Sequence[GuardReport], words: Words, *, budget: float | None) -> Figure | None:
    """False alarms on every set that has harmless texts worth a look."""
    names = [
        name
        for name in set_names(reports)
        if any_report(reports, name).info.measures == "benign" or name in ("xstest", "jailbreakbench")
    ]
    rows = []
    for name in names:
        found = [(s.get("fpr") if (s := r.set(name)) else None) for r in reports]
        if any(m is not None and m.value is not None for m in found):
            rows.append((any_report(reports, name).info.title, found))
    if not rows:
        return None
    rows.sort(key=lambda row: -max((m.value or 0.0) for m in row[1] if m is not None))
    svg = charts.rates(
        [(title, [_triple(m) for m in found]) for title, found in rows],
        key="over",
        axis=f"{words['fpr']}, %",
        reference=budget,
    )
    alt = "; ".join(
        f"{title}: " + ", ".join(_said(m) for m in found if m is not None) for title, found in rows
    )
    return Figure(words["fpr"], svg, f"{words['fpr']} %: {alt}.", words["lower"])


def _triple(m: Measurement | None) -> tuple[float, float | None, float | None] | None:
    return None if m is None or m.value is None else (m.value, m.low, m.high)


def detail_figures(reports: Sequence[GuardReport], name: str, words: Words) -> list[Figure]:
    """Score histograms of a set, and its curves where it has both classes."""
    present = [(g, r.guard.name, r.set(name)) for g, r in enumerate(reports)]
    have = [s for _, _, s in present]
    title = any_report(reports, name).info.title
    found = []
    if any(s is not None and s.curves is not None for s in have):
        roc: list[Curve | None] = [s.curves.roc if s is not None and s.curves else None for s in have]
        pr: list[Curve | None] = [
            s.curves.precision_recall if s is not None and s.curves else None for s in have
        ]
        areas = ", ".join(f"{n} {_said(m)}" for _, n, s in present if s and (m := s.get("auroc")))
        means = ", ".join(f"{n} {_said(m)}" for _, n, s in present if s and (m := s.get("average_precision")))
        errors = ", ".join(f"{n} {_said(m)}" for _, n, s in present if s and (m := s.get("ece")))
        found = [
            Figure(
                words["roc"],
                charts.lines(
                    roc,
                    key=f"r-{name}",
                    x_title=words["false_alarm_rate"],
                    y_title=words["recall"],
                    diagonal=True,
                ),
                f"{words['roc']}, {title}. AUROC %: {areas}.",
            ),
            Figure(
                words["pr"],
                charts.lines(pr, key=f"p-{name}", x_title=words["recall"], y_title=words["precision"]),
                f"{words['pr']}, {title}. {words['average_precision']} %: {means}.",
            ),
            Figure(
                words["reliability"],
                charts.reliability_plot(
                    [s.reliability if s else () for s in have], key=f"c-{name}", words=words
                ),
                f"{words['reliability']}, {title}. {words['ece']} %: {errors}.",
            ),
        ]
    for g, guard, one in present:
        if one is not None and one.histogram is not None:
            found.append(
                Figure(
                    words["scores"],
                    charts.score_histogram(one.histogram, key=f"h{g}-{name}", words=words),
                    _histogram_alt(one, guard, words),
                    f"{guard} · {words['histogram_legend']}",
                )
            )
    return found


def _histogram_alt(one: SetReport, guard: str, words: Words) -> str:
    histogram = one.histogram
    if histogram is None:
        return ""
    half = len(histogram.violating) // 2
    high_bad, bad = sum(histogram.violating[half:]), sum(histogram.violating)
    high_good, good = sum(histogram.harmless[half:]), sum(histogram.harmless)
    return (
        f"{words['scores']}, {one.info.title}, {guard}. {words['score']} ≥ 0.5: "
        f"{words['positives']} {high_bad}/{bad}, {words['negatives']} {high_good}/{good}."
    )


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
                    rows_of.append((words["shipped"], label, g, found))
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
        missed = [case.id for case in bad if not case.named]
        wrong = [case.id for case in near if case.acted or case.undecided]
        rows.append(Row(label=rule, cells=tuple(cells), facts={"missed": missed, "wrong": wrong}))
    return languages, rows


def _count(hits: Sequence[bool], tone: str) -> Cell:
    if not hits:
        return Cell()
    return Cell(text=f"{sum(hits)}/{len(hits)}", share=sum(hits) / len(hits), tone=tone)


def surface_rows(report: GuardReport, words: Words) -> list[Row]:
    """The shipped set by surface and by language: recall, recall by any rule, false alarms."""
    if report.shipped is None:
        return []
    slices = dict.fromkeys(m.slice for m in report.shipped.measurements if "/rule=" not in m.slice)
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


def evasion_figure(reports: Sequence[GuardReport], words: Words) -> Figure | None:
    """Recall plain and under every disguise."""
    names = list(dict.fromkeys(m.slice for r in reports for m in r.evasion if m.name == "recall"))
    if not names:
        return None
    rows = [
        (
            words["plain"] if name == "plain" else name.partition("=")[2],
            [find(r.evasion, "recall", name) for r in reports],
        )
        for name in names
    ]
    svg = charts.rates(
        [(title, [_triple(m) for m in found]) for title, found in rows],
        key="evasion",
        axis=f"{words['recall']}, %",
    )
    alt = "; ".join(
        f"{title} " + ", ".join(_said(m) for m in found if m is not None) for title, found in rows
    )
    return Figure(words["recall"], svg, f"{words['evasion']}: {alt}.")


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
            (words["glance.best_set"], f"{best[1]}: {_said(best[0])}"),
            (words["glance.worst_set"], f"{worst[1]}: {_said(worst[0])}"),
        ]
    benign = [(m, s.info.title) for s in report.sets if not s.positives and (m := s.get("fpr")) is not None]
    if benign:
        most = max(benign, key=lambda p: p[0].value or 0)
        found.append((words["glance.worst_benign"], f"{most[1]}: {_said(most[0])} %"))
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
                    (words[key], ", ".join(f"{rule} {percent(value)} %" for value, rule in rules[:3]))
                )
        languages = [
            m
            for m in report.shipped.measurements
            if m.name == "macro_f1" and "/language=" in m.slice and m.value is not None
        ]
        if languages:
            weak = min(languages, key=lambda m: m.value or 0)
            found.append((words["glance.language"], f"{weak.slice.partition('language=')[2]}: {_said(weak)}"))
    return found
