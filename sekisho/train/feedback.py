"""What users' corrections would change: the last layer fitted again, in seconds, on numpy and scipy alone.

The hidden layer stays; an `Adapter` is fitted to the corrections, while the answers to a sample of the training
texts (`Replay`) are held where they were: learning without forgetting (Li & Hoiem 2016, section 3), with the last
layer as the only thing that learns. What it does for corrections that it has not seen is measured by leaving each
fifth of them out in turn.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Exchange, GuardError, Verdict
from sekisho.data.examples import RULES, TrainingExample
from sekisho.data.feedback import Correction
from sekisho.guards import BoundGuard, Pipeline
from sekisho.guards.embedded import Adapter, EmbeddedGuard, Item, Replay
from sekisho.guards.embedded._adapter import ADAPTER
from sekisho.guards.embedded._artefact import sha256_of
from sekisho.guards.rules import RulesGuard

FOLDS: Final = 5
LEAST: Final = 4
"""Fewer corrections than this are fitted, but not measured on what was left out."""
_PULL: Final = 0.0002
"""How much a change of the last layer costs, against the mean loss of a correction."""
_HOLD: Final = 5.0
"""How much the replayed answers weigh in all, against the mean loss of a correction.

Both were chosen on development cases: forty errors of `fast` as corrections, the other cases watched. Less weight
puts more of the corrections right and costs more false positives elsewhere."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Retrain:
    """An adapted guard and what it changes."""

    guard: BoundGuard
    adapter: Adapter
    before: tuple[bool, ...]
    """For each correction: was the guard right already?"""
    held_out: tuple[bool, ...] | None
    """Right after a retrain that had not seen it? None for too few corrections."""
    after: tuple[bool, ...]
    """Right after the retrain with all of them?"""


def embedded_part(bound: BoundGuard) -> EmbeddedGuard:
    """The embedded classifier of a guard. Raises `GuardError` if it has none that can be retrained."""
    parts = bound.guard.guards if isinstance(bound.guard, Pipeline) else (bound.guard,)
    found = [part for part in parts if isinstance(part, EmbeddedGuard)]
    if len(found) != 1:
        raise GuardError(
            "the guard has no embedded classifier to retrain",
            where=bound.name,
            remedy="Use fast, base, or the folder of an artefact",
        )
    return found[0]


