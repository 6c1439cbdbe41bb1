"""`sekisho demo`: what Sekisho does, on real texts, offline, in under a minute."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import typer

from sekisho.core import Decision, MissingExtra, Step

from .bound import GuardOption, load
from .catalog import Language
from .terminal import DebugOption, LangOption, Terminal

if TYPE_CHECKING:
    from sekisho.guards import BoundGuard

    from .demo_view import Story

EXAMPLES = "Examples:\n\nsekisho demo\n\nsekisho demo --lang ja\n\nsekisho demo --guard base"
PIECE = 8
"""Characters that arrive at once in the streamed answer, as from a model."""


def demo(*, guard: GuardOption = "fast", lang: LangOption = None, debug: DebugOption = False) -> None:
    """Check real texts in four languages, cut a stream, add a rule of your own, measure the guard.

    Needs no network and no model server: everything is in the package. Takes well under a minute.
    """
    terminal = Terminal(lang=lang)
    bound, document = load(guard, "base")
    from .demo_view import Story

    story = Story(terminal, document)
    story.policy(bound)
    _check_texts(bound, story)
    _stream_answer(bound, story, terminal.language)
    _own_policy(guard, story)
    _measure(bound, story)
    story.next_steps()
    raise typer.Exit


def _check_texts(bound: BoundGuard, story: Story) -> None:
    from sekisho.data.records import read_conversation

    rows = [json.loads(line) for line in _read("texts.jsonl").splitlines()]
    exchanges = [read_conversation(row["messages"]) for row in rows]
    verdicts = bound.check(exchanges)
    story.checks(rows, exchanges, verdicts)
    found = [pair for pair in zip(exchanges, verdicts, strict=True) if pair[1].redactions]
    # Best one that is let through redacted: what is blocked is not shown to anybody.
    found.sort(key=lambda pair: pair[1].decision is not Decision.REDACT)
    if found:
        story.redaction(*found[0])


def _stream_answer(bound: BoundGuard, story: Story, language: Language) -> None:
    from sekisho.data.records import read_conversation

    row: dict[str, Any] = json.loads(_read("answer.json"))[language.value]
    context = read_conversation([{"role": "user", "content": row["question"]}])
    answer: str = row["answer"]
    stream = bound.open(context.messages)
    steps = []
    for start in range(0, len(answer), PIECE):
        step = stream.feed(answer[start : start + PIECE])
        steps.append((min(start + PIECE, len(answer)), step))
        if step.verdict is not None:
            break
    else:
        verdict = stream.finish()
        stopped = verdict.decision >= Decision.ESCALATE
        last = Step(cleared=steps[-1][1].cleared, verdict=verdict) if stopped else Step(cleared=len(answer))
        steps.append((len(answer), last))
    story.stream(row["question"], answer, steps)


def _own_policy(guard: str, story: Story) -> None:
    from .outcome import Outcome, Totals

    with as_file(files("sekisho.cli") / "story") as folder:
        bound, document = load(guard, str(folder / story.language.value / "shop.md"))
    from sekisho.data.records import Reading, read_text

    texts = json.loads(_read("shop.json"))[story.language.value]
    outcomes = []
    for number, text in enumerate(texts, 1):
        record = read_text(text, id=number, where="demo", reading=Reading())
        verdict = bound.check_one(text, role="assistant")
        totals = Totals()
        outcome = Outcome(record, verdict, verdict.decision)
        totals.add(outcome)
        outcomes.append((outcome, totals.exit))
    story.own_policy(document, bound, outcomes)


def _measure(bound: BoundGuard, story: Story) -> None:
    story.before_measuring()
    try:
        from sekisho.evals import measure_guard

        with story.progress() as progress:
            report = measure_guard(bound, (), shipped=True, latency_sample=100, progress=progress)
    except MissingExtra as missing:
        story.cannot_measure(missing)
        return
    story.measured(report)


def _read(name: str) -> str:
    return (files("sekisho.cli") / "story" / name).read_text(encoding="utf-8")
