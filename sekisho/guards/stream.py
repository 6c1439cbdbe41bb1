"""The one adapter that lets any guard judge a text while it arrives.

Overlapping windows end at evaluation points (see `points`), so the cost is linear in the text and the
outcome is the same however it was split. Text is cleared when the window that ends with it has been
judged, less what a redaction or an unfinished pattern still holds back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sekisho.core import (
    Decision,
    Exchange,
    Guard,
    Message,
    Policy,
    Redaction,
    RuleScore,
    Span,
    Step,
    Verdict,
    join,
)

from .failure import check_safely
from .points import Points

STOPS = Decision.ESCALATE
"""From this decision on a stream is decided against: what is flagged or redacted goes on."""


class WindowedStream:
    """Judges an answer to `context` window by window.

    window: characters that are judged together, ending at an evaluation point.
    hold: given the text so far, the position before which later text can no longer change what a
        pattern finds; text from there on is not cleared. Without it everything judged is cleared.
    """

    def __init__(
        self,
        guard: Guard,
        context: Sequence[Message],
        policy: Policy,
        *,
        window: int = 1024,
        points: Points | None = None,
        hold: Callable[[str], int] | None = None,
    ) -> None:
        self._guard = guard
        self._context = tuple(context)
        self._policy = policy
        self._window = window
        self._points = points or Points()
        self._hold = hold
        self._tail = ""  # the last characters of the text, from `_tail_at` on
        self._tail_at = 0
        self._judged = 0
        self._cleared = 0
        self._verdict: Verdict | None = None
        self._decided = False

    def feed(self, text: str) -> Step:
        if not self._decided and text:
            self._tail += text
            for point in self._points.feed(text):
                if self._decides_at(point, final=False):
                    break
            # Once a piece, not once a window: a huge piece must not be copied at every point.
            keep = max(self._tail_at, min(self._judged - self._window, self._cleared))
            self._tail = self._tail[keep - self._tail_at :]
            self._tail_at = keep
        return Step(cleared=self._cleared, verdict=self._verdict if self._decided else None)

    def finish(self) -> Verdict:
        end = self._tail_at + len(self._tail)
        if not self._decided and (end > self._judged or self._verdict is None):
            self._decides_at(end, final=True)
        if self._verdict is None:  # pragma: no cover - the line above always sets it
            raise RuntimeError("a finished stream without a verdict")
        return self._verdict

    def _decides_at(self, point: int, *, final: bool) -> bool:
        start = max(self._tail_at, point - self._window)
        text = self._tail[start - self._tail_at : point - self._tail_at]
        exchange = Exchange(messages=(*self._context, Message.of("assistant", text)))
        found = shifted(check_safely(self._guard, [exchange], self._policy)[0], start)
        self._verdict = found if self._verdict is None else _grown(self._verdict, found)
        self._judged = point
        if found.decision >= STOPS:
            self._decided = True
            return True
        limit = point if final or self._hold is None else start + self._hold(text)
        for redaction in self._verdict.redactions:
            # Never release a part of what is being taken out: its end may still move.
            if redaction.start < limit < redaction.end:
                limit = redaction.start
        self._cleared = max(self._cleared, limit)
        return False


def _grown(so_far: Verdict, found: Verdict) -> Verdict:
    """The join without a part for every window: those would grow without bound."""
    return join((so_far, found), guard=found.guard).model_copy(update={"parts": ()})


def shifted(verdict: Verdict, by: int) -> Verdict:
    """The verdict with all its spans moved by `by` characters."""
    if by == 0:
        return verdict
    return verdict.model_copy(
        update={
            "rules": tuple(_shifted_rule(rule, by) for rule in verdict.rules),
            "redactions": tuple(
                Redaction(start=r.start + by, end=r.end + by, rule=r.rule, label=r.label)
                for r in verdict.redactions
            ),
            "parts": (),
        }
    )


def _shifted_rule(rule: RuleScore, by: int) -> RuleScore:
    if not rule.spans:
        return rule
    return rule.model_copy(update={"spans": tuple(Span.shift(span, by) for span in rule.spans)})
