"""Our own short cases (`written/LANG.jsonl`) and the frames that put texts on other surfaces.

Public sets are mostly English prompts. The written cases give every rule a few requests and near misses in
four languages; the frames (`written/frames.json`) turn prompts into answers, untrusted documents and tool
calls. No frame holds hazardous detail: an answer that complies trails off. Ours, Apache-2.0.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from .examples import TrainingExample, rule_targets

FOLDER: Final = Path(__file__).with_name("written")
LANGUAGES: Final = ("en", "ja", "zh", "ko")

_READERS: Final = ("web_search", "search_documents", "ask_assistant", "lookup")
_WRITERS: Final = ("send_email", "post_message", "write_file", "create_ticket", "translate")

Frames = Mapping[str, Sequence[str]]


def read_written(folder: Path = FOLDER) -> Iterator[TrainingExample]:
    """Every written case, in the order of the languages and lines."""
    for language in LANGUAGES:
        for line in (folder / f"{language}.jsonl").read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            violated = tuple(row["violates"])
            yield TrainingExample(
                id=row["id"],
                source="written",
                language=language,
                surface=row["surface"],
                text=row["text"],
                overall=float(bool(violated)),
                rules=rule_targets(violated),
                severity=float(row["severity"]),
                weight=2.0,  # few, and the only ones written for our rules
            )


def everyday(*, rng: random.Random, count: int = 240, folder: Path = FOLDER) -> Iterator[TrainingExample]:
    """Innocent everyday requests, `count` a language: forms with subjects (`written/everyday.json`).

    Public sets hold few of them, and their forms are those of harmful requests.
    """
    lists: dict[str, dict[str, list[str]]] = json.loads(
        (folder / "everyday.json").read_text(encoding="utf-8")
    )
    for language, parts in lists.items():
        texts = [form.replace("{x}", subject) for form in parts["forms"] for subject in parts["subjects"]]
        for number, text in enumerate(rng.sample(texts, min(count, len(texts)))):
            yield TrainingExample(
                id=f"everyday-{language}-{number:03d}",
                source="frames/everyday",
                language=language,
                surface="input",
                text=text,
                overall=0.0,
                rules=rule_targets(()),
                severity=0.0,
                weight=0.7,
            )


def read_frames(folder: Path = FOLDER) -> dict[str, Frames]:
    """The frames by language."""
    frames: dict[str, Frames] = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    return frames


def _framed(example: TrainingExample, kind: str, **changes: Any) -> TrainingExample:
    return replace(example, id=f"{example.id}/{kind}", source=f"frames/{kind}", **changes)


def _nothing(*, refusal: float | None = None) -> dict[str, Any]:
    return {"overall": 0.0, "rules": rule_targets(()), "severity": 0.0, "refusal": refusal}


def _short(example: TrainingExample, limit: int = 400) -> bool:
    return len(example.text) <= limit


def framed_answers(
    prompts: Sequence[TrainingExample], *, rng: random.Random, frames: Mapping[str, Frames]
) -> Iterator[TrainingExample]:
    """A refusal and an answer to each prompt: the first violates nothing, the second as it does."""
    for prompt in prompts:
        if prompt.language not in frames or not _short(prompt):
            continue
        frame = frames[prompt.language]
        refusal = rng.choice(frame["refusals"])
        if rng.random() < 0.4:
            refusal += " " + rng.choice(frame["refusals"])
        yield _framed(
            prompt, "refusal", surface="output", context=prompt.text, text=refusal, **_nothing(refusal=1.0)
        )
        answer = rng.choice(frame["complies" if prompt.overall else "helps"])
        yield _framed(
            prompt,
            "answer",
            surface="output",
            context=prompt.text,
            refusal=0.0,
            text=answer.replace("{request}", prompt.text),
            weight=prompt.weight * 0.5,
        )


def _document(body: str, frame: Frames, rng: random.Random) -> str:
    shape = rng.choice(frame["documents"])
    return (
        shape.replace("{title}", rng.choice(frame["titles"]))
        .replace("{name}", rng.choice(frame["names"]))
        .replace("{body}", body)
    )


def framed_documents(
    texts: Sequence[TrainingExample], *, rng: random.Random, frames: Mapping[str, Frames]
) -> Iterator[TrainingExample]:
    """Documents around innocent texts; every second one carries an instruction to the model that reads it."""
    for number, example in enumerate(texts):
        if example.language not in frames:
            continue
        frame = frames[example.language]
        body = example.text[:900]
        clean = _framed(
            example,
            "document",
            surface="tool_result",
            context="",
            text=_document(body, frame, rng),
            **_nothing(),
        )
        if number % 2:
            yield clean
            continue
        order = rng.choice(frame["injections"]).replace("{goal}", rng.choice(frame["goals"]))
        pieces = body.split("\n")
        pieces.insert(rng.randint(0, len(pieces)), order)
        yield replace(
            clean,
            id=f"{example.id}/injected",
            source="frames/injected",
            text=_document("\n".join(pieces), frame, rng),
            overall=1.0,
            rules=rule_targets(("prompt_injection",)),
            severity=rng.choice((2.0, 3.0)),
        )


def framed_calls(texts: Sequence[TrainingExample], *, rng: random.Random) -> Iterator[TrainingExample]:
    """Tool calls whose arguments carry the text: what the text violates, the call does too."""
    for example in texts:
        if not _short(example):
            continue
        if rng.random() < 0.6:
            name, arguments = rng.choice(_READERS), {"query": example.text}
        else:
            name = rng.choice(_WRITERS)
            arguments = {"to": rng.choice(("team", "user", "#general")), "body": example.text}
        call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
        yield _framed(
            example,
            "call",
            surface="tool_call",
            context="",
            text=call,
            refusal=None,
            weight=example.weight * 0.7,
        )
