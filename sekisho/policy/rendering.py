"""Writing a policy as a document that reads back as the same value.

What Markdown cannot carry is refused: texts that are not what `parse` would have read. Line numbers
and comments are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sekisho.core import ExampleBlock, Heading, Level, OnError, Policy, PolicyError, Rule, Surface, Turn

from .document import PolicyDocument
from .notation import ROLES

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_TAG_LIKE = re.compile(rf"<(?=/?(?:{'|'.join((*ROLES, 'comparison'))})\b)")
_REFERENCE_LIKE = re.compile(r"&(?=(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_CITED = re.compile(r"(\[[^\]]*\])(?:: (.*))?")


def render(policy: Policy | PolicyDocument) -> str:
    """The document of a policy: `parse(render(policy))` is the same value, with the same digest.

    Raises `PolicyError` (code `unrenderable`) for a value that no document can spell.
    """
    value = policy.policy if isinstance(policy, PolicyDocument) else policy
    by_id = {rule.id: rule for rule in value.rules}
    pieces = [_front_matter(value)]
    headings = value.headings or tuple(_heading_of(rule) for rule in value.rules)
    for heading in headings:
        rule = by_id.pop(heading.id, None) if heading.id is not None and heading.authority else None
        pieces += _section(heading, rule)
    if by_id:
        raise _unrenderable("a rule has no heading")
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def _front_matter(policy: Policy) -> str:
    lines = ["---", f"id: {_scalar(policy.id)}", f"version: {_scalar(policy.version)}"]
    lines.append(f"title: {_scalar(policy.title)}")
    if policy.license is not None:
        lines.append(f"license: {_scalar(policy.license)}")
    lines.append(f"languages: [{', '.join(policy.languages)}]")
    lines += _on_error(policy.on_error)
    lines.append(f"false_positive_budget: {policy.false_positive_budget!r}")
    return "\n".join((*lines, "---"))


def _on_error(on_error: OnError) -> list[str]:
    named = {name: getattr(on_error, name) for name in ("abstained", "timeout", "error")}
    given = {name: decision for name, decision in named.items() if decision is not None}
    if not given:
        return [f"on_error: {on_error.default.value}"]
    table = {"default": on_error.default, **given}
    return ["on_error:", *(f"  {name}: {decision.value}" for name, decision in table.items())]


def _scalar(text: str) -> str:
    """A YAML scalar: plain where that is safe, else between double quotes."""
    if _PLAIN.fullmatch(text) and text not in ("null", "true", "false"):
        return text
    escaped = []
    for character in text:
        if character in '"\\':
            escaped.append("\\" + character)
        elif character.isprintable():
            escaped.append(character)
        else:
            escaped.append(f"\\U{ord(character):08x}")
    return '"' + "".join(escaped) + '"'


def _heading_of(rule: Rule) -> Heading:
    attributes = {"authority": rule.authority.value}
    if set(rule.surfaces) != set(Surface):
        attributes["surfaces"] = ",".join(rule.surfaces)
    if rule.check != "meaning":
        attributes["check"] = rule.check
    if rule.on_error is not None:
        attributes["on_error"] = rule.on_error.value
    if rule.tags:
        attributes["tags"] = ",".join(rule.tags)
    return Heading(
        title=rule.title,
        level=2,
        line=rule.line,
        id=rule.id,
        authority=rule.authority,
        attributes=attributes,
        text=rule.text,
        examples=rule.examples,
    )


def _section(heading: Heading, rule: Rule | None) -> list[str]:
    pieces = [_title(heading), heading.text]
    if rule is not None:
        pieces += [
            _list("Violates", rule.violates),
            _list("Allows", rule.allows),
            _list("Severity", [_level(level) for level in rule.levels]),
            _list(
                "Patterns", [_coded(p.expression, f"severity {p.severity}", p.text) for p in rule.patterns]
            ),
            _list("Detects", [_coded(d.name, f"severity {d.severity}", d.text) for d in rule.detectors]),
            _list("Exceptions", [_exemption(e.kind, e.value, e.text) for e in rule.exemptions]),
        ]
    return [*pieces, *(_example(block) for block in heading.examples)]


def _title(heading: Heading) -> str:
    words = [f"#{heading.id}"] if heading.id is not None else []
    words += [f"{name}={_attribute(value)}" for name, value in heading.attributes.items()]
    if words:
        return " ".join(filter(None, ("#" * heading.level, heading.title, "{" + " ".join(words) + "}")))
    if heading.title.endswith("#") and heading.level <= 2:
        # A closing sequence of an ATX heading would lose it.
        return f"{heading.title}\n{'=' if heading.level == 1 else '-'}"
    return f"{'#' * heading.level} {heading.title}".rstrip()


def _attribute(value: str) -> str:
    return f'"{value}"' if " " in value else value


def _list(label: str, items: Iterable[str]) -> str:
    lines = []
    for item in items:
        first, *rest = item.split("\n")
        lines += [f"- {first}", *(f"  {line}" if line else "" for line in rest)]
    return "\n".join((f"**{label}**", "", *lines)) if lines else ""


def _level(level: Level) -> str:
    return f"{level.level} {level.decision.value}" + (f": {level.text}" if level.text else "")


def _coded(value: str, *rest: str) -> str:
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    ticks = "`" * (longest + 1)
    padded = value.startswith("`") or value.endswith("`")
    padded = padded or (value[:1] == value[-1:] == " " and bool(value.strip(" ")))
    if "\n" in value or not value:
        raise _unrenderable("an expression or exact text is empty or has a line break")
    inner = f" {value} " if padded else value
    return " ".join(filter(None, (f"{ticks}{inner}{ticks}", *rest)))


def _exemption(kind: str, value: str, text: str) -> str:
    slashed = len(value) > 2 and value.startswith("/") and value.endswith("/")
    if kind == "exact" and slashed:
        raise _unrenderable("an exact exception begins and ends with a slash")
    return _coded(value if kind == "exact" else f"/{value}/", text)


def _example(block: ExampleBlock) -> str:
    lines: list[str] = []
    current: int | None = None
    for turn in block.turns:
        if turn.comparison != current:
            if current is not None:
                lines.append("</comparison>")
            if turn.comparison is not None:
                lines.append("<comparison>")
            current = turn.comparison
        lines += _turn(turn)
    if current is not None:
        lines.append("</comparison>")
    body = "\n".join(lines)
    fence = "~" * max(3, *(len(run) + 1 for run in re.findall("~+", body)), 3)
    title = f": {block.title}" if block.title else ""
    return "\n".join((f"**Example**{title}", "", f"{fence}xml", *lines, fence))


def _turn(turn: Turn) -> list[str]:
    attributes = "".join(f' {name}="{_quoted(value)}"' for name, value in turn.attributes.items())
    comment = _comment(turn)
    opening = f"<{turn.role}{attributes}>" + (f" <!-- {comment} -->" if comment else "")
    content = _encoded(turn.content)
    return [opening, *([content] if content else []), f"</{turn.role}>"]


def _comment(turn: Turn) -> str:
    severity = "" if turn.severity is None else f" severity={turn.severity}"
    if "-->" in turn.note or "\n" in turn.note:
        raise _unrenderable("a note has `-->` or a line break")
    if turn.mark is None:
        return turn.note
    cited = _CITED.fullmatch(turn.note)
    if cited:
        return f"{turn.mark}{cited[1]}{severity}" + (f": {cited[2]}" if cited[2] else "")
    return f"{turn.mark}{severity}" + (f": {turn.note}" if turn.note else "")


def _quoted(value: str) -> str:
    return _REFERENCE_LIKE.sub("&amp;", value).replace('"', "&quot;").replace("\n", "&#10;")


def _encoded(text: str) -> str:
    """Content in which nothing is taken for a tag, a reference, or white space at a line's end."""
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise _unrenderable("a turn has a character that a document cannot have")
    text = _TAG_LIKE.sub("&lt;", _REFERENCE_LIKE.sub("&amp;", text)).replace("\r", "&#13;")
    text = re.sub(r"[ \t]+(?=\n|\Z)", lambda run: "".join(f"&#{ord(c)};" for c in run[0]), text)
    begin = len(text) - len(text.lstrip("\n"))
    end = len(text.rstrip("\n"))
    if end <= begin:
        return "&#10;" * len(text)
    return "&#10;" * begin + text[begin:end] + "&#10;" * (len(text) - end)


def _unrenderable(what: str) -> PolicyError:
    return PolicyError(
        f"the policy cannot be written as a document: {what}",
        remedy="Change the value; `parse` never returns such a one",
        code="unrenderable",
    )
