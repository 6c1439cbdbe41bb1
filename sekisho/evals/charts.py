"""Charts as inline SVG: Altair describes them, vl-convert draws them, the page's style sheet colours them.

Colours are CSS variables, so that one drawing serves light and dark. Every chart is as wide as a phone
and is laid out in a grid on wider screens, so that its text stays readable on both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .calibration import ReliabilityBin
from .curves import Curve, Histogram
from .extra import need

WIDTH = 340
INK, SOFT, GRID = "var(--ink)", "var(--soft)", "var(--grid)"
GUARDS = ("var(--g1)", "var(--g2)", "var(--g3)", "var(--g4)")
Words = Mapping[str, str]


def guard_colour(number: int) -> str:
    """The colour of the n-th guard, from 0; after four they repeat."""
    return GUARDS[number % len(GUARDS)]


def forest(
    ours: Sequence[tuple[str, float, float | None, float | None]],
    others: Sequence[tuple[str, str, float]],
    *,
    key: str,
    axis: str,
    lowest_first: bool = False,
) -> str:
    """Our values with intervals among published ones.

    ours: (name, value, low, high); others: (name, mode, value), a name once a row, its modes as marks:
    circle for strict or only, open circle for loose, diamond for another protocol. Shares, 0 to 1.
    """
    alt = need("altair")
    best: dict[str, float] = {}
    for name, _, value in others:
        best[name] = max(value, best.get(name, 0.0))
    for name, value, _, _ in ours:
        best[name] = value
    order = sorted(best, key=lambda name: best[name], reverse=not lowest_first)
    mine = [name for name, *_ in ours]
    rows = [{"name": name, **_whisker(value, low, high)} for name, value, low, high in ours]
    peers = [{"name": n, "mode": mode, "value": 100 * v} for n, mode, v in others]
    shares = [value for *_, value in others]
    shares += [end for _, value, low, high in ours for end in (value, low, high) if end is not None]
    start, end = _rounded_range(shares)
    colours = alt.Color(
        "name:N",
        scale=alt.Scale(domain=mine, range=[guard_colour(i) for i in range(len(mine))]),
        legend=None,
    )
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        axis=alt.Axis(
            labelLimit=150,
            ticks=False,
            domain=False,
            grid=False,
            minExtent=_room(order),
            labelColor=_each(mine, [guard_colour(i) for i in range(len(mine))], SOFT),
            labelFontWeight=_each(mine, ["bold"] * len(mine), "normal"),
        ),
        scale=alt.Scale(domain=order),
    )
    ticks = alt.Axis(values=list(range(int(start), int(end) + 1, 20 if end - start > 50 else 10)))
    x = alt.X("value:Q", title=axis, scale=alt.Scale(domain=[start, end], clamp=True), axis=ticks)
    published = (
        alt.Chart(alt.Data(values=peers))
        .mark_point(size=34, stroke="var(--peer)", strokeWidth=1.6)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "mode:N",
                scale=alt.Scale(
                    domain=["", "strict", "loose", "any-guardrail"],
                    range=["circle", "circle", "circle", "diamond"],
                ),
                legend=None,
            ),
            fill=alt.condition("datum.mode == 'loose'", alt.value("var(--paper)"), alt.value("var(--peer)")),
        )
    )
    source = alt.Data(values=rows)
    whiskers = (
        alt.Chart(source)
        .mark_rule(strokeWidth=5, strokeCap="round", opacity=0.35)
        .encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colours)
    )
    points = alt.Chart(source).mark_point(size=75, filled=True, opacity=1).encode(x=x, y=y, color=colours)
    return _svg(alt.layer(published, whiskers, points), key, height=16 * len(order) + 44)


def rates(
    rows: Sequence[tuple[str, Sequence[tuple[float, float | None, float | None] | None]]],
    *,
    key: str,
    axis: str,
    reference: float | None = None,
) -> str:
    """One line a row with a point and an interval for every guard: (name, one (value, low, high) a guard)."""
    alt = need("altair")
    guards = max((len(found) for _, found in rows), default=0)
    values = [
        {"name": name, "guard": str(g), **_whisker(*v)}
        for name, found in rows
        for g, v in enumerate(found)
        if v is not None
    ]
    order = [name for name, _ in rows]
    y = alt.Y(
        "name:N",
        sort=order,
        title=None,
        scale=alt.Scale(domain=order),
        axis=alt.Axis(
            labelLimit=150, minExtent=_room(order), ticks=False, domain=False, grid=True, labelColor=SOFT
        ),
    )
    offset = {"yOffset": alt.YOffset("guard:N")} if guards > 1 else {}
    colour = alt.Color(
        "guard:N",
        scale=alt.Scale(
            domain=[str(g) for g in range(guards)], range=[guard_colour(g) for g in range(guards)]
        ),
        legend=None,
    )
    top = max((end for _, found in rows for v in found if v for end in v if end is not None), default=0.01)
    end = min(100.0, max(5.0, 105 * top))
    x = alt.X("value:Q", title=axis, scale=alt.Scale(domain=[0, end], nice=True))
    source = alt.Data(values=values)
    whiskers = (
        alt.Chart(source)
        .mark_rule(strokeWidth=4, strokeCap="round", opacity=0.35)
        .encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour, **offset)
    )
    points = (
        alt.Chart(source).mark_point(size=60, filled=True, opacity=1).encode(x=x, y=y, color=colour, **offset)
    )
    layers = [whiskers, points]
    if reference is not None:
        layers.insert(0, _line(alt, 100 * reference))
    return _svg(alt.layer(*layers), key, height=(14 + 9 * guards) * len(order) + 44)


def lines(
    found: Sequence[Curve | None], *, key: str, x_title: str, y_title: str, diagonal: bool = False
) -> str:
    """One curve a guard over the unit square."""
    alt = need("altair")
    values = [
        {"x": x, "y": y, "guard": str(g), "at": place}
        for g, curve in enumerate(found)
        if curve is not None
        for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
    ]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_line(strokeWidth=2, interpolate="linear")
        .encode(
            x=_unit(alt.X, "x:Q", x_title),
            y=_unit(alt.Y, "y:Q", y_title),
            order=alt.Order("at:Q"),
            color=_by_guard(alt, len(found)),
        )
    )
    layers = [_diagonal(alt), chart] if diagonal else [chart]
    return _svg(alt.layer(*layers), key, height=250)


def score_histogram(histogram: Histogram, *, key: str, words: Words) -> str:
    """Scores of violating texts upwards, of harmless ones downwards, in 20 bins."""
    alt = need("altair")
    bins = len(histogram.violating)
    values = []
    for sign, kind, counts in ((1, "violating", histogram.violating), (-1, "harmless", histogram.harmless)):
        total = sum(counts)
        values += [
            {"from": b / bins, "to": (b + 1) / bins, "zero": 0, "share": sign * 100 * n / total, "kind": kind}
            for b, n in enumerate(counts)
            if n
        ]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_rect(stroke="var(--paper)", strokeWidth=0.6)
        .encode(
            x=alt.X("from:Q", title=words["score"], scale=alt.Scale(domain=[0, 1])),
            x2="to:Q",
            y=alt.Y("share:Q", title=words["share_of_class"], axis=alt.Axis(labelExpr="abs(datum.value)")),
            y2="zero:Q",
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["violating", "harmless"], range=["var(--bad)", "var(--good)"]),
                legend=None,
            ),
        )
    )
    return _svg(chart, key, height=190)


def reliability_plot(found: Sequence[Sequence[ReliabilityBin]], *, key: str, words: Words) -> str:
    """Share of violations against mean score; the larger a point, the more texts stand behind it."""
    alt = need("altair")
    values = [
        {"x": b.score, "y": b.violating, "n": b.n, "guard": str(g), "at": i}
        for g, bins in enumerate(found)
        for i, b in enumerate(bins)
        if b.n
    ]
    shape = alt.Chart(alt.Data(values=values)).encode(
        x=_unit(alt.X, "x:Q", words["mean_score"]),
        y=_unit(alt.Y, "y:Q", words["share_violating"]),
        color=_by_guard(alt, len(found)),
    )
    drawn = shape.mark_line(strokeWidth=1.5, opacity=0.6).encode(order=alt.Order("at:Q"))
    sized = shape.mark_point(filled=True, opacity=0.9).encode(
        size=alt.Size("n:Q", scale=alt.Scale(type="sqrt", range=[15, 220]), legend=None)
    )
    return _svg(alt.layer(_diagonal(alt), drawn, sized), key, height=250)


def _whisker(value: float, low: float | None, high: float | None) -> dict[str, float]:
    """A value and its interval in per cent; without an interval its ends are the value."""
    return {
        "value": 100 * value,
        "low": 100 * (value if low is None else low),
        "high": 100 * (value if high is None else high),
    }


def _rounded_range(shares: Sequence[float]) -> tuple[float, float]:
    """An axis in per cent that holds all shares, in steps of twenty."""
    low, high = 100 * min(shares, default=0.0), 100 * max(shares, default=1.0)
    return max(0.0, 20 * ((low - 2) // 20)), min(100.0, 20 * ((high + 20) // 20))


def _unit(channel: Any, field: str, title: str) -> Any:
    return channel(field, title=title, scale=need("altair").Scale(domain=[0, 1], clamp=True))


def _by_guard(alt: Any, guards: int) -> Any:
    scale = alt.Scale(domain=[str(g) for g in range(guards)], range=[guard_colour(g) for g in range(guards)])
    return alt.Color("guard:N", scale=scale, legend=None)


def _diagonal(alt: Any) -> Any:
    ends = alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    return alt.Chart(ends).mark_line(stroke=SOFT, strokeDash=[3, 4], strokeWidth=1).encode(x="x:Q", y="y:Q")


def _line(alt: Any, at: float) -> Any:
    place = alt.Data(values=[{"at": at}])
    return alt.Chart(place).mark_rule(stroke=SOFT, strokeDash=[3, 4], strokeWidth=1).encode(x="at:Q")


def _each(names: Sequence[str], values: Sequence[str], otherwise: str) -> dict[str, Any]:
    """A label's property by the label: JSON's strings are also those of Vega's expressions."""
    tests = [
        {"test": f"datum.value == {json.dumps(name)}", "value": value}
        for name, value in zip(names, values, strict=True)
    ]
    return {"condition": tests, "value": otherwise}


