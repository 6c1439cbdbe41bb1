"""A policy as plain data, for `policy show --json` and for people who count."""

from __future__ import annotations

from typing import Any

from sekisho.core import ExampleBlock, Heading, Policy, Rule

from .document import PolicyDocument


def describe(document: PolicyDocument | Policy) -> dict[str, Any]:
    """What a document holds: headings, rules, examples with their turns, and counts of all of them."""
    policy = document.policy if isinstance(document, PolicyDocument) else document
    overlays = document.overlays if isinstance(document, PolicyDocument) else {}
    blocks = [block for heading in policy.headings for block in heading.examples]
    return {
        "id": policy.id,
        "version": policy.version,
        "title": policy.title,
        "license": policy.license,
        "digest": policy.digest,
        "on_error": policy.on_error.model_dump(mode="json"),
        "false_positive_budget": policy.false_positive_budget,
        "headings": [_heading(heading) for heading in policy.headings],
        "rules": [_rule(rule) for rule in policy.rules],
        "counts": {
            "headings": len(policy.headings),
            "rules": len(policy.rules),
            "examples": len(blocks),
            "good": sum(block.good for block in blocks),
            "bad": sum(block.bad for block in blocks),
            "comparisons": sum(block.comparisons for block in blocks),
        },
        "languages": list(policy.languages),
        "translations": {
            language: {"file": overlay.file, "title": overlay.title, "sections": list(overlay.sections)}
            for language, overlay in overlays.items()
        },
    }


def _heading(heading: Heading) -> dict[str, Any]:
    return {
        "id": heading.id,
        "title": heading.title,
        "level": heading.level,
        "line": heading.line,
        "authority": heading.authority.value if heading.authority else None,
        "attributes": dict(heading.attributes),
        "examples": [_block(block) for block in heading.examples],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    facts = rule.model_dump(mode="json", exclude={"examples", "exemptions"})
    return {
        **facts,
        "digest": rule.digest,
        "actions": [rule.action(severity).value for severity in range(5)],
        "exceptions": [exemption.model_dump(mode="json") for exemption in rule.exemptions],
        "examples": [_block(block) for block in rule.examples],
    }


def _block(block: ExampleBlock) -> dict[str, Any]:
    return {
        "title": block.title,
        "line": block.line,
        "comparisons": block.comparisons,
        "good": block.good,
        "bad": block.bad,
        "turns": [turn.model_dump(mode="json") for turn in block.turns],
    }
