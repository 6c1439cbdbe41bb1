"""The Markdown parser: CommonMark by markdown-it, block level only, and commentary.

What stands inside a line is kept as written, so texts keep their links, footnote marks and emphasis.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token


@dataclass(slots=True)
class Node:
    """A top-level element of the document."""

    token: Token
    children: list[Token]
    start: int
    end: int

    @property
    def type(self) -> str:
        return self.token.type

    @property
    def content(self) -> str:
        return self.children[0].content.strip() if self.children else ""


def _is_comment(content: str) -> bool:
    text = content.strip()
    return text.startswith("<!--") and text.find("-->", 4) == len(text) - 3


def read_nodes(text: str) -> list[Node]:
    """The top-level elements of a document, comments left out."""
    tokens = _markdown().parse(text)
    nodes: list[Node] = []
    for token in tokens:
        if token.level == 0 and token.nesting >= 0:
            start, end = token.map if token.map else (0, 0)
            nodes.append(Node(token, [], start, end))
        elif token.level > 0:
            nodes[-1].children.append(token)
    return [n for n in nodes if n.type != "html_block" or not _is_comment(n.token.content)]


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark")
    markdown.core.ruler.enableOnly(["block"])
    # `[^ab12]: …` and `[x]: …` would vanish from the text as definitions.
    markdown.block.ruler.disable("reference")
    markdown.block.ruler.before(
        "fence", "admonition", _admonition, {"alt": ["paragraph", "blockquote", "list"]}
    )
    return markdown


def _admonition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`!!! meta "Commentary"` and the lines indented below it: one element, not parsed further."""
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("!!! ", begin):
        return False
    if silent:
        return True
    if state.level > 0:
        return False
    line = last = start + 1
    while line < end and (state.isEmpty(line) or state.sCount[line] - state.blkIndent >= 4):
        if not state.isEmpty(line):
            last = line + 1
        line += 1
    token = state.push("admonition", "div", 0)
    token.map = [start, last]
    token.content = state.src[begin : state.eMarks[last - 1]]
    state.line = last
    return True
