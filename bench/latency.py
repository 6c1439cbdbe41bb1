"""What a check costs, and how much of it is the model: `rules` alone, `fast`, `base`, and `fast` against
its own raw classifier on the same texts. Ratios are of runs that alternate, so that a busy machine slows
both sides alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import sekisho
from sekisho.core import ArtefactError, Exchange, Measurement
from sekisho.evals import shipped_cases
from sekisho.evals.latency import estimated_tokens, single_latency
from sekisho.guards import BoundGuard
from sekisho.guards.embedded import WEIGHTS, Classifier, Item

from .result import Options, Result, loaded, result

NEEDS_DATA = False
LENGTHS = (256, 1024, 4096, 16384)
ROUNDS = 25
SURFACES = ("user", "input"), ("assistant", "output"), ("tool", "tool_result")


def run(options: Options) -> Result:
    """Milliseconds a check on shipped cases; milliseconds a thousand estimated tokens by length; ratios."""
    guards, left_out = loaded(options)
    guards = [sekisho.load_guard("rules"), *guards]
    short = [case.exchange for case in shipped_cases()][::3]
    found = [m for guard in guards for m in single_latency(guard, short)]
    found += [_per_thousand(guard, length) for guard in guards for length in LENGTHS]
    try:
        found += _overhead(sekisho.load_guard("fast"), Classifier.load(WEIGHTS / "fast"), short)
    except ArtefactError as error:
        left_out.append(f"overhead of fast: {error.what}")
    return result("latency", options, found, left_out=left_out)


def _per_thousand(guard: BoundGuard, length: int) -> Measurement:
    text = _text_of(length)
    tokens = estimated_tokens(text)
    elapsed = _alternating([lambda: guard.check_one(text)])[0]
    each = sorted(1000 * seconds / (tokens / 1000) for seconds in elapsed)
    return Measurement(
        name="ms_per_thousand_estimated_tokens",
        subject=guard.name,
        value=statistics.median(each),
        low=each[0],
        high=each[-1],
        n=len(each),
        method="median of repeated checks of one text; ends: fastest and slowest",
        slice=f"{length} tokens",
    )


def _overhead(guard: BoundGuard, raw: Classifier, exchanges: Sequence[Exchange]) -> list[Measurement]:
    """Everything around the raw model (normalising, pattern rules, verdicts) as a share of its time."""
    cases = {"short texts": list(exchanges)}
    cases |= {f"{length} tokens": [Exchange.of(_text_of(length))] for length in LENGTHS}
    surfaces = dict(SURFACES)
    found = []
    for name, texts in cases.items():
        items = [[Item(surface=surfaces[one.last.role.value], text=one.text)] for one in texts]

        def whole(texts: Sequence[Exchange] = texts) -> None:
            for one in texts:
                guard.check_one(one)

        def model(items: Sequence[list[Item]] = items) -> None:
            for item in items:
                raw.predict(item)

        first, second = _alternating([whole, model])
        quartiles = statistics.quantiles([100 * (a / b - 1) for a, b in zip(first, second, strict=True)], n=4)
        found.append(
            Measurement(
                name="overhead_percent",
                subject=guard.name,
                value=100 * (statistics.median(first) / statistics.median(second) - 1),
                low=quartiles[0],
                high=quartiles[2],
                n=len(first),
                method="median time of a check over the raw classifier's on the same texts, minus one; "
                "runs in turn; ends: quartiles of the single ratios",
                slice=name,
            )
        )
    return found


def _alternating(works: Sequence[Callable[[], object]]) -> list[list[float]]:
    """Seconds of each piece of work in each round, taken in turn; one round before does not count."""
    elapsed: list[list[float]] = [[] for _ in works]
    for number in range(ROUNDS + 1):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            if number:
                elapsed[place].append(time.perf_counter() - started)
    return elapsed


def _text_of(tokens: int) -> str:
    """Prose of about so many estimated tokens, made of harmless shipped cases without repeating too soon."""
    words = [
        word
        for case in shipped_cases()
        if case.language == "en" and case.kind == "near_miss"
        for word in case.exchange.text.split()
    ]
    return " ".join(words[place % len(words)] for place in range(tokens))
