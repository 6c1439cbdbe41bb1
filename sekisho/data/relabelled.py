"""Public texts that came without labels, or with labels in other terms, labelled by us under the base policy.

`corpus/labels/SET.jsonl` holds labels only, one a line: `id` of the row, `judged` (`prompt` or `answer`), `rules`
(those violated), `severity`, `refusal`. The texts stay in the data folder, under their own licences. A row's
translations, where the set has them, take the label of the row that was read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .corpus import CORPUS, in_development
from .examples import TrainingExample, rule_targets
from .registry import REGISTRY, PublicSet

LABELS: Final = CORPUS / "labels"


@dataclass(frozen=True, slots=True)
class Label:
    """What we found in one text."""

    rules: tuple[str, ...]
    severity: int
    refusal: bool | None


def read_labels(path: Path) -> dict[tuple[str, str], Label]:
    """Labels by (row id, judged)."""
    labels = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        labels[row["id"], row["judged"]] = Label(tuple(row["rules"]), row["severity"], row.get("refusal"))
    return labels


def _rows(entry: PublicSet, folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "train" / f"{entry.name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _turns(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """(user turn before the last one, last user turn, answer to it or nothing)."""
    if "messages" not in row:
        return "", str(row["text"]), ""
    messages: Sequence[Mapping[str, str]] = row["messages"]
    asked = [m["content"] for m in messages if m["role"] == "user"]
    answer = messages[-1]["content"] if messages[-1]["role"] == "assistant" else ""
    return (asked[-2] if len(asked) > 1 else ""), (asked[-1] if asked else ""), answer


def _translations(
    rows: Sequence[Mapping[str, Any]], languages: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """By the id of the English row its translations, for sets that number parallel rows within a category."""
    parallel: dict[tuple[str, int], list[dict[str, Any]]] = {}
    read: dict[tuple[str, int], str] = {}
    for row in rows:
        if row.get("row") is None:
            continue
        key = (row["category"].removesuffix("_en").removesuffix("_n"), row["row"])
        if row["lang"] == "en":
            read[key] = row["id"]
        elif row["lang"] in languages:
            parallel.setdefault(key, []).append(dict(row))
    return {english: parallel.get(key, []) for key, english in read.items()}


def _example(
    entry: PublicSet, row: Mapping[str, Any], label: Label, *, answer: bool, held_out: bool
) -> TrainingExample:
    before, asked, answered = _turns(row)
    return TrainingExample(
        id=f"{row['id']}/{'answer' if answer else 'prompt'}",
        source=entry.name,
        language=row["lang"],
        surface="output" if answer else "input",
        text=answered if answer else asked,
        context=asked if answer else before,
        overall=float(bool(label.rules)),
        rules=rule_targets(label.rules),
        severity=float(label.severity),
        refusal=None if not answer or label.refusal is None else float(label.refusal),
        weight=entry.weight,
        development=held_out,
        hard=True,
    )


def read_relabelled(
    folder: Path, *, labels: Path = LABELS, languages: Sequence[str] = ("ja", "zh", "ko")
) -> Iterator[TrainingExample]:
    """Examples of every set that has a labels file, prompts and answers apart, each text once.

    A tenth of the conversations are held out, whole; a row's translations stay on its side.
    """
    entries = {entry.name: entry for entry in REGISTRY}
    for path in sorted(labels.glob("*.jsonl")):
        entry = entries[path.stem]
        found, rows = read_labels(path), _rows(entry, folder)
        translated = _translations(rows, languages)
        for row in rows:
            _, asked, answered = _turns(row)
            held_out = in_development(f"{entry.name}/{asked[:200]}", share=0.1)
            for judged, text in (("prompt", asked), ("answer", answered)):
                label = found.get((row["id"], judged))
                if label is None or not text.strip():
                    continue
                for one in (row, *(translated.get(row["id"], ()) if judged == "prompt" else ())):
                    yield _example(entry, one, label, answer=judged == "answer", held_out=held_out)
