"""Everything that returns a verdict: pattern rules, embedded classifiers, and how they are combined."""

from .bound import BoundGuard
from .cascade import Band, Cascade
from .failure import check_safely
from .load import guard_names, load_guard_for
from .pipeline import Pipeline
from .release import Release
from .stream import WindowedStream

__all__ = [
    "Band",
    "BoundGuard",
    "Cascade",
    "Pipeline",
    "Release",
    "WindowedStream",
    "check_safely",
    "guard_names",
    "load_guard_for",
]
