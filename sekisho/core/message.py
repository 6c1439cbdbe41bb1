"""What is judged: messages and exchanges.

An exchange is judged by its **last** message; earlier ones are context.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .decision import Surface


class Value(BaseModel):
    """Base of every value: frozen, no unknown fields, JSON round trip."""

    # Errors must not repeat the user's text, and pydantic's would.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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


def _encodable(text: Any) -> Any:
    """Lone surrogates have no UTF-8, so no JSON: each becomes U+FFFD, and no position moves."""
    if isinstance(text, str) and not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


class TextPart(Value):
    """A piece of text. Lone surrogates in it become U+FFFD."""

    type: Literal["text"] = "text"
    text: Annotated[str, BeforeValidator(_encodable)]


class MediaPart(Value):
    """Something that text guards cannot read (image, audio, file), kept by reference."""

    type: Literal["image", "audio", "file"]
    reference: str = ""


Part = Annotated[TextPart | MediaPart, Field(discriminator="type")]


class ToolCall(Value):
    """A call that the assistant asks for; `arguments` is the JSON text as the model wrote it."""

    name: Annotated[str, BeforeValidator(_encodable)]
    arguments: Annotated[str, BeforeValidator(_encodable)] = ""
    id: str | None = None


class Message(Value):
    """One turn: a role and its parts."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None

    @classmethod
    def of(cls, role: Role | str, text: str) -> Self:
        """A message of one text part. Raises ValueError for a role that is none, without naming it."""
        if role not in set(Role):
            raise ValueError("not a role: the role comes first, then the text")
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
        return "\n".join([*self.prose, *(f"{call.name} {call.arguments}" for call in self.tool_calls)])

    @property
    def prose(self) -> tuple[str, ...]:
        """The text parts that say something."""
        return tuple(part.text for part in self.parts if isinstance(part, TextPart) and part.text)

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
            return Surface.TOOL_CALL if last.tool_calls and not last.prose else Surface.OUTPUT
        return Surface.INPUT

    def split(self) -> tuple[Self, Self] | None:
        """An answer that both speaks and calls tools, as two exchanges: the words and the calls. Else None.

        The calls' text begins one character after the words' in the text of the whole.
        """
        last = self.messages[-1]
        if last.role is not Role.ASSISTANT or not last.tool_calls or not last.prose:
            return None
        words = Message(role=last.role, parts=last.parts, name=last.name)
        calls = Message(role=last.role, tool_calls=last.tool_calls, name=last.name)
        before = self.messages[:-1]
        return type(self)(messages=(*before, words)), type(self)(messages=(*before, calls))

    def with_text(self, text: str) -> Self:
        """The same exchange with the judged message's words replaced (all its text parts, not its calls)."""
        last = self.messages[-1]
        changed = Message(
            role=last.role,
            parts=(TextPart(text=text), *last.media),
            tool_calls=last.tool_calls,
            name=last.name,
        )
        return type(self)(messages=(*self.messages[:-1], changed))
