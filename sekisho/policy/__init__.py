"""Policies: read, lint, compare and write the documents, and the library of ready ones.

load_policy("base")            a document of the library, or a file, with its translations
parse(text), lint(text)        the first error raised; all problems as values
describe, diff, flips          what a document holds; what changed; which examples flip
examples(policy)               every marked candidate as a labelled exchange
render(policy)                 the document that reads back as the same value
"""

from .description import describe
from .detectors import DETECTORS
from .difference import Change, Flip, PolicyDiff, RuleChange, diff, flips
from .document import PolicyDocument, library, load_policy
from .labelled import examples
from .linting import lint, lint_file
from .parser import parse, parse_overlay
from .problem import Problem
from .rendering import render
from .source import read_bytes
from .translation import Overlay

__all__ = [
    "DETECTORS",
    "Change",
    "Flip",
    "Overlay",
    "PolicyDiff",
    "PolicyDocument",
    "Problem",
    "RuleChange",
    "describe",
    "diff",
    "examples",
    "flips",
    "library",
    "lint",
    "lint_file",
    "load_policy",
    "parse",
    "parse_overlay",
    "read_bytes",
    "render",
]
