"""Figures that others published, to stand beside ours. None of them was measured by us."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from sekisho.core import Value

ENGLISH_PROMPTS = ("toxicchat_test", "openai_moderation", "simplesafetytests", "harmbench_prompt")
"""The sets of English requests that are held here and that most systems are published on."""


class Published(Value):
    """One figure from a paper, a model card or a repository."""

    set: str
    """Our name of the set where we hold it, else a name of its own."""
    metric: str
    """As in our measurements: f1, fpr, recall, auroc, …; values are shares, 0 to 1."""
    system: str
    value: float
    source: str
    grade: Literal["P", "A", "S"]
    """P: primary source read. A: abstract or vendor's page only. S: secondary notes, not checked."""
    mode: Literal["", "strict", "loose", "oracle"] = ""
    """How a guard of three levels was read: its middle level as unsafe, as safe, or whichever was better."""
    protocol: Literal["", "any-guardrail"] = ""
    """Set where it differs from the set's usual one: any-guardrail ran subsets of about 250 texts."""
    note: str = ""

    @property
    def label(self) -> str:
        """System and mode."""
        return f"{self.system} ({self.mode})" if self.mode else self.system


@lru_cache(maxsize=1)
def published_figures() -> tuple[Published, ...]:
    """All of them, in the order of `published.json`."""
    text = (files("sekisho.evals") / "published.json").read_text(encoding="utf-8")
    return tuple(Published.model_validate(entry) for entry in json.loads(text)["figures"])


def peers(set_name: str, metric: str) -> list[Published]:
    """The published figures of that set and metric, best first (lowest first for false positives)."""
    found = [one for one in published_figures() if one.set == set_name and one.metric == metric]
    return sorted(found, key=lambda one: one.value, reverse=metric != "fpr")


def comparable_average(sets: tuple[str, ...], metric: str) -> list[Published]:
    """The plain mean of a metric over `sets`, for every system and mode published on all of them.

    Unlike an average that takes the better mode set by set, each of these is one system at one setting.
    """
    found: dict[str, list[Published]] = {}
    for name in sets:
        for one in peers(name, metric):
            if one.mode != "oracle" and not one.protocol:
                found.setdefault(one.label, []).append(one)
    return [
        ones[0].model_copy(
            update={
                "set": "+".join(sets),
                "value": sum(one.value for one in ones) / len(ones),
                "grade": max((one.grade for one in ones), key="PAS".index),  # the weakest source
                "note": f"mean over {len(ones)} sets, made here from published figures",
            }
        )
        for ones in found.values()
        if len(ones) == len(sets)
    ]
