"""The guard and the policy that a command was given, and the warning when they do not fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sekisho.core import ArtefactError, Cover

from .terminal import Terminal

if TYPE_CHECKING:
    from sekisho.guards import BoundGuard
    from sekisho.policy import PolicyDocument

GuardOption = Annotated[
    str,
    typer.Option(
        "--guard",
        "-g",
        metavar="NAME",
        help="Guard: NAME, NAME?param=value or NAME@ENDPOINT, several joined by commas, or a path. "
        "See `sekisho guards list`.",
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", "-p", metavar="NAME|FILE", help="Policy: a name in the library, or a Markdown file."
    ),
]
NAMED = 6
"""Rules that a warning names before it counts the rest."""


def load(guard: str, policy: str) -> tuple[BoundGuard, PolicyDocument]:
    """Both, loaded. Raises `SekishoError`."""
    import logging

    from sekisho.guards import BoundGuard, load_guard_for
    from sekisho.policy import load_policy

    # What a guard fails at is told in the results, record by record.
    logging.getLogger("sekisho").addHandler(logging.NullHandler())
    document = load_policy(policy)
    try:
        return BoundGuard(load_guard_for(guard), document.policy), document
    except ArtefactError as error:
        remedy = f"{error.remedy or 'Reinstall the package'}. --guard rules works without weights"
        raise ArtefactError(error.what, where=error.where, remedy=remedy) from None


def warn_of_coverage(guard: BoundGuard, terminal: Terminal) -> None:
    """Say loudly, before any result, which rules this guard cannot judge, or learnt in another wording."""
    words = terminal.words
    entries = guard.coverage()
    for cover in (Cover.UNCOVERED, Cover.STALE):
        rules = [entry.rule for entry in entries if entry.cover is cover]
        if not rules:
            continue
        names = ", ".join(rules[:NAMED]) + (f" (+{len(rules) - NAMED})" if len(rules) > NAMED else "")
        terminal.warn(
            words(f"coverage.{cover.value}", n=len(rules), total=len(entries), guard=guard.name, rules=names),
            remedy=words(
                f"coverage.{cover.value}.remedy",
                decision=guard.policy.on_error.default.value,
                policy=guard.policy.id,
            ),
        )
