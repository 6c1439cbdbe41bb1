"""Rules that need no model: personal data with checksums, secrets, injection signatures, user patterns."""

from __future__ import annotations

from sekisho.core import Guard, Reference, ReferenceError_

from ..load import refuse_unknown_params
from .guard import DETECTORS, RulesGuard

__all__ = ["DETECTORS", "RulesGuard", "load"]


def load(reference: Reference) -> Guard:
    """`rules`; with `pii=presidio`, Microsoft Presidio's recognisers as well (extra `pii`)."""
    options = refuse_unknown_params(reference, {"pii"})
    kind = options.get("pii", "builtin")
    if kind == "builtin":
        return RulesGuard()
    if kind != "presidio":
        raise ReferenceError_(
            "rules: `pii` is neither builtin nor presidio", remedy="Write rules?pii=presidio"
        )
    from .presidio import presidio_finder

    return RulesGuard(more=presidio_finder(), name="rules?pii=presidio")
