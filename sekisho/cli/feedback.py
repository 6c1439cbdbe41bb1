"""`sekisho feedback`: what users' corrections would change in an embedded guard."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .bound import GuardOption, PolicyOption, load
from .exits import Exit
from .terminal import DebugOption, JsonOption, LangOption, Terminal

if TYPE_CHECKING:
    from sekisho.data.feedback import Correction
    from sekisho.train.feedback import Flip, Retrain

EXAMPLES = (
    "Examples:\n\nsekisho feedback corrections.jsonl\n\n"
    "sekisho feedback corrections.jsonl --guard base --out my-guard"
    '\n\nsekisho check "text" --guard ./my-guard'
)


def feedback(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help='JSON lines: {"text": …, "correction": "false_positive"}, or "missed" with "rule".',
            show_default=False,
        ),
    ],
    guard: GuardOption = "fast",
    policy: PolicyOption = "base",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the retrained guard there.", show_default=False),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the corrections as training cases there.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Turn corrections (false positives, missed texts) into examples and show what a retrain would change.

    The last layer of the guard is fitted again, on this machine and in seconds. Shown before and after: the
    corrections, also those that a retrain has not seen, and the shipped cases, which nobody corrected.
    Exit codes: 0 done, 2 the file cannot be used.
    """
    from sekisho.data.feedback import read_feedback
    from sekisho.evals import shipped_cases
    from sekisho.guards.embedded import Replay
    from sekisho.train.feedback import embedded_part, flips, retrain, write_adapted

    terminal = Terminal(lang=lang, json=json)
    corrections = list(read_feedback(file))
    if not corrections:
        terminal.warn(terminal.words("feedback.empty"), where=str(file))
        raise typer.Exit(Exit.USAGE)
    bound, _ = load(guard, policy)
    part = embedded_part(bound)
    folder = part.classifier.folder
    with _progress(terminal) as progress:
        found = retrain(bound, corrections, Replay.load(folder), progress=progress)
        cases = shipped_cases()
        before, after, changed = flips(bound, found.guard, [(case.id, case.exchange) for case in cases])
    summary = _summary(corrections, found)
    summary["shipped"] = {
        "cases": len(cases),
        **{
            f"{kind}_flagged": {
                "n": sum(c.kind == kind for c in cases),
                "before": sum(b for b, c in zip(before, cases, strict=True) if c.kind == kind),
                "after": sum(a for a, c in zip(after, cases, strict=True) if c.kind == kind),
            }
            for kind in ("violating", "near_miss")
        },
        "flips": [{"id": flip.id, "before": flip.before, "after": flip.after} for flip in changed],
    }
    if examples is not None:
        lines = [json_module.dumps(c.case(), ensure_ascii=False) for c in corrections]
        examples.write_text("\n".join(lines) + "\n", encoding="utf-8")
        summary["examples"] = str(examples)
    if out is not None:
        write_adapted(part, folder, found.adapter, out)
        # A bare name would be taken for a registered guard.
        summary["out"] = str(out) if out.is_absolute() or len(out.parts) > 1 else f"./{out}"
    _warn_if_poor(summary, found, terminal)
    if json:
        terminal.document(summary)
        return
    _show(summary, changed, terminal)


def _summary(corrections: Sequence[Correction], found: Retrain) -> dict[str, Any]:
    def rights(of: Sequence[bool] | None, kind: str) -> int | None:
        return None if of is None else sum(r for r, c in zip(of, corrections, strict=True) if c.kind == kind)

    return {
        "guard": found.guard.name,
        "corrections": {
            kind: {
                "n": sum(c.kind == kind for c in corrections),
                "right_before": rights(found.before, kind),
                "right_unseen": rights(found.held_out, kind),
                "right_after": rights(found.after, kind),
            }
            for kind in ("false_positive", "missed")
        },
    }


def _warn_if_poor(summary: dict[str, Any], found: Retrain, terminal: Terminal) -> None:
    """Say so when the retrain puts no more corrections right, or loses more shipped violations than it gains."""
    shipped = summary["shipped"]["violating_flagged"]
    gained = sum(found.after) - sum(found.before)
    if gained > 0 and shipped["before"] - shipped["after"] <= gained:
        return
    terminal.warn(
        terminal.words(
            "feedback.poor",
            before=sum(found.before),
            after=sum(found.after),
            found_before=shipped["before"],
            found_after=shipped["after"],
        ),
        remedy=terminal.words("feedback.poor.remedy"),
    )


@contextmanager
def _progress(terminal: Terminal) -> Iterator[Callable[[int, int], None] | None]:
    if terminal.is_json or not terminal.err.is_terminal:
        yield None
        return
    from rich.progress import Progress

    with Progress(console=terminal.err, transient=True) as bar:
        task = bar.add_task(terminal.words("feedback.progress"), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(summary: dict[str, Any], changed: Sequence[Flip], terminal: Terminal) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    words = terminal.words
    table = Table(box=SIMPLE_HEAD)
    table.add_column("", ratio=1)
    for column in ("n", "before", "unseen", "after"):
        table.add_column(words(f"feedback.{column}"), justify="right", no_wrap=True)
    for kind, figures in summary["corrections"].items():
        if figures["n"]:
            cells = (figures["n"], figures["right_before"], figures["right_unseen"], figures["right_after"])
            table.add_row(words(f"feedback.{kind}"), *("–" if cell is None else str(cell) for cell in cells))
    for kind in ("violating", "near_miss"):
        figures = summary["shipped"][f"{kind}_flagged"]
        table.add_row(
            words(f"feedback.shipped.{kind}"),
            str(figures["n"]),
            str(figures["before"]),
            "",
            str(figures["after"]),
        )
    terminal.out.print(table)
    terminal.out.print(words("feedback.flips", n=len(changed)), markup=False)
    for flip in changed[:10]:
        key = "feedback.flip.flagged" if flip.after else "feedback.flip.passed"
        terminal.out.print(Text(f"  {words(key)}  {flip.id}", style="yellow" if flip.after else "green"))
    for key in ("examples", "out"):
        if key in summary:
            terminal.note(f"feedback.{key}", path=summary[key])
