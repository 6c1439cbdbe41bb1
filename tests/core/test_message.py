"""Messages, exchanges, and the surface that follows from the last message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import Exchange, MediaPart, Message, Role, Surface, TextPart, ToolCall


@pytest.mark.parametrize(
    ("message", "surface"),
    [
        (Message.of("user", "a"), Surface.INPUT),
        (Message.of("system", "a"), Surface.INPUT),
        (Message.of("assistant", "a"), Surface.OUTPUT),
        (Message.of("tool", "a"), Surface.TOOL_RESULT),
        (Message(role=Role.ASSISTANT, tool_calls=(ToolCall(name="f", arguments="{}"),)), Surface.TOOL_CALL),
        (
            Message(role=Role.ASSISTANT, parts=(TextPart(text="a"),), tool_calls=(ToolCall(name="f"),)),
            Surface.OUTPUT,
        ),
    ],
)
def test_the_surface_follows_from_the_last_message(message: Message, surface: Surface) -> None:
    assert Exchange(messages=(Message.of("user", "before"), message)).surface is surface


def test_tool_arguments_are_text_to_be_judged() -> None:
    message = Message(role=Role.ASSISTANT, tool_calls=(ToolCall(name="pay", arguments='{"to": "x"}'),))
    assert message.text == 'pay {"to": "x"}'


def test_media_is_kept_apart() -> None:
    message = Message(role=Role.USER, parts=(TextPart(text="look"), MediaPart(type="image", reference="r")))
    assert message.text == "look"
    assert len(message.media) == 1
    assert Exchange(messages=(message,)).with_text("new").last.media == message.media


@given(st.text())
def test_replacing_the_text_replaces_only_the_text(text: str) -> None:
    before = Exchange(messages=(Message.of("user", "q"), Message.of("assistant", "a")))
    after = before.with_text(text)
    assert after.text == text
    assert after.context == before.context
    assert before.text == "a"


@given(st.text())
def test_an_exchange_survives_json(text: str) -> None:
    exchange = Exchange.of(text)
    if any("\ud800" <= c <= "\udfff" for c in text):
        return
    assert Exchange.model_validate_json(exchange.model_dump_json()) == exchange


def test_the_wire_form_is_read() -> None:
    assert Message.model_validate({"role": "user", "content": "hello"}) == Message.of("user", "hello")
