"""What a person sees of `sekisho check`: a panel for one record, tables for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sekisho.core import Decision, Policy, RuleScore, Span, Status, UnknownName

from .outcome import Outcome, Totals
from .run import sentences, worded
from .shown import STYLES, decided, folded, printable, short

if TYPE_CHECKING:
    from .terminal import Terminal

KEPT = 50
"""Violations and faults that are listed; all are counted."""
AROUND = 40
"""Characters shown on both sides of a passage."""


class Results:
    """Collects outcomes, in bounded memory, and shows them at the end."""

    def __init__(self, terminal: Terminal, policy: Policy, *, redact: bool, explain: bool) -> None:
        self._terminal = terminal
        self._words = terminal.words
        self._policy = policy
        self._redact = redact
        self._explain = explain
        self._first: Outcome | None = None
        self._violations: list[Outcome] = []
        self._faults: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        self._first = self._first or outcome
        kept = self._violations if outcome.violations else self._faults if outcome.verdict is None else None
        if kept is not None and len(kept) < KEPT:
            kept.append(outcome)

    def show(self, totals: Totals, *, guard: str) -> None:
        """One panel for one record, else tables."""
        if totals.records == 1 and self._first is not None:
            self._terminal.out.print(self._panel(self._first))
            self._show_passages(self._first, reasons=False)
        elif totals.records:
            self._show_many(totals)

    def title(self, rule_id: str) -> str:
        """The rule's title in the language of the terminal."""
        try:
            return printable(self._policy.rule(rule_id).title)
        except UnknownName:
            return rule_id

    def _panel(self, outcome: Outcome) -> Panel:
        words, verdict = self._words, outcome.verdict
        head = decided(outcome, words)
        if outcome.violations and verdict is not None:
            head.append(f"   {words('check.severity', n=verdict.severity)}", style="default")
            if verdict.score is not None:
                head.append(f"   {words('check.score', score=f'{verdict.score:.2f}')}", style="default")
        body: list[RenderableType] = []
        fault = outcome.record.fault
        if fault is not None:
            what, remedy = worded(fault, words)
            body.append(self._line(sentences("", what, remedy, words=words)))
            body.append(
                self._line(
                    words("check.undecided.error", decision=words(f"decision.{outcome.decision.value}")),
                    style="yellow",
                )
            )
        elif outcome.violations:
            body.append(self._rules(outcome.violations))
        elif outcome.undecided:
            key = "check.no_violation.partly" if _judged(outcome) else "check.nothing_judged"
            if verdict is not None and not verdict.rules:
                key = "check.nothing_applies"
            body.append(self._line(words(key, n=_judged(outcome))))
        else:
            body.append(Text(words("check.no_violation", n=_judged(outcome))))
        if verdict is not None:
            if verdict.undecided:
                left = verdict.undecided
                decision = Decision.highest(rule.decision for rule in left)
                line = words(
                    "check.undecided.rules", n=len(left), decision=words(f"decision.{decision.value}")
                )
                body.append(self._line(line, style="yellow"))
            if verdict.refusal:
                body.append(Text(words("check.refusal"), style="dim"))
            body += [Text(printable(note), style="dim") for note in verdict.notes]
        return Panel(
            Group(*body),
            title=head,
            title_align="left",
            subtitle=self._footer(outcome),
            subtitle_align="right",
            box=ROUNDED,
            border_style=STYLES[outcome.decision]
            if outcome.violations
            else "yellow"
            if outcome.undecided
            else "green",
            padding=(0, 1),
        )

    def _line(self, text: str, *, style: str = "") -> Text:
        """A line of a panel: its border and padding take four cells."""
        return Text(folded(text, self._terminal.out.width - 4), style=style)

    def _footer(self, outcome: Outcome) -> Text | None:
        verdict = outcome.verdict
        if verdict is None:
            return None
        line = self._words(
            "check.footer",
            guard=verdict.guard,
            policy=verdict.policy.id,
            version=verdict.policy.version,
            digest=verdict.policy.digest.removeprefix("sha256:")[:8],
            elapsed=f"{verdict.elapsed_ms:.0f}",
        )
        return Text(printable(line), style="dim")

    def _rules(self, rules: tuple[RuleScore, ...]) -> Table:
        words = self._words
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, expand=True)
        table.add_column(words("check.rule"), ratio=1, overflow="fold")
        table.add_column(words("check.decision"), no_wrap=True)
        table.add_column(words("check.severity.short"), justify="right", no_wrap=True)
        table.add_column(words("check.score.short"), justify="right", no_wrap=True)
        for rule in rules:
            name = Text(self.title(rule.id), style="bold")
            name.append(f"  {rule.id}", style="dim")
            for reason in rule.reasons:
                name.append(f"\n{printable(reason)}", style="not bold default")
            score = "" if rule.score is None else f"{rule.score:.2f}"
            decision = Text(words(f"decision.{rule.decision.value}"), style=STYLES[rule.decision])
            table.add_row(name, decision, str(rule.severity), score)
        return table

    def _show_passages(self, outcome: Outcome, *, reasons: bool) -> None:
        out, words = self._terminal.out, self._words
        if self._redact and outcome.redacted is not None:
            out.print(Text(words("check.redacted"), style="bold"))
            out.print(Text(printable(outcome.redacted)))
        if self._explain and outcome.record.exchange is not None:
            text = outcome.record.exchange.text
            for rule in outcome.violations:
                out.print(Text.assemble((self.title(rule.id), "bold"), (f"  {rule.id}", "dim")))
                for reason in rule.reasons if reasons else ():
                    out.print(Text(f"  {printable(reason)}"))
                for span in rule.spans[:KEPT]:
                    out.print(Text("  ").append_text(_passage(text, span)))

    def _show_many(self, totals: Totals) -> None:
        out, words = self._terminal.out, self._words
        if self._violations:
            table = Table(
                box=SIMPLE_HEAD, title=words("check.violations"), title_justify="left", expand=False
            )
            table.add_column(words("check.record"), overflow="ellipsis", max_width=24, no_wrap=True)
            table.add_column(words("check.decision"), no_wrap=True)
            table.add_column(words("check.rule"), overflow="fold")
            table.add_column(words("check.severity.short"), justify="right")
            table.add_column(words("check.score.short"), justify="right")
            for outcome in self._violations:
                for place, rule in enumerate(outcome.violations):
                    score = "" if rule.score is None else f"{rule.score:.2f}"
                    table.add_row(
                        Text(short(str(outcome.record.id), 24) if not place else ""),
                        decided(outcome, words) if not place else "",
                        Text.assemble(self.title(rule.id), (f"  {rule.id}", "dim")),
                        str(rule.severity),
                        score,
                    )
            out.print(table)
            if totals.violations > len(self._violations):
                more = words("check.more", n=totals.violations - len(self._violations))
                out.print(Text(more, style="dim"))
            if self._explain or self._redact:
                for outcome in self._violations:
                    out.print(Text(f"── {printable(str(outcome.record.id))}", style="dim"))
                    self._show_passages(outcome, reasons=True)
        if self._faults:
            out.print(Text(words("check.faults"), style="bold yellow"))
            for outcome in self._faults[:10]:
                assert outcome.record.fault is not None
                what, remedy = worded(outcome.record.fault, words)
                line = sentences(f"  {printable(outcome.record.where)}:", what, remedy, words=words)
                out.print(Text(folded(line, out.width)))
            if totals.errors > 10:
                out.print(Text("  " + words("check.more", n=totals.errors - 10), style="dim"))
        if not self._violations:
            out.print(Text(words("check.none"), style="green" if not totals.undecided else "default"))
        out.print(self._counts(totals))
        out.print(
            Text(
                words(
                    "check.totals",
                    records=f"{totals.records:,}",
                    violations=f"{totals.violations:,}",
                    undecided=f"{totals.undecided:,}",
                    seconds=f"{totals.seconds:.1f}",
                ),
                style="bold",
            )
        )

    def _counts(self, totals: Totals) -> Table:
        words = self._words
        grid = Table.grid(padding=(0, 4))
        blocks = []
        decisions = [(words(f"decision.{d.value}"), totals.decisions[d.value], STYLES[d]) for d in Decision]
        blocks.append((words("check.by_decision"), [entry for entry in decisions if entry[1]]))
        rules = [(self.title(name), n, "default") for name, n in totals.rules.most_common(8)]
        blocks.append((words("check.by_rule"), rules))
        statuses = [(words(f"status.{name}"), n, "default") for name, n in totals.statuses.most_common()]
        blocks.append((words("check.by_status"), statuses))
        cells: list[RenderableType] = []
        for title, entries in blocks:
            if not entries:
                continue
            table = Table(
                box=None, title=title, title_justify="left", show_header=False, padding=(0, 1, 0, 0)
            )
            table.add_column()
            table.add_column(justify="right")
            for name, count, style in entries:
                table.add_row(Text(name, style=style), f"{count:,}")
            cells.append(table)
        grid.add_row(*cells)
        return grid


def _judged(outcome: Outcome) -> int:
    """How many rules were judged."""
    rules = () if outcome.verdict is None else outcome.verdict.rules
    return sum(rule.status is Status.OK for rule in rules)


def _passage(text: str, span: Span) -> Text:
    """The passage, marked also where there is no colour, with a little of what stands around it."""
    start, end = min(span.start, len(text)), min(span.end, len(text))
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    found = Text("…" if start > AROUND else "", style="dim")
    found.append(printable(before).replace("\n", " "))
    found.append("⟦" + short(text[start:end], 200) + "⟧", style="bold red")
    found.append(printable(after).replace("\n", " "), style="dim")
    found.append("…" if end + AROUND < len(text) else "", style="dim")
    if span.label:
        found.append(f"  ({printable(span.label)})", style="dim")
    return found
