"""The search for views of a text: breadth first, each view folded and searched again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from sekisho.guards.normalise._ciphers import ciphers
from sekisho.guards.normalise._fold import fold_view
from sekisho.guards.normalise._grounds import grounds
from sekisho.guards.normalise._hidden import hidden
from sekisho.guards.normalise._payloads import payloads
from sekisho.guards.normalise._rewrites import accents, leet, spaced
from sekisho.guards.normalise._text import Budget, Edit, Normalised, relabelled, splice, with_steps

_WHOLE: Final = 20_000  # code points up to which a view shows all of its text
_AROUND: Final = 1_000  # code points shown on either side of a decoded run in longer texts

_DEFAULT: Final = Budget()


def variants(text: str, *, budget: Budget = _DEFAULT) -> list[Normalised]:
    """The folded text, then every further view there are grounds for.

    Args:
        text: any string, lone surrogates and NULs included.
        budget: limits of the search.

    Returns:
        At least one view. The first is `fold(text)`; the others show the text with something
        decoded in place, or what was hidden in it, nearest to the original first. Views of long
        texts show only the surroundings of what was decoded. If a limit was reached, the first
        view is marked as truncated.
    """
    marks = grounds(text)
    if not marks:
        return [Normalised(text, text)]
    root = Normalised(text, text)
    queue: deque[tuple[Normalised, int, frozenset[str]]] = deque()
    beside: list[Normalised] = []
    if "fold" in marks:
        root = fold_view(root)
        beside = list(hidden(text))
        marks = grounds(root.text)
    found = [root]
    seen = {root.text}
    spent = 0
    truncated = root.truncated
    queue.append((root, 0, marks))
    for view in beside:
        if view.text not in seen and len(found) < budget.max_variants:
            seen.add(view.text)
            found.append(view)
            queue.append((view, 1, grounds(view.text)))
    while queue:
        view, depth, marks = queue.popleft()
        if not marks - {"fold"}:
            continue
        for name, edits, cut in _derivations(view.text, marks, limit=budget.max_chars - spent):
            truncated |= cut
            if not edits:
                continue
            if depth >= budget.max_depth or len(found) >= budget.max_variants:
                truncated = True
                break
            child, short = _built(view, name, edits, limit=budget.max_chars - spent)
            truncated |= short
            if child is None or child.text in seen:
                continue
            spent += len(child.text)
            seen.add(child.text)
            truncated |= child.truncated
            found.append(child)
            queue.append((child, depth + 1, grounds(child.text)))
    if truncated and not found[0].truncated:
        found[0] = relabelled(found[0], truncated=True)
    return found


def _derivations(text: str, marks: frozenset[str], *, limit: int) -> Iterator[tuple[str, list[Edit], bool]]:
    names, edits, cut = payloads(text, marks, limit=limit)
    yield names, edits, cut
    if "leet" in marks:
        yield "leetspeak", leet(text), False
    if "spaced" in marks:
        yield "spaced", spaced(text), False
    if "cipher" in marks:
        for name, changed in ciphers(text):
            yield name, changed, False
    if "accents" in marks:
        yield "accents", accents(text), False


def _built(view: Normalised, name: str, edits: list[Edit], *, limit: int) -> tuple[Normalised | None, bool]:
    cut = False
    if len(view.text) > _WHOLE or len(view.text) > limit:
        edits, cut = _excerpt(len(view.text), edits, limit=limit)
        if not edits:
            return None, True
    child = splice(view, edits)
    layer = name if view.layer == "plain" else f"{view.layer}>{name}"
    child = with_steps(relabelled(child, layer=layer), *name.replace(">", "+").split("+"))
    return fold_view(child), cut


def _excerpt(length: int, edits: list[Edit], *, limit: int) -> tuple[list[Edit], bool]:
    """Edits that also cut out what is far from any change; whether some changes did not fit."""
    result: list[Edit] = []
    shown = edge = 0
    around = min(_AROUND, limit // 4)
    for edit in edits:
        low = max(edge, edit.start - around)
        cost = len(edit.new) + min(edit.start - low, 2 * around) + around
        if shown + cost > limit:
            if edge < length and result:
                _gap(result, edge, length)
            return result, True
        if edge == 0:
            _gap(result, 0, low)
        elif edit.start - edge > 2 * around:
            _gap(result, edge + around, low)
        result.append(edit)
        shown += cost - around if result else cost
        edge = edit.end
    if result and length - edge > around:
        _gap(result, edge + around, length)
    return result, False


def _gap(edits: list[Edit], start: int, end: int) -> None:
    if end > start:
        edits.append(Edit(start, end, "\n"))
