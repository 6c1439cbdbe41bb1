"""Taking redactions out of a text, exactly: every character of them goes, nothing else changes."""

from __future__ import annotations

from collections.abc import Iterable

from .verdict import Redaction


def redact(text: str, redactions: Iterable[Redaction]) -> str:
    """`text` with every redacted range replaced by `[label]`.

    Overlapping and touching ranges become one replacement that names each label once, in order.
    Ranges beyond the end are cut off at the end; empty ranges do nothing.
    """
    pieces: list[str] = []
    done = 0
    for start, end, labels in merged(redactions, len(text)):
        pieces += (text[done:start], "[" + "+".join(labels) + "]")
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def merged(redactions: Iterable[Redaction], length: int) -> list[tuple[int, int, list[str]]]:
    """The redactions as disjoint ranges in order: (start, end, labels)."""
    runs: list[tuple[int, int, list[str]]] = []
    for item in sorted(redactions, key=lambda r: (r.start, r.end, r.label)):
        start, end = min(item.start, length), min(item.end, length)
        if start >= end:
            continue
        if runs and start <= runs[-1][1]:
            before, until, labels = runs[-1]
            runs[-1] = (before, max(until, end), labels if item.label in labels else [*labels, item.label])
        else:
            runs.append((start, end, [item.label]))
    return runs
