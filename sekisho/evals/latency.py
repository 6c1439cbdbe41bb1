"""How long a check takes: one at a time, and in batches."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from sekisho.core import Exchange, Measurement
from sekisho.guards import BoundGuard

from .extra import need

WARM_UP = 5


def estimated_tokens(text: str) -> int:
    """Tokens by estimate, without any model's tokenizer: words between spaces, plus one for every
    character of Chinese, Japanese or Korean script. Meant for rates, not for billing."""
    wide = sum(_is_wide(ord(character)) for character in text)
    if not wide:
        return len(text.split())
    narrow = "".join(" " if _is_wide(ord(character)) else character for character in text)
    return wide + len(narrow.split())


def _is_wide(point: int) -> bool:
    return (
        0x3040 <= point <= 0x30FF  # kana
        or 0x3400 <= point <= 0x9FFF  # ideographs
        or 0xAC00 <= point <= 0xD7A3  # hangul
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x3FFFF
    )


def single_latency(guard: BoundGuard, exchanges: Sequence[Exchange]) -> list[Measurement]:
    """Wall time of `check_one`, in milliseconds: median, 95th and 99th percentile.

    The intervals are those of order statistics (`scipy.stats.quantile_test`), open ends left out. A few
    checks before the clock starts load what loads late.
    """
    if not exchanges:
        return []
    for exchange in exchanges[:WARM_UP]:
        guard.check_one(exchange)
    elapsed = []
    for exchange in exchanges:
        started = time.perf_counter()
        guard.check_one(exchange)
        elapsed.append((time.perf_counter() - started) * 1000)
    return [_percentile(np.array(elapsed), percent, guard.name) for percent in (50, 95, 99)]


def _percentile(elapsed: np.ndarray, percent: int, subject: str) -> Measurement:
    test = need("scipy.stats").quantile_test(elapsed, q=float(np.median(elapsed)), p=percent / 100)
    bounds = test.confidence_interval(confidence_level=0.95)
    return Measurement(
        name=f"latency_ms_p{percent}",
        subject=subject,
        value=float(np.percentile(elapsed, percent)),
        low=None if np.isnan(bounds.low) else float(bounds.low),
        high=None if np.isnan(bounds.high) else float(bounds.high),
        n=len(elapsed),
        method="wall time of one check; 95 % interval: order statistics",
        slice="one at a time",
    )


def throughput(guard: str, *, texts: int, tokens: int, seconds: float, batch: int) -> list[Measurement]:
    """Rates in batches: texts a second, thousand estimated tokens a second."""
    rate = (lambda amount: amount / seconds) if seconds > 0 else (lambda amount: None)
    method = f"batches of {batch}; one pass over all sets, no interval"
    tokens_method = f"{method}; tokens estimated as words plus CJK characters"
    return [
        Measurement(
            name="texts_per_second", subject=guard, value=rate(texts), n=texts, method=method, slice="batch"
        ),
        Measurement(
            name="thousand_estimated_tokens_per_second",
            subject=guard,
            value=rate(tokens / 1000),
            n=texts,
            method=tokens_method,
            slice="batch",
        ),
    ]
