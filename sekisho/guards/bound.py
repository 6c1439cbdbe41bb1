"""A guard bound to a policy: what `sekisho.load_guard` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sekisho.core import (
    Coverage,
    Exchange,
    Guard,
    GuardStream,
    InputError,
    Message,
    Policy,
    Role,
    TextPart,
    Verdict,
)

from .failure import check_safely
from .wire import FORMS, read_message, read_role

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
        if isinstance(items, str):
            raise InputError(
                "one text was given where several are expected", remedy="Use check_one for one text"
            )
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
        return Exchange(messages=(Message(role=read_role(role), parts=(TextPart(text=item),)),))
    turns: Any = item  # callers without a type checker pass anything
    if not isinstance(turns, Sequence) or isinstance(turns, bytes) or not turns:
        raise InputError("this is neither a text nor a list of messages", remedy=FORMS)
    return Exchange(messages=tuple(read_message(turn) for turn in turns))
