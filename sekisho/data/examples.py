"""The one shape that every training text takes, whatever set it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

RULES: Final[tuple[str, ...]] = (
    "child_sexual_exploitation",
    "sexual_crime",
    "sexual_content",
    "violent_crime",
    "graphic_violence",
    "indiscriminate_weapons",
    "weapons",
    "drugs",
    "cybercrime",
    "fraud",
    "nonviolent_crime",
    "self_harm",
    "hate",
    "harassment",
    "profanity",
    "privacy",
    "intellectual_property",
    "defamation",
    "misinformation",
    "political_manipulation",
    "specialized_advice",
    "manipulation",
    "prompt_injection",
)
"""The rules that a classifier learns, in the order of its heads.

`personal_data` and `secrets` of the base policy are missing: patterns decide them.
"""

SURFACES: Final[tuple[str, ...]] = ("input", "output", "tool_result", "tool_call")

# A text that violates one of these often violates its neighbours too, and the sets name only one:
# the neighbours' heads learn nothing from it, rather than a wrong "no".
_CLUSTERS: Final[tuple[tuple[str, ...], ...]] = (
    ("child_sexual_exploitation", "sexual_crime", "sexual_content"),
    ("violent_crime", "graphic_violence", "weapons", "indiscriminate_weapons"),
    ("violent_crime", "sexual_crime", "self_harm", "nonviolent_crime"),
    ("violent_crime", "hate", "harassment"),
    ("fraud", "manipulation", "nonviolent_crime", "misinformation", "defamation"),
    ("fraud", "cybercrime", "privacy"),
    ("nonviolent_crime", "drugs", "weapons", "intellectual_property"),
    ("hate", "harassment", "profanity", "manipulation", "defamation"),
    ("privacy", "harassment", "cybercrime"),
    ("misinformation", "political_manipulation", "specialized_advice", "defamation"),
    ("drugs", "specialized_advice", "self_harm"),
    ("profanity", "sexual_content"),
)
RELATED: Final[Mapping[str, frozenset[str]]] = {
    rule: frozenset(other for cluster in _CLUSTERS if rule in cluster for other in cluster) - {rule}
    for rule in RULES
}

DEFAULT_SEVERITY: Final[Mapping[str, float]] = {
    **dict.fromkeys(RULES, 3.0),
    "child_sexual_exploitation": 4.0,
    "indiscriminate_weapons": 4.0,
    "sexual_content": 2.0,
    "profanity": 1.0,
    "intellectual_property": 2.0,
    "defamation": 2.0,
    "misinformation": 2.0,
    "specialized_advice": 2.0,
    "manipulation": 2.0,
    "prompt_injection": 2.0,
}
"""Severity (0 to 4) of a violation whose set gives none."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One judged text with what is known about it.

    `overall` is 1 (some rule is violated) or 0. `rules` holds a target between 0 and 1 for each rule of
    which something is known; a missing rule is unknown and its head learns nothing from the text.
    `severity` (0 to 4) and `refusal` (0 or 1) are None where unknown. `context` is the last user turn
    before the judged text, empty if there is none. `hard`: an innocent text of this kind was chosen or written to
    look like a violation, which ordinary traffic seldom does.
    """

    id: str
    source: str
    language: str
    surface: str
    text: str
    overall: float
    context: str = ""
    rules: Mapping[str, float] = field(default_factory=dict)
    severity: float | None = None
    refusal: float | None = None
    weight: float = 1.0
    development: bool = False
    hard: bool = False


def rule_targets(violated: tuple[str, ...] | None) -> dict[str, float]:
    """Targets of the heads from the rules that a source names.

    `()` means that nothing is violated: every head learns 0. `None` means that something is violated and
    nobody said what: no head learns. Otherwise the named rules learn 1, their neighbours (`RELATED`)
    nothing, and the rest 0.
    """
    if violated is None:
        return {}
    unknown = set().union(*(RELATED[rule] for rule in violated)) if violated else set()
    return {rule: float(rule in violated) for rule in RULES if rule in violated or rule not in unknown}


def default_severity(violated: tuple[str, ...] | None) -> float | None:
    """The gravest default of the violated rules; 0 for none, None where they are unknown."""
    if violated is None:
        return None
    return max((DEFAULT_SEVERITY[rule] for rule in violated), default=0.0)
