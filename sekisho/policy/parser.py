"""From a document's text to values: policies, translations, and all problems on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from sekisho.core import Heading, OnError, Policy, PolicyError, Rule

from .front_matter import FrontMatter, read_front_matter
from .markdown import read_parts
from .problem import Position, Problem, Problems
from .section import Section, read_sections
from .source import Source
from .translation import Overlay, make_overlay


@dataclass(slots=True)
class Reading:
    """A document as far as it could be read."""

    problems: Problems
    source: Source | None = None
    front: FrontMatter = field(default_factory=FrontMatter)
    sections: list[Section] = field(default_factory=list)
    policy: Policy | None = None
    overlay: Overlay | None = None


def parse(text: str, *, file: str = "<policy>") -> Policy:
    """The policy that a document spells. Raises `PolicyError`, the first in the document's order."""
    reading = read(text, file=file)
    raise_first(reading.problems)
    if reading.policy is None:
        raise _translation_not_policy(reading)
    return reading.policy


def parse_overlay(text: str, *, file: str = "<policy>") -> Overlay:
    """The translation that a document spells. Raises `PolicyError`."""
    reading = read(text, file=file)
    raise_first(reading.problems)
    if reading.overlay is None:
        raise PolicyError(
            "the document is not a translation",
            file=file,
            remedy="A translation has `translation_of` and `language` in its front matter",
            code="not-a-translation",
        )
    return reading.overlay


def read(text: str, *, file: str = "<policy>") -> Reading:
    """Read a document, collecting problems instead of raising them."""
    problems = Problems(file)
    reading = Reading(problems)
    try:
        source = Source(text, problems)
    except PolicyError as error:
        problems.add(Problem.of(error))
        return reading
    reading.source = source
    reading.front = front = read_front_matter(source, problems)
    translation = front.translation_of is not None
    parts = read_parts(source, front.lines, problems)
    reading.sections = read_sections(parts, source, problems, translation=translation)
    if translation:
        reading.overlay = make_overlay(front, reading.sections, problems)
    else:
        _check_rules(reading.sections, problems)
        reading.policy = _policy(front, reading.sections, file)
    return reading


def raise_first(problems: Problems) -> None:
    """Raise the first error, if there is one."""
    first = problems.first_error()
    if first is not None:
        raise first.exception()


def _policy(front: FrontMatter, sections: list[Section], file: str) -> Policy:
    first_title = sections[0].title.text if sections else ""
    rules = []
    taken: set[str] = set()
    for section in sections:
        title = section.title
        if title.authority is not None and title.id is not None and title.id not in taken:
            taken.add(title.id)
            rules.append(_rule(section, title.id))
    return Policy(
        id=front.id or _id_of(file),
        version="0" if front.version is None else front.version,
        title=first_title if front.title is None else front.title,
        license=front.license,
        languages=front.languages or ("en",),
        on_error=front.on_error or OnError(),
        false_positive_budget=0.02 if front.false_positive_budget is None else front.false_positive_budget,
        rules=tuple(rules),
        headings=tuple(_heading(section) for section in sections),
    )


def _rule(section: Section, rule_id: str) -> Rule:
    title = section.title
    assert title.authority is not None
    return Rule(
        id=rule_id,
        title=title.text,
        authority=title.authority,
        text=section.text,
        violates=section.violates,
        allows=section.allows,
        levels=section.levels,
        patterns=tuple(pattern for pattern, _ in section.patterns),
        detectors=tuple(section.detectors),
        exemptions=tuple(exemption for exemption, _ in section.exemptions),
        examples=section.examples,
        line=section.at.line,
        **title.rule,
    )


def _heading(section: Section) -> Heading:
    title = section.title
    return Heading(
        title=title.text,
        level=section.level,
        line=section.at.line,
        id=title.id,
        authority=title.authority,
        attributes=title.raw,
        text=section.full_text,
        examples=section.examples,
    )


def _check_rules(sections: list[Section], problems: Problems) -> None:
    for section in sections:
        title = section.title
        if title.authority is None:
            continue
        by_patterns = title.rule.get("check") == "patterns"
        found = "Patterns" in section.blocks or "Detects" in section.blocks
        if by_patterns and not found:
            problems.error(
                "check-without-patterns",
                title.places["check"],
                "the rule is decided by patterns alone, and has none",
                "Add a `**Patterns**` or `**Detects**` list, or remove `check=patterns`",
            )
        if "Exceptions" in section.blocks and not found:
            problems.error(
                "exceptions-without-patterns",
                section.blocks["Exceptions"],
                "exceptions are exceptions from patterns and detectors, and the rule has none",
                "Add a `**Patterns**` or `**Detects**` list, or say the exception under `**Allows**`",
            )
        if not section.text and not by_patterns:
            problems.error(
                "rule-without-text",
                section.at,
                "the rule has no text",
                "Say under the heading what the rule asks for",
            )


def _id_of(file: str) -> str:
    """An identifier from the file's name."""
    stem = PurePath(file).name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9_.-]+", "-", stem).strip("-._") or "policy"


def _translation_not_policy(reading: Reading) -> PolicyError:
    at = reading.front.at.get("translation_of", Position(1, 1))
    return PolicyError(
        "the document is a translation, not a policy",
        file=reading.problems.file,
        line=at.line,
        column=at.column,
        remedy="Load the document that it is a translation of; translations beside it are found by name",
        code="translation",
    )
