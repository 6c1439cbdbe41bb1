"""The Markdown structure of a policy: headings, block lists, example fences, and the text between.

Only top-level headings and paragraphs count; a heading inside a fence, a list or a quotation is text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .problem import START, Position, Problems, nearest
from .source import Source
from .tokens import Node, read_nodes

if TYPE_CHECKING:
    from markdown_it.token import Token

LABELS = ("Violates", "Allows", "Severity", "Patterns", "Detects", "Exceptions")
EXAMPLE = "Example"


@dataclass(slots=True)
class Item:
    """A list item's text, and where its pieces stand."""

    text: str
    at: Position
    pieces: list[tuple[int, Position]] = field(default_factory=list)
    """(offset in `text`, position) of every source line that `text` was joined from."""

    def position(self, offset: int) -> Position:
        """Where the character at `offset` of the text stands."""
        start, at = 0, self.at
        for begin, place in self.pieces:
            if begin > offset:
                break
            start, at = begin, place
        return Position(at.line, at.column + offset - start)


@dataclass(slots=True)
class Block:
    """A label such as `**Violates**` and the list that belongs to it."""

    label: str
    at: Position
    items: list[Item]


@dataclass(slots=True)
class Fence:
    """An `**Example**` label and the lines of the fence that follows it."""

    title: str
    at: Position
    lines: list[str] | None
    """None when no fence follows."""
    first: Position = START
    """Where the first line inside the fence begins."""


@dataclass(slots=True)
class Chunk:
    """A piece of text as written; comments are what a reader of the rendered page does not see."""

    kind: Literal["text", "commentary"]
    text: str
    greedy: bool = False
    """Would take indented code that follows it for its own: a list, or commentary."""


@dataclass(slots=True)
class Part:
    """What stands under one heading, or before the first (`heading` is None then)."""

    heading: str | None
    level: int
    at: Position
    heading_lines: tuple[int, int] = (0, 0)
    chunks: list[Chunk] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)

    def text(self, *, commentary: bool) -> str:
        """The text without blocks and examples, pieces separated by one blank line."""
        pieces: list[str] = []
        greedy = False
        for chunk in self.chunks:
            if chunk.kind == "commentary" and not commentary:
                continue
            # What stood between the two is gone, and must not make one of them.
            if greedy and chunk.text.startswith(("    ", "\t")):
                pieces.append("<!-- -->")
            pieces.append(chunk.text)
            greedy = chunk.greedy
        return "\n\n".join(pieces)


def read_parts(source: Source, first_line: int, problems: Problems) -> list[Part]:
    """The document's parts in order, from `first_line` (counted from 0) on."""
    # Front matter gives way to blank lines, so that line numbers stay those of the file.
    text = "\n".join([""] * first_line + source.lines[first_line:])
    nodes = read_nodes(text)
    parts = [Part(None, 0, Position(1, 1))]
    place = 0
    while place < len(nodes):
        place = _read_node(nodes, place, parts, source, problems)
    return parts


def _read_node(nodes: list[Node], place: int, parts: list[Part], source: Source, problems: Problems) -> int:
    """Take the node at `place` (and those that belong to it); return the place of the next."""
    node, part = nodes[place], parts[-1]
    at = source.start_of(node.start)
    if node.type == "heading_open":
        title = " ".join(node.content.split("\n"))
        parts.append(Part(title, int(node.token.tag[1:]), at, (node.start, node.end)))
        return place + 1
    if node.type == "paragraph_open":
        label = _label(node.content)
        if label in LABELS:
            return _read_block(nodes, place, part, source, problems)
        if label == EXAMPLE:
            return _read_example(nodes, place, part, source, problems)
        _report_lookalike(node.content, at, problems)
    _report_unclosed(node, at, source, problems)
    kind: Literal["text", "commentary"] = "commentary" if node.type == "admonition" else "text"
    greedy = kind == "commentary" or node.type.endswith("_list_open")
    part.chunks.append(Chunk(kind, source.slice(node.start, node.end), greedy))
    return place + 1


def _read_block(nodes: list[Node], place: int, part: Part, source: Source, problems: Problems) -> int:
    label = nodes[place].content[2:-2]
    at = source.start_of(nodes[place].start)
    follower = nodes[place + 1] if place + 1 < len(nodes) else None
    if follower is None or not follower.type.endswith("_list_open"):
        if follower is None or follower.type == "heading_open" or _label(follower.content):
            problems.error(
                "block-empty",
                at,
                f"the `{label}` block has no list",
                "Write one item a line, or remove the label",
            )
        else:
            problems.error(
                "block-without-list",
                source.start_of(follower.start),
                f"something stands between `{label}` and its list",
                f"Begin the list right after `**{label}**`, and put text before the label",
            )
        part.blocks.append(Block(label, at, []))
        return place + 1
    items = _items(follower, source)
    for item in items:
        if not item.text:
            problems.error("empty-item", item.at, f"an item of `{label}` is empty", "Fill it, or remove it")
    part.blocks.append(Block(label, at, [item for item in items if item.text]))
    after = nodes[place + 2] if place + 2 < len(nodes) else None
    if after is not None and after.type.endswith("_list_open"):
        problems.error(
            "block-split",
            source.start_of(after.start),
            f"a second list follows the list of `{label}`, and nothing says what it is",
            "Use the same list mark in all items",
        )
        return place + 3
    return place + 2


