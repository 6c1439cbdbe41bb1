"""Measure a guard on public sets and on the shipped one.

The guard is run as it would be deployed: its own thresholds, one policy, the same for every set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import numpy as np

from sekisho.core import Cover, Example, Exchange, Measurement, Run, Verdict
from sekisho.guards import BoundGuard

from .calibration import reliability
from .curves import curves, histogram
from .datasets import EvalSet, SetCount, SetInfo
from .errors import SHIPPED, WorstErrors, explained
from .extra import need
from .guard_report import GuardFacts, GuardReport, SetReport
from .latency import estimated_tokens, single_latency, throughput
from .metrics import Measured, by_language, macro, measure
from .neighbours import TrainingCorpus
from .outcomes import Outcomes, joined, outcomes_of
from .published import ENGLISH_PROMPTS
from .record import installed_versions, this_machine
from .shipped import CaseOutcome, ShippedReport, applicable, case_outcome, shipped_cases, shipped_report

Progress = Callable[[str, int, int], None]
"""Called with the set's name, texts done, texts to do."""

OWN_THRESHOLD = "the guard's own, fixed before this run; nothing was fitted on these sets"


def measure_guard(
    guard: BoundGuard,
    sets: Iterable[EvalSet] = (),
    *,
    shipped: bool = True,
    limit: int | None = None,
    seed: int = 0,
    batch: int = 64,
    resamples: int = 1000,
    latency_sample: int = 200,
    covered_only: bool = False,
    threshold: str = "",
    command: str = "",
    with_texts: bool = False,
    neighbours: TrainingCorpus | None = None,
    progress: Progress | None = None,
) -> GuardReport:
    """Everything that this room measures of a guard.

    sets: what `eval_sets` returns, or `EvalSet.of`. shipped: the 600 shipped cases as well.
    limit: at most so many texts of a set, drawn with the seed in proportion to the labels; the report
        says so. batch: texts handed to the guard at once. resamples: of every bootstrap.
    latency_sample: single checks that are timed; 0 for none.
    covered_only: leave the rules that the guard does not cover out of the policy, to measure a guard of
        few rules on what it claims. Without it such rules count as what they are, undecided.
    threshold: where the guard's threshold was fitted, for the report. command: as the user typed it.
    with_texts: keep the texts of public sets on which the guard erred, for the page (never in the JSON).
    neighbours: training texts among which the nearest to every error are sought.
    Raises `InputError` for a damaged set and `MissingExtra` without the extra `eval`; a guard that fails
    on a text does not raise: the text counts as undecided.
    """
    need("sklearn.metrics")
    started, clock = datetime.now(UTC), time.perf_counter()
    facts = _facts(guard, covered_only=covered_only, threshold=threshold)
    if covered_only:
        guard = BoundGuard(guard.guard, guard.policy.only({*facts.covered, *facts.stale}))
    counter = _Counter(guard, batch=batch, progress=progress or _silent)
    pool: list[Exchange] = []
    reports, measured, picked = [], [], []
    for one in sets:
        worst = WorstErrors(one.name, with_texts=with_texts)
        report, figures = _measure_set(
            one, counter, worst, limit=limit, seed=seed, resamples=resamples, pool=pool, sample=latency_sample
        )
        reports.append(report)
        measured.append((one.info, figures))
        picked += worst.picked()
    shipped_part = None
    if shipped:
        worst = WorstErrors(SHIPPED, per_set=None)
        shipped_part = _measure_shipped(counter, worst, seed=seed, resamples=resamples, pool=pool)
        picked = [*worst.picked(), *picked]
    rng = np.random.default_rng([seed, 1])
    timed = [pool[i] for i in rng.permutation(len(pool))[:latency_sample]]
    latency = [
        *single_latency(guard, timed),
        *throughput(
            guard.name, texts=counter.texts, tokens=counter.tokens, seconds=counter.seconds, batch=batch
        ),
    ]
    errors = explained(picked, guard.guard, neighbours, progress=counter.progress)
    return GuardReport(
        run=Run(
            name="guard benchmark",
            arguments={
                "guard": guard.name,
                "policy": guard.policy.id,
                "policy_digest": guard.policy.digest,
                "limit": "all" if limit is None else str(limit),
                "batch": str(batch),
                "resamples": str(resamples),
                "rules": facts.judged,
            },
            seed=seed,
            started=started.isoformat(timespec="seconds"),
            versions=installed_versions(),
            command=command,
            totals={
                "texts": counter.texts,
                "undecided": sum(r.undecided for r in reports),
                "check_seconds": round(counter.seconds, 3),
                "seconds": round(time.perf_counter() - clock, 3),
            },
        ),
        guard=facts.model_copy(update={"trained_on": counter.trained_on}),
        machine=this_machine(),
        sets=tuple(reports),
        averages=tuple(_averages(measured, subject=guard.name)),
        shipped=shipped_part,
        latency=tuple(latency),
        errors=errors,
    )


class _Counter:
    """Runs the guard in batches and keeps the totals."""

    def __init__(self, guard: BoundGuard, *, batch: int, progress: Progress) -> None:
        self.guard = guard
        self.batch = max(1, batch)
        self.progress = progress
        self.texts = 0
        self.tokens = 0
        self.seconds = 0.0
        self.trained_on: str | None = None

    def verdicts(
        self, name: str, examples: Iterable[Example], total: int
    ) -> Iterator[tuple[Sequence[Example], list[Verdict]]]:
        done = 0
        stream = iter(examples)
        while pack := list(islice(stream, self.batch)):
            started = time.perf_counter()
            verdicts = self.guard.check([example.exchange for example in pack])
            self.seconds += time.perf_counter() - started
            self.texts += len(pack)
            self.tokens += sum(estimated_tokens(example.exchange.text) for example in pack)
            if self.trained_on is None:
                self.trained_on = next((v.trained_on for v in verdicts if v.trained_on), None)
            done += len(pack)
            self.progress(name, done, total)
            yield pack, verdicts


