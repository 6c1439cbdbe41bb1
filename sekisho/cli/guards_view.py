"""What a person sees of guards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sekisho.core import Policy

from .shown import printable
from .terminal import Terminal

COVERS = {"covered": "green", "stale": "yellow", "uncovered": "red"}


def guards_table(entries: Iterable[dict[str, Any]], policy: Policy, terminal: Terminal) -> Table:
    """One guard a row."""
    words = terminal.words
    table = Table(box=SIMPLE_HEAD, caption=words("guards.caption", policy=policy.id, n=len(policy.rules)))
    table.caption_justify = "left"
    table.add_column(words("guards.name"), no_wrap=True)
    for cover in COVERS:
        table.add_column(words(f"guards.{cover}"), justify="right", no_wrap=True)
    table.add_column(words("guards.size"), justify="right", no_wrap=True)
    table.add_column(words("guards.needs"), ratio=1, overflow="fold")
    for entry in entries:
        counts = entry["coverage"] or {}
        cells = [
            Text(str(counts[cover]) if counts else "–", style=COVERS[cover] if counts.get(cover) else "dim")
            for cover in COVERS
        ]
        needs = words("guards.nothing") if entry["ready"] else printable(entry["needs"])
        style = "" if entry["ready"] else "yellow"
        table.add_row(
            Text(entry["name"], style="bold"), *cells, megabytes(entry["bytes"]), Text(needs, style=style)
        )
    return table


def show_guard(facts: dict[str, Any], policy: Policy, terminal: Terminal) -> None:
    """Coverage rule by rule, and the cards of the weights."""
    words, out = terminal.words, terminal.out
    out.print(Text.assemble((facts["name"], "bold"), f"  {megabytes(facts['bytes'])}"))
    for card in facts["weights"]:
        rows = sum(source["rows"] for source in card["data"])
        line = words(
            "guards.card",
            name=card["name"],
            version=card["version"],
            trained=card["trained"],
            policy=card["policy_id"] or "–",
            digest=(card["policy_digest"] or "–").removeprefix("sha256:")[:8],
            rows=f"{rows:,}",
            sets=len(card["data"]),
            languages=" ".join(card["languages"]),
        )
        out.print(Text(printable(line), style="dim"))
    table = Table(box=SIMPLE_HEAD)
    table.add_column(words("policy.rule"), ratio=1, overflow="fold")
    table.add_column(words("guards.cover"), no_wrap=True)
    table.add_column(words("guards.reason"), ratio=1)
    for entry in facts["rules"]:
        name = Text.assemble(printable(policy.rule(entry["rule"]).title), (f"  {entry['rule']}", "dim"))
        cover = Text(words(f"guards.{entry['cover']}"), style=COVERS[entry["cover"]])
        table.add_row(name, cover, Text(printable(entry["reason"]), style="dim"))
    out.print(table)


def detectors_table(specs: Iterable[Any], terminal: Terminal) -> Table:
    """Name and what it finds."""
    words = terminal.words
    table = Table(box=SIMPLE_HEAD)
    table.add_column(words("guards.detector"), no_wrap=True)
    table.add_column(words("guards.finds"))
    for spec in specs:
        key = f"detector.{spec.name}"
        table.add_row(Text(spec.name, style="bold"), words(key) if words.has(key) else printable(spec.title))
    return table


def megabytes(size: int | None) -> str:
    """Decimal megabytes."""
    return "–" if size is None else f"{size / 1e6:.1f} MB"
