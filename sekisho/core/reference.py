"""The one grammar for anything that a user names.

    NAME[?param=value&…][@ENDPOINT]      ENDPOINT = embedded | http(s)://host/v1#model | hf:PATH | gguf:PATH
    ./path, /path, ~/path, C:\\path       an artefact on disk

Several guards joined are written with commas: `rules,fast`.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from .errors import ReferenceError_
from .message import Value

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_PATH = re.compile(r"(\.{1,2}[/\\]|[/\\]|~[/\\]|[A-Za-z]:[/\\])")
_HELP = "Write NAME, NAME?param=value, NAME@ENDPOINT or a path that starts with ./ or /"


class Endpoint(Value):
    """Where a named thing runs."""

    kind: Literal["embedded", "http", "hf", "gguf"]
    location: str = ""
    """URL without the fragment, or the path."""
    model: str | None = None
    """What the endpoint calls the model."""

    def __str__(self) -> str:
        if self.kind == "embedded":
            return "embedded"
        if self.kind == "http":
            return f"{self.location}#{self.model}" if self.model else self.location
        return f"{self.kind}:{self.location}"


class Reference(Value):
    """A parsed reference. `str(reference)` reads back to the same value."""

    name: str = ""
    params: tuple[tuple[str, str], ...] = ()
    endpoint: Endpoint | None = None
    path: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return self.path
        query = "?" + urlencode(self.params) if self.params else ""
        return f"{self.name}{query}" + (f"@{self.endpoint}" if self.endpoint else "")

    @property
    def options(self) -> dict[str, str]:
        return dict(self.params)


def parse_reference(text: str) -> Reference:
    """Read one reference. Raises `ReferenceError_` that says what is wrong, without the text."""
    text = text.strip()
    if not text:
        raise ReferenceError_("an empty reference", remedy=_HELP)
    if _PATH.match(text):
        return Reference(path=text)
    head, at, endpoint = text.partition("@")
    name, question, query = head.partition("?")
    if question and not query:
        raise ReferenceError_("there is a ? but no parameter after it", remedy=_HELP)
    if not _NAME.match(name):
        raise ReferenceError_(
            "the name has to be lower-case letters, digits, dots, hyphens or underscores", remedy=_HELP
        )
    try:
        params = tuple(parse_qsl(query, keep_blank_values=True, strict_parsing=True)) if question else ()
    except ValueError:
        raise ReferenceError_(f"the parameters of {name} are not param=value pairs", remedy=_HELP) from None
    if len({key for key, _ in params}) != len(params):
        raise ReferenceError_(f"a parameter of {name} is given twice", remedy=_HELP)
    return Reference(name=name, params=params, endpoint=_endpoint(endpoint, name) if at else None)


def parse_references(text: str) -> tuple[Reference, ...]:
    """Read a comma-separated list. A comma inside `?…` values has to be written %2C."""
    return tuple(parse_reference(piece) for piece in text.split(","))


def _endpoint(text: str, name: str) -> Endpoint:
    if text == "embedded":
        return Endpoint(kind="embedded")
    kind, colon, rest = text.partition(":")
    if kind == "hf" and rest:
        return Endpoint(kind="hf", location=rest)
    if kind == "gguf" and rest:
        return Endpoint(kind="gguf", location=rest)
    if kind in ("http", "https") and colon:
        url, _, model = text.partition("#")
        try:
            host = urlsplit(url).hostname
        except ValueError:
            host = None
        if host:
            return Endpoint(kind="http", location=url, model=model or None)
        raise ReferenceError_(f"the endpoint of {name} has no host", remedy="Write http://host:port/v1#model")
    raise ReferenceError_(
        f"the endpoint of {name} is of no known kind",
        remedy="Write embedded, http(s)://host/v1#model, hf:PATH or gguf:PATH after the @",
    )
