"""The rules guard's stream: only new text is judged, and nothing that may become a finding is released.

Other guards read a window; patterns need no more than the new text and what stands around it. What is held
back (`_hold`) follows from the text alone, and so does when a window is judged: never from the pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sekisho.core import Exchange, Message, Policy, RuleScore, Status, Step, Verdict

from ..failure import check_safely
from ..points import Points
from ..stream import STOPS, Clearance, Findings
from ._hold import Hold

if TYPE_CHECKING:
    from .guard import RulesGuard

BEHIND = 160
"""Judged characters read again before the new ones: the words beside a number, the word before a password."""
BEHIND_PATTERN = 1024
"""The same for expressions of users and injection signatures, which may span more."""
UNFINISHED = "a secret was begun and not ended within the characters that can be held back"
_LONG = frozenset({"injection_signature"})


class RulesStream:
    """Judges an answer to `context` by the new text at each point that lets some of it go."""

    def __init__(self, guard: RulesGuard, context: Sequence[Message], policy: Policy) -> None:
        self._guard = guard
        self._context = tuple(context)
        self._policy = policy
        self._points = Points()
        names = {detector.name for rule in policy.rules for detector in rule.detectors}
        patterned = any(rule.patterns for rule in policy.rules)
        self._hold = Hold(patterned=patterned, keys="private_key" in names)
        self._behind = BEHIND_PATTERN if patterned or names & _LONG else BEHIND
        self._tail = ""  # the last characters of the text, from `_tail_at` on
        self._tail_at = 0
        self._held = 0  # how far `_hold` has read
        self._next = 0  # before this place judging is not worth it
        self._clearance = Clearance()
        self._found: Findings | None = None
        self._verdict: Verdict | None = None

    def feed(self, text: str) -> Step:
        if self._verdict is None and text:
            self._tail += text
            for point in self._points.feed(text):
                if self._decides_at(point):
                    break
            keep = max(self._tail_at, min(self._held, self._clearance.upto) - self._behind)
            self._tail = self._tail[keep - self._tail_at :]
            self._tail_at = keep
        return self._clearance.step(self._verdict)

    def finish(self) -> Verdict:
        if self._verdict is None:
            self._add(self._judged(self._tail_at + len(self._tail)))
            self._verdict = self._verdict or self._total().verdict()
        return self._verdict

    def _total(self) -> Findings:
        if self._found is None:  # pragma: no cover - every way here judges first
            raise RuntimeError("a finished stream without a verdict")
        return self._found

    def _decides_at(self, point: int) -> bool:
        limit = self._hold.feed(self._tail[self._held - self._tail_at : point - self._tail_at])
        self._held = point
        if self._hold.overflowed and self._fail():
            return True
        cleared = self._clearance.upto
        # Judged once enough of it goes, or a held run would be judged again at each of its points.
        if point >= self._next and limit - cleared >= max(1, (point - cleared + self._behind) // 8):
            found = self._judged(point, limit)
            across = [r.start for r in found.redactions if r.start < limit < r.end]
            if across:
                # Its end may still move. What starts after it is found again, and may have grown by then.
                limit = min(across)
                self._next = point + (point - cleared) // 4
                if limit <= cleared:
                    return False
                found = self._judged(point, limit)
            self._add(found)
            if self._verdict is None:
                self._clearance.widen(limit, found.redactions)
        return self._verdict is not None

    def _judged(self, point: int, limit: int | None = None) -> Verdict:
        """The verdict on what is not cleared yet up to `point`, without what begins at `limit` or later."""
        cleared = self._clearance.upto
        start = max(self._tail_at, cleared - self._behind)
        text = self._tail[start - self._tail_at : point - self._tail_at]
        exchange = Exchange(messages=(*self._context, Message.of("assistant", text)))
        until = None if limit is None else limit - start
        part = partial(self._guard.judge, after=cleared - start, until=until)
        found = check_safely(_Part(self._guard, part), [exchange], self._policy)[0]
        return found.moved(start) if start else found

    def _fail(self) -> bool:
        """Decide against the rest, unless the policy lets go what was not judged."""
        rules = [rule for rule in self._policy.rules if rule.detectors]
        scores = [
            RuleScore.failed(rule, self._policy, status=Status.ABSTAINED, reason=UNFINISHED) for rule in rules
        ]
        self._add(Verdict.of(scores, policy=self._policy.ref, guard=self._guard.name))
        return self._verdict is not None

    def _add(self, found: Verdict) -> None:
        self._found = self._found or Findings(found)
        self._found.add(found)
        if found.decision >= STOPS:
            self._verdict = self._found.verdict()


class _Part:
    """The guard as `check_safely` takes it, judging a part of the text."""

    def __init__(self, guard: RulesGuard, judge: Callable[[Exchange, Policy], Verdict]) -> None:
        self.name = guard.name
        self.coverage = guard.coverage
        self.open = guard.open
        self._judge = judge

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return [self._judge(exchange, policy) for exchange in exchanges]
