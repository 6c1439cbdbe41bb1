"""How much of a guard's recall survives when the same text comes in disguise."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from sekisho.core import Example, Exchange, Measurement
from sekisho.guards import BoundGuard

from .bootstrap import interval
from .metrics import proportion
from .outcomes import is_undecided

Disguise = Callable[[str], str]


def measure_evasion(
    guard: BoundGuard,
    examples: Iterable[Example],
    disguises: Mapping[str, Disguise],
    *,
    batch: int = 64,
    resamples: int = 1000,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Measurement]:
    """Recall on violating examples, plain and under each disguise, at the guard's own threshold.

    Only examples with `violates` true count; the judged message alone is disguised. Measurements:
    `recall` with slice `plain` and `disguise=NAME`, and `recall_change` (disguised minus plain, over the
    texts that the disguise alters) with a paired bootstrap interval. Undecided counts as missed.
    """
    plain = [example.exchange for example in examples if example.violates]
    if not plain:
        return []
    caught = _caught(guard, plain, batch)
    found = [
        proportion(int(caught.sum()), len(plain), name="recall", subject=guard.name, slice="plain"),
    ]
    for number, (name, disguise) in enumerate(disguises.items(), start=1):
        changed = [(row, disguise(one.text)) for row, one in enumerate(plain)]
        changed = [(row, text) for row, text in changed if text != plain[row].text]
        rows = np.array([row for row, _ in changed], dtype=np.intp)
        hidden = _caught(guard, [plain[row].with_text(text) for row, text in changed], batch)
        found += _compared(caught[rows], hidden, name, guard.name, resamples=resamples, seed=seed)
        if progress is not None:
            progress(name, number, len(disguises))
    return found


def _caught(guard: BoundGuard, exchanges: Sequence[Exchange], batch: int) -> np.ndarray:
    verdicts = [
        verdict
        for start in range(0, len(exchanges), batch)
        for verdict in guard.check(exchanges[start : start + batch])
    ]
    return np.array([v.flagged and not is_undecided(v) for v in verdicts], dtype=bool)


def _compared(
    plain: np.ndarray, hidden: np.ndarray, name: str, subject: str, *, resamples: int, seed: int
) -> list[Measurement]:
    """The same texts twice: resampling pairs means drawing how many were lost, gained or unchanged."""
    slice_, n = f"disguise={name}", len(plain)
    recall = proportion(int(hidden.sum()), n, name="recall", subject=subject, slice=slice_)
    method = f"paired; 95 % interval: bootstrap of pairs, {resamples} resamples"
    change = Measurement(name="recall_change", subject=subject, value=None, n=n, method=method, slice=slice_)
    if not n:
        return [recall, change]
    lost, gained = int((plain & ~hidden).sum()), int((~plain & hidden).sum())
    rng = np.random.default_rng([seed, zlib.crc32(slice_.encode())])
    if lost or gained:
        drawn = rng.multinomial(n, [lost / n, gained / n, (n - lost - gained) / n], size=resamples) / n
    else:  # resampling would say that nothing can change: the posterior under Jeffreys' prior instead
        drawn = rng.dirichlet([0.5, 0.5, n + 0.5], size=resamples)
    low, high = interval(drawn[:, 1] - drawn[:, 0])
    return [recall, change.model_copy(update={"value": (gained - lost) / n, "low": low, "high": high})]
