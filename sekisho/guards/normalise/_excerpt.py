"""Views of long texts show what changed and its surroundings, so that their cost stays bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sekisho.guards.normalise._text import Edit, Normalised, splice

_WHOLE: Final = 20_000  # code points up to which a view shows all of its text
_AROUND: Final = 1_000  # code points shown on either side of a change in longer texts


def spliced_excerpt(
    parent: Normalised, edits: Sequence[Edit], *, limit: int
) -> tuple[Normalised | None, bool]:
    """Apply sorted edits and, in a long text, cut out what is far from all of them.

    Args:
        parent: the view to change.
        edits: at least one edit; none overlap.
        limit: code points that the result may have.

    Returns:
        The changed view, or None if not even one change fits; and whether something was left out
        for want of room.
    """
    if len(parent.text) <= min(_WHOLE, limit):
        view = splice(parent, edits)
        if len(view.text) <= limit:
            return view, False
    shown, cut = _fitting(len(parent.text), edits, limit=limit)
    return (splice(parent, shown), cut) if shown else (None, True)


def _fitting(length: int, edits: Sequence[Edit], *, limit: int) -> tuple[list[Edit], bool]:
    around = min(_AROUND, limit // 8)
    result: list[Edit] = []
    size = edge = 0
    cut = False
    for edit in edits:
        distance = edit.start - edge
        reach = 2 * around if result else around
        room = limit - size - min(distance, reach + 1) - around - 1
        kept = edit
        if len(edit.new) > room:
            cut = True
            if room <= around:
                break
            kept = _shortened(edit, room)
        if distance > reach + 1:
            result.append(Edit(edge + reach - around, edit.start - around, "\n"))
        if kept.step < 0 and kept.start > edit.start:
            result.append(Edit(edit.start, kept.start, ""))
        result.append(kept)
        size = limit - around - 1 - room + len(kept.new)
        edge = kept.end
        if cut:
            break
    if result and length - edge > around + 1:
        result.append(Edit(edge + around, length, "\n"))
    return result, cut


def _shortened(edit: Edit, room: int) -> Edit:
    start = edit.end - room if edit.step < 0 else edit.start
    end = edit.start + room if edit.step > 0 else edit.end
    return Edit(start, end, edit.new[:room], edit.step)