def _measure_set(
    one: EvalSet,
    counter: _Counter,
    worst: WorstErrors,
    *,
    limit: int | None,
    seed: int,
    resamples: int,
    pool: list[Exchange],
    sample: int,
) -> tuple[SetReport, Measured]:
    count = one.count()
    examples, n = _sampled(one, count, limit=limit, seed=seed)
    pieces: list[Outcomes] = []
    licenses: set[str] = set()
    seconds, tokens = counter.seconds, counter.tokens
    # Every set gives about as many texts to the pool from which single checks are drawn.
    rng = np.random.default_rng([seed, 3])
    for pack, verdicts in counter.verdicts(one.name, examples, n):
        pieces.append(outcomes_of(pack, verdicts))
        worst.add(pack, verdicts)
        licenses.update(example.license for example in pack if example.license)
        pool += [example.exchange for example in pack if rng.random() * n < sample]
    outcomes = joined(pieces)
    subject = counter.guard.name
    whole = measure(outcomes, subject=subject, slice=one.name, resamples=resamples, seed=seed)
    parts = by_language(outcomes, subject=subject, slice=one.name, resamples=resamples, seed=seed)
    names, counts = np.unique(outcomes.language, return_counts=True)
    report = SetReport(
        info=one.info.model_copy(
            update={
                "reporting_only": one.info.reporting_only or any("-NC" in name for name in licenses),
            }
        ),
        n=outcomes.n,
        positives=int(outcomes.label.sum()),
        negatives=int((~outcomes.label).sum()),
        unlabelled=count.unlabelled,
        total=count.labelled,
        undecided=int(outcomes.undecided.sum()),
        languages={str(k): int(v) for k, v in sorted(zip(names, counts, strict=True), key=lambda p: -p[1])},
        licenses=tuple(sorted(licenses)),
        seconds=round(counter.seconds - seconds, 3),
        tokens=counter.tokens - tokens,
        measurements=(*whole.measurements, *(m for part in parts.values() for m in part.measurements)),
        curves=curves(outcomes),
        histogram=histogram(outcomes),
        reliability=reliability(outcomes),
    )
    return report, whole


def _sampled(one: EvalSet, count: SetCount, *, limit: int | None, seed: int) -> tuple[Iterable[Example], int]:
    """The set's examples, or a sample in proportion to the labels, with at least one of each."""
    if limit is None or count.labelled <= limit:
        return one, count.labelled
    rng = np.random.default_rng([seed, 2])
    positives = round(limit * count.positives / count.labelled)
    positives = min(max(positives, min(1, count.positives)), limit - min(1, count.negatives))
    chosen = {
        True: set(rng.permutation(count.positives)[:positives].tolist()),
        False: set(rng.permutation(count.negatives)[: limit - positives].tolist()),
    }

    def kept() -> Iterator[Example]:
        seen = {True: 0, False: 0}
        for example in one:
            label = bool(example.violates)
            if seen[label] in chosen[label]:
                yield example
            seen[label] += 1

    return kept(), limit


def _measure_shipped(
    counter: _Counter, worst: WorstErrors, *, seed: int, resamples: int, pool: list[Exchange]
) -> ShippedReport:
    cases, left_out = applicable(shipped_cases(), counter.guard.policy)
    examples = [case.example for case in cases]
    verdicts = [v for _, some in counter.verdicts(SHIPPED, examples, len(examples)) for v in some]
    pool += [case.exchange for case in cases]
    found: list[CaseOutcome] = [case_outcome(c, v) for c, v in zip(cases, verdicts, strict=True)]
    worst.add_cases(cases, found, verdicts)
    return shipped_report(
        found, subject=counter.guard.name, left_out=left_out, resamples=resamples, seed=seed
    )


def _averages(measured: Sequence[tuple[SetInfo, Measured]], *, subject: str) -> Iterator[Measurement]:
    """Means over the sets that measure the same thing. F1 only over sets with both kinds of text: on
    harmful texts alone it is recall in disguise. The exception is the mean that published tables give."""
    figures = {
        "prompts": ("f1", "recall", "fpr", "auroc"),
        "responses": ("f1", "recall", "fpr", "auroc"),
        "injection": ("recall", "auroc"),
        "benign": ("fpr",),
    }
    for kind, names in figures.items():
        parts = [part for info, part in measured if info.measures == kind]
        both = [p for p in parts if p.value("recall") is not None and p.value("fpr") is not None]
        for name in names if parts else ():
            yield macro(name, both if name in ("f1", "auroc") else parts, subject=subject, slice=kind)
    english = [part for info, part in measured if info.name in ENGLISH_PROMPTS]
    if len(english) == len(ENGLISH_PROMPTS):
        yield macro("f1", english, subject=subject, slice="english_prompts")


def _facts(guard: BoundGuard, *, covered_only: bool, threshold: str) -> GuardFacts:
    coverage = guard.coverage()

    def rules(cover: Cover) -> tuple[str, ...]:
        return tuple(entry.rule for entry in coverage if entry.cover is cover)

    return GuardFacts(
        name=guard.name,
        policy=guard.policy.ref,
        covered=rules(Cover.COVERED),
        stale=rules(Cover.STALE),
        uncovered=rules(Cover.UNCOVERED),
        judged="covered" if covered_only else "policy",
        threshold=threshold or str(getattr(guard.guard, "threshold_note", "") or OWN_THRESHOLD),
    )


def _silent(name: str, done: int, total: int) -> None:
    """No progress shown."""
