"""Our own guards keep the contract that we ask of third parties."""

from __future__ import annotations

import pytest

from sekisho.core import Guard
from sekisho.guards import Band, Cascade, Pipeline
from sekisho.guards.contract import check_contract
from sekisho.guards.rules import RulesGuard

from ..core.strategies import POLICY, RULES
from .scripted import BrokenGuard, WordGuard
from .test_rules import POLICY as PATTERNS

GUARDS: list[Guard] = [
    WordGuard({"weather": "fraud"}),
    BrokenGuard(covers=RULES),
    Pipeline([WordGuard({}, covers=["hate"]), WordGuard({"weather": "fraud"})]),
    Cascade([WordGuard({}, covers=RULES), WordGuard({"weather": "fraud"})], bands=[Band(low=0.05)]),
    Pipeline([WordGuard({}, covers=RULES), BrokenGuard(covers=RULES)]),
]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_combinations_keep_the_contract(guard: Guard) -> None:
    check_contract(guard, POLICY)


def test_the_rules_guard_keeps_the_contract() -> None:
    check_contract(RulesGuard(), PATTERNS)
    check_contract(RulesGuard(), POLICY)


def test_a_guard_that_clears_what_it_does_not_cover_is_found_out() -> None:
    class Careless(WordGuard):
        def coverage(self, policy):  # type: ignore[no-untyped-def]
            return WordGuard({}, covers=[]).coverage(policy)

    with pytest.raises(AssertionError, match="cleared without a finding"):
        check_contract(Careless({}, covers=RULES), POLICY)
