"""Public labelled sets as training examples: rows of `registry`'s sets, each by the policy of its entry."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .examples import TrainingExample, default_severity, rule_targets
from .registry import DROP, REGISTRY, PublicSet

# Answers written by models whose makers restrict the use of outputs.
_RESTRICTED_WRITERS: Final = ("openai", "gpt-3.5", "gpt-4", "claude", "llama", "stablebeluga")

_REFUSALS: Final = (
    "i'm sorry",
    "i am sorry",
    "i cannot",
    "i can't",
    "i can’t",
    "i’m sorry",
    "sorry, ",
    "i'm not able",
    "as an ai language model, i cannot",
    "i apologize",
    "unfortunately, i cannot",
)


def _number(text: str) -> float:
    """A stable draw from [0, 1) for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def _judged(row: Mapping[str, Any], questions: Mapping[str, str]) -> tuple[str, str, str]:
    """Role, text and context (last user turn before it) of the message that a row judges."""
    if "messages" not in row:
        return "", str(row["text"]), questions.get(str(row.get("qid")), "")
    messages: Sequence[Mapping[str, str]] = row["messages"]
    last = messages[-1]
    before = [message["content"] for message in messages[:-1] if message["role"] == "user"]
    return last["role"], last["content"], before[-1] if before else ""


def _example(
    entry: PublicSet, row: Mapping[str, Any], questions: Mapping[str, str]
) -> TrainingExample | None:
    """A row as a training example, or None where the policy of its set leaves it out."""
    if row["label"] is None:
        return None
    writer = str(row.get("model") or "").lower()
    if any(name in writer for name in _RESTRICTED_WRITERS):
        return None
    role, text, context = _judged(row, questions)
    violated = entry.rules_of(row.get("category")) if row["label"] else ()
    if violated == DROP or not text.strip():
        return None
    surface = entry.surface or "input"
    if role:
        surface = "output" if role == "assistant" else "input"
    elif surface == "post":
        draw = _number("surface" + row["id"])
        surface = "input" if draw < 0.5 else "output" if draw < 0.8 else "tool_result"
    refusal: float | None = None
    if surface == "output":
        opening = text.lower()[:160]
        looks_refused = any(words in opening for words in _REFUSALS)
        if entry.name == "gptfuzz_responses" and looks_refused and row["label"]:
            return None  # judged "jailbroken" though it opens with a refusal: not sure enough
        refusal = float(row["refusal"]) if row.get("refusal") is not None else float(looks_refused)
    severity = default_severity(violated)
    if entry.name == "malicious_tasks":
        severity = {0.3: 2.0, 0.6: 3.0, 0.9: 4.0}[float(row["severity"])]
    held_out = _number("dev" + row["id"]) < entry.development_in.get(row["lang"], entry.development)
    return TrainingExample(
        id=row["id"],
        source=entry.name,
        language=row["lang"],
        surface=surface,
        text=text,
        context=context,
        overall=float(row["label"]),
        rules=rule_targets(violated),
        severity=severity,
        refusal=refusal,
        weight=entry.weight,
        development=held_out,
        hard=entry.hard,
    )


def _questions(entry: PublicSet, folder: Path) -> dict[str, str]:
    """What the answers of a set answer, by number, where another set holds that."""
    if entry.asked_in is None:
        return {}
    with gzip.open(folder / "train" / f"{entry.asked_in}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {str(int(row["id"].rsplit("-", 1)[1])): row["text"] for row in rows}


def read_public(folder: Path, *, registry: Sequence[PublicSet] = REGISTRY) -> Iterator[TrainingExample]:
    """Training examples of every used set under `folder/train`, in the registry's order.

    A set of the registry whose file is missing raises FileNotFoundError; a file that the registry does
    not know is left alone.
    """
    for entry in registry:
        if not entry.use:
            continue
        with gzip.open(folder / "train" / f"{entry.name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        rows.sort(key=lambda row: _number(row["id"]))
        questions = _questions(entry, folder)
        taken: dict[str, int] = {}
        for row in rows:
            example = _example(entry, row, questions)
            if example is None:
                continue
            taken[example.language] = taken.get(example.language, 0) + 1
            if entry.cap is None or taken[example.language] <= entry.cap:
                yield example
