"""Disguises are undone, ordinary text is left alone, and spans lead back to the original."""

from __future__ import annotations

import base64
import codecs
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.guards.normalise import Budget, Normalised, fold, variants

from .disguises import DISGUISES

ENGLISH = "please tell me how to open the garden gate"
SENTENCES = {
    "en": ENGLISH,
    "ja": "庭の門の開け方を教えてください",
    "zh": "请告诉我怎么打开花园的门",
    "ko": "정원 문을 여는 방법을 알려 주세요",
}
ASCII_ONLY = {"tags", "morse"}

ORDINARY = [
    "What time does the museum open on Saturday?",
    "COVID19 vaccines, B2B sales, mp3 files, H2O and CO2, R2D2, the 4th of 10k runs at 5pm.",
    "We run python3.11 on x86_64 with utf8mb4, sha256, i18n, l10n, k8s, ec2, s3 and v1.2.3b4.",
    "Set up OAuth2 with base64url, then call getElementById('main-2') in ES2015.",
    "def f(x: int) -> list[int]:\n    return [x ** 2 for x in range(10) if x % 2 == 0]  # even squares",
    "for (int i = 0; i < n; ++i) { a[i] += b[i] * c; }",
    "if (a && b || !c) { return a & b; }",
    "SELECT name, COUNT(*) FROM users WHERE id != 4 GROUP BY name;",
    "@dataclass(frozen=True)\nclass A:\n    b: int = 1",
    "https://example.com/path/to/page?id=42&lang=en&copy=1#top",
    "See www.example.org/a-b_c/d.html and mail someone@example.net or @someone.",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n- item\n\n---\n\n**bold** _it_ `code`",
    "Dear Dr. J. R. R. Smith, the U.S.A. and the U.K. (i.e. both, e.g. a.k.a. allies) agreed, R.S.V.P.",
    "Roses are red... violets are blue -- or so they say - don't they?",
    "Pick one: A, B, C or D. The vector (x, y, z) and a, b, c.",
    "[[1, 0, 0], [0, 1, 0], [0, 0, 1]] has a + b + c = 3 and 12 34 56 78 90.",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b; id 550e8400-e29b-41d4-a716-446655440000",
    "MAC 01:23:45:67:89:ab, phone +1 (555) 010-9999, 2024-05-06T07:08:09Z, 192.168.0.1",
    "C:\\users\\xander\\notes.txt and \\xdef \\textbf{x} \\alpha in TeX, 100% done, 50% off",
    "print('\\x1b[31mred\\x1b[0m', b'\\x89PNG\\r\\n', b'\\xff\\xd8')",
    "E = mc², x² + y² = z², H₂O, ½ cup, 20 °C, 5 µm, ∑ x — ok; Δt = λ/2, π ≈ 3.14, α and β",
    "Acme™ © 2024 — “quotes” … №5, 1ª and 2º",
    "André, Zoë, Łukasz, Søren, Đorđe, Çağrı Yıldız, Jürgen Groß, Siân, Þór and Nuñez.",
    "El niño comió piña en la montaña; ¿cuánto cuesta?",
    "Où est la bibliothèque ? Ça va très bien, merci.",
    "Die Straße ist für Fußgänger geöffnet.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Zażółć gęślą jaźń.",
    "Árvíztűrő tükörfúrógép.",
    "Bạn có thể cho tôi biết bảo tàng mở cửa lúc mấy giờ không?",
    "Tiếng Việt có nhiều dấu: ệ, ữ, ẫ, ỗ.",
    "Привет! Как дела? Расскажите, пожалуйста, о погоде в Москве.",
    "Он купил сок, рот, кот и нос в магазине IKEA.",
    "Слово «оса» и IT-шник, версия 2.0 для Windows.",
    "Добър ден, как сте? Ще отидем на море.",
    "Добрий день, чи є в музеї знижка для студентів? Їжак і ґанок.",
    "Καλημέρα, τι κάνετε σήμερα; Η Αθήνα είναι όμορφη.",
    "Η τιμή του Linux server είναι 10 ευρώ.",
    "Բարև ձեզ, ինչպե՞ս եք։",
    "გამარჯობა, როგორ ხარ?",
    "שלום, מה שלומך היום?",
    "בְּרֵאשִׁית בָּרָא אֱלֹהִים",
    "مرحبا، كيف حالك اليوم؟ أريد أن أتعلم الطبخ.",
    "بِسْمِ اللَّهِ الرَّحْمَٰنِ الرَّحِيمِ",
    "می‌خواهم فردا به موزه بروم.",
    "नमस्ते, आप कैसे हैं? क्षेत्र और ज्ञान। क्‍ष",
    "আমি বাংলায় গান গাই।",
    "வணக்கம், எப்படி இருக்கிறீர்கள்?",
    "สวัสดีครับ วันนี้อากาศเป็นอย่างไรบ้าง น้ำตก ที่นี่",
    "ສະບາຍດີ ນ້ຳ",
    "မင်္ဂလာပါ",
    "ជំរាបសួរ",
    "こんにちは。今日の天気はどうですか？「東京」は晴れです！",
    "データを2つ見る。コーヒー・紅茶、どちら～？",
    "你好，今天天气怎么样？我们去公园吧！",
    "您好，請問博物館幾點開門？",
    "안녕하세요, 오늘 날씨가 어때요? 박물관은 몇 시에 열어요?",
    "Mixed 日本語 and English, 東京 2024, OK?",
    "👨‍👩‍👧‍👦 ❤️ 👍🏽 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ ☕️ 🇯🇵🇺🇸🇫🇷 🅿️ 👩🏾‍🚀",
    "It costs $100, €20 or £5 - 100% worth it!!! #deal @shop",
    "I love it :-) <3 ... see you l8r at 10!",
]


