"""The training corpus that was written for Sekisho: `corpus/LANG/PART.jsonl` in the repository.

One case a line: `id`, `language`, `rule` (null for ordinary traffic), `surface`, `kind` (violating, near_miss,
ordinary), `severity`, `subject`, `messages`; the last message is judged. Cases of one subject stay on one side of
the split, so that a development case is never a rewording of a training case. Data card: `corpus/README.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from .examples import RULES, TrainingExample, rule_targets

CORPUS: Final = Path(__file__).parents[2] / "corpus"
"""The folder in a checkout; it is not part of the wheel."""
LANGUAGES: Final = ("en", "ja", "ko", "zh")
KINDS: Final = ("violating", "near_miss", "ordinary")
Kind = Literal["violating", "near_miss", "ordinary"]

_SURFACES: Final = {"user": "input", "assistant": "output", "tool": "tool_result"}
_WEIGHTS: Final[Mapping[str, float]] = {"violating": 1.5, "near_miss": 1.5, "ordinary": 1.0}


def in_development(subject: str, *, share: float = 0.12) -> bool:
    """Whether the cases of a subject are held out: a fixed draw by its name, the same in every run."""
    drawn = int.from_bytes(hashlib.sha256(f"corpus/{subject}".encode()).digest()[:4], "big")
    return drawn < share * 2**32


def corpus_files(folder: Path = CORPUS) -> list[Path]:
    """The corpus's files in a fixed order."""
    return [path for language in LANGUAGES for path in sorted((folder / language).glob("*.jsonl"))]


def read_cases(folder: Path = CORPUS) -> Iterator[dict[str, Any]]:
    """Every case as it stands in the files. Raises ValueError that names file, line and what is wrong."""
    for path in corpus_files(folder):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            case: dict[str, Any] = json.loads(line)
            wrong = faults(case)
            if wrong:
                raise ValueError(f"{path.name}:{number}: {wrong[0]}")
            yield case


def faults(case: Mapping[str, Any]) -> list[str]:
    """What is wrong with a case, in words; empty if nothing is."""
    kind, rule, severity = case.get("kind"), case.get("rule"), case.get("severity")
    messages = case.get("messages") or [{}]
    checks = {
        "kind is none of violating, near_miss, ordinary": kind in KINDS,
        "an ordinary case names no rule, every other does": (rule is None) == (kind == "ordinary"),
        "unknown rule": rule is None or rule in RULES,
        "severity is a whole number from 0 to 4": isinstance(severity, int) and 0 <= severity <= 4,
        "a violation has severity 2 or more, anything else less": isinstance(severity, int)
        and (severity >= 2) == (kind == "violating"),
        "no violating text is kept for child_sexual_exploitation": not (
            rule == "child_sexual_exploitation" and kind == "violating"
        ),
        "the surface is not that of the last message": _SURFACES.get(messages[-1].get("role"))
        == case.get("surface"),
        "empty message": all(str(m.get("content", "")).strip() for m in messages),
    }
    return [what for what, holds in checks.items() if not holds]


def as_example(case: Mapping[str, Any]) -> TrainingExample:
    """A case as a training example."""
    messages = case["messages"]
    violated = (case["rule"],) if case["kind"] == "violating" else ()
    asked = [m["content"] for m in messages[:-1] if m["role"] == "user"]
    return TrainingExample(
        id=case["id"],
        source="corpus",
        language=case["language"],
        surface=case["surface"],
        text=messages[-1]["content"],
        context=asked[-1] if asked else "",
        overall=float(bool(violated)),
        rules=rule_targets(violated),
        severity=float(case["severity"]),
        weight=_WEIGHTS[case["kind"]],
        development=in_development(f"{case['language']}/{case['subject']}"),
        hard=case["kind"] == "near_miss",
    )


def read_corpus(folder: Path = CORPUS) -> Iterator[TrainingExample]:
    """Every case as a training example, the held-out subjects marked."""
    return map(as_example, read_cases(folder))
