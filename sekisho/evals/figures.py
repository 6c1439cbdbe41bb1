"""Measurements as drawn charts, each with a title and a description in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sekisho.core import Measurement

from . import charts
from .curves import Curve
from .guard_report import GuardReport, SetReport
from .published import ENGLISH_PROMPTS, Published, comparable_average, peers
from .view import Words, any_report, find, percent, said, set_names


@dataclass(frozen=True)
class Figure:
    """A drawn chart with its words."""

    title: str
    svg: str
    alt: str
    aside: str = ""


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
    """The mean over the English requests held here, each published system at one setting throughout."""
    means = [(r.guard.name, find(r.averages, "macro_f1", "english_prompts")) for r in reports]
    ours = [(name, mean) for name, mean in means if mean is not None]
    if not ours:
        return None
    others = comparable_average(ENGLISH_PROMPTS, "f1")
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
    own = "; ".join(f"{name} {said(m)}" for name, m in ours)
    alt = (
        f"{title}, {words[metric]} %: {own}. {words['published']}: {percent(ranked[0].value)} "
        f"({ranked[0].label}) – {percent(ranked[-1].value)} ({ranked[-1].label})."
    )
    systems = len({p.system for p in published})
    return Figure(title, svg, alt, f"{words[metric]} · {systems} {words['systems']}")


def _row_name(p: Published, words: Words) -> str:
    return f"{p.system} *" if p.grade == "S" else p.system


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
        f"{title}: " + ", ".join(said(m) for m in found if m is not None) for title, found in rows
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
        areas = ", ".join(f"{n} {said(m)}" for _, n, s in present if s and (m := s.get("auroc")))
        means = ", ".join(f"{n} {said(m)}" for _, n, s in present if s and (m := s.get("average_precision")))
        errors = ", ".join(f"{n} {said(m)}" for _, n, s in present if s and (m := s.get("ece")))
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
                    words["scores"] if len(found) > 2 else title,
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
    alt = "; ".join(f"{title} " + ", ".join(said(m) for m in found if m is not None) for title, found in rows)
    return Figure(words["recall"], svg, f"{words['evasion']}: {alt}.")
