"""What a guard learned near a text: the nearest training cases in its classifier's own representation.

Only the corpus that was written for Sekisho is searched. It lies in the repository, not in the package, and its
texts may be shown; those of the public sets that guards also learn from may not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Exchange, Guard, InputError, Role, Surface, Value
from sekisho.data.corpus import as_example, read_cases
from sekisho.guards import Pipeline

NEAREST: Final = 3
SOURCE: Final = "corpus"
"""What artefacts call this corpus among their training data."""
PROGRESS: Final = "corpus"
"""The name under which progress is told."""
_STEP: Final = 256
_KEPT: Final = 6
"""Files of vectors that stay in the cache: a guard and state of the corpus each, some megabytes."""

Vectors = NDArray[np.float32]


class Neighbour(Value):
    """A training text near to a judged one, by its id; its words are in `GuardErrors.training`."""

    id: str
    similarity: float
    """Cosine of the two texts' vectors."""


class TrainingText(Value):
    """A case of the training corpus."""

    id: str
    language: str
    surface: str
    kind: Literal["violating", "near_miss", "ordinary"]
    rule: str | None
    """The rule that it violates, or was written to look like violating."""
    text: str


class NeighbourFacts(Value):
    """Where neighbours come from, or why there are none."""

    status: Literal["not_asked", "found", "no_vectors", "failed"] = "not_asked"
    """`no_vectors`: the guard has no classifier to look into; `failed`: its weights cannot be looked into."""
    vectors: str = ""
    """Name and version of the classifier."""
    typical: float | None = None
    """Median similarity of two training texts drawn at random: what a similarity has to be read against."""
    searched: int = 0
    corpus: str = ""
    """Digest of the texts that were searched."""
    learned: bool = True
    """Does the classifier's artefact name the corpus among its training data?"""
    reason: str = ""
    """The kind of failure."""


class Representing(Protocol):
    """What is asked of a classifier here; `Classifier` of the embedded guards has it."""

    @property
    def artefact(self) -> Any: ...

    def embed(self, items: Sequence[Any], *, batch_size: int = ...) -> Vectors: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """A text as classifiers see it."""

    surface: str
    text: str
    context: str


