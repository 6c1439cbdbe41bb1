"""Every error that Sekisho raises on purpose.

    SekishoError                 what happened, where, what to do; never the user's text
    ├── PolicyError              the policy document is not well formed (file, line, column)
    ├── ReferenceError_          a name of a guard, model or policy cannot be read
    ├── UnknownName              a well-formed name that nothing is registered under
    ├── InputError               a record, file or message to be judged cannot be read
    ├── MissingExtra             an optional dependency is not installed
    ├── MissingCapability        a model was asked for what it cannot do
    ├── GuardError               a guard could not judge
    │   └── ArtefactError        a guard's weights are missing, altered or of another version
    └── JoinError                verdicts that speak of different policies were joined

A guard that fails *while judging* does not raise: it returns a verdict whose status says so.
"""

from __future__ import annotations


class SekishoError(Exception):
    """Base of the tree. `str(error)` is one line: `where: what. remedy.`"""

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        return f"{line}. {self.remedy}" if self.remedy else line


class PolicyError(SekishoError):
    """A fault in a policy document. `line` and `column` count from 1."""

    def __init__(
        self,
        what: str,
        *,
        file: str = "<policy>",
        line: int = 1,
        column: int = 1,
        remedy: str | None = None,
        code: str = "invalid",
    ) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.code = code
        super().__init__(what, where=f"{file}:{line}:{column}", remedy=remedy)


class ReferenceError_(SekishoError):
    """A reference such as `NAME?param=value@ENDPOINT` is not well formed."""


class UnknownName(SekishoError):
    """Nothing is registered under this name; the remedy lists what is."""


class InputError(SekishoError):
    """Something to be judged cannot be read. `where` names file and line, never the content."""


class MissingExtra(SekishoError):
    """An optional dependency is not installed; the remedy is the pip line."""


class MissingCapability(SekishoError):
    """A model or guard lacks what was asked of it; the remedy names what would have it."""


class GuardError(SekishoError):
    """A guard cannot be made or cannot work at all."""


class ArtefactError(GuardError):
    """Weights on disk are missing, altered, or written by another version."""


class JoinError(SekishoError):
    """Verdicts on different policies cannot be joined."""
