"""The story that `sekisho demo` tells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from sekisho.core import Cover, Exchange, MissingExtra, Step, Verdict
from sekisho.data.records import Record

from .catalog import Words
from .evaluate_view import figure_cells
from .exits import Exit
from .outcome import Outcome
from .shown import STYLES, decided, decision_text, folded, printable, short
from .terminal import Terminal

if TYPE_CHECKING:
    from sekisho.evals import GuardReport
    from sekisho.guards import BoundGuard
    from sekisho.policy import PolicyDocument

BAR = 24
"""Cells of the bar that stands for a streamed answer."""


class Story:
    """Shows each part as it comes; decides nothing."""

    def __init__(self, terminal: Terminal, document: PolicyDocument) -> None:
        self.language = terminal.language
        self._words = terminal.words
        self._out = terminal.out
        self._err = terminal.err
        self._document = document
        self._policy = document.in_language(terminal.language.value)
        self._part = 0

    def policy(self, bound: BoundGuard) -> None:
        """Which policy, which guard, what it covers."""
        words, policy = self._words, self._policy
        self._out.print(Text.assemble(("Sekisho 関所", "bold"), f"  {words('demo.motto')}"))
        self._title("demo.policy")
        facts = words(
            "demo.policy.facts",
            title=policy.title,
            version=policy.version,
            n=len(policy.rules),
            languages=self._listed(policy.languages),
            digest=policy.digest.removeprefix("sha256:")[:12],
        )
        self._say(facts)
        counts = {cover: sum(entry.cover is cover for entry in bound.coverage()) for cover in Cover}
        whole = counts[Cover.COVERED] == len(policy.rules)
        covered = words(
            "demo.guard.all" if whole else "demo.guard",
            guard=bound.name,
            covered=counts[Cover.COVERED],
            stale=counts[Cover.STALE],
            uncovered=counts[Cover.UNCOVERED],
        )
        self._say(covered)

    def checks(
        self, rows: Sequence[dict[str, Any]], exchanges: Sequence[Exchange], verdicts: Sequence[Verdict]
    ) -> None:
        """One line a text, and how many are as a person labelled them."""
        words = self._words
        self._title("demo.check", n=len(rows))
        table = Table(box=SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column(words("demo.text"), ratio=3, no_wrap=True, overflow="ellipsis")
        table.add_column("", no_wrap=True)
        table.add_column(words("demo.surface"), no_wrap=True)
        table.add_column(words("check.decision"), no_wrap=True)
        table.add_column(words("demo.rule"), ratio=2, no_wrap=True, overflow="ellipsis")
        table.add_column(words("check.score.short"), justify="right", no_wrap=True)
        right = 0
        for row, exchange, verdict in zip(rows, exchanges, verdicts, strict=True):
            outcome = Outcome(Record(row["id"], "demo", exchange), verdict, verdict.decision)
            violations = outcome.violations
            as_labelled = bool(violations) == bool(row["violates"])
            right += as_labelled
            cited = self._rule_title(violations[0].id) if violations else ""
            table.add_row(
                Text(short(exchange.text, 100)),
                row["language"],
                words(f"surface.{exchange.surface.value}"),
                _brief(outcome, words) + Text("" if as_labelled else " *", style="bold yellow"),
                Text(cited),
                "" if verdict.score is None else f"{verdict.score:.2f}",
            )
        self._out.print(table)
        if right == len(rows):
            self._say(words("demo.check.right", n=len(rows)))
        else:
            self._say(words("demo.check.wrong", n=len(rows) - right, total=len(rows)))

    def redaction(self, exchange: Exchange, verdict: Verdict) -> None:
        """A text before and after."""
        words = self._words
        self._title("demo.redact")
        before, text = Text(), exchange.text
        done = 0
        for found in verdict.redactions:
            before.append(printable(text[done : found.start]))
            before.append(printable(text[max(done, found.start) : found.end]), style="bold red underline")
            done = max(done, found.end)
        before.append(printable(text[done:]))
        after = Outcome(Record("demo", "demo", exchange), verdict, verdict.decision).redacted or ""
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text(words("demo.before"), style="dim"), before)
        grid.add_row(Text(words("demo.after"), style="dim"), Text(printable(after), style="cyan"))
        self._out.print(Padding(grid, (0, 0, 0, 2)))

    def stream(self, question: str, answer: str, steps: Sequence[tuple[int, Step]]) -> None:
        """What had arrived and what was let through, whenever more was let through."""
        words = self._words
        self._title("demo.stream")
        self._say(words("demo.stream.question", question=question))
        shown = -1
        for arrived, step in steps:
            if step.cleared == shown and step.verdict is None:
                continue
            shown = step.cleared
            through = round(BAR * step.cleared / len(answer))
            held = round(BAR * arrived / len(answer)) - through
            bar = Text("█" * through, style="green")
            bar.append("░" * held, style="red" if step.verdict else "yellow")
            bar.append("·" * (BAR - through - held), style="dim")
            numbers = words("demo.stream.step", arrived=arrived, cleared=step.cleared)
            self._out.print(Text("  ") + bar + Text(f"  {numbers}", style="dim"))
        last = steps[-1][1]
        self._out.print(Padding(Text(printable(answer[: last.cleared]), style="green"), (1, 2, 0, 2)))
        if last.verdict is None:
            self._say(words("demo.stream.passed"))
            return
        cited = last.verdict.cited[0]
        line = words(
            "demo.stream.cut",
            decision=words(f"decision.{last.verdict.decision.value}"),
            rule=self._rule_title(cited.id),
            held=steps[-1][0] - last.cleared,
            unsent=len(answer) - steps[-1][0],
        )
        line = folded(f"✗ {line}", self._out.width - 4)
        self._out.print(Padding(Text(line, style=STYLES[last.verdict.decision]), (0, 2)))

    def own_policy(
        self, document: PolicyDocument, bound: BoundGuard, outcomes: Sequence[tuple[Outcome, Exit]]
    ) -> None:
        """A policy of one's own: what it says, what is uncovered, what came of two answers."""
        words = self._words
        policy = document.policy
        self._title("demo.own")
        self._say(words("demo.own.intro"))
        rules = document.source[document.source.index("## ") :].strip()
        self._out.print(Padding(Syntax(rules, "markdown", theme="ansi_dark", word_wrap=True), (1, 4)))
        for entry in bound.coverage():
            title = Text(printable(policy.rule(entry.rule).title), style="bold")
            style = "green" if entry.cover is Cover.COVERED else "red"
            cover = Text(words(f"guards.{entry.cover.value}"), style=style)
            self._out.print(Padding(Text.assemble(title, "  ", cover), (0, 2)))
        grid = Table.grid(padding=(0, 2))
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        for outcome, code in outcomes:
            assert outcome.record.exchange is not None
            exit_code = Text(words("demo.exit", code=int(code)), style="bold")
            grid.add_row(Text(printable(outcome.record.exchange.text)), decided(outcome, words), exit_code)
        self._out.print(Padding(grid, (1, 2)))
        self._say(words("demo.own.outro"))

    def before_measuring(self) -> None:
        self._title("demo.measure")

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None] | None]:
        """A bar on stderr, where a person may be watching it."""
        if not sys.stderr.isatty():
            yield None
            return
        from rich.progress import Progress

        with Progress(console=self._err, transient=True) as progress:
            task = progress.add_task(self._words("check.progress"), total=None)
            yield lambda _, done, total: progress.update(task, completed=done, total=total)

    def cannot_measure(self, missing: MissingExtra) -> None:
        self._say(f"{missing.what}. {missing.remedy}")

    def measured(self, report: GuardReport) -> None:
        """The figures with intervals, overall and by language, and what they do and do not say."""
        words = self._words
        by_key = {(m.name, m.slice): m for m in report.measurements}
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column(words("eval.figure"))
        table.add_column(words("eval.value"), justify="right", no_wrap=True)
        table.add_column(words("eval.interval"), no_wrap=True)
        table.add_column("n", justify="right", no_wrap=True)
        slices = [("shipped", words("demo.all"))]
        slices += [(f"shipped/language={tag}", words(f"language.{tag}")) for tag in ("en", "ja", "zh", "ko")]
        for name in ("recall_any", "fpr", "macro_f1"):
            for place, (where, label) in enumerate(slices):
                figure = by_key.get((name, where))
                if figure is None or (name == "macro_f1" and place):
                    continue
                title = (
                    Text(words(f"demo.{name}"), style="bold")
                    if not place
                    else Text(f"  {label}", style="dim")
                )
                table.add_row(title, *figure_cells(figure))
        for name, where in (("latency_ms_p50", "one at a time"), ("texts_per_second", "batch")):
            figure = by_key.get((name, where))
            if figure is not None:
                table.add_row(words(f"eval.{name}"), *figure_cells(figure))
        self._out.print(table)
        left = sum(report.shipped.left_out.values()) if report.shipped is not None else 0
        budget = f"{self._policy.false_positive_budget:.0%}"
        self._say(words("demo.measure.note", left=left, budget=budget))

    def next_steps(self) -> None:
        """Three commands."""
        words = self._words
        self._title("demo.next")
        grid = Table.grid(padding=(0, 3))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for key in ("check", "policy", "eval"):
            command = Text(words(f"demo.next.{key}.command"), style="bold cyan")
            grid.add_row(command, Text(words(f"demo.next.{key}"), style="dim"))
        self._out.print(Padding(grid, (0, 2)))

    def _title(self, key: str, **values: object) -> None:
        self._part += 1
        self._out.print()
        title = Text(f"{self._part}  {self._words(key, **values)}", style="bold")
        self._out.print(Line(title, align="left", style="dim"))

    def _say(self, text: str) -> None:
        self._out.print(Padding(Text(folded(printable(text), self._out.width - 4)), (0, 2)))

    def _rule_title(self, rule_id: str) -> str:
        return printable(self._policy.rule(rule_id).title)

    def _listed(self, languages: Sequence[str]) -> str:
        words = self._words
        return words("list").join(
            words(f"language.{tag}") if words.has(f"language.{tag}") else tag for tag in languages
        )


def _brief(outcome: Outcome, words: Words) -> Text:
    """The decision in one word; undecided when it follows from nothing that was judged."""
    if outcome.undecided and not outcome.violations:
        return Text(f"? {words('check.undecided')}", style="yellow")
    return decision_text(outcome.decision, words)
