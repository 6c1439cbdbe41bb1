"""Embedded classifiers: probabilities for every rule from weights that come with the package.

Two kinds share one interface: `fast` (embedding sums, tens of microseconds a text) and `base` (a small
multilingual transformer, milliseconds a text). What they return is calibrated; which probability counts as a
violation is the artefact's business (`Artefact.thresholds_for`), what to do about it the policy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sekisho.core.errors import MissingCapability

from ._adapter import ADAPTER, Adapter
from ._artefact import Artefact
from ._fast import FastModel, State
from ._language import LANGUAGES, LOOKED_AT, script_language
from ._windows import WindowLogits

WEIGHTS: Final = Path(__file__).with_name("weights")
"""The folder of the classifiers that are shipped: `WEIGHTS / "fast"`, `WEIGHTS / "base"`."""

Floats = NDArray[np.float32]

_PLACES: Final = {language: place for place, language in enumerate(LANGUAGES)}


@dataclass(frozen=True, slots=True)
class Item:
    """One message to judge: `text` on `surface`, `context` the last user turn before it or empty."""

    surface: str
    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Calibrated probabilities for n items and R rules, float32.

    `overall` [n]: some rule is violated. `rules` [n, R]. `severity` [n, 1]: expected severity, 0 to 4.
    `refusal` [n]: the text is a refusal (means something on the surface output). `spans` [n, R, 2]:
    character range of the window of the text in which the rule scored highest; the whole text if it has
    one window.
    """

    overall: Floats
    rules: Floats
    severity: Floats
    refusal: Floats
    spans: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.overall)


class _Model(Protocol):
    def windows(
        self, texts: Sequence[str], contexts: Sequence[str], surfaces: NDArray[np.int64]
    ) -> WindowLogits: ...

    def embeddings(
        self, texts: Sequence[str], contexts: Sequence[str], surfaces: NDArray[np.int64]
    ) -> Floats: ...

    def with_adapter(self, adapter: Adapter) -> _Model: ...


def _sigmoid(logits: Floats) -> Floats:
    probabilities: Floats = (1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0)))).astype(np.float32)
    return probabilities


class Classifier:
    """Weights with their artefact. Immutable; may be shared between threads."""

    def __init__(self, artefact: Artefact, model: _Model, *, folder: Path = WEIGHTS) -> None:
        self.artefact = artefact
        self.model = model
        self.folder = folder
        self._surfaces: dict[str, int] = {surface: number for number, surface in enumerate(artefact.surfaces)}
        # [surfaces, languages, 2 (overall, rules), 2 (slope, offset)]
        self._platt = np.array(
            [
                [
                    [
                        (p.slope, p.offset)
                        for p in (fitted.languages.get(language, fitted.overall), fitted.rules)
                    ]
                    for language in LANGUAGES
                ]
                for fitted in (artefact.calibration[surface] for surface in artefact.surfaces)
            ],
            np.float32,
        )

    @classmethod
    def load(cls, folder: Path, *, verify: bool = True) -> Classifier:
        """Load the classifier in `folder`. Raises ArtefactError if a file is missing or altered.

        `verify=False` skips the hashes, for weights that were verified when they were installed.
        """
        return cls.load_with(Artefact.read(folder, verify=verify), folder)

    @classmethod
    def load_with(cls, artefact: Artefact, folder: Path) -> Classifier:
        """The weights in `folder` under an artefact that is not (yet) written there."""
        windows = artefact.windows
        adapter = Adapter.load(folder) if ADAPTER in artefact.files else None
        if artefact.kind == "fast":
            model = FastModel.load(folder, block=windows.stride, context=windows.context, adapter=adapter)
            return cls(artefact, model, folder=folder)
        from ._base import BaseModel  # onnxruntime takes longer to import than `fast` to load

        return cls(artefact, BaseModel.load(folder, windows=windows, adapter=adapter), folder=folder)

    def with_adapter(self, adapter: Adapter) -> Classifier:
        """The same weights with a corrected last layer, in place of a correction that it has."""
        return Classifier(self.artefact, self.model.with_adapter(adapter), folder=self.folder)

    def raw(self, items: Sequence[Item]) -> Floats:
        """Uncalibrated logits of the items. -> [n, outputs]"""
        surfaces = np.array([self._surfaces[item.surface] for item in items])
        texts, contexts = [well_formed(i.text) for i in items], [well_formed(i.context) for i in items]
        return self.logits(texts, contexts, surfaces)

    def predict(self, items: Sequence[Item], *, batch_size: int = 512) -> Predictions:
        """Judge the items, `batch_size` at a time. KeyError for a surface that the artefact does not name."""
        if not items:
            return self.calibrated(np.zeros((0, self._outputs), np.float32), np.zeros(0, np.int64), [])
        parts = [
            self._predict(items[start : start + batch_size]) for start in range(0, len(items), batch_size)
        ]
        if len(parts) == 1:
            return parts[0]
        return Predictions(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("overall", "rules", "severity", "refusal", "spans")
            )
        )

    def embed(self, items: Sequence[Item]) -> Floats:
        """The classifier's last hidden layer for the beginning of each item, of length 1. -> [n, d]

        What is near here is near to the classifier: neighbours among training texts explain what it does.
        """
        found = self.hidden(items)
        result: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
        return result

    def hidden(self, items: Sequence[Item], *, batch_size: int = 256) -> Floats:
        """The last hidden layer for the first window of each item. -> [n, d]"""
        parts = []
        for start in range(0, len(items), batch_size):
            part = items[start : start + batch_size]
            surfaces = np.array([self._surfaces[item.surface] for item in part])
            texts, contexts = [well_formed(i.text) for i in part], [well_formed(i.context) for i in part]
            parts.append(self.model.embeddings(texts, contexts, surfaces))
        return np.concatenate(parts).astype(np.float32, copy=False)

    def open_stream(self, surface: str, *, context: str = "") -> FastStream:
        """A stream that scores a growing text at the cost of what is new. MissingCapability unless `fast`."""
        if not isinstance(self.model, FastModel):
            raise MissingCapability(
                "this classifier cannot score a stream incrementally",
                where=self.artefact.name,
                remedy="Use the fast classifier, or judge the whole text at the points that matter",
            )
        return FastStream(self, self.model, surface=self._surfaces[surface], context=context)

    @property
    def _outputs(self) -> int:
        return 1 + len(self.artefact.rules) + 4 + 1

    def logits(self, texts: Sequence[str], contexts: Sequence[str], surfaces: NDArray[np.int64]) -> Floats:
        """Uncalibrated logits, the worst over each text's windows; surfaces by place. -> [n, outputs]"""
        return _worst(self.model.windows(texts, contexts, surfaces))[0]

    def calibrated(
        self,
        logits: Floats,
        surfaces: NDArray[np.int64],
        languages: Sequence[str],
        *,
        spans: NDArray[np.int64] | None = None,
    ) -> Predictions:
        """Predictions from logits [n, outputs] (overall, rules, severity >= 1 to 4, refusal).

        `surfaces` [n] by place, `languages` of `LANGUAGES`; `spans` [n, outputs, 2], zeros if they do not matter.
        """
        rules = len(self.artefact.rules)
        places = [_PLACES[language] for language in languages]
        platt, refusal = self._platt[surfaces, np.array(places, np.int64)], self.artefact.refusal
        if spans is None:
            spans = np.zeros((*logits.shape, 2), np.int64)
        return Predictions(
            overall=_sigmoid(logits[:, 0] * platt[:, 0, 0] + platt[:, 0, 1]),
            rules=_sigmoid(logits[:, 1 : 1 + rules] * platt[:, 1, 0:1] + platt[:, 1, 1:2]),
            severity=_sigmoid(logits[:, 1 + rules : -1]).sum(axis=1, keepdims=True),
            refusal=_sigmoid(logits[:, -1] * np.float32(refusal.slope) + np.float32(refusal.offset)),
            spans=spans[:, 1 : 1 + rules],
        )

    def _predict(self, items: Sequence[Item]) -> Predictions:
        surfaces = np.array([self._surfaces[item.surface] for item in items])
        texts, contexts = (
            [well_formed(item.text) for item in items],
            [well_formed(item.context) for item in items],
        )
        scored = self.model.windows(texts, contexts, surfaces)
        worst, where = _worst(scored)
        languages = [script_language(text) for text in texts]
        return self.calibrated(worst, surfaces, languages, spans=scored.spans[where])


