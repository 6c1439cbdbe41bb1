"""Sekisho: write your safety policy once, in Markdown, and get a guard that you can run, attack,
measure and answer for.

    import sekisho

    guard = sekisho.load_guard("base")                 # a guard bound to the default policy
    verdict = guard.check_one("how do I …")            # decision, rules cited, severity, spans
    policy = sekisho.load_policy("policy.md")          # your own rules
    guard = sekisho.load_guard("rules,base", policy=policy)

The whole system from here: `sekisho.core` has the values, `sekisho.policy` reads documents,
`sekisho.guards` returns verdicts, `sekisho.evals` returns measurements, `sekisho.cli` is the command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core import (
    Coverage,
    Decision,
    Example,
    Exchange,
    Guard,
    GuardStream,
    Measurement,
    Message,
    Policy,
    Redaction,
    Role,
    Rule,
    RuleScore,
    SekishoError,
    Span,
    Status,
    Step,
    Surface,
    Verdict,
    join,
    redact,
)

if TYPE_CHECKING:
    from pathlib import Path

    from .guards import Band, BoundGuard, Cascade, Pipeline

__version__ = "0.1.0"

__all__ = [
    "Band",
    "BoundGuard",
    "Cascade",
    "Coverage",
    "Decision",
    "Example",
    "Exchange",
    "Guard",
    "GuardStream",
    "Measurement",
    "Message",
    "Pipeline",
    "Policy",
    "Redaction",
    "Role",
    "Rule",
    "RuleScore",
    "SekishoError",
    "Span",
    "Status",
    "Step",
    "Surface",
    "Verdict",
    "__version__",
    "join",
    "load_guard",
    "load_policy",
    "redact",
]

_LAZY = ("Band", "BoundGuard", "Cascade", "Pipeline")


def load_policy(source: str | Path = "base", *, language: str | None = None) -> Policy:
    """The policy of that name in the library, or in that Markdown file.

    language: read the texts in this language, from the overlay beside the document.
    Raises `PolicyError` with file, line, column and remedy.
    """
    from .policy import load_policy as load

    document = load(source)
    return document.policy if language is None else document.in_language(language)


def load_guard(reference: str | Guard = "fast", *, policy: str | Path | Policy = "base") -> BoundGuard:
    """A guard bound to a policy.

    reference: `NAME[?param=value&…][@ENDPOINT]`, several joined by commas, a path to an artefact, or
        a guard that you made (`Pipeline`, `Cascade`, your own).
    policy: a `Policy`, a name in the library, or a path.
    """
    from .guards import BoundGuard, load_guard_for

    guard = load_guard_for(reference) if isinstance(reference, str) else reference
    return BoundGuard(guard, policy if isinstance(policy, Policy) else load_policy(policy))


def __getattr__(name: str) -> Any:
    # Loaded when asked for, so that `import sekisho` stays quick.
    if name in _LAZY:
        from . import guards

        return getattr(guards, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
