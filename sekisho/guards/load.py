"""Guards by reference. Third parties register theirs under the entry-point group `sekisho.guards`.

An entry point is a function `load(reference: Reference) -> Guard`.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from sekisho.core import (
    Guard,
    GuardError,
    Reference,
    ReferenceError_,
    SekishoError,
    UnknownName,
    parse_reference,
    parse_references,
)

from .pipeline import Pipeline

GROUP = "sekisho.guards"


def guard_names() -> dict[str, EntryPoint]:
    """Every registered guard by name."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def load_guard_for(reference: str | Reference) -> Guard:
    """The guard that a reference names; several, separated by commas, become a `Pipeline`.

    Raises `ReferenceError_`, `UnknownName`, or a `GuardError` when the guard cannot be made.
    """
    if isinstance(reference, str):
        references = parse_references(reference)
        if len(references) > 1:
            return Pipeline([load_guard_for(one) for one in references])
        reference = references[0]
    if reference.path is not None:
        return _from_artefact(Path(reference.path).expanduser())
    names = guard_names()
    if reference.name not in names:
        close = get_close_matches(reference.name, names, n=1)
        raise UnknownName(
            f"no guard is registered as {reference.name!r}",
            remedy=(f"Did you mean {close[0]}? " if close else "") + f"There are: {', '.join(names)}",
        )
    try:
        load: Callable[[Reference], Guard] = names[reference.name].load()
        return load(reference)
    except SekishoError:
        raise
    except Exception as error:
        raise GuardError(
            f"the guard {reference.name} could not be loaded: {type(error).__name__}",
            remedy="Run `sekisho guards list` to see what each guard needs",
        ) from error


def refuse_unknown_params(reference: Reference, known: set[str]) -> dict[str, str]:
    """The reference's parameters; raises `ReferenceError_` for one that the guard does not know."""
    unknown = [key for key in reference.options if key not in known]
    if unknown:
        raise ReferenceError_(
            f"{reference.name} has no parameter {unknown[0]!r}",
            remedy=f"It knows: {', '.join(sorted(known)) or 'none'}",
        )
    return reference.options


def _from_artefact(folder: Path) -> Guard:
    from .embedded.guard import load_folder

    return load_folder(folder)


__all__ = ["guard_names", "load_guard_for", "parse_reference", "refuse_unknown_params"]
