"""Redaction is exact: every character of a redacted range goes, nothing else changes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import Redaction, merged, redact

from .strategies import redactions

SCRIPTS = st.text(alphabet="abc XYZ019あいう漢字カナ한국어中文繁體\n🙂é́", max_size=80)


@given(SCRIPTS, st.lists(redactions(), max_size=5))
def test_what_is_not_redacted_stays_and_what_is_goes(text: str, items: list[Redaction]) -> None:
    runs = merged(items, len(text))
    kept = [
        text[a:b]
        for a, b in zip([0, *(e for _, e, _ in runs)], [*(s for s, _, _ in runs), len(text)], strict=True)
    ]
    labels = ["[" + "+".join(names) + "]" for _, _, names in runs]
    woven = "".join(piece + label for piece, label in zip(kept, [*labels, ""], strict=True))
    assert redact(text, items) == woven
    assert all(s < e for s, e, _ in runs)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(runs))


@given(SCRIPTS, st.lists(redactions(), max_size=5), st.randoms())
def test_the_order_of_redactions_does_not_matter(text: str, items: list[Redaction], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert redact(text, items) == redact(text, shuffled) == redact(text, [*items, *items])


def test_overlaps_name_each_label_once() -> None:
    items = [
        Redaction(start=2, end=6, rule="personal_data", label="card"),
        Redaction(start=4, end=8, rule="secrets", label="api_key"),
        Redaction(start=5, end=7, rule="personal_data", label="card"),
    ]
    assert redact("0123456789", items) == "01[card+api_key]89"


def test_ranges_beyond_the_end_are_cut() -> None:
    assert redact("abc", [Redaction(start=1, end=99, rule="r", label="x")]) == "a[x]"
    assert redact("abc", [Redaction(start=50, end=99, rule="r", label="x")]) == "abc"
