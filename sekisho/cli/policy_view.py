"""What a person sees of a policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sekisho.core import ExampleBlock, Policy, Rule, Surface
from sekisho.policy import Flip, PolicyDiff, PolicyDocument, Problem

from .shown import STYLES, decision_text, folded, printable, short
from .terminal import Terminal


def library_table(documents: Iterable[tuple[str, PolicyDocument]], terminal: Terminal) -> Table:
    """The library's policies."""
    words = terminal.words
    table = Table(box=SIMPLE_HEAD)
    for key in (
        "policy.name",
        "policy.title",
        "policy.version",
        "policy.rules",
        "policy.languages",
        "policy.digest",
    ):
        table.add_column(words(key), no_wrap=key != "policy.title")
    for name, document in documents:
        policy = document.in_language(terminal.language.value)
        table.add_row(
            Text(name, style="bold"),
            printable(policy.title),
            printable(policy.version),
            str(len(policy.rules)),
            " ".join(policy.languages),
            policy.digest.removeprefix("sha256:")[:12],
        )
    return table


def show_policy(policy: Policy, document: PolicyDocument, terminal: Terminal) -> None:
    """The front matter and a line for every rule."""
    words, out = terminal.words, terminal.out
    out.print(Text(printable(policy.title or policy.id), style="bold"))
    facts = words(
        "policy.facts",
        id=policy.id,
        version=policy.version,
        n=len(policy.rules),
        languages=" ".join(policy.languages),
        translations=" ".join(document.overlays) or "–",
        on_error=policy.on_error.default.value,
        budget=f"{policy.false_positive_budget:.1%}",
        digest=policy.digest,
    )
    out.print(Text(folded(printable(facts), out.width), style="dim"))
    table = Table(box=SIMPLE_HEAD)
    table.add_column(words("policy.rule"), ratio=1, overflow="fold")
    table.add_column(words("policy.authority"), no_wrap=True)
    table.add_column(words("policy.actions"), no_wrap=True)
    table.add_column(words("policy.examples"), justify="right", no_wrap=True)
    for rule in policy.rules:
        name = Text(printable(rule.title), style="bold")
        name.append(f"\n{rule.id}", style="not bold dim")
        if set(rule.surfaces) != set(Surface):
            name.append(
                f"  {', '.join(words(f'surface.{s.value}') for s in rule.surfaces)}", style="not bold dim"
            )
        examples = sum(block.good + block.bad for block in rule.examples)
        table.add_row(name, rule.authority.value, _actions(rule), str(examples))
    out.print(table)
    out.print(Text(words("policy.legend"), style="dim"))


def show_rule(rule: Rule, terminal: Terminal) -> None:
    """One rule as its document says it."""
    words, out = terminal.words, terminal.out
    out.print(Text.assemble((printable(rule.title), "bold"), (f"  {rule.id}", "dim")))
    surfaces = ", ".join(words(f"surface.{s.value}") for s in rule.surfaces)
    facts = words("policy.rule.facts", authority=rule.authority.value, surfaces=surfaces, check=rule.check)
    out.print(Text(printable(facts), style="dim"))
    out.print(Padding(Text(folded(printable(rule.text), out.width)), (1, 0)))
    for key, items in (("policy.violates", rule.violates), ("policy.allows", rule.allows)):
        _list(key, items, terminal)
    if rule.levels:
        out.print(Text(words("policy.severity"), style="bold"))
        grid = Table.grid(padding=(0, 2))
        for _ in range(3):
            grid.add_column(overflow="fold")
        for level in rule.levels:
            grid.add_row(
                f"  {level.level}", decision_text(level.decision, words), Text(printable(level.text))
            )
        out.print(Padding(grid, (0, 0, 1, 0)))
    _list("policy.patterns", [f"{p.expression}  {p.text}".strip() for p in rule.patterns], terminal)
    _list("policy.detects", [f"{d.name}  {d.text}".strip() for d in rule.detectors], terminal)
    _list("policy.exceptions", [f"{e.value}  {e.text}".strip() for e in rule.exemptions], terminal)
    for block in rule.examples:
        out.print(_example(block, terminal))