def _room(labels: Sequence[str]) -> int:
    """Pixels that the longest label needs in the reader's fonts, which are not the drawing library's."""
    longest = max((sum(2 if ord(c) > 0x2FFF else 1 for c in label) for label in labels), default=0)
    return min(165, 10 + round(6.5 * longest))


def _svg(chart: Any, key: str, *, height: int) -> str:
    """Drawn, without a size of its own, and with ids that are unique on the page."""
    spec = (
        chart.properties(width=WIDTH, height=height, autosize={"type": "fit", "contains": "padding"})
        .configure(background="transparent", padding=2, font="sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=SOFT,
            titleColor=INK,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            tickCount=5,
        )
        # Altair checks every part when it is made; checking the whole again takes longer than drawing.
        .to_dict(validate=False)
    )
    drawn: str = need("vl_convert").vegalite_to_svg(spec)
    drawn = re.sub(r' (?:aria-[a-z]+|role|pointer-events)="[^"]*"', "", drawn)
    drawn = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{key}-", drawn)
    # Ends like 12.300000000000001 are of no use to anybody and make up a third of the page.
    drawn = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), drawn)
    return re.sub(
        r'<svg ([^>]*?)width="[\d.]+" height="[\d.]+"',
        r'<svg \1aria-hidden="true" focusable="false"',
        drawn,
        count=1,
    )