def fit_adapter(hidden: Floats, logits: Floats, targets: Floats, masks: Floats, replay: Replay) -> Adapter:
    """The smallest change of the last layer that answers the corrections and keeps the replayed answers.

    hidden [n, d], logits, targets and masks [n, outputs]. Columns without a target stay as they are.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    delta = np.zeros((hidden.shape[1], logits.shape[1]), np.float32)
    offset = np.zeros(logits.shape[1], np.float32)
    scale = float(np.sqrt(np.mean(np.sum(replay.hidden**2, axis=1)))) or 1.0
    every = np.concatenate([hidden, replay.hidden]).astype(np.float64) / scale
    for column in np.flatnonzero(masks.any(axis=0)):
        known = masks[:, column]
        old = np.concatenate([logits[:, column], replay.logits[:, column]]).astype(np.float64)
        wanted = np.concatenate([targets[:, column], expit(replay.logits[:, column])]).astype(np.float64)
        weight = np.concatenate(
            [known / max(1.0, known.sum()), np.full(len(replay.logits), _HOLD / len(replay.logits))]
        )

        def loss(
            theta: NDArray[np.float64],
            old: NDArray[np.float64] = old,
            wanted: NDArray[np.float64] = wanted,
            weight: NDArray[np.float64] = weight,
        ) -> tuple[float, NDArray[np.float64]]:
            scores = old + every @ theta
            value = float(weight @ (np.logaddexp(0.0, scores) - wanted * scores))
            slope = every.T @ (weight * (expit(scores) - wanted))
            return value + _PULL * float(theta @ theta), slope + 2 * _PULL * theta

        found = minimize(loss, np.zeros(every.shape[1]), jac=True, method="L-BFGS-B")
        delta[:, column] = (found.x / scale).astype(np.float32)
    return Adapter(delta, offset)


def _targets(examples: Sequence[TrainingExample]) -> tuple[Floats, Floats]:
    """Overall, and the rule that a missed text violates; a false positive says no to every rule. [n, outputs]"""
    values = np.zeros((len(examples), 1 + len(RULES) + 5), np.float32)
    masks = np.zeros_like(values)
    for row, example in enumerate(examples):
        values[row, 0], masks[row, 0] = example.overall, 1.0
        for rule, target in example.rules.items():
            if target or not example.overall:
                values[row, 1 + RULES.index(rule)], masks[row, 1 + RULES.index(rule)] = target, 1.0
    return values, masks


def adapted(part: EmbeddedGuard, adapter: Adapter) -> EmbeddedGuard:
    """The guard with the adapter in place."""
    return EmbeddedGuard(part.classifier.with_adapter(adapter), name=f"{part.name}+feedback")


def retrain(
    bound: BoundGuard,
    corrections: Sequence[Correction],
    replay: Replay,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Retrain:
    """Fit the corrections; measure them before, left out, and after. Order does not matter."""
    part, examples = embedded_part(bound), [c.example for c in corrections]
    items = [Item(surface=e.surface, text=e.text, context=e.context) for e in examples]
    hidden, logits = part.classifier.hidden(items), part.classifier.raw(items)
    targets, masks = _targets(examples)

    def fitted(rows: NDArray[np.int64]) -> Adapter:
        return fit_adapter(hidden[rows], logits[rows], targets[rows], masks[rows], replay)

    def guard(adapter: Adapter) -> BoundGuard:
        return BoundGuard(Pipeline([RulesGuard(), adapted(part, adapter)]), bound.policy)

    def right(judge: BoundGuard, rows: Sequence[int]) -> list[bool]:
        verdicts = judge.check([corrections[row].exchange for row in rows])
        return [is_right(verdict, corrections[row]) for verdict, row in zip(verdicts, rows, strict=True)]

    everything = np.arange(len(corrections))
    before = right(bound, everything.tolist())
    held_out: list[bool] | None = None
    if len(corrections) >= LEAST:
        held_out = [False] * len(corrections)
        order = np.random.default_rng(0).permutation(len(corrections))
        folds = np.array_split(order, min(FOLDS, len(corrections)))
        for number, fold in enumerate(folds):
            judge = guard(fitted(np.setdiff1d(everything, fold)))
            for row, good in zip(fold.tolist(), right(judge, fold.tolist()), strict=True):
                held_out[row] = good
            if progress is not None:
                progress(number + 1, len(folds) + 1)
    adapter = fitted(everything)
    judge = guard(adapter)
    after = right(judge, everything.tolist())
    return Retrain(judge, adapter, tuple(before), None if held_out is None else tuple(held_out), tuple(after))


def is_right(verdict: Verdict, correction: Correction) -> bool:
    """A false positive passes unflagged, a missed text is flagged; an undecided verdict is neither."""
    undecided = any(rule.status != "ok" and rule.decision != "allow" for rule in verdict.rules)
    return not undecided and verdict.flagged == (correction.kind == "missed")


def write_adapted(part: EmbeddedGuard, folder: Path, adapter: Adapter, out: Path) -> None:
    """Copy an artefact to `out` with the adapter in it: a guard for `--guard PATH`."""
    out.mkdir(parents=True, exist_ok=True)
    artefact = part.classifier.artefact
    for name in artefact.files:
        shutil.copyfile(folder / name, out / name)
    adapter.save(out)
    files = {**artefact.files, ADAPTER: sha256_of(out / ADAPTER)}
    artefact.model_copy(update={"files": files, "name": f"{artefact.name}+feedback"}).write(out)


@dataclass(frozen=True, slots=True)
class Flip:
    """A case that is decided otherwise after the retrain."""

    id: str
    before: bool
    after: bool


def flips(
    before: BoundGuard, after: BoundGuard, cases: Sequence[tuple[str, Exchange]]
) -> tuple[list[bool], list[bool], list[Flip]]:
    """Flagged before, flagged after, and what flips, for cases that nobody corrected."""
    exchanges = [exchange for _, exchange in cases]
    first, second = ([v.flagged for v in guard.check(exchanges)] for guard in (before, after))
    changed = [
        Flip(name, was, now) for (name, _), was, now in zip(cases, first, second, strict=True) if was != now
    ]
    return first, second, changed
