"""The training mixture: public sets and our own cases, decontaminated, spread over the surfaces.

Both classifiers train on the same mixture. It is a pure function of the data folder, the registry, the
written cases and the seed, and is kept in the checkpoint folder under a digest of those.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.data import public, written
from sekisho.data.corpus import CORPUS, read_corpus
from sekisho.data.decontaminate import Contamination, measured_texts, normalised
from sekisho.data.examples import RULES, SURFACES, TrainingExample
from sekisho.data.registry import REGISTRY
from sekisho.data.relabelled import read_relabelled

CASES: Final = Path(__file__).parents[1] / "evals" / "cases"
_REVISION: Final = 4  # raise it when this module makes another mixture of the same sources


def _share(examples: Sequence[TrainingExample], count: int, rng: random.Random) -> list[TrainingExample]:
    return rng.sample(list(examples), min(count, len(examples)))


def _distinct(examples: Iterable[TrainingExample], measured: Contamination) -> list[TrainingExample]:
    """Without texts that are measured, and each text once; a text with two labels keeps its first."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for example in examples:
        key = (normalised(example.text)[:400], normalised(example.context)[:100])
        if (
            key not in seen
            and example.text not in measured
            and (not example.context or example.context not in measured)
        ):
            seen.add(key)
            kept.append(example)
    return kept


def _by_language(
    examples: Sequence[TrainingExample], count: int, rng: random.Random
) -> list[TrainingExample]:
    """Up to `count` examples of each of our languages."""
    chosen: list[TrainingExample] = []
    for language in written.LANGUAGES:
        chosen += _share([e for e in examples if e.language == language], count, rng)
    return chosen


def _on_other_surfaces(base: Sequence[TrainingExample], rng: random.Random) -> list[TrainingExample]:
    """Framed answers, documents and calls made of a part of the mixture."""
    frames = written.read_frames()
    ours = [e for e in base if e.source == "written"]
    prompts = [e for e in base if e.surface == "input" and e.source != "written" and len(e.text) >= 12]
    harmful, innocent = (
        [e for e in prompts if e.overall == label and e.weight >= 0.5] for label in (1.0, 0.0)
    )
    asked = ours + _by_language(harmful, 150, rng) + _by_language(innocent, 150, rng)
    prose = [e for e in base if not e.overall and len(e.text) >= 40 and e.source != "written"]
    called = ours + _by_language(harmful, 200, rng) + _by_language(innocent, 250, rng)
    return [
        *written.framed_answers(asked, rng=rng, frames=frames),
        *written.framed_documents(_by_language(prose, 250, rng), rng=rng, frames=frames),
        *written.framed_calls(called, rng=rng),
    ]


def _digest(data: Path, seed: int) -> str:
    parts = [repr((_REVISION, seed, REGISTRY))]
    folders = (data / "train", data / "eval", CASES, written.FOLDER, CORPUS)
    for path in sorted(path for folder in folders for path in folder.rglob("*.json*")):
        parts.append(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def build_mixture(data: Path, *, seed: int = 0) -> list[TrainingExample]:
    """Read, decontaminate and frame. Takes about two minutes on the full data."""
    measured = Contamination(measured_texts(data, cases=CASES))
    ours = list(written.read_written())
    rng = random.Random(seed)
    held = {e.id for e in _share(ours, len(ours) // 5, rng)}
    ours = [dataclasses.replace(e, development=e.id in held) for e in ours]
    base = _distinct(
        [
            *ours,
            *read_corpus(),
            *written.everyday(rng=rng),
            *read_relabelled(data),
            *public.read_public(data),
        ],
        measured,
    )
    return base + _distinct(_on_other_surfaces(base, rng), measured)


def load_mixture(data: Path, *, checkpoints: Path, seed: int = 0) -> list[TrainingExample]:
    """The mixture from `checkpoints`, built on the first call for these sources."""
    path = checkpoints / f"mixture-{_digest(data, seed)}.jsonl.gz"
    if not path.is_file():
        checkpoints.mkdir(parents=True, exist_ok=True)
        with gzip.open(path.with_suffix(".part"), "wt", encoding="utf-8", compresslevel=3) as out:
            for example in build_mixture(data, seed=seed):
                out.write(json.dumps(dataclasses.asdict(example), ensure_ascii=False) + "\n")
        path.with_suffix(".part").replace(path)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [TrainingExample(**json.loads(line)) for line in lines]


@dataclasses.dataclass(frozen=True, slots=True)
class Targets:
    """Targets of n examples as arrays; a mask is the loss weight of each target, 0 where it is unknown.

    Columns: overall, the rules in order, severity >= 1, 2, 3, 4 (ordinal), refusal. [n, 1 + R + 4 + 1]
    """

    values: NDArray[np.float32]
    masks: NDArray[np.float32]


OUTPUTS: Final = 1 + len(RULES) + 4 + 1


def targets_of(examples: Sequence[TrainingExample]) -> Targets:
    """Targets and masks. A rule's 1s count more than its 0s, which outnumber them by a hundred."""
    values = np.zeros((len(examples), OUTPUTS), np.float32)
    masks = np.zeros_like(values)
    severity = 1 + len(RULES)
    for row, example in enumerate(examples):
        values[row, 0], masks[row, 0] = example.overall, example.weight
        for rule, target in example.rules.items():
            column = 1 + RULES.index(rule)
            values[row, column] = target
            masks[row, column] = example.weight * (2.0 if target else 0.5 if example.overall else 1.0)
        if example.severity is not None:
            values[row, severity : severity + 4] = example.severity >= np.arange(1, 5)
            masks[row, severity : severity + 4] = 0.3 * example.weight
        if example.refusal is not None:
            values[row, -1], masks[row, -1] = example.refusal, 0.5
    return Targets(values, masks)


def surface_numbers(examples: Sequence[TrainingExample]) -> NDArray[np.int64]:
    """Index of each example's surface in SURFACES. [n]"""
    return np.array([SURFACES.index(e.surface) for e in examples], np.int64)
