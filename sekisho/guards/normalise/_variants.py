"""The search for views of a text: breadth first, each view folded and searched again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from sekisho.guards.normalise._ciphers import ciphers
from sekisho.guards.normalise._excerpt import spliced_excerpt
from sekisho.guards.normalise._fold import fold_view
from sekisho.guards.normalise._grounds import grounds
from sekisho.guards.normalise._hidden import hidden
from sekisho.guards.normalise._payloads import payloads
from sekisho.guards.normalise._rewrites import accents, leet, spaced
from sekisho.guards.normalise._text import Budget, Edit, Normalised, relabelled, with_steps

_DEFAULT: Final = Budget()


_shared: ContextVar[dict[str, list[Normalised]] | None] = ContextVar("_shared", default=None)


@contextmanager
def shared_views() -> Iterator[None]:
    """Within this, the views of a text are made once: several guards look at the same texts."""
    if _shared.get() is not None:
        yield
        return
    token = _shared.set({})
    try:
        yield
    finally:
        _shared.reset(token)


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
    memory = _shared.get() if budget is _DEFAULT else None
    if memory is None:
        return _variants(text, budget)
    if text not in memory:
        memory[text] = _variants(text, budget)
    return memory[text]


def _variants(text: str, budget: Budget) -> list[Normalised]:
    marks = first = grounds(text)
    if not marks:
        return [Normalised(text, text)]
    root = Normalised(text, text)
    queue: deque[tuple[Normalised, int, frozenset[str]]] = deque()
    if "fold" in marks:
        root = fold_view(root)
        marks = grounds(root.text)
    found = [root]
    seen = {root.text}
    spent = 0
    truncated = root.truncated
    queue.append((root, 0, marks))
    for view, cut in hidden(text, limit=budget.max_chars) if "fold" in first else ():
        truncated |= cut or len(found) >= budget.max_variants
        if view is not None and view.text not in seen and len(found) < budget.max_variants:
            spent += len(view.text)
            seen.add(view.text)
            found.append(view)
            queue.append((view, 1, grounds(view.text)))
    while queue:
        view, depth, marks = queue.popleft()
        if not marks - {"fold"}:
            continue
        for name, edits, cut in _derivations(
            view.text, marks, budget, limit=max(0, budget.max_chars - spent)
        ):
            truncated |= cut
            if not edits:
                continue
            if depth >= budget.max_depth or len(found) >= budget.max_variants:
                truncated = True
                break
            child, short = _built(view, name, edits, limit=max(0, budget.max_chars - spent))
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


def _derivations(
    text: str, marks: frozenset[str], budget: Budget, *, limit: int
) -> Iterator[tuple[str, list[Edit], bool]]:
    names, edits, cut = payloads(text, marks, limit=limit)
    yield names, edits, cut
    # Judging words costs more than finding payloads, so of very long texts only the beginning is judged.
    head = text[: budget.max_chars]
    cut = len(head) < len(text)
    if "leet" in marks:
        yield "leetspeak", leet(head), cut
    if "spaced" in marks:
        yield "spaced", spaced(head), cut
    if "cipher" in marks:
        yield "", [], cut
        for name, changed in ciphers(head):
            yield name, changed, False
    if "accents" in marks:
        yield "accents", accents(head), cut


def _built(view: Normalised, name: str, edits: list[Edit], *, limit: int) -> tuple[Normalised | None, bool]:
    child, cut = spliced_excerpt(view, edits, limit=limit)
    if child is None:
        return None, cut
    layer = name if view.layer == "plain" else f"{view.layer}>{name}"
    child = with_steps(relabelled(child, layer=layer), *name.replace(">", "+").split("+"))
    return fold_view(child), cut
