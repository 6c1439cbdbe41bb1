"""Classifiers whose weights come with the package: numpy, tokenizers and onnxruntime, nothing to download."""

from ._adapter import Adapter, Replay
from ._artefact import Artefact, Calibration, DataSource, FittedOn, Platt, RuleHead, Thresholds, Windows
from .classifier import WEIGHTS, Classifier, FastStream, Item, Predictions
from .guard import EmbeddedGuard, load_base, load_fast, load_folder

__all__ = [
    "WEIGHTS",
    "Adapter",
    "Artefact",
    "Calibration",
    "Classifier",
    "DataSource",
    "EmbeddedGuard",
    "FastStream",
    "FittedOn",
    "Item",
    "Platt",
    "Predictions",
    "Replay",
    "RuleHead",
    "Thresholds",
    "Windows",
    "load_base",
    "load_fast",
    "load_folder",
]