@pytest.mark.parametrize("name", DISGUISES)
@pytest.mark.parametrize("language", SENTENCES)
def test_disguise_is_undone(name: str, language: str) -> None:
    sentence = SENTENCES[language]
    if language != "en" and name in ASCII_ONLY:
        pytest.skip("the disguise is for ASCII")
    disguised = DISGUISES[name](sentence)
    views = variants(disguised)
    assert sentence in [view.text.strip().replace("\u3000", " ") for view in views]
    assert not views[0].truncated
    for view in views:
        assert view.original == disguised


@pytest.mark.parametrize("name", sorted(DISGUISES.keys() - {"tags", "reversed", "bidi"}))
def test_disguise_within_a_sentence(name: str) -> None:
    before = "Here is a question for you: "
    views = variants(before + DISGUISES[name](ENGLISH))
    assert before + ENGLISH in [view.text for view in views]


@pytest.mark.parametrize("sentence", ORDINARY)
def test_ordinary_text_is_left_alone(sentence: str) -> None:
    sentence = unicodedata.normalize("NFC", sentence)
    folded = fold(sentence)
    assert folded.text == sentence
    assert folded.steps == ()
    found = {view.layer for view in variants(sentence)}
    assert not found - {"plain", "url"}


def test_plain_text_is_the_identity() -> None:
    [view] = variants(ENGLISH)
    assert view == Normalised(ENGLISH, ENGLISH)
    assert (view.steps, view.layer, view.truncated) == ((), "plain", False)
    assert view.span(7, 11) == (7, 11)


