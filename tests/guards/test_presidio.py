"""The extra `pii`: Presidio's recognisers run inside the rules guard, on its terms."""

from __future__ import annotations

import warnings

import pytest

from sekisho.core import ReferenceError_, redact
from sekisho.guards import BoundGuard, load_guard_for

from .test_rules import POLICY

pytest.importorskip("presidio_analyzer", reason="the extra `pii` is not installed")


@pytest.fixture(scope="module")
def guard() -> BoundGuard:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third parties' deprecations at import
        return BoundGuard(load_guard_for("rules?pii=presidio"), POLICY)


@pytest.mark.filterwarnings("default")
def test_presidio_adds_to_what_the_checksums_find(guard: BoundGuard) -> None:
    text = "Card 4111 1111 1111 1111, my passport and IBAN DE89 3704 0044 0532 0130 00."
    assert redact(text, guard.check_one(text).redactions) == "Card [card], my passport and IBAN [iban]."
    assert guard.check_one("Nothing to see here.").decision == "allow"


@pytest.mark.filterwarnings("default")
def test_findings_of_presidio_lead_back_through_disguise(guard: BoundGuard) -> None:
    text = "use ４１１１\u200b１１１１１１１１１１１１ now"
    assert redact(text, guard.check_one(text).redactions) == "use [card] now"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ReferenceError_, match="neither builtin nor presidio"):
        load_guard_for("rules?pii=magic")
    with pytest.raises(ReferenceError_, match="no parameter"):
        load_guard_for("rules?colour=red")
