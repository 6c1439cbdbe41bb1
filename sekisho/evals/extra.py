"""The optional dependencies of this room (extra `eval`), asked for where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sekisho.core import MissingExtra


def need(module: str) -> Any:
    """Import a module of the extra `eval`. Raises `MissingExtra` with the pip line."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(
            f"measuring and reporting need {module.partition('.')[0]}, which is not installed",
            remedy="Run: pip install 'sekisho[eval]'",
        ) from None