@pytest.mark.parametrize("span", [(-1, 2), (3, 2), (0, 99)])
def test_span_outside_the_text(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        fold("plain").span(*span)


@pytest.mark.parametrize(
    ("text", "expected", "step"),
    [
        ("a\u200bb\u2060c", "abc", "zero_width"),
        ("so\u00adft", "soft", "soft_hyphen"),
        ("\u202eabc\u202c", "abc", "bidi"),
        ("a\0b\x1bc", "abc", "control"),
        ("a\ufe01b", "ab", "variation_selectors"),
        ("ｗｉｄｅ　ｔｅｘｔ", "wide text", "compatibility"),
        ("𝓈𝒸𝓇𝒾𝓅𝓉 𝔣𝔯𝔞𝔨 ⒜⒝", "script frak ab", "compatibility"),
        ("🇭🇴🇼 🅺🅸🅻🅻", "HOW KILL", "enclosed"),
        ("&lt;b&gt; &#112;&#x6c; &amp;amp;lt;", "<b> pl <", "html_entities"),
        (r"\u0070\x6c\u{65} \xe3\x81\x82 \ud83d\ude00", "ple あ 😀", "escapes"),
        ("p\u0337l\u0301\u0302\u0303\u0304", "pl", "zalgo"),
        ("plеаsе", "please", "confusables"),
        ("бoмба и сoль", "бомба и соль", "confusables"),
        ("ᴘʟᴇᴀsᴇ ʜᴇʟᴘ me", "please help me", "confusables"),
        ("a\ud800b", "a\ufffdb", "surrogates"),
        ("\ud83d\ude00", "😀", "surrogates"),
    ],
)
def test_fold(text: str, expected: str, step: str) -> None:
    view = fold(text)
    assert view.text == expected
    assert step in view.steps


def test_composition_keeps_other_scripts() -> None:
    for sentence in ("がぎ", "한국어", "Việt Nam", "ไม่", "ὕδωρ ᾧ"):
        assert fold(unicodedata.normalize("NFD", sentence)).text == unicodedata.normalize("NFC", sentence)


def test_spans_of_folded_text() -> None:
    view = fold("xx ｈ\u200bｏ&#119; \\u0074o")
    at = view.text.index("how")
    start, end = view.span(at, at + 3)
    assert view.original[start:end] == "ｈ\u200bｏ&#119;"
    assert fold("ﬁn").span(0, 1) == (0, 1)
    assert fold("e\u0301x").span(0, 1) == (0, 2)


def test_span_of_a_payload_is_its_run() -> None:
    run = base64.b64encode(ENGLISH.encode()).decode()
    text = f"please do {run} now"
    view = next(v for v in variants(text) if v.layer == "base64")
    assert view.text == f"please do {ENGLISH} now"
    at = view.text.index("garden")
    assert view.span(at, at + 6) == (10, 10 + len(run))
    assert view.span(0, 6) == (0, 6)
    assert view.span(len(view.text) - 3, len(view.text)) == (len(text) - 3, len(text))


def test_spans_of_reversed_text() -> None:
    text = "Read this backwards: " + ENGLISH[::-1]
    view = next(v for v in variants(text) if v.layer == "reverse")
    at = view.text.index("garden")
    start, end = view.span(at, at + 6)
    assert text[start:end] == "nedrag"


@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (lambda t: base64.b64encode(base64.b64encode(t.encode())).decode(), "base64>base64"),
        (lambda t: codecs.encode(t[::-1], "rot13"), "rot13>reverse"),
        (lambda t: base64.b64encode(DISGUISES["leetspeak"](t).encode()).decode(), "base64>leetspeak"),
        (lambda t: DISGUISES["hex"](DISGUISES["morse"](t)), "hex>morse"),
        (lambda t: DISGUISES["fullwidth"](DISGUISES["base64"](t)), "base64"),
        (lambda t: DISGUISES["tags"](DISGUISES["base64"](t)), "tags>base64"),
        (lambda t: base64.b64encode(t.encode("utf-16-le")).decode(), "base64"),
        (lambda t: " ".join(f"{c:08b}" for c in t.encode()), "binary"),
        (lambda t: " ".join(str(c) for c in t.encode()), "decimal"),
        (lambda t: " ".join(f"0x{c:02x}" for c in t.encode()), "hex"),
        (lambda t: t.encode().hex(" "), "hex"),
        (lambda t: " ".join(w[::-1] for w in t.split()), "reverse_words"),
        (lambda t: " ".join(t.replace(" ", "")), "spaced"),
        (lambda t: "ok" + "".join(chr(0xE0100 + c - 16) for c in t.encode()), "variation_selectors"),
        (
            lambda t: "ok" + "".join("\u200b\u200c"[int(b)] for c in t.encode() for b in f"{c:08b}"),
            "zero_width",
        ),
        (
            lambda t: "".join(unicodedata.normalize("NFC", c + "\u0301") if c.isalpha() else c for c in t),
            "accents",
        ),
    ],
)
def test_layers(make, layer: str) -> None:  # type: ignore[no-untyped-def]
    views = {view.text: view.layer for view in variants(make(ENGLISH))}
    assert views.get(ENGLISH) == layer


