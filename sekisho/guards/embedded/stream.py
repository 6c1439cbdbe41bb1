"""`fast` judges a stream natively: a new piece costs what it brings, not the window it stands in.

Disguised text is the exception: where the last window has grounds for further views, those are judged whole.
The points of evaluation are those of `guards.points`, so how the text was split changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sekisho.core import Exchange, Message, Policy, Step, Surface, Verdict

from ..normalise import variants
from ..points import Points
from ..stream import STOPS, Clearance

if TYPE_CHECKING:
    from .guard import EmbeddedGuard, Judged

WINDOW = 1024
"""Characters before a point that are searched for disguises, and named when a rule is violated there."""


class FastGuardStream:
    """One answer to `context` while it arrives."""

    def __init__(self, guard: EmbeddedGuard, context: Sequence[Message], policy: Policy) -> None:
        self._guard = guard
        self._policy = policy
        self._context = tuple(context)
        self._plan = guard.plan(policy, Surface.OUTPUT)
        self._points = Points()
        self._scores = guard.classifier.open_stream(Surface.OUTPUT.value, context=guard.asked(self._context))
        self._tail = ""  # the text from `_tail_at` on: the last window and what has not been judged yet
        self._tail_at = 0
        self._judged = 0
        self._clearance = Clearance()
        self._worst: Judged | None = None
        self._truncated = False
        self._verdict: Verdict | None = None

    def feed(self, text: str) -> Step:
        if self._verdict is None and text:
            self._tail += text
            for point in self._points.feed(text):
                self._judge_up_to(point)
                verdict = self._decided()
                if verdict is not None:
                    self._verdict = verdict
                    break
                self._clearance.widen(point, ())
            keep = max(self._tail_at, self._judged - WINDOW)
            self._tail = self._tail[keep - self._tail_at :]
            self._tail_at = keep
        return self._clearance.step(self._verdict)

    def finish(self) -> Verdict:
        if self._verdict is None:
            end = self._tail_at + len(self._tail)
            if end > self._judged or self._worst is None:
                self._judge_up_to(end)
            self._verdict = self._made()
        return self._verdict

    def _judge_up_to(self, point: int) -> None:
        new = self._tail[self._judged - self._tail_at : point - self._tail_at]
        start = max(self._tail_at, point - WINDOW)
        window = self._tail[start - self._tail_at : point - self._tail_at]
        views = variants(window)
        # The classifier's tokeniser takes no lone surrogates; a view without any has the same length.
        self._scores.feed(new.encode("utf-8", "replace").decode("utf-8"))
        found = self._guard.judged(self._scores.scores(), span=(start, point))
        if len(views) > 1 or views[0].steps:
            self._truncated |= views[0].truncated
            exchange = Exchange(messages=(*self._context, Message.of("assistant", window)))
            found = found.worse(self._guard.judge([exchange], [views])[0].moved(start))
        self._worst = found if self._worst is None else self._worst.worse(found)
        self._judged = point

    def _decided(self) -> Verdict | None:
        if self._worst is None or not self._guard.violated(self._worst, self._plan):
            return None
        verdict = self._made()
        return verdict if verdict.decision >= STOPS else None

    def _made(self) -> Verdict:
        if self._worst is None:  # pragma: no cover - finish judges before it asks
            raise RuntimeError("a verdict before anything was judged")
        return self._guard.verdict(self._worst, self._plan, self._policy, truncated=self._truncated)
