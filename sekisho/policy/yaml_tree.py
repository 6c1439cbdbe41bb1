"""YAML as a tree of texts with positions.

Read from the YAML parser's events, not from constructed values: so nothing is converted or expanded,
and anchors, aliases, tags and deep nesting are refused where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .problem import Position, Problems


@dataclass(slots=True)
class Node:
    """A YAML value: a text, a list of nodes, or a list of pairs of nodes, where it stands."""

    value: str | list[Node] | list[tuple[Node, Node]]
    at: Position
    kind: str


def read_pairs(lines: list[str], problems: Problems) -> list[tuple[Node, Node]]:
    """The pairs of the table that the YAML has to be; none when it cannot be read."""
    # Lazily: a policy without front matter, and everything that only imports us, does without YAML.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        root = _compose(yaml.parse("\n".join(lines) + "\n"))
    except _Refused as refused:
        problems.error(refused.code, refused.at, refused.message, refused.remedy)
        return []
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(mark.line + 2, mark.column + 1) if mark else Position(2, 1)
        at = Position(min(at.line, len(lines) + 2), at.column)
        problems.error(
            "yaml-syntax",
            at,
            "the front matter is not YAML here",
            "Write `key: value`, one a line, and put texts with `:` or `#` between quotes",
        )
        return []
    except (YAMLError, ValueError):
        problems.error(
            "yaml-syntax",
            _unprintable(lines),
            "the front matter has a character that YAML does not allow",
            "Remove it, or write it as an escape between double quotes",
        )
        return []
    if root is None:
        return []
    if root.kind != "table":
        problems.error(
            "wrong-type",
            root.at,
            "the front matter is not a table",
            "Write `key: value`, one a line",
        )
        return []
    return [pair for pair in root.value if isinstance(pair, tuple)]


class _Refused(Exception):
    def __init__(self, code: str, at: Position, message: str, remedy: str) -> None:
        self.code, self.at, self.message, self.remedy = code, at, message, remedy
        super().__init__(message)


def _compose(events: Any) -> Node | None:
    """The tree that the events spell. Its depth is bounded, so nothing here can be made to explode."""
    root: Node | None = None
    stack: list[tuple[Node, list[Node]]] = []
    for event in events:
        kind = type(event).__name__.removesuffix("Event")
        at = Position(event.start_mark.line + 2, event.start_mark.column + 1)
        if kind == "Alias" or getattr(event, "anchor", None):
            raise _Refused(
                "yaml-alias", at, "front matter may not use anchors or aliases", "Write the value out"
            )
        if kind in ("Scalar", "SequenceStart", "MappingStart") and getattr(event, "tag", None):
            raise _Refused("yaml-tag", at, "front matter may not use YAML tags", "Remove the tag")
        if kind == "DocumentStart" and root is not None:
            raise _Refused("yaml-syntax", at, "a second YAML document begins here", "Keep one")
        node: Node | None = None
        if kind == "Scalar":
            node = Node(event.value, at, "quoted" if event.style in ("'", '"') else "text")
            if node.kind == "text" and event.value in ("~", "null"):
                node.value = ""
        elif kind in ("SequenceStart", "MappingStart"):
            if len(stack) >= 4:
                raise _Refused(
                    "yaml-depth", at, "the front matter is nested too deeply", "No key takes such a value"
                )
            stack.append((Node([], at, "list" if kind == "SequenceStart" else "table"), []))
        elif kind in ("SequenceEnd", "MappingEnd"):
            node, items = stack.pop()
            node.value = items if node.kind == "list" else list(zip(items[::2], items[1::2], strict=True))
        if node is not None:
            if stack:
                stack[-1][1].append(node)
            else:
                root = node
    return root


def _unprintable(lines: list[str]) -> Position:
    for number, line in enumerate(lines, 2):
        for column, character in enumerate(line, 1):
            if not character.isprintable() and character != "\t":
                return Position(number, column)
    return Position(2, 1)
