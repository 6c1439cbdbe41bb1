"""Lint: every error of the format, and advice on what a guard policy had better have."""

from __future__ import annotations

from pathlib import Path

from sekisho.core import Decision, Policy, PolicyError, Rule

from .document import locate, translations_beside
from .expression import matches_ordinary
from .notation import cited_rules
from .parser import Reading, read
from .problem import START, Position, Problem, Problems, quoted
from .section import Section
from .source import read_path
from .translation import check_parity

DEFAULT_SEVERITY = 3


def lint(text: str, *, file: str = "<policy>", main: Policy | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with a document, in its order: errors, and warnings.

    A document without errors is one that `parse` reads. Advice on what a guard needs is given only
    to documents with front matter, so the Model Spec gets none. A translation is compared with
    `main`, when that is given.
    """
    return _lint(text, file, main)[0]


def lint_file(name_or_path: str | Path) -> tuple[Problem, ...]:
    """The problems of a policy and of the translations beside it; of a translation and the policy
    beside it, those of the translation. Raises `UnknownName` for a name the library does not have."""
    path = locate(name_or_path)
    try:
        text = read_path(path)
    except PolicyError as error:
        return (Problem.of(error),)
    reading = read(text, file=str(path))
    if reading.overlay is not None:
        return lint(text, file=str(path), main=_main_beside(path))
    found, policy = _lint(text, str(path), None)
    every = list(found)
    for beside in translations_beside(path):
        try:
            overlay_text = read_path(beside)
        except PolicyError as error:
            every.append(Problem.of(error))
            continue
        front = read(overlay_text, file=str(beside)).front
        if front.translation_of is not None and policy is not None and front.translation_of == policy.id:
            every += lint(overlay_text, file=str(beside), main=policy)
    return tuple(every)


def _lint(text: str, file: str, main: Policy | None) -> tuple[tuple[Problem, ...], Policy | None]:
    reading = read(text, file=file)
    problems = reading.problems
    if reading.source is not None:
        reading.source.report_hidden(problems)
    if reading.overlay is not None and main is not None:
        check_parity(reading.overlay, main, problems)
    if reading.policy is not None and reading.front.present:
        _advise(reading, reading.policy, problems)
    return problems.sorted(), reading.policy


def _main_beside(path: Path) -> Policy | None:
    """`shop.md` for `shop.ja.md`, when it can be read."""
    stem = path.name.removesuffix(".md").rpartition(".")[0]
    try:
        return read(read_path(path.with_name(f"{stem}.md")), file=f"{stem}.md").policy if stem else None
    except PolicyError:
        return None


def _advise(reading: Reading, policy: Policy, problems: Problems) -> None:
    front = reading.front
    for key, place in front.at.items():
        status = key.partition(".")[2] or "default"
        if key.startswith("on_error") and getattr(policy.on_error, status) is Decision.ALLOW:
            _on_error_allow(place, problems)
    if not policy.rules:
        problems.warning(
            "no-rules",
            START,
            "the policy has no rule, so it allows everything",
            "Give a heading an id and an authority: `## Title {#id authority=user}`",
        )
    ids = {section.title.id for section in reading.sections}
    by_line = {rule.line: rule for rule in policy.rules}
    for section in reading.sections:
        rule = by_line.get(section.at.line)
        if rule is not None:
            _advise_rule(rule, section, problems)
        _advise_examples(rule, section, ids, problems)


def _advise_rule(rule: Rule, section: Section, problems: Problems) -> None:
    if rule.on_error is Decision.ALLOW:
        _on_error_allow(section.title.places["on_error"], problems)
    if rule.check == "meaning" and "Violates" not in section.blocks:
        problems.warning(
            "rule-without-violates",
            section.at,
            f"the rule `{rule.id}` does not say what violates it",
            "Add a `**Violates**` list: guards judge by it",
        )
    if rule.levels and all(rule.action(severity) is Decision.ALLOW for severity in range(5)):
        problems.warning(
            "severity-never-acts",
            section.blocks["Severity"],
            f"every level of `{rule.id}` allows, so the rule does nothing",
            "Give a level another decision than `allow`",
        )
    wide = [(pattern.expression, at) for pattern, at in section.patterns]
    wide += [(e.value, at) for e, at in section.exemptions if e.kind == "pattern"]
    for expression, at in wide:
        if matches_ordinary(expression):
            problems.warning(
                "expression-too-wide",
                at,
                "the regular expression finds something in most ordinary texts",
                "Anchor it with `\\b`, or name more of what it should find",
            )
    good = sum(block.good for block in rule.examples)
    if any(block.bad for block in rule.examples) and not good:
        problems.warning(
            "bad-without-good",
            section.at,
            f"the rule `{rule.id}` has examples of violations, and none of what it allows",
            "Add an example marked `<!-- GOOD: why -->`, best one that is easily mistaken for a violation",
        )


def _advise_examples(rule: Rule | None, section: Section, ids: set[str | None], problems: Problems) -> None:
    for block, places in zip(section.examples, section.turns, strict=True):
        for turn, at in zip(block.turns, places, strict=True):
            if turn.mark is None and turn.comparison is not None and not turn.note.startswith("OK"):
                problems.warning(
                    "candidate-without-mark",
                    at,
                    "the candidate is not marked, so it teaches nothing",
                    "Write `<!-- GOOD: why -->` or `<!-- BAD: why -->` after its tag",
                )
            cited = cited_rules(turn)
            for name in cited:
                if name not in ids:
                    problems.warning(
                        "unknown-reference",
                        at,
                        f"the mark names {quoted(name)}, which no heading has as its id",
                        "Correct the id, or leave the reference out",
                    )
            if rule is not None and turn.mark is not None and not cited:
                default = DEFAULT_SEVERITY if turn.mark == "BAD" else 0
                severity = default if turn.severity is None else turn.severity
                allowed = rule.action(severity) is Decision.ALLOW
                if allowed != (turn.mark == "GOOD"):
                    _contradiction(turn.mark, severity, rule, at, problems)


def _contradiction(mark: str, severity: int, rule: Rule, at: Position, problems: Problems) -> None:
    problems.warning(
        "mark-contradicts-severity",
        at,
        f"marked `{mark}` at level {severity}, where the rule decides `{rule.action(severity)}`",
        "Correct the mark, its `severity=N`, or the decision of the level",
    )


def _on_error_allow(at: Position, problems: Problems) -> None:
    problems.warning(
        "on-error-allow",
        at,
        "what could not be judged is allowed",
        "Prefer `escalate` or `block`: a guard that did not run is no approval",
    )
