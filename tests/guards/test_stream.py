"""However a text is split, a stream clears the same characters and comes to the same verdict."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.core import Exchange, Guard, Level, Policy, Rule, Status, Verdict
from sekisho.guards import Pipeline, Release, WindowedStream
from sekisho.guards.points import Points

from ..core.strategies import RULES
from .scripted import BrokenGuard, WordGuard

REDACTING = Policy.model_validate(
    {
        "id": "test",
        "rules": [
            {"id": r, "title": r, "authority": "root", "levels": [{"level": 3, "decision": "redact"}]}
            for r in RULES
        ],
    }
)
BLOCKING = Policy(
    id="test",
    rules=tuple(
        Rule(id=r, title=r, authority="root", levels=(Level(level=3, decision="block"),))  # type: ignore[arg-type]
        for r in RULES
    ),
)
PIECES = st.sampled_from(
    [
        "ok. ",
        "と。",
        "slur",
        "scam",
        "sc",
        "am",
        "é",
        "e\u0301",
        "🙂",
        "👩‍👩‍👧",
        "\n",
        "word ",
        "x" * 60,
        "日本語" * 20,
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def run(guard: Guard, policy: Policy, pieces: Sequence[str]) -> tuple[list[tuple[int, int]], Verdict]:
    """What was cleared after how much text, and the final verdict."""
    stream = guard.open((), policy)
    seen, cleared = 0, []
    for piece in pieces:
        step = stream.feed(piece)
        seen += len(piece)
        cleared.append((seen, step.cleared))
    return cleared, stream.finish()


def split_at(text: str, cuts: Sequence[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in itertools.pairwise(places)]


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=12), st.sampled_from([REDACTING, BLOCKING]))
@settings(deadline=None)
def test_splitting_changes_nothing(text: str, cuts: list[int], policy: Policy) -> None:
    guard = WordGuard({"slur": "hate", "scam": "fraud"}, covers=RULES, redact=True)
    by_character, verdict = run(guard, policy, list(text))
    clearance = dict(by_character)
    cleared, other = run(guard, policy, split_at(text, cuts))
    assert other.essence == verdict.essence
    assert all(clearance[seen] == upto for seen, upto in cleared)


@given(TEXTS)
@settings(deadline=None)
def test_nothing_is_cleared_that_was_not_judged_or_was_refused(text: str) -> None:
    guard = WordGuard({"slur": "hate"}, covers=RULES)
    cleared, verdict = run(guard, BLOCKING, list(text))
    last = cleared[-1][1] if cleared else 0
    assert "slur" not in text[:last]
    assert [c for _, c in cleared] == sorted(c for _, c in cleared), "clearance never goes back"
    assert all(upto <= seen for seen, upto in cleared)
    assert (verdict.decision == "block") == ("slur" in text)


def test_a_decided_stream_stays_decided() -> None:
    stream = WordGuard({"slur": "hate"}, covers=RULES).open((), BLOCKING)
    first = stream.feed("A sentence that is quite long and has a slur in it. And more. ")
    assert first.verdict is not None
    assert first.cleared == 0
    assert stream.feed("harmless " * 100).verdict == first.verdict
    assert stream.finish().decision == "block"


def test_cost_is_linear_in_the_text() -> None:
    guard = WordGuard({"slur": "hate"}, covers=RULES)

    def work(length: int) -> int:
        guard.seen.clear()
        run(guard, BLOCKING, ["Some words that say little. " * (length // 28)])
        return sum(len(text) for text in guard.seen)

    short, long = work(20_000), work(80_000)
    assert long / short == pytest.approx(4, rel=0.1)


def test_a_megabyte_in_one_piece_and_in_characters() -> None:
    guard = WordGuard({"slur": "hate"}, covers=RULES)
    started = time.perf_counter()
    whole = run(guard, BLOCKING, ["a" * 1_000_000])[1]
    many = run(guard, BLOCKING, ["a" * 100] * 10_000)[1]
    assert whole.essence == many.essence
    assert time.perf_counter() - started < 20


def test_an_empty_stream_has_a_verdict() -> None:
    verdict = WordGuard({}, covers=RULES).open((), BLOCKING).finish()
    assert verdict.decision == "allow"
    assert verdict.status is Status.OK


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=6))
@settings(deadline=None, max_examples=40)
def test_a_pipeline_of_streams_clears_what_all_clear(text: str, cuts: list[int]) -> None:
    pipeline = Pipeline(
        [
            WordGuard({"slur": "hate"}, covers=["hate", "privacy"]),
            WordGuard({"scam": "fraud"}, covers=["fraud", "secrets"]),
        ]
    )
    clearance = dict(run(pipeline, BLOCKING, list(text))[0])
    cleared, verdict = run(pipeline, BLOCKING, split_at(text, cuts))
    assert all(clearance[seen] == upto for seen, upto in cleared)
    assert verdict.decision == ("block" if "slur" in text or "scam" in text else "allow")


def test_a_guard_that_breaks_in_a_stream_clears_nothing() -> None:
    stream = BrokenGuard(covers=RULES).open((), BLOCKING)
    step = stream.feed("A sentence that is long enough to be judged on its own. And another. ")
    assert step.cleared == 0
    assert step.verdict is not None
    assert step.verdict.status is Status.ERROR
    assert stream.finish().decision == "escalate"


@given(st.text(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_points_depend_on_the_text_alone(text: str, cuts: list[int]) -> None:
    whole = Points(least=5, most=20).feed(text)
    points = Points(least=5, most=20)
    pieces = [place for piece in split_at(text, cuts) for place in points.feed(piece)]
    assert pieces == whole
    assert all(b - a <= 20 for a, b in zip([0, *whole], whole, strict=False))


def test_a_redaction_is_never_cut_in_two() -> None:
    guard = WordGuard({"scam": "fraud"}, covers=RULES, redact=True)
    text = "x" * 254 + "scam" + "y" * 300
    stream = WindowedStream(guard, (), REDACTING, hold=lambda seen: len(seen) - 3)
    released = 0
    for character in text:
        released = stream.feed(character).cleared
        assert not 254 < released < 258
    assert released > 258


def test_a_caller_can_redact_what_is_released() -> None:
    guard = WordGuard({"scam": "fraud"}, covers=RULES, redact=True)
    text = "First a scam in a sentence that is long enough to be cleared at once. Then some more. " * 5
    for size in (1, 7, 1000):
        release = Release(guard.open((), REDACTING))
        shown = "".join(
            release.feed(piece) for piece in (text[i : i + size] for i in range(0, len(text), size))
        )
        rest, verdict = release.finish()
        assert shown + rest == text.replace("scam", "[word]")
        assert verdict.decision == "redact"


def test_a_release_ends_where_the_stream_is_decided_against() -> None:
    release = Release(WordGuard({"slur": "hate"}, covers=RULES).open((), BLOCKING))
    text = "A harmless sentence that is long enough to be judged alone. " + "Then a slur in another one. " * 3
    shown = "".join(release.feed(character) for character in text)
    assert shown == "A harmless sentence that is long enough to be judged alone."
    assert release.finish()[0] == ""
    assert release.verdict is not None
    assert release.verdict.decision == "block"


def test_what_a_hint_found_in_a_stream_is_in_the_final_verdict() -> None:
    hinting = WordGuard({"inject": "hate"}, covers=[], name="hints")
    hinting.hints = lambda policy: frozenset({"hate"})  # type: ignore[attr-defined]
    pipeline = Pipeline([hinting, WordGuard({}, covers=RULES)])
    stream = pipeline.open((), BLOCKING)
    step = stream.feed("How are you today? " * 30 + "Now inject this. " + "Fine weather today. " * 30)
    final = stream.finish()
    whole = pipeline.check([Exchange.of("Now inject this.", role="assistant")], BLOCKING)[0]
    assert step.verdict is not None
    assert step.verdict.decision == final.decision == whole.decision == "block"


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=6))
def test_two_guards_that_both_decide_agree_however_the_text_is_split(text: str, cuts: list[int]) -> None:
    pipeline = Pipeline(
        [
            WordGuard({"slur": "hate"}, covers=["hate", "privacy"]),
            WordGuard({"scam": "fraud"}, covers=["fraud", "secrets"], severity=1),
        ]
    )
    one = run(pipeline, BLOCKING, list(text))[1]
    other = run(pipeline, BLOCKING, split_at(text, cuts))[1]
    assert one.essence == other.essence
