"""Decisions, statuses and authorities: small ordered vocabularies.

They are strings in JSON and compare by rank, not by spelling, also against plain strings
(`verdict.decision >= "flag"`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Self


class _Ranked(StrEnum):
    """A string enumeration whose order is the order of definition."""

    @property
    def rank(self) -> int:
        return type(self)._ranks()[self.value]

    @classmethod
    def _ranks(cls) -> dict[str, int]:
        ranks = cls.__dict__.get("_rank_of")
        if ranks is None:
            ranks = {member.value: place for place, member in enumerate(cls)}
            type.__setattr__(cls, "_rank_of", ranks)
        return ranks

    @classmethod
    def highest(cls, members: Iterable[Self]) -> Self:
        """The highest of `members`; the lowest member of the vocabulary when there are none."""
        best = next(iter(cls))
        for member in members:
            if member.rank > best.rank:
                best = member
        return best

    def __lt__(self, other: str) -> bool:
        return self.rank < type(self)(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= type(self)(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > type(self)(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= type(self)(other).rank


class Decision(_Ranked):
    """What is done with a text. `escalate` always means a human."""

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    ESCALATE = "escalate"
    BLOCK = "block"


class Status(_Ranked):
    """Whether a rule was really judged. Anything but `ok` is resolved by the policy's `on_error`."""

    OK = "ok"
    ABSTAINED = "abstained"
    TIMEOUT = "timeout"
    ERROR = "error"


class Authority(_Ranked):
    """Who may override a rule, from anybody (`guideline`) to nobody (`root`).

    Source: OpenAI Model Spec, "Instructions and levels of authority".
    """

    GUIDELINE = "guideline"
    USER = "user"
    DEVELOPER = "developer"
    SYSTEM = "system"
    ROOT = "root"


class Surface(StrEnum):
    """Where a text stands, which follows from the role of the message that is judged."""

    INPUT = "input"
    OUTPUT = "output"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"


class Cover(_Ranked):
    """Whether a guard can judge a rule: trained on its text, on an older text, or not at all."""

    UNCOVERED = "uncovered"
    STALE = "stale"
    COVERED = "covered"