def _read_example(nodes: list[Node], place: int, part: Part, source: Source, problems: Problems) -> int:
    node = nodes[place]
    at = source.start_of(node.start)
    title = " ".join(line.strip() for line in node.content.split("\n"))
    title = title.removeprefix(f"**{EXAMPLE}**").removeprefix(":").strip()
    follower = nodes[place + 1] if place + 1 < len(nodes) else None
    if follower is None or follower.type != "fence":
        problems.error(
            "example-without-fence",
            at,
            "the example is not followed by a fenced block",
            "Put `~~~xml` on the line after next, then the turns, then `~~~`",
        )
        part.fences.append(Fence(title, at, None))
        return place + 1
    opening = source.start_of(follower.start)
    if _report_unclosed(follower, opening, source, problems):
        part.fences.append(Fence(title, at, None))
        return place + 2
    lines = follower.token.content.split("\n")[:-1]
    part.fences.append(Fence(title, at, lines, Position(follower.start + 2, opening.column)))
    return place + 2


def _items(node: Node, source: Source) -> list[Item]:
    """The items of a top-level list."""
    items: list[Item] = []
    inner: list[Token] = []
    opening: Token | None = None
    for token in node.children:
        if token.type == "list_item_open" and token.level == 1:
            opening, inner = token, []
        elif token.type == "list_item_close" and token.level == 1:
            assert opening is not None
            items.append(_item(opening, inner, source))
        else:
            inner.append(token)
    return items


def _item(opening: Token, inner: list[Token], source: Source) -> Item:
    assert opening.map is not None
    start, end = opening.map
    raw = source.lines[start]
    # The marker is what the parser found: an optional number and one character.
    column = len(raw) - len(raw.lstrip(" \t")) + len(opening.info) + 1
    column += len(raw[column:]) - len(raw[column:].lstrip(" \t"))
    at = Position(start + 1, column + 1)
    single = [token.type for token in inner] == ["paragraph_open", "inline", "paragraph_close"]
    if not single:
        if not inner:
            return Item("", source.start_of(start))
        rest = [_dedented(line, column) for line in source.slice(start + 1, end).split("\n")]
        return Item("\n".join([raw[column:], *rest]).strip("\n"), at)
    assert inner[0].map is not None
    texts: list[str] = []
    pieces: list[tuple[int, Position]] = []
    length = 0
    for number in range(*inner[0].map):
        line = source.lines[number]
        begin = column if number == start else len(line) - len(line.lstrip(" \t"))
        pieces.append((length, Position(number + 1, begin + 1)))
        texts.append(line[begin:])
        length += len(line) - begin + 1
    return Item(" ".join(texts), pieces[0][1], pieces)


def _dedented(line: str, width: int) -> str:
    head = line[:width]
    return line[width:] if not head.strip(" \t") else line.lstrip(" \t")


def _label(content: str) -> str | None:
    """The known label that a paragraph consists of, or begins with in the case of an example."""
    if content.startswith("**Example**") and content[11:12] in ("", ":", "\n"):
        return EXAMPLE
    if content.startswith("**") and content.endswith("**") and content[2:-2] in LABELS:
        return content[2:-2]
    return None


def _report_lookalike(content: str, at: Position, problems: Problems) -> None:
    """A bold paragraph that is nearly a label would silently be text: refuse it."""
    mark = content[:2]
    if mark not in ("**", "__") or "\n" in content[:60]:
        return
    end = content.find(mark, 2, 60)
    if end < 0:
        return
    word, rest = content[2:end].strip().rstrip(":").strip(), content[end + 2 :].strip()
    known = (*LABELS, EXAMPLE) if rest in ("", ":") else (EXAMPLE,)
    guess = nearest(word, known) if word else None
    if guess is None or (rest not in ("", ":") and not rest.startswith(":") and word.casefold() != "example"):
        return
    wanted = f"**{guess}**: title" if guess == EXAMPLE else f"**{guess}**"
    problems.error(
        "unknown-block",
        at,
        "a bold line is nearly the label of a block, and is none",
        f"Did you mean `{wanted}`?",
    )


def _report_unclosed(node: Node, at: Position, source: Source, problems: Problems) -> bool:
    """A fence or comment that runs to the end of the document swallows every rule after it."""
    token = node.token
    missing: tuple[str, str, str] | None = None
    if node.type == "fence":
        last = source.lines[node.end - 1].strip(" \t")
        closes = len(last) >= len(token.markup) and not last.strip(token.markup[0])
        if node.end - 1 == node.start or not closes:
            missing = ("unclosed-fence", "the fenced block", f"a line `{token.markup[:40]}`")
    elif node.type == "html_block":
        head = token.content.lstrip().lower()
        for opener, closer in (("<!--", "-->"), ("<?", "?>"), ("<![cdata[", "]]>")):
            if head.startswith(opener) and closer not in head:
                missing = ("unclosed-comment", f"`{opener}`", f"`{closer}`")
        for name in ("script", "pre", "style", "textarea"):
            # `<pre` opens such a block, `<pretty` does not.
            opens = head.startswith(f"<{name}") and not head[len(name) + 1 :][:1].isalnum()
            if opens and f"</{name}>" not in head:
                missing = ("unclosed-html", f"`<{name}>`", f"`</{name}>`")
    if missing is None:
        return False
    code, what, closer = missing
    problems.error(
        code, at, f"{what} is not closed before the end of the document", f"Close it with {closer}"
    )
    return True
