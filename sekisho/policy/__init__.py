"""Policies: read, lint, compare and write the documents, and the library of ready ones."""

from .detectors import DETECTORS
from .document import PolicyDocument, library, load_policy
from .parser import parse, parse_overlay
from .problem import Problem
from .translation import Overlay

__all__ = [
    "DETECTORS",
    "Overlay",
    "PolicyDocument",
    "Problem",
    "library",
    "load_policy",
    "parse",
    "parse_overlay",
]