def well_formed(text: str) -> str:
    """The text with `?` for lone surrogates, which JSON can carry and tokenisers refuse. Same length."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def _worst(scored: WindowLogits) -> tuple[Floats, NDArray[np.int64]]:
    """Logits of texts from those of their windows, and which window each came from. -> [n, outputs] each

    The highest, except for refusal, which shows in how a text begins.
    """
    worst, where = scored.worst()
    worst = worst.copy()
    worst[:, -1] = scored.logits[scored.first, -1]
    return worst, where


class FastStream:
    """A growing text under `fast`. `scores()` equals `predict` on the text so far, float rounding aside.

    A feed costs what it brings: words that later text cannot change any more are tokenised and summed once;
    the last two words, which it still can, are looked at again.
    """

    def __init__(self, classifier: Classifier, model: FastModel, *, surface: int, context: str) -> None:
        self._classifier = classifier
        self._model = model
        self._surface = surface
        self._context = model.context_sums([well_formed(context)])
        self._state: State = model.begin()
        self._open = ""
        self._open_ids: list[int] = []
        self._length = 0
        self._opening = ""
        """As much of the text as its language is read from."""

    def feed(self, text: str) -> None:
        """Add text at the end."""
        self._length += len(text)
        text = well_formed(text)
        if len(self._opening) < LOOKED_AT:
            self._opening = (self._opening + text)[:LOOKED_AT]
        encoding = self._model.tokenizer.encode(self._open + text, add_special_tokens=False)
        words: list[int] = encoding.word_ids  # type: ignore[assignment]  # every token has a word
        settled = (
            next((place for place, word in enumerate(words) if word >= words[-1] - 1), 0) if words else 0
        )
        self._state = self._model.extend(self._state, encoding.ids[:settled], self._context, self._surface)
        # The next word's start, not this one's end: a composed character's end is that of its first part.
        start = encoding.offsets[settled][0] if settled else 0
        self._open = (self._open + text)[start:]
        self._open_ids = encoding.ids[settled:]

    def scores(self) -> Predictions:
        """Predictions for the text so far (n = 1). Spans are the whole text: a stream does not keep it."""
        state = self._model.extend(self._state, self._open_ids, self._context, self._surface)
        logits = self._model.stream_logits(state, self._context, self._surface)
        worst = logits.max(axis=0, keepdims=True)
        worst[:, -1] = logits[0, -1]
        spans = np.broadcast_to(np.array([0, self._length]), (1, logits.shape[1], 2))
        language = script_language(self._opening)
        return self._classifier.calibrated(worst, np.array([self._surface]), [language], spans=spans)
