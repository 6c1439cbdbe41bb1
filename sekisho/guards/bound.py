"""A guard bound to a policy: what `sekisho.load_guard` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from sekisho.core import (
    Coverage,
    Exchange,
    Guard,
    GuardStream,
    InputError,
    Message,
    Policy,
    Role,
    Verdict,
)

from .failure import check_safely

Checkable = str | Exchange | Message | Sequence[Mapping[str, Any]]
"""What can be checked: a text, a message, an exchange, or OpenAI-style messages."""


class BoundGuard:
    """A guard and the policy that it checks against.

    >>> guard = load_guard("fast")                                # doctest: +SKIP
    >>> guard.check_one("How do I reset my router?").decision     # doctest: +SKIP
    <Decision.ALLOW: 'allow'>
    """

    def __init__(self, guard: Guard, policy: Policy) -> None:
        self.guard = guard
        self.policy = policy

    @property
    def name(self) -> str:
        return self.guard.name

    def coverage(self) -> tuple[Coverage, ...]:
        """Rule by rule: covered, stale or uncovered."""
        return self.guard.coverage(self.policy)

    def check_one(self, item: Checkable, *, role: Role | str = Role.USER) -> Verdict:
        """The verdict on one text (as a message of `role`), message, exchange or conversation."""
        return self.check([item], role=role)[0]

    def check(self, items: Iterable[Checkable], *, role: Role | str = Role.USER) -> list[Verdict]:
        """One verdict per item, in order. Raises `InputError` for an item that is none of the forms."""
        return check_safely(self.guard, [to_exchange(item, role=role) for item in items], self.policy)

    async def acheck(self, items: Iterable[Checkable], *, role: Role | str = Role.USER) -> list[Verdict]:
        """`check` in a worker thread, for code that must not block."""
        return await asyncio.to_thread(self.check, list(items), role=role)

    async def acheck_one(self, item: Checkable, *, role: Role | str = Role.USER) -> Verdict:
        """`check_one` in a worker thread."""
        return (await self.acheck([item], role=role))[0]

    def open(self, context: Sequence[Message] = ()) -> GuardStream:
        """Judge an answer to `context` while it arrives."""
        return self.guard.open(context, self.policy)


def to_exchange(item: Checkable, *, role: Role | str = Role.USER) -> Exchange:
    """Read any of the forms that can be checked. Raises `InputError`, which never repeats the text."""
    if isinstance(item, Exchange):
        return item
    if isinstance(item, Message):
        return Exchange(messages=(item,))
    if isinstance(item, str):
        return Exchange.of(item, role=role)
    try:
        return Exchange(messages=tuple(read_message(turn) for turn in item))
    except ValidationError as error:
        raise _bad(error) from None


def read_message(turn: Mapping[str, Any]) -> Message:
    """One OpenAI-style message: `role`, `content` (a string or a list of parts), `tool_calls`.

    Raises `InputError` for anything else. Roles: system, developer, user, assistant, tool (`function`
    is its old name).
    """
    if not isinstance(turn, Mapping):
        raise InputError("a message has to be an object", remedy='Write {"role": …, "content": …}')
    role = turn.get("role")
    if role == "function":
        role = "tool"
    if role not in set(Role):
        raise InputError(
            "a message has no known role", remedy="Use system, developer, user, assistant or tool"
        )
    content = turn.get("content")
    calls = [_tool_call(call) for call in turn.get("tool_calls") or ()]
    try:
        return Message.model_validate(
            {"role": role, "parts": _parts(content), "tool_calls": calls, "name": turn.get("name")}
        )
    except ValidationError as error:
        raise _bad(error) from None


def _parts(content: Any) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, Sequence):
        raise InputError("a message's content has to be a string or a list of parts")
    return [_part(part) for part in content]


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, Mapping):
        raise InputError("a content part has to be an object with a `type`")
    kind = str(part.get("type", ""))
    for key in ("text", "refusal", "input_text", "output_text"):
        if isinstance(part.get(key), str):
            return {"type": "text", "text": part[key]}
    for medium in ("image", "audio", "file"):
        if medium in kind:
            return {"type": medium, "reference": ""}
    raise InputError("a content part is neither text nor image, audio or file")


def _tool_call(call: Any) -> dict[str, Any]:
    if not isinstance(call, Mapping):
        raise InputError("a tool call has to be an object")
    function = call.get("function") or call
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InputError("a tool call has no function name")
    arguments = function.get("arguments") or ""
    if not isinstance(arguments, str):
        import json

        arguments = json.dumps(arguments, ensure_ascii=False)
    return {"name": function["name"], "arguments": arguments, "id": call.get("id")}


def _bad(error: ValidationError) -> InputError:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(piece) for piece in first["loc"]) or "message"
    return InputError(f"{where}: {first['msg']}", remedy="Pass text or OpenAI-style messages")