class TrainingCorpus:
    """The cases that guards learn from, without those that training holds out."""

    def __init__(self, texts: Sequence[TrainingText], contexts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.places = tuple(
            _Place(text.surface, text.text, context) for text, context in zip(texts, contexts, strict=True)
        )
        whole = hashlib.sha256()
        for text, context in zip(texts, contexts, strict=True):
            whole.update(json.dumps([text.model_dump(), context]).encode())
        self.digest = f"sha256:{whole.hexdigest()}"

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """The corpus in `folder` (LANG/PART.jsonl). Raises `InputError`, which never repeats a text."""
        texts, contexts = [], []
        try:
            for case in read_cases(Path(folder)):
                example = as_example(case)
                if example.development:
                    continue
                contexts.append(example.context)
                texts.append(
                    TrainingText(
                        id=example.id,
                        language=example.language,
                        surface=example.surface,
                        kind=case["kind"],
                        rule=case["rule"],
                        text=example.text,
                    )
                )
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            # The reader's own complaints name file and line; those of the JSON parser do not.
            plain = type(error) is ValueError
            raise InputError(
                str(error) if plain else f"a case cannot be read ({type(error).__name__})",
                where=str(folder),
                remedy="Name the folder corpus/ of a checkout",
            ) from None
        if not texts:
            raise InputError(
                "there is no training corpus here",
                where=str(folder),
                remedy="Name a folder that holds LANG/*.jsonl, such as corpus/ of a checkout",
            )
        return cls(texts, contexts)


def classifier_of(guard: Guard) -> Representing | None:
    """The first classifier in a guard that has vectors to offer. Of a pipeline's guards any may have it; what a
    cascade's stages see is another matter for every text."""
    if isinstance(guard, Pipeline):
        found = (classifier_of(part) for part in guard.guards)
        return next((one for one in found if one is not None), None)
    classifier = getattr(guard, "classifier", None)
    return classifier if hasattr(classifier, "embed") and hasattr(classifier, "artefact") else None


def nearest(
    guard: Guard,
    exchanges: Sequence[Exchange],
    corpus: TrainingCorpus,
    *,
    progress: Callable[[str, int, int], None],
    cache: Path | None = None,
) -> tuple[NeighbourFacts, list[tuple[Neighbour, ...]]]:
    """For every exchange the training texts nearest to it, nearest first; none, with the reason, where the
    guard cannot be looked into.

    cache: folder for the corpus's vectors, by default the user's. They are computed once for a classifier
    (its files' hashes) and a corpus.
    """
    classifier = classifier_of(guard)
    nothing: list[tuple[Neighbour, ...]] = [()] * len(exchanges)
    if classifier is None:
        return NeighbourFacts(status="no_vectors"), nothing
    artefact = classifier.artefact
    facts = NeighbourFacts(
        status="found",
        vectors=f"{artefact.name} {artefact.version}",
        searched=len(corpus.texts),
        corpus=corpus.digest,
        learned=any(source.name == SOURCE for source in artefact.data),
    )
    if not exchanges:
        return facts, []
    try:
        queries = np.concatenate(list(_parts(classifier, [_place(exchange) for exchange in exchanges])))
        vectors = _corpus_vectors(classifier, corpus, progress, _cache_folder() if cache is None else cache)
    except Exception as error:
        # Weights of older graphs have no such output, and every runtime says so in a way of its own. The
        # measurement that is done by now must not be lost for it.
        return facts.model_copy(update={"status": "failed", "reason": type(error).__name__}), nothing
    found: list[tuple[Neighbour, ...]] = []
    for start in range(0, len(queries), _STEP):
        similar = queries[start : start + _STEP] @ vectors.T
        best = np.argsort(-similar, axis=1, kind="stable")[:, :NEAREST]
        found += [
            tuple(
                Neighbour(id=corpus.texts[at].id, similarity=round(float(row[at]), 3))
                for at in places.tolist()
            )
            for row, places in zip(similar, best, strict=True)
        ]
    return facts.model_copy(update={"typical": _typical(vectors)}), found


def _typical(vectors: Vectors) -> float:
    pairs = np.random.default_rng(0).integers(len(vectors), size=(2, 2000))
    return round(float(np.median(np.sum(vectors[pairs[0]] * vectors[pairs[1]], axis=1))), 3)


def _place(exchange: Exchange) -> _Place:
    asked = next((m.text for m in reversed(exchange.context) if m.role is Role.USER), "")
    return _Place(exchange.surface.value, exchange.text, asked)


def _parts(classifier: Representing, places: Sequence[_Place]) -> Iterator[Vectors]:
    """Vectors, some texts at a time. As the guards ask it: a surface that is new to a classifier is input."""
    known = set(classifier.artefact.surfaces)
    asked = [p if p.surface in known else replace(p, surface=Surface.INPUT.value) for p in places]
    for start in range(0, len(asked), _STEP):
        yield classifier.embed(asked[start : start + _STEP])


def _corpus_vectors(
    classifier: Representing, corpus: TrainingCorpus, progress: Callable[[str, int, int], None], folder: Path
) -> Vectors:
    path = folder / f"{_key(classifier.artefact, corpus)}.npy"
    total = len(corpus.texts)
    with suppress(OSError, ValueError, EOFError):  # no such file, or one that is damaged: compute
        kept: Vectors = np.load(path, allow_pickle=False).astype(np.float32)
        if kept.ndim == 2 and len(kept) == total:
            path.touch()
            return kept
    parts = []
    for part in _parts(classifier, corpus.places):
        parts.append(part)
        progress(PROGRESS, min(total, len(parts) * _STEP), total)
    # Half precision is plenty for telling neighbours, and now or from the cache it has to be the same.
    halves = np.concatenate(parts).astype(np.float16)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        _keep(path, halves)
    return halves.astype(np.float32)


def _keep(path: Path, vectors: NDArray[np.float16]) -> None:
    """Written beside and renamed, so that nobody reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    with draft.open("wb") as file:
        np.save(file, vectors)
    draft.replace(path)
    by_age = sorted(path.parent.glob("*.npy"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)


def _key(artefact: Any, corpus: TrainingCorpus) -> str:
    facts = [sorted(artefact.files.items()), str(artefact.windows), corpus.digest]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sekisho" / "vectors"
