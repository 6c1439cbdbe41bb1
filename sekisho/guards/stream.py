"""The one adapter that lets any guard judge a text while it arrives.

Overlapping windows end at evaluation points (see `points`), so the cost is linear in the text and the
outcome is the same however it was split. Text is cleared when the window that ends with it has been
judged, less what a redaction or an unfinished pattern still holds back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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
    merged,
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
        self._clearance = Clearance()
        self._found: Findings | None = None
        self._verdict: Verdict | None = None

    def feed(self, text: str) -> Step:
        if self._verdict is None and text:
            self._tail += text
            for point in self._points.feed(text):
                if self._decides_at(point, final=False):
                    break
            # Once a piece, not once a window: a huge piece must not be copied at every point.
            keep = max(self._tail_at, min(self._judged - self._window, self._clearance.upto))
            self._tail = self._tail[keep - self._tail_at :]
            self._tail_at = keep
        return self._clearance.step(self._verdict)

    def finish(self) -> Verdict:
        end = self._tail_at + len(self._tail)
        if self._verdict is None and (end > self._judged or self._found is None):
            self._decides_at(end, final=True)
        if self._found is None:  # pragma: no cover - the lines above always set it
            raise RuntimeError("a finished stream without a verdict")
        self._verdict = self._verdict or self._found.verdict()
        return self._verdict

    def _decides_at(self, point: int, *, final: bool) -> bool:
        start = max(self._tail_at, point - self._window)
        text = self._tail[start - self._tail_at : point - self._tail_at]
        exchange = Exchange(messages=(*self._context, Message.of("assistant", text)))
        found = check_safely(self._guard, [exchange], self._policy)[0].moved(start)
        self._found = self._found or Findings(found)
        self._found.add(found)
        self._judged = point
        if found.decision >= STOPS:
            self._verdict = self._found.verdict()
            return True
        limit = point if final or self._hold is None else start + self._hold(text)
        self._clearance.widen(limit, found.redactions)
        return False


class Clearance:
    """How far a text is cleared, and what has to be taken out of it; never up to the middle of a redaction."""

    def __init__(self) -> None:
        self.upto = 0
        self._open: dict[Redaction, None] = {}  # in text that is not cleared yet
        self._due: list[Redaction] = []  # in text that was cleared since the last step

    def know(self, redactions: Iterable[Redaction]) -> None:
        """Redactions in text that is not cleared yet; those in cleared text come too late to be of use."""
        self._open.update(dict.fromkeys(r for r in redactions if r.end > self.upto))

    def widen(self, limit: int, redactions: Iterable[Redaction]) -> None:
        """Clear up to `limit`, or less where a redaction lies across it. Clearance never goes back."""
        self.know(redactions)
        for start, end, _ in merged(self._open, max((r.end for r in self._open), default=0)):
            if start < limit < end:
                limit = start
        if limit <= self.upto:
            return
        due = [redaction for redaction in self._open if redaction.end <= limit]
        for redaction in due:
            del self._open[redaction]
        self._due += due
        self.upto = limit

    def step(self, verdict: Verdict | None) -> Step:
        """What a caller may do now."""
        due = tuple(sorted(self._due, key=lambda r: (r.start, r.end, r.rule, r.label)))
        self._due = []
        return Step(cleared=self.upto, redactions=due, verdict=verdict)


class Findings:
    """The join of many windows' verdicts, made once at the end: joining at every point would sort and copy all
    findings so far again and again."""

    def __init__(self, first: Verdict) -> None:
        self._first = first
        self._scores: dict[str, RuleScore] = {}
        self._spans: dict[str, dict[Span, None]] = {}
        self._redactions: dict[Redaction, None] = {}
        self._notes: set[str] = set()
        self._score: float | None = None
        self._refusal: bool | None = None
        self._elapsed_ms = 0.0

    def add(self, verdict: Verdict) -> None:
        """Take one more window's verdict, its ranges already in the whole text's positions."""
        for rule in verdict.rules:
            bare = rule.model_copy(update={"spans": ()}) if rule.spans else rule
            before = self._scores.get(rule.id)
            self._scores[rule.id] = bare if before is None else before.join(bare)
            if rule.spans:
                self._spans.setdefault(rule.id, {}).update(dict.fromkeys(rule.spans))
        self._redactions.update(dict.fromkeys(verdict.redactions))
        self._notes.update(verdict.notes)
        self._elapsed_ms += verdict.elapsed_ms
        if verdict.score is not None:
            self._score = verdict.score if self._score is None else max(self._score, verdict.score)
        if verdict.refusal is not None:
            # A refusal is recognised by how an answer begins.
            self._refusal = verdict.refusal if self._refusal is None else self._refusal

    def verdict(self) -> Verdict:
        """The verdict on everything that was added."""
        rules = [
            score.model_copy(update={"spans": _in_order(self._spans[score.id])})
            if score.id in self._spans
            else score
            for score in self._scores.values()
        ]
        return Verdict.of(
            rules,
            policy=self._first.policy,
            guard=self._first.guard,
            score=self._score,
            refusal=self._refusal,
            redactions=self._redactions,
            notes=self._notes,
            trained_on=self._first.trained_on,
            elapsed_ms=self._elapsed_ms,
        )


def _in_order(spans: dict[Span, None]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.label)))
