"""Releasing a judged stream: what may be shown, already redacted, as soon as it may.

release = Release(guard.open(context, policy))
for piece in upstream:
    show(release.feed(piece))
rest, verdict = release.finish()
"""

from __future__ import annotations

from sekisho.core import GuardStream, Redaction, Verdict, redact

from .stream import STOPS


class Release:
    """Feeds a guard's stream and gives back the text that it has cleared, redactions taken out.

    After a decision against the text nothing more is given; `verdict` says why.
    """

    def __init__(self, stream: GuardStream) -> None:
        self._stream = stream
        self._held = ""
        self._held_at = 0
        self.verdict: Verdict | None = None

    def feed(self, text: str) -> str:
        """Take the next piece; the text that may be shown now, often empty."""
        if self.verdict is not None:
            return ""
        self._held += text
        step = self._stream.feed(text)
        shown = self._up_to(step.cleared, step.redactions)
        if step.verdict is not None:
            self.verdict = step.verdict
            self._held = ""
        return shown

    def finish(self) -> tuple[str, Verdict]:
        """The text is complete: what may still be shown, and the verdict on all of it."""
        if self.verdict is not None:
            return "", self.verdict
        self.verdict = self._stream.finish()
        if self.verdict.decision >= STOPS:
            return "", self.verdict
        shown = self._up_to(self._held_at + len(self._held), self.verdict.redactions)
        return shown, self.verdict

    def _up_to(self, position: int, redactions: tuple[Redaction, ...]) -> str:
        count = position - self._held_at
        if count <= 0:
            return ""
        here = [
            Redaction(
                start=max(0, r.start - self._held_at), end=r.end - self._held_at, rule=r.rule, label=r.label
            )
            for r in redactions
            if r.end > self._held_at
        ]
        shown = redact(self._held[:count], here)
        self._held = self._held[count:]
        self._held_at = position
        return shown
