"""Records to be judged, read from whatever people keep them in.

Everything is streamed: memory does not grow with the file. One line, row or element gives exactly one
`Record`, in order; what cannot be read is a record with a `Fault`, never an exception and never silence.
Only what concerns a whole input (it is missing, a folder, has no such column) is raised, as a `Fault`.
"""

from .faults import FAULTS, Fault
from .formats import read_records
from .record import MAX_CHARS, Reading, Record, read_conversation, read_text
from .source import Format, Source, is_path_like

__all__ = [
    "FAULTS",
    "MAX_CHARS",
    "Fault",
    "Format",
    "Reading",
    "Record",
    "Source",
    "is_path_like",
    "read_conversation",
    "read_records",
    "read_text",
]
