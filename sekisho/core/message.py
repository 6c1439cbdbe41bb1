"""What is judged: messages and exchanges.

An exchange is judged by its **last** message; earlier ones are context.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .decision import Surface


class Value(BaseModel):
    """Base of every value: frozen, no unknown fields, JSON round trip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy. Unlike pydantic's, it leaves cached properties behind: they may not hold for it."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


class Role(StrEnum):
    """Who speaks. `developer` is OpenAI's name for an application's own instructions."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class TextPart(Value):
    """A piece of text."""

    type: Literal["text"] = "text"
    text: str


class MediaPart(Value):
    """Something that text guards cannot read (image, audio, file), kept by reference."""

    type: Literal["image", "audio", "file"]
    reference: str = ""


Part = Annotated[TextPart | MediaPart, Field(discriminator="type")]


class ToolCall(Value):
    """A call that the assistant asks for; `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str = ""
    id: str | None = None


class Message(Value):
    """One turn: a role and its parts."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None

    @classmethod
    def of(cls, role: Role | str, text: str) -> Self:
        """A message of one text part."""
        return cls(role=Role(role), parts=(TextPart(text=text),))

    @model_validator(mode="before")
    @classmethod
    def _content_form(cls, data: Any) -> Any:
        """Accept the wire form too: `content` as a string in place of `parts`."""
        if isinstance(data, dict) and "content" in data and "parts" not in data:
            data = dict(data)
            content = data.pop("content")
            if content is None:
                content = ""
            if not isinstance(content, str):
                raise ValueError("`content` has to be a string here; pass `parts` for anything else")
            data["parts"] = (TextPart(text=content),) if content else ()
        return data

    @cached_property
    def text(self) -> str:
        """All text parts joined by newlines, then the arguments of tool calls: what spans refer to."""
        pieces = [part.text for part in self.parts if isinstance(part, TextPart)]
        pieces += [f"{call.name} {call.arguments}" for call in self.tool_calls]
        return "\n".join(pieces)

    @property
    def media(self) -> tuple[MediaPart, ...]:
        """Parts that no text guard can judge."""
        return tuple(part for part in self.parts if isinstance(part, MediaPart))


class Exchange(Value):
    """A conversation whose last message is to be judged."""

    messages: tuple[Message, ...] = Field(min_length=1)

    @classmethod
    def of(cls, text: str, *, role: Role | str = Role.USER) -> Self:
        """One message on its own."""
        return cls(messages=(Message.of(role, text),))

    @property
    def last(self) -> Message:
        return self.messages[-1]

    @property
    def text(self) -> str:
        """The text of the message that is judged; every span refers to it, in code points."""
        return self.messages[-1].text

    @property
    def context(self) -> tuple[Message, ...]:
        return self.messages[:-1]

    @property
    def surface(self) -> Surface:
        """Where the judged message stands. System and developer turns count as input."""
        last = self.messages[-1]
        if last.role is Role.TOOL:
            return Surface.TOOL_RESULT
        if last.role is Role.ASSISTANT:
            only_calls = last.tool_calls and not any(isinstance(p, TextPart) for p in last.parts)
            return Surface.TOOL_CALL if only_calls else Surface.OUTPUT
        return Surface.INPUT

    def with_text(self, text: str) -> Self:
        """The same exchange with the judged message's text replaced (all its text parts)."""
        last = self.messages[-1]
        changed = Message(role=last.role, parts=(TextPart(text=text), *last.media), name=last.name)
        return type(self)(messages=(*self.messages[:-1], changed))
