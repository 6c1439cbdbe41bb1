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
from sekisho.guards.embedded.guard import EmbeddedGuard

from .result import Options, Result, loaded, result

NEEDS_DATA = False
LENGTHS = (256, 1024, 4096, 16384)
WORDS = LENGTHS[-1]
ROUNDS = 25
SURFACES = ("user", "input"), ("assistant", "output"), ("tool", "tool_result")


def run(options: Options) -> Result:
    """Milliseconds a check on shipped cases; milliseconds a thousand estimated tokens by length; ratios."""
    guards, left_out = loaded(options)
    guards = [sekisho.load_guard("rules"), *guards]
    short = [case.exchange for case in shipped_cases()][::3]
    found = [m for guard in guards for m in single_latency(guard, short)]
    found += [_per_thousand(guard, length) for guard in guards for length in LENGTHS]
    for name in ("fast", "fast?patterns=off", "base"):
        try:
            raw = Classifier.load(WEIGHTS / name.partition("?")[0])
            found += _overhead(sekisho.load_guard(name), raw, short)
        except ArtefactError as error:
            left_out.append(f"overhead of {name}: {error.what}")
    return result("latency", options, found, left_out=left_out)


def _per_thousand(guard: BoundGuard, length: int) -> Measurement:
    texts = _texts_of(length)
    tokens = sum(map(estimated_tokens, texts))

    def work() -> None:
        for text in texts:
            guard.check_one(text)

    rounds = max(3, ROUNDS // len(texts)) if guard.name == "base" else ROUNDS
    elapsed = _alternating([work], rounds=rounds)[0]
    each = sorted(1000 * seconds / (tokens / 1000) for seconds in elapsed)
    return Measurement(
        name="ms_per_thousand_estimated_tokens",
        subject=guard.name,
        value=statistics.median(each),
        low=each[0],
        high=each[-1],
        n=len(each),
        method=f"the same {WORDS} words in pieces of this length; median of rounds; ends: fastest and slowest",
        slice=f"{length} tokens",
    )


def _overhead(guard: BoundGuard, raw: Classifier, exchanges: Sequence[Exchange]) -> list[Measurement]:
    """Everything around the raw model (normalising, pattern rules, verdicts) as a share of its time."""
    cases = {"short texts": list(exchanges)}
    cases |= {f"{length} tokens": [Exchange.of(text) for text in _texts_of(length)] for length in LENGTHS}
    if guard.name == "base":  # a fifteenth of a second a text: a part of them says enough
        cases = {"short texts": list(exchanges)[::4], "256 tokens": cases["256 tokens"][::8]}
    surfaces = dict(SURFACES)
    found = []
    for name, texts in cases.items():
        items = [
            [
                Item(
                    surface=surfaces[one.last.role.value],
                    text=one.text,
                    context=EmbeddedGuard.asked(one.messages[:-1]),
                )
            ]
            for one in texts
        ]

        def whole(texts: Sequence[Exchange] = texts) -> None:
            for one in texts:
                guard.check_one(one)

        def model(items: Sequence[list[Item]] = items) -> None:
            for item in items:
                raw.predict(item)

        first, second = _alternating([whole, model], rounds=ROUNDS if guard.name != "base" else ROUNDS // 3)
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


def _alternating(works: Sequence[Callable[[], object]], *, rounds: int = ROUNDS) -> list[list[float]]:
    """Seconds of each piece of work in each round, taken in turn; one round before does not count."""
    elapsed: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            if number:
                elapsed[place].append(time.perf_counter() - started)
    return elapsed


def _texts_of(tokens: int) -> list[str]:
    """The same prose for every length, cut into pieces of so many words: harmless shipped cases in English."""
    words = [
        word
        for case in shipped_cases()
        if case.language == "en" and case.kind == "near_miss"
        for word in case.exchange.text.split()
    ]
    line = [words[place % len(words)] for place in range(WORDS)]
    return [" ".join(line[start : start + tokens]) for start in range(0, WORDS, tokens)]
