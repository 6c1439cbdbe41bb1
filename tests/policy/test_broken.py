"""Broken policies, each with the one error that it has, where it is."""

from pathlib import Path

import pytest

from sekisho.core import PolicyError
from sekisho.policy import lint_file, load_policy

BROKEN = Path(__file__).with_name("broken")

EXPECTED = [
    # file, code, line, column
    ("attribute_without_authority.md", "attribute-without-authority", 1, 20),
    ("block_outside_rule.md", "block-outside-rule", 3, 1),
    ("budget.md", "budget-range", 2, 24),
    ("check_without_patterns.md", "check-without-patterns", 1, 39),
    ("comparison_empty.md", "comparison-without-candidates", 11, 1),
    ("duplicate_block.md", "duplicate-block", 9, 1),
    ("duplicate_id.md", "duplicate-id", 9, 18),
    ("duplicate_key.md", "duplicate-key", 3, 1),
    ("empty_item.md", "empty-item", 8, 1),
    ("example_typo.md", "unknown-block", 5, 1),
    ("example_without_fence.md", "example-without-fence", 5, 1),
    ("exceptions_without_patterns.md", "exceptions-without-patterns", 9, 1),
    ("front_decision.md", "unknown-decision", 2, 11),
    ("front_status.md", "unknown-status", 4, 3),
    ("id_syntax.md", "id-syntax", 1, 12),
    ("invalid_expression.md", "invalid-expression", 8, 11),
    ("label_colon.md", "unknown-block", 5, 1),
    ("label_typo.md", "unknown-block", 5, 1),
    ("language_tag.md", "language-tag", 2, 17),
    ("language_without_translation.md", "language-without-translation", 3, 1),
    ("latin1.txt", "encoding", 5, 12),
    ("list_split.md", "block-split", 9, 1),
    ("malformed_tag.md", "malformed-tag", 8, 1),
    ("mark_case.md", "unknown-mark", 8, 13),
    ("mark_severity.md", "severity-level", 8, 17),
    ("nul.md", "broken-character", 5, 3),
    ("pattern_matches_empty.md", "expression-matches-empty", 7, 4),
    ("pattern_without_backticks.md", "code-span", 7, 3),
    ("policy_id.md", "id-syntax", 2, 5),
    ("rule_without_id.md", "rule-without-id", 1, 11),
    ("rule_without_text.md", "rule-without-text", 1, 1),
    ("severity_decision.md", "unknown-decision", 7, 5),
    ("severity_falls.md", "severity-falls", 8, 3),
    ("severity_range.md", "severity-level", 7, 3),
    ("severity_syntax.md", "severity-syntax", 7, 3),
    ("severity_twice.md", "severity-duplicate", 9, 3),
    ("text_before_list.md", "block-without-list", 7, 1),
    ("text_outside_turn.md", "text-outside-turn", 8, 1),
    ("unclosed_attributes.md", "attribute-block", 1, 11),
    ("unclosed_comment.md", "unclosed-comment", 5, 1),
    ("unclosed_comparison.md", "unclosed-comparison", 8, 1),
    ("unclosed_fence.md", "unclosed-fence", 7, 1),
    ("unclosed_front_matter.md", "front-matter-unclosed", 1, 1),
    ("unclosed_user.md", "unclosed-turn", 8, 1),
    ("unexpected_closing.md", "unexpected-tag", 11, 1),
    ("unknown_attribute.md", "unknown-attribute", 1, 35),
    ("unknown_authority.md", "unknown-authority", 3, 30),
    ("unknown_detector.md", "unknown-detector", 8, 4),
    ("unknown_key.md", "unknown-key", 3, 1),
    ("unknown_surface.md", "unknown-surface", 1, 50),
    ("unknown_tag.md", "unknown-tag", 8, 1),
    ("utf16.txt", "encoding", 1, 1),
    ("version_is_list.md", "wrong-type", 3, 10),
    ("violates_empty.md", "block-empty", 5, 1),
    ("yaml_alias.md", "yaml-alias", 2, 5),
    ("yaml_syntax.md", "yaml-syntax", 3, 12),
]


@pytest.mark.parametrize(("name", "code", "line", "column"), EXPECTED, ids=str)
def test_broken(name, code, line, column):
    problems = lint_file(BROKEN / name)
    errors = [p for p in problems if p.severity == "error"]
    assert [(p.code, p.line, p.column) for p in errors] == [(code, line, column)]
    assert len(errors[0].message) > 10
    assert len(errors[0].remedy) > 5
    assert not errors[0].message.endswith(".")
    with pytest.raises(PolicyError) as raised:
        load_policy(BROKEN / name)
    error = raised.value
    assert (error.code, error.line, error.column) == (code, line, column)
    assert str(error).startswith(f"{BROKEN / name}:{line}:{column}: ")
    assert error.remedy == errors[0].remedy


def test_every_file_is_expected():
    assert sorted(p.name for p in BROKEN.iterdir()) == sorted(name for name, *_ in EXPECTED)


def test_all_problems_are_collected():
    text = (
        "---\nversoin: 1\nfalse_positive_budget: 2\n---\n\n"
        "## A {#a authority=admin surfaces=up}\n\nText.\n\n**Severity**\n\n- 9 block: x\n- 1 stop: y\n"
    )
    from sekisho.policy import lint

    assert [(p.code, p.line, p.column) for p in lint(text) if p.severity == "error"] == [
        ("unknown-key", 2, 1),
        ("budget-range", 3, 24),
        ("unknown-authority", 6, 20),
        ("unknown-surface", 6, 35),
        ("severity-level", 12, 3),
        ("unknown-decision", 13, 5),
    ]


def test_messages_do_not_repeat_long_text():
    from sekisho.policy import lint

    secret = "s3cret" * 50
    text = f"## A {{#a authority={secret}}}\n\nText.\n\n**Detects**\n\n- `{secret}`\n"
    for problem in lint(text):
        assert len(problem.message) < 150
        assert secret not in problem.message + problem.remedy
