"""Reading OpenAI-style messages. Whatever in them can carry text is judged; what is not text is kept as media,
which no text guard can judge; a field that we do not know counts as media too, so that nothing passes unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sekisho.core import InputError, MediaPart, Message, Part, Role, TextPart, ToolCall

FORMS = "Pass a text, or OpenAI-style messages"
_SILENT = frozenset(
    {"role", "name", "id", "type", "status", "object", "tool_call_id", "call_id", "index", "weight",
     "cache_control", "created", "metadata"}
)  # fmt: skip
"""Fields that address or describe a message and are not shown to anybody as its content."""
_TEXTS = ("refusal", "reasoning", "reasoning_content", "thinking")
_MEDIA = ("image", "audio", "file", "video")
_FIELD_OF = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal",
             "summary_text": "text", "reasoning": "text", "thinking": "thinking"}  # fmt: skip


def read_role(role: Any) -> Role:
    """A role by name. Raises `InputError`, also for what is not a name at all."""
    if role == "function":
        return Role.TOOL  # its old name
    if isinstance(role, str) and role in set(Role):
        return Role(role)
    raise InputError("a message has no known role", remedy="Use system, developer, user, assistant or tool")


def read_message(turn: Any) -> Message:
    """One message: `role`, `content` (a string or a list of parts), `tool_calls`, and whatever else.

    Raises `InputError` that says what is wrong and never repeats the text.
    """
    if not isinstance(turn, Mapping):
        raise InputError("a message has to be an object", remedy='Write {"role": …, "content": …}')
    role = read_role(turn.get("role"))
    name = turn.get("name")
    try:
        return Message(
            role=role,
            parts=(*_content(turn.get("content")), *_besides(turn)),
            tool_calls=tuple(_calls(turn)),
            name=name if isinstance(name, str) else None,
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(piece) for piece in first["loc"]) or "message"
        raise InputError(f"{where}: {first['msg']}", remedy=FORMS) from None


def _content(content: Any) -> Iterator[Part]:
    if content is None:
        return
    if isinstance(content, str):
        yield TextPart(text=content)
    elif isinstance(content, Sequence) and not isinstance(content, bytes):
        for part in content:
            yield from _part(part)
    else:
        raise InputError("a message's content has to be a string or a list of parts", remedy=FORMS)


def _part(part: Any) -> Iterator[Part]:
    if isinstance(part, str):
        yield TextPart(text=part)
        return
    if not isinstance(part, Mapping):
        raise InputError("a content part has to be a string or an object with a `type`", remedy=FORMS)
    kind = str(part.get("type", ""))
    field = _FIELD_OF.get(kind)
    if field is not None:
        text = part.get(field)
        if not isinstance(text, str):
            raise InputError(f"a content part of type {field} has no text", remedy=FORMS)
        yield TextPart(text=text)
    else:
        # A picture, a sound, a document, or a kind that we do not know: not judged, and said to be so.
        medium = next((m for m in _MEDIA if m in kind), "file")
        yield MediaPart.model_validate({"type": medium})
    for key, value in part.items():
        if (
            key not in ("type", field)
            and isinstance(value, str)
            and key in (*_FIELD_OF.values(), "transcript")
        ):
            yield TextPart(text=value)


def _besides(turn: Mapping[str, Any]) -> Iterator[Part]:
    """What a message carries beside its content."""
    for key, value in turn.items():
        if value in (None, "", [], {}) or key in _SILENT or key in ("content", "tool_calls", "function_call"):
            continue
        if key in _TEXTS and isinstance(value, str):
            yield TextPart(text=value)
        elif key == "audio" and isinstance(value, Mapping) and isinstance(value.get("transcript"), str):
            yield TextPart(text=value["transcript"])
            if value.get("data"):
                yield MediaPart(type="audio")
        else:
            yield MediaPart(type="audio" if key == "audio" else "file", reference=str(key)[:64])


def _calls(turn: Mapping[str, Any]) -> Iterator[ToolCall]:
    calls = turn.get("tool_calls") or []
    if not isinstance(calls, Sequence) or isinstance(calls, str | bytes):
        raise InputError("`tool_calls` has to be a list", remedy=FORMS)
    old = turn.get("function_call")
    for call in (*calls, *([old] if old else [])):
        if not isinstance(call, Mapping):
            raise InputError("a tool call has to be an object", remedy=FORMS)
        function = call.get("function") or call.get("custom") or call
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise InputError("a tool call has no function name", remedy=FORMS)
        arguments = function.get("arguments") or function.get("input") or ""
        if not isinstance(arguments, str):
            try:
                arguments = json.dumps(arguments, ensure_ascii=False)
            except (TypeError, ValueError, RecursionError):
                raise InputError("a tool call's arguments are not JSON", remedy=FORMS) from None
        identity = call.get("id")
        yield ToolCall(
            name=function["name"], arguments=arguments, id=identity if isinstance(identity, str) else None
        )
