"""Translations: overlays that change what people and models read, never what a policy decides."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.core import Decision, ExampleBlock, Heading, Policy, Rule, Value

from .front_matter import FrontMatter
from .problem import Position, Problems
from .section import Section


class TranslatedStep(Value):
    """The text of one severity level; its decision, where written, has to be the main document's."""

    level: int
    text: str
    decision: Decision | None = None
    line: int = 0
    column: int = 1


class TranslatedSection(Value):
    """The text of one heading, rule or not, in another language."""

    title: str
    text: str = ""
    """Without commentary."""
    full_text: str = ""
    violates: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    levels: tuple[TranslatedStep, ...] = ()
    examples: tuple[ExampleBlock, ...] = ()
    line: int = 0
    column: int = 1


class Overlay(Value):
    """A translation of a policy."""

    language: str
    translation_of: str
    title: str | None = None
    sections: dict[str, TranslatedSection] = {}
    file: str = ""


def make_overlay(front: FrontMatter, sections: list[Section], problems: Problems) -> Overlay:
    """The overlay that a document spells; what does not belong into one is reported."""
    for key in ("languages", "on_error", "false_positive_budget"):
        if key in front.at:
            problems.error(
                "translation-key",
                front.at[key],
                f"a translation has no `{key}`",
                "Remove it: it comes from the main document",
            )
    translated: dict[str, TranslatedSection] = {}
    for section in sections:
        for name in section.title.raw:
            problems.error(
                "translation-attribute",
                section.title.places[name],
                f"a translation's heading has no `{name}`",
                "Remove it: it comes from the main document",
            )
        if section.title.id is not None:
            translated.setdefault(section.title.id, _translated(section))
    return Overlay(
        language=front.language or "und",
        translation_of=front.translation_of or "",
        title=front.title,
        sections=translated,
        file=problems.file,
    )


def _translated(section: Section) -> TranslatedSection:
    return TranslatedSection(
        title=section.title.text,
        text=section.text,
        full_text=section.full_text,
        violates=section.violates,
        allows=section.allows,
        levels=tuple(
            TranslatedStep(
                level=s.level, text=s.text, decision=s.decision, line=s.at.line, column=s.at.column
            )
            for s in section.steps
        ),
        examples=section.examples,
        line=section.at.line,
        column=section.at.column,
    )


def in_language(policy: Policy, overlays: Mapping[str, Overlay], language: str) -> Policy:
    """The policy with its text in `language`; where there is no translation, as it is.

    `ja-JP` finds `ja`. Digests, of the policy and of every rule, stay those of the main document.
    """
    overlay = overlays.get(language) or overlays.get(language.partition("-")[0])
    if overlay is None:
        return policy
    fields = {name: getattr(policy, name) for name in type(policy).model_fields}
    fields["title"] = overlay.title or policy.title
    fields["rules"] = tuple(_rule(rule, overlay.sections.get(rule.id)) for rule in policy.rules)
    fields["headings"] = tuple(_heading(h, overlay.sections.get(h.id or "")) for h in policy.headings)
    return Policy.model_construct(**fields)


def _rule(rule: Rule, section: TranslatedSection | None) -> Rule:
    if section is None:
        return rule
    texts = {step.level: step.text for step in section.levels}
    fields = {name: getattr(rule, name) for name in type(rule).model_fields}
    fields["title"] = section.title or rule.title
    fields["text"] = section.text or rule.text
    fields["violates"] = section.violates or rule.violates
    fields["allows"] = section.allows or rule.allows
    fields["levels"] = tuple(
        level.model_copy(update={"text": texts.get(level.level) or level.text}) for level in rule.levels
    )
    fields["examples"] = section.examples or rule.examples
    translated = Rule.model_construct(**fields)
    # A guard trained on the main document knows this rule: its identity is the main document's digest.
    translated.__dict__["digest"] = rule.digest
    return translated


def _heading(heading: Heading, section: TranslatedSection | None) -> Heading:
    if section is None:
        return heading
    return heading.model_copy(
        update={
            "title": section.title or heading.title,
            "text": section.full_text or heading.text,
            "examples": section.examples or heading.examples,
        }
    )


def check_parity(overlay: Overlay, policy: Policy, problems: Problems) -> None:
    """Report where a translation and its main document do not fit together."""
    if overlay.translation_of != policy.id:
        problems.error(
            "translation-of",
            Position(1, 1),
            "the translation is of another policy",
            f"Write `translation_of: {policy.id}`",
        )
    known = {heading.id for heading in policy.headings}
    for name, section in overlay.sections.items():
        if name not in known:
            problems.error(
                "translation-unknown",
                Position(section.line, section.column),
                f"the main document has no heading `{name[:60]}`",
                "Remove the section, or correct its id",
            )
    last = max((section.line for section in overlay.sections.values()), default=1)
    for rule in policy.rules:
        translated = overlay.sections.get(rule.id)
        if translated is None:
            problems.error(
                "translation-missing",
                Position(last, 1),
                f"the rule `{rule.id}` is not translated",
                f"Add a section `## … {{#{rule.id}}}`",
            )
        else:
            _check_rule(rule, translated, problems)


def _check_rule(rule: Rule, section: TranslatedSection, problems: Problems) -> None:
    at = Position(section.line, section.column)
    for label, here, there in (
        ("Violates", section.violates, rule.violates),
        ("Allows", section.allows, rule.allows),
    ):
        if len(here) != len(there):
            problems.error(
                "translation-items",
                at,
                f"`{label}` of `{rule.id}` has {len(here)} items, in the main document {len(there)}",
                "Translate item by item, in the same order",
            )
    if [step.level for step in section.levels] != [level.level for level in rule.levels]:
        problems.error(
            "translation-levels",
            at,
            f"`Severity` of `{rule.id}` has other levels than the main document",
            "Translate each level that the main document has",
        )
    decided = {level.level: level.decision for level in rule.levels}
    for step in section.levels:
        if step.decision is not None and step.level in decided and step.decision is not decided[step.level]:
            problems.error(
                "translation-decision",
                Position(step.line, step.column),
                f"level {step.level} decides `{step.decision}`, in the main document `{decided[step.level]}`",
                "Decisions come from the main document: write the same one, or none",
            )
    if not section.text and rule.text:
        problems.error("translation-text", at, f"the text of `{rule.id}` is not translated", "Translate it")
    if section.examples and len(section.examples) != len(rule.examples):
        problems.warning(
            "translation-examples",
            at,
            f"`{rule.id}` has {len(section.examples)} examples, in the main document {len(rule.examples)}",
            "Translate each example, or none",
        )