def problem_line(problem: Problem) -> Text:
    """`file:line:column: severity code: message. remedy.`, one line for other programs to read."""
    style = "bold red" if problem.severity == "error" else "yellow"
    line = Text(f"{printable(problem.file)}:{problem.line}:{problem.column}: ")
    line.append(f"{problem.severity} {problem.code}", style=style)
    line.append(f": {printable(problem.message)}. {printable(problem.remedy)}")
    return line


def show_difference(difference: PolicyDiff, flipped: Sequence[Flip], terminal: Terminal) -> None:
    """Rules added (+), removed (-) and changed (~), and the examples that flip."""
    words, out = terminal.words, terminal.out
    if difference.empty and not flipped:
        out.print(Text(words("diff.same"), style="green"))
        return
    for change in difference.front_matter:
        out.print(_change(change.field, change.before, change.after))
    titles = {rule.id: rule.title for rule in (*difference.old.rules, *difference.new.rules)}
    for sign, style, names in (("+", "green", difference.added), ("-", "red", difference.removed)):
        for name in names:
            out.print(Text(f"{sign} {printable(titles[name])}  {name}", style=style))
    for rule in difference.changed:
        out.print(Text.assemble(("~ ", "yellow"), printable(titles[rule.rule]), (f"  {rule.rule}", "dim")))
        for change in rule.changes:
            out.print(Padding(_change(change.field, change.before, change.after), (0, 0, 0, 4)))
    if difference.reordered:
        out.print(Text(words("diff.reordered"), style="yellow"))
    if flipped:
        out.print(Text(words("diff.flips", n=len(flipped)), style="bold"))
    for flip in flipped:
        what = words(f"diff.flip.{flip.kind}", before=flip.before, after=flip.after)
        out.print(Text.assemble("  ", (flip.rule, "dim"), f"  {printable(flip.title)}: {what}"))


def _change(field: str, before: Any, after: Any) -> Group:
    if isinstance(before, list) and isinstance(after, list):
        gone = [item for item in before if item not in after]
        new = [item for item in after if item not in before]
        pairs = [("- ", "red", item) for item in gone] + [("+ ", "green", item) for item in new]
    else:
        pairs = [("- ", "red", before), ("+ ", "green", after)]
    lines = [Text(f"{sign}{short(str(item), 200)}", style=style) for sign, style, item in pairs]
    return Group(Text(field, style="bold"), *(Padding(line, (0, 0, 0, 2)) for line in lines))


def _actions(rule: Rule) -> Text:
    """What is done at each severity, 0 to 4: initials in the decision's colour."""
    line = Text()
    for severity in range(5):
        action = rule.action(severity)
        line.append("·" if action.value == "allow" else action.value[0].upper(), style=STYLES[action])
    return line


def _list(key: str, items: Iterable[str], terminal: Terminal) -> None:
    lines = list(items)
    if not lines:
        return
    terminal.out.print(Text(terminal.words(key), style="bold"))
    for line in lines:
        terminal.out.print(
            Padding(Text(folded(f"• {printable(line)}", terminal.out.width - 2)), (0, 0, 0, 2))
        )
    terminal.out.print()


def _example(block: ExampleBlock, terminal: Terminal) -> Padding:
    lines: list[Any] = [Text(f"{terminal.words('policy.example')}: {printable(block.title)}", style="bold")]
    for turn in block.turns:
        head = Text(f"  {turn.role} ", style="cyan")
        if turn.mark is not None:
            head.append(turn.mark, style="green" if turn.mark == "GOOD" else "red")
            level = f" {turn.severity}" if turn.severity is not None else ""
            head.append(f"{level} {printable(turn.note)}", style="dim")
        lines += [head, Padding(Text(folded(printable(turn.content), terminal.out.width - 4)), (0, 0, 0, 4))]
    return Padding(Group(*lines), (0, 0, 1, 0))
