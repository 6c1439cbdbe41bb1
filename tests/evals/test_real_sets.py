"""The real public sets, where SEKISHO_DATA names the folder that has them."""

from __future__ import annotations

import os

import pytest

from sekisho.evals import KNOWN_SETS, EvalSet, eval_sets

DATA = os.environ.get("SEKISHO_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA, reason="NO DATA: set SEKISHO_DATA to the folder that has eval/"),
]
COUNTS = {  # positives, negatives, as the table of the data folder has them
    "advbench": (520, 0),
    "beavertails_test": (1733, 1288),
    "deepset_prompt_injections": (263, 399),
    "injecagent": (2108, 17),
    "jailbreakbench": (100, 100),
    "multilingual_hatecheck": (25511, 11071),
    "notinject": (0, 339),
    "openai_moderation": (522, 1158),
    "toxicchat_test": (362, 2491),
    "xstest": (200, 250),
}


@pytest.fixture(scope="module")
def sets() -> dict[str, EvalSet]:
    assert DATA
    return {one.name: one for one in eval_sets(DATA)}


def test_every_set_is_read_to_the_end(sets: dict[str, EvalSet]) -> None:
    assert set(sets) >= set(COUNTS)
    for one in sets.values():
        assert one.count().labelled > 0


@pytest.mark.parametrize("name", COUNTS)
def test_counts(sets: dict[str, EvalSet], name: str) -> None:
    count = sets[name].count()
    assert (count.positives, count.negatives) == COUNTS[name]


def test_known_sets_are_there(sets: dict[str, EvalSet]) -> None:
    assert set(KNOWN_SETS) == set(sets)
