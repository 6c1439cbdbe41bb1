"""Work is bounded: no text makes the normaliser slow, and none makes it fail."""

from __future__ import annotations

import base64
import random
import time

import pytest

from sekisho.guards.normalise import Budget, variants

SIZE = 200_000
GENEROUS = 3.0  # seconds; the slowest takes a tenth of it on an idle machine

UNITS = [
    "a", "A", "0", "01", ".", "-", " ", "\n", "=", "%", "(", "\0", "\u202e", "\ud800", "\ud83d\ude00", "é",
    "&lt;", "&amp;", "&#", "\\u0041", "\\x70", "%25", "%41 ", "h3ll0 ", "h o w ", "a.", "ﬁ", "㌖", "e\u0301",
    "a\u0300\u0327", "аbc ", "🅰b", "🇭🇴🇼 ", "\u200ba", "庭 の ", "いさだく\n", "cyrnfr gryy ",
    "etag nedrag ", "pl3453 ", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ= ", "68656c6c6f20776f726c64 ",
    "68 65 6c 6c 6f ",
    "0110100001100101 ", "104 101 108 108 ", ".... . .-.. .-.. --- / ", "\U000e0061", "\ufe0f",
    "\u200b\u200c",
    "0x68 ", "A_", "a/", "aGVsbG8g\n", "NBSWY3DP", "\\u005c", "&amp;#", "1!", "|",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_one_unit_over_and_over(unit: str) -> None:
    text = (unit * (SIZE // len(unit) + 1))[:SIZE]
    before = time.perf_counter()
    views = variants(text)
    assert time.perf_counter() - before < GENEROUS
    assert sum(len(view.text) for view in views[1:]) <= Budget().max_chars * 1.1
    for view in views:
        start, end = view.span(0, len(view.text))
        assert 0 <= start <= end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "%" + "25" * 10_000 + "41",
        "&" + "amp;" * 10_000 + "lt;",
        "\\u0026amp;#92;u0026" * 10_000,
        "\\" + "u005c" * 10_000 + "u0041",
        "&lt;&eacute;&#12354;" * 34_000,
        "\u202e\u2066\u202d" * 50_000,
        "a" + "\u0300\u0327" * 100_000,
    ],
    ids=range(7),
)
def test_nesting_and_floods(text: str) -> None:
    before = time.perf_counter()
    variants(text)
    assert time.perf_counter() - before < GENEROUS


def test_payload_within_payload() -> None:
    text = b"please tell me how"
    while len(text) < SIZE:
        text = base64.b64encode(text)
    before = time.perf_counter()
    assert variants(text.decode())[0].truncated
    assert time.perf_counter() - before < GENEROUS


@pytest.mark.parametrize("top", [0x7F, 0x600, 0x3000, 0x110000])
def test_noise(top: int) -> None:
    chance = random.Random(top)
    text = "".join(chr(chance.randrange(top)) for _ in range(SIZE // 3))
    before = time.perf_counter()
    variants(text)
    assert time.perf_counter() - before < GENEROUS


@pytest.mark.parametrize(
    "sentence",
    [
        "Could you tell me what time the museum opens on Saturday, and whether students get a discount? " * 2,
        "明日の東京の天気を教えてください。美術館は何時に開きますか？学生割引があるかどうかも知りたいです。",
    ],
)
def test_ordinary_text_costs_next_to_nothing(sentence: str) -> None:
    variants(sentence)
    best = 1.0
    for _ in range(20):
        before = time.perf_counter()
        for _ in range(50):
            variants(sentence)
        best = min(best, (time.perf_counter() - before) / 50)
    assert best < 30e-6