def test_two_payloads_are_decoded_together() -> None:
    text = f"First {b'open the door'.hex()} and then {base64.b64encode(b'close the garden gate').decode()}."
    views = {view.text: view.layer for view in variants(text)}
    assert views["First open the door and then close the garden gate."] == "hex+base64"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k-i-l-l him", "kill him"),
        ("how to k.i.l.l him", "how to kill him"),
        ("h4ck the b4nk", "hack the bank"),
        ("s3cr3t p4ssw0rd", "secret password"),
        ("$3cur1ty 4tt4ck", "security attack"),
        ("build a b 0 m b", "build a bomb"),
        ("znxr n obzo", "make a bomb"),
    ],
)
def test_short_disguises(text: str, expected: str) -> None:
    assert expected in [view.text for view in variants(text)]


def test_budget_is_never_silent() -> None:
    text = ENGLISH
    for _ in range(6):
        text = base64.b64encode(text.encode()).decode()
    views = variants(text)
    assert views[0].truncated
    assert len(views) == 5
    assert variants(text, budget=Budget(max_depth=6))[-1].text == ENGLISH
    assert variants(text, budget=Budget(max_variants=2))[0].truncated
    assert variants(text, budget=Budget(max_chars=10))[0].truncated
    assert [v.layer for v in variants(text, budget=Budget(max_depth=0))] == ["plain"]
    with pytest.raises(ValueError):
        Budget(max_variants=0)


def test_long_text_is_shown_in_excerpts() -> None:
    run = base64.b64encode(ENGLISH.encode()).decode()
    text = "The sun is warm. " * 20_000 + run + " The end." * 20_000
    first, second = variants(text)
    assert first.text == text
    assert ENGLISH in second.text
    assert len(second.text) < 3_000
    at = second.text.index(ENGLISH)
    start, end = second.span(at, at + len(ENGLISH))
    assert text[start:end] == run


anything = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF),
        st.sampled_from(
            "aeо4&;#x\\u007Ё\u0301\u0338\u200d\ufe0f\u202e\U000e0061🇯🇵🅰ﬁ㌖が\u3099ｶﾞ%25.- !\u1100\u1161"
        ),
    ),
    max_size=60,
)


@given(anything)
@settings(max_examples=250, deadline=None)
def test_fold_laws(text: str) -> None:
    view = fold(text)
    assert view.original == text
    last = 0
    for i in range(len(view.text)):
        start, end = view.span(i, i + 1)
        assert 0 <= start < end <= len(text)
        assert start >= last
        last = start
    start, end = view.span(0, len(view.text))
    assert 0 <= start <= end <= len(text)
    if not view.truncated:
        assert fold(view.text).text == view.text
        assert not any("\ud800" <= c <= "\udfff" for c in view.text)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_variant_laws(text: str) -> None:
    views = variants(text)
    assert views == variants(text)
    assert views[0].text == fold(text).text
    assert len({view.text for view in views}) == len(views) <= Budget().max_variants
    for view in views:
        start, end = view.span(0, len(view.text))
        assert 0 <= start <= end <= len(text)
        for i in range(len(view.text)):
            low, high = view.span(i, i + 1)
            assert start <= low < high <= end


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
@settings(max_examples=100, deadline=None)
def test_encoding_any_text_never_fails(text: str) -> None:
    for name in ("base64", "base32", "hex", "html_entities", "url", "rot13", "spaced"):
        for view in variants("note " + DISGUISES[name](text)):
            view.span(0, len(view.text))
