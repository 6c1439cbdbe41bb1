"""The command `sekisho`: one file a command group, and no logic of its own.

Exit codes, the same for every command (see `sekisho.cli.exits`): 0 all well, 1 a violation or a
difference, 2 the command cannot be understood, 3 undecided, 4 a fault of ours, 130 interrupted.
"""

from .run import main

__all__ = ["main"]
