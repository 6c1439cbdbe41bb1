"""What the exit code says. 1 wins over 3: a violation that was found stays found."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    """Everything is allowed; the documents are the same; nothing is wrong with the policy."""
    FOUND = 1
    """At least one violation, difference or error in a policy."""
    USAGE = 2
    """The command, a reference, a file or a policy cannot be used."""
    UNDECIDED = 3
    """No violation, but something could not be judged."""
    FAULT = 4
    """Something unexpected, to be reported; or the system refused to write."""
    INTERRUPTED = 130
    BROKEN_PIPE = 141
