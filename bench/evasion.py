"""Recall on harmful requests, plain and in more than sixteen disguises, at the same threshold."""

from __future__ import annotations

from sekisho.evals import eval_sets, measure_evasion
from tests.guards.disguises import DISGUISES

from .result import Options, Result, loaded, result, told

NEEDS_DATA = True
SETS = ("simplesafetytests", "harmbench_prompt")


def run(options: Options) -> Result:
    """Shares, 0 to 1, with the paired change for each disguise."""
    assert options.data is not None
    texts = [example for one in eval_sets(options.data, names=SETS) for example in one]
    guards, left_out = loaded(options)
    found = [
        m
        for guard in guards
        for m in measure_evasion(guard, texts[: options.limit], DISGUISES, progress=told)
    ]
    return result("evasion", options, found, left_out=left_out)
