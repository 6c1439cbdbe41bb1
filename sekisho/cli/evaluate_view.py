"""What a person sees of measurements: every figure with its interval and n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from .terminal import Terminal

if TYPE_CHECKING:
    from sekisho.core import Measurement
    from sekisho.evals import GuardReport


def headline_table(reports: Sequence[GuardReport], terminal: Terminal) -> Table:
    """The few figures to show first, guard by guard."""
    words = terminal.words
    table = Table(box=SIMPLE_HEAD)
    table.add_column(words("eval.guard"), no_wrap=True)
    table.add_column(words("eval.figure"), ratio=1)
    table.add_column(words("eval.value"), justify="right", no_wrap=True)
    table.add_column(words("eval.interval"), no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    for report in reports:
        for place, figure in enumerate(report.headline):
            name = Text(report.guard.name if not place else "", style="bold")
            table.add_row(name, figure_name(figure, terminal), *figure_cells(figure))
    return table


def figure_name(figure: Measurement, terminal: Terminal) -> str:
    """The name in words, where the catalogue has it, with the slice."""
    words = terminal.words
    name, where = f"eval.{figure.name}", f"eval.slice.{figure.slice}"
    named = words(name) if words.has(name) else figure.name
    return f"{named} · {words(where) if words.has(where) else figure.slice}"


def figure_cells(figure: Measurement) -> tuple[str, str, str]:
    """Value, interval, n."""
    if figure.value is None:
        return "–", "", f"{figure.n:,}"
    share = 0 <= figure.value <= 1 and not figure.name.startswith(("latency", "texts", "tokens"))

    def written(value: float) -> str:
        return f"{value:.1%}" if share else f"{value:,.1f}"

    between = (
        "" if figure.low is None or figure.high is None else f"{written(figure.low)} – {written(figure.high)}"
    )
    return written(figure.value), between, f"{figure.n:,}"
