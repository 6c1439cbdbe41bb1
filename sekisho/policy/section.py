"""A heading with everything under it, read into values: what policies and translations are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from sekisho.core import Detector, ExampleBlock, Exemption, Level, Pattern

from .blocks import Step, levels, read_detectors, read_exemptions, read_patterns, read_steps
from .heading import Title, read_title
from .markdown import Block, Part
from .notation import Conversation
from .problem import Position, Problems
from .source import Source

_DECIDING = ("Patterns", "Detects", "Exceptions")


@dataclass(slots=True)
class Section:
    """One heading's content as values, and where they stand."""

    title: Title
    level: int
    text: str
    """Without commentary."""
    full_text: str
    violates: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    patterns: list[tuple[Pattern, Position]] = field(default_factory=list)
    detectors: list[Detector] = field(default_factory=list)
    exemptions: list[tuple[Exemption, Position]] = field(default_factory=list)
    examples: tuple[ExampleBlock, ...] = ()
    turns: list[list[Position]] = field(default_factory=list)
    """Where the turns of every example stand."""
    blocks: dict[str, Position] = field(default_factory=dict)
    """Where the labels stand."""

    @property
    def at(self) -> Position:
        return self.title.at

    @property
    def levels(self) -> tuple[Level, ...]:
        return levels(self.steps)


def read_sections(
    parts: list[Part], source: Source, problems: Problems, *, translation: bool
) -> list[Section]:
    """Every heading's section; what is wrong with any of them is reported."""
    for block in parts[0].blocks:
        _outside_rule(block, problems)
    for fence in parts[0].fences:
        problems.error(
            "example-outside-heading",
            fence.at,
            "an example stands before the first heading",
            "Put it under the rule that it is an example of",
        )
    sections = [_section(part, source, problems, translation=translation) for part in parts[1:]]
    _check_ids(sections, problems)
    return sections


def _section(part: Part, source: Source, problems: Problems, *, translation: bool) -> Section:
    title = read_title(part, source, problems)
    section = Section(title, part.level, part.text(commentary=False), part.text(commentary=True))
    is_rule = title.authority is not None or translation
    for block in part.blocks:
        if not is_rule:
            _outside_rule(block, problems)
        elif block.label in section.blocks:
            problems.error(
                "duplicate-block",
                block.at,
                f"the rule already has a `{block.label}` block on line {section.blocks[block.label].line}",
                "Make one list of the two",
            )
        elif translation and block.label in _DECIDING:
            problems.error(
                "translation-block",
                block.at,
                f"a translation has no `{block.label}` block",
                "Remove it: what a rule decides comes from the main document",
            )
        else:
            section.blocks[block.label] = block.at
            _read_block(block, section, problems, translation=translation)
    examples = []
    for fence in part.fences:
        conversation = Conversation(problems)
        if fence.lines is not None:
            conversation.read(fence.lines, fence.first)
        examples.append(
            ExampleBlock(
                title=fence.title,
                turns=tuple(conversation.turns),
                comparisons=conversation.comparisons,
                line=fence.at.line,
            )
        )
        section.turns.append(conversation.positions)
    section.examples = tuple(examples)
    return section


def _read_block(block: Block, section: Section, problems: Problems, *, translation: bool) -> None:
    match block.label:
        case "Violates":
            section.violates = tuple(item.text for item in block.items)
        case "Allows":
            section.allows = tuple(item.text for item in block.items)
        case "Severity":
            section.steps = read_steps(block, problems, translation=translation)
        case "Patterns":
            section.patterns = read_patterns(block, problems)
        case "Detects":
            section.detectors = read_detectors(block, problems)
        case _:
            section.exemptions = read_exemptions(block, problems)


def _outside_rule(block: Block, problems: Problems) -> None:
    problems.error(
        "block-outside-rule",
        block.at,
        f"`{block.label}` belongs to rules, and the heading above is none",
        "Give the heading an id and an authority: `## Title {#id authority=user}`",
    )


def _check_ids(sections: list[Section], problems: Problems) -> None:
    seen: dict[str, int] = {}
    for section in sections:
        name = section.title.id
        if name is None:
            continue
        if name in seen:
            problems.error(
                "duplicate-id",
                section.title.places["id"],
                f"the id `{name[:60]}` is already taken on line {seen[name]}",
                "Every heading has an id of its own",
            )
        else:
            seen[name] = section.at.line
