"""Rules that need no model: personal data with checksums, secrets, injection signatures, user patterns."""

from __future__ import annotations

from sekisho.core import Guard, Reference

from ..load import refuse_unknown_params
from .guard import DETECTORS, RulesGuard

__all__ = ["DETECTORS", "RulesGuard", "load"]


def load(reference: Reference) -> Guard:
    """`rules`; with `pii=presidio`, Microsoft Presidio's recognisers as well (extra `pii`)."""
    options = refuse_unknown_params(reference, {"pii"})
    if options.get("pii", "builtin") == "builtin":
        return RulesGuard()
    from .presidio import PresidioRules

    return PresidioRules.make(options["pii"])
