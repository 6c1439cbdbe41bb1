"""What a guard answered, as columns of numbers: the only thing that metrics look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Decision, Example, RuleScore, Status, Verdict

STOPPED = (Decision.FLAG, Decision.ESCALATE, Decision.BLOCK)


def judged_rules(verdict: Verdict) -> Iterator[RuleScore]:
    """What was judged, rule by rule. Where guards were joined and one of them failed on a rule, the joined
    score has the failure's status; what another guard found on that rule stands in the parts."""
    for rule in verdict.rules:
        if rule.status is Status.OK:
            yield rule
        else:
            found = (part.rule(rule.id) for part in verdict.parts)
            yield from (score for score in found if score is not None and score.status is Status.OK)


def is_undecided(verdict: Verdict) -> bool:
    """Some rule was not judged, and no rule that *was* judged stops the text.

    A violation that was found stays found, whatever else failed. But an escalation that only follows
    from the policy's `on_error` says nothing about the text.
    """
    if verdict.status is Status.OK:
        return False
    return not any(rule.decision in STOPPED for rule in judged_rules(verdict))


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One row per text; all arrays have the same length n."""

    label: NDArray[np.bool_]
    """Does the text violate, according to the set?"""
    flagged: NDArray[np.bool_]
    """`Verdict.flagged`: flag, escalate or block. A text that is only redacted goes on."""
    score: NDArray[np.float64]
    """`Verdict.score`, 0 to 1; NaN when no rule was judged."""
    undecided: NDArray[np.bool_]
    language: NDArray[np.str_]

    @property
    def n(self) -> int:
        return len(self.label)

    @property
    def predicted(self) -> NDArray[np.bool_]:
        """What the guard is credited with: `flagged`, but an undecided text always counts as an error."""
        return np.where(self.undecided, ~self.label, self.flagged)

    @property
    def ranked(self) -> NDArray[np.float64]:
        """Scores for ranking. An undecided text stands at the wrong end: it never helps a guard."""
        worst = np.where(self.label, -1.0, 2.0)
        return np.where(self.undecided | np.isnan(self.score), worst, self.score)

    def where(self, rows: NDArray[np.bool_]) -> Outcomes:
        """The rows for which the mask holds."""
        return Outcomes(
            label=self.label[rows],
            flagged=self.flagged[rows],
            score=self.score[rows],
            undecided=self.undecided[rows],
            language=self.language[rows],
        )


def outcomes_of(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Outcomes:
    """The columns of labelled examples and of what a guard answered on them, in the same order."""
    if len(examples) != len(verdicts):
        raise ValueError("as many verdicts as examples are needed")
    return Outcomes(
        label=np.array([bool(example.violates) for example in examples], dtype=bool),
        flagged=np.array([verdict.flagged for verdict in verdicts], dtype=bool),
        score=np.array([np.nan if v.score is None else v.score for v in verdicts], dtype=float),
        undecided=np.array([is_undecided(verdict) for verdict in verdicts], dtype=bool),
        language=np.array([example.language for example in examples], dtype=np.str_),
    )


def joined(pieces: Sequence[Outcomes]) -> Outcomes:
    """The rows of several pieces, in order. Of no pieces: no rows."""
    if not pieces:
        return outcomes_of((), ())
    return Outcomes(
        label=np.concatenate([piece.label for piece in pieces]),
        flagged=np.concatenate([piece.flagged for piece in pieces]),
        score=np.concatenate([piece.score for piece in pieces]),
        undecided=np.concatenate([piece.undecided for piece in pieces]),
        language=np.concatenate([piece.language for piece in pieces]),
    )
