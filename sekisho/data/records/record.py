"""From a JSON value, a row or a text to a record."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.core import Exchange, InputError, Message, Role

from .faults import Fault, kind_of

MAX_CHARS: Final = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKED_ROLES = {**{role.value: role for role in Role}, "function": Role.TOOL}


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read.

    column: the field or column that holds the text (or the messages); None looks for `text`, `messages`.
    max_chars: a record with more characters than this, its context included, is a fault.
    encoding: of the bytes; None is UTF-8, or what a byte order mark says.
    """

    role: Role = Role.USER
    column: str | None = None
    max_chars: int = MAX_CHARS
    encoding: str | None = None

    @property
    def max_line(self) -> int:
        """Characters of one line: JSON may write one character as twelve."""
        return 16 * self.max_chars + 65_536


@dataclass(frozen=True, slots=True)
class Record:
    """What one line, row or element holds: something to judge, or what is wrong with it."""

    id: str | int | float
    where: str
    exchange: Exchange | None = None
    fault: Fault | None = None


def read_text(
    text: str, *, id: str | int | float, where: str, reading: Reading, role: Role | None = None
) -> Record:
    """A text as one message."""
    if len(text) > reading.max_chars:
        return Record(id, where, fault=Fault("too_long", where=where, limit=reading.max_chars))
    return Record(id, where, Exchange.of(whole(text), role=role or reading.role))


def read_record(value: Any, *, number: int, where: str, reading: Reading) -> Record:
    """A JSON value as a record. `number` becomes the id where there is none."""
    key: str | int | float = number
    try:
        if not isinstance(value, Mapping):
            raise Fault("object", where=where, found=kind_of(value))
        key = _id(value.get("id"), number, where)
        content = _content(value, where, reading)
        if isinstance(content, str):
            return read_text(content, id=key, where=where, reading=reading, role=_role(value, where))
        return Record(key, where, read_conversation(content, where=where, max_chars=reading.max_chars))
    except Fault as fault:
        return Record(key, where, fault=fault)


def read_conversation(
    turns: Sequence[Any], *, where: str | None = None, max_chars: int = MAX_CHARS
) -> Exchange:
    """OpenAI-style messages as an exchange. Raises `Fault`, which names the message by its number."""
    from sekisho.guards.wire import read_message

    if not turns:
        raise Fault("no_messages", where=where)
    messages: list[Message] = []
    length = 0
    for number, turn in enumerate(turns, 1):
        try:
            message = read_message(_plain(turn))
        except InputError as error:
            remedy = error.remedy or "Use the form of OpenAI's chat messages"
            raise Fault("message", where=where, number=number, what=error.what, remedy=remedy) from None
        except (TypeError, ValueError, RecursionError):  # a type that nobody foresaw
            what, remedy = "it does not have the form of a message", "Use the form of OpenAI's chat messages"
            raise Fault("message", where=where, number=number, what=what, remedy=remedy) from None
        length += len(message.text)
        if length > max_chars:
            raise Fault("too_long", where=where, limit=max_chars)
        messages.append(message)
    if messages[-1].media and not messages[-1].text:
        raise Fault("media", where=where)
    return Exchange(messages=tuple(messages))


def whole(text: str) -> str:
    """The text, as long as before, with halves of surrogate pairs replaced: no file takes them."""
    return _SURROGATE.sub("\ufffd", text)


def is_conversation(value: Any) -> bool:
    """Is this an element of a bare list of messages, rather than a record?"""
    return (
        isinstance(value, Mapping)
        and "role" in value
        and ("content" in value or "tool_calls" in value)
        and not {"text", "messages", "choices"} & value.keys()
    )


def _content(value: Mapping[str, Any], where: str, reading: Reading) -> str | Sequence[Any]:
    """The text to be judged, or the messages."""
    if reading.column is not None:
        found = value.get(reading.column)
        if found is None:
            raise Fault("no_text", where=where)
        if isinstance(found, str):
            return found
        return _list(found, where) if isinstance(found, list) else _not_text(found, where)
    text, turns, answer = value.get("text"), value.get("messages"), _answer(value, where)
    if answer is not None:
        request = value.get("request")
        if turns is None and isinstance(request, Mapping):
            turns = request.get("messages")
        return [*(_list(turns, where) if turns is not None else ()), answer]
    if text is not None and turns is not None:
        raise Fault("both", where=where)
    if turns is not None:
        return _list(turns, where)
    if text is None:
        raise Fault("text_type" if "text" in value else "no_text", where=where, found="null")
    return text if isinstance(text, str) else _not_text(text, where)


def _answer(value: Mapping[str, Any], where: str) -> Any:
    """The message of a chat response: the record is one, or holds one as `response`."""
    nested = value.get("response")
    choices = value.get("choices")
    if choices is None and isinstance(nested, Mapping):
        choices = nested.get("choices")
    if choices is None:
        return None
    choices = _list(choices, where)
    if len(choices) != 1:
        raise Fault("choices", where=where, count=len(choices))
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if message is None:
        raise Fault(
            "message", where=where, number=1, what="the choice has no message", remedy="Give a chat response"
        )
    return {"role": "assistant", **message} if isinstance(message, Mapping) else message


def _id(value: Any, number: int, where: str) -> str | int | float:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return number
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Fault("id", where=where, found=kind_of(value))


def _role(value: Mapping[str, Any], where: str) -> Role | None:
    role = value.get("role")
    if role is None:
        return None
    if not isinstance(role, str) or role not in _MARKED_ROLES:
        raise Fault("role", where=where)
    return _MARKED_ROLES[role]


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Fault("messages_type", where=where, found=kind_of(value))
    return value


def _not_text(value: Any, where: str) -> str:
    raise Fault("text_type", where=where, found=kind_of(value))


def _plain(turn: Any) -> Any:
    """The message with whole text in it, and a refusal as what was said."""
    turn = _whole(turn)
    if isinstance(turn, dict) and turn.get("content") is None and isinstance(turn.get("refusal"), str):
        return {**turn, "content": turn["refusal"]}
    return turn


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {whole(str(key)): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
