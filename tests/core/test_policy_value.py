"""Digests, views and look-ups of the policy value."""

from __future__ import annotations

import pytest
from hypothesis import given

from sekisho.core import Authority, Decision, Level, Policy, Rule, Surface, UnknownName

from .strategies import policies


@given(policies())
def test_a_policy_survives_json_with_its_digest(policy: Policy) -> None:
    again = Policy.model_validate_json(policy.model_dump_json())
    assert again == policy
    assert again.digest == policy.digest


@given(policies())
def test_a_view_keeps_the_digest_and_the_order(policy: Policy) -> None:
    wanted = {rule.id for rule in policy.rules[::2]}
    view = policy.only(wanted)
    assert view.digest == policy.digest
    assert view.ref == policy.ref
    assert [rule.id for rule in view.rules] == [rule.id for rule in policy.rules if rule.id in wanted]
    for surface in Surface:
        assert {rule.id for rule in view.on(surface)} <= wanted
    for rule in policy.rules:
        if rule.id not in wanted:
            with pytest.raises(UnknownName):
                view.rule(rule.id)


BASE = Rule(id="r", title="R", authority=Authority.ROOT, text="Do not.", violates=("x",), line=3)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Do not ever."},
        {"authority": Authority.USER},
        {"violates": ("y",)},
        {"allows": ("z",)},
        {"levels": (Level(level=3, decision=Decision.FLAG),)},
        {"surfaces": (Surface.INPUT,)},
        {"check": "patterns"},
    ],
)
def test_what_decides_changes_the_digest(change: dict[str, object]) -> None:
    assert Rule.model_validate({**BASE.model_dump(), **change}).digest != BASE.digest


@pytest.mark.parametrize("change", [{"title": "Other"}, {"line": 99}, {"tags": ("t",)}])
def test_what_does_not_decide_leaves_the_digest(change: dict[str, object]) -> None:
    assert Rule.model_validate({**BASE.model_dump(), **change}).digest == BASE.digest


def test_order_and_failure_actions_count_for_the_policy() -> None:
    other = BASE.model_copy(update={"id": "s"})
    one = Policy(id="p", rules=(BASE, other))
    assert one.digest != Policy(id="p", rules=(other, BASE)).digest
    strict = Rule.model_validate({**BASE.model_dump(), "on_error": "block"})
    assert one.digest != Policy(id="p", rules=(strict, other)).digest
