"""Both languages say the same things."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import sekisho.cli
from sekisho.cli.catalog import Language, Words, catalogue, language_of
from sekisho.cli.shown import folded, printable, short
from sekisho.data.records import FAULTS, Fault

from .conftest import Run


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_parity() -> None:
    english, japanese = catalogue(Language.EN), catalogue(Language.JA)
    assert english.keys() == japanese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(japanese[key]), key


def test_the_catalogue_words_every_fault_as_the_room_does() -> None:
    english, japanese = catalogue(Language.EN), catalogue(Language.JA)
    for code, (what, remedy) in FAULTS.items():
        assert (english[f"fault.{code}"], english[f"fault.{code}.remedy"]) == (what, remedy)
        assert placeholders(what) == placeholders(japanese[f"fault.{code}"])
    assert {key.split(".")[1] for key in english if key.startswith("fault.")} == FAULTS.keys()


def test_every_key_that_the_code_names_exists() -> None:
    folder = Path(sekisho.cli.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'(?:words|note|_title)\(\s*"([a-z_.0-9]+)"', code))
    assert len(named) > 60
    assert named <= catalogue(Language.EN).keys()


def test_every_key_is_used() -> None:
    folder = Path(sekisho.cli.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    computed = (
        "fault.",
        "decision.",
        "status.",
        "surface.",
        "language.",
        "coverage.",
        "eval.",
        "demo.",
        "feedback.",
        "guards.",
        "diff.flip.",
        "kind.",
        "detector.",
    )
    unused = [k for k in catalogue(Language.EN) if not k.startswith(computed) and f"{k}" not in code]
    assert unused == []


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "SEKISHO_LANG": "ja"}, "ja"),
        ({"SEKISHO_LANG": "", "LANG": "ja"}, "ja"),
    ],
)
def test_the_language_of_an_environment(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_errors_in_japanese(run: Run) -> None:
    ran = run("check", "no-such.jsonl", "--lang", "ja")
    assert ran.err == (
        "エラー：no-such.jsonl: ファイルがありません。パスを確認してください。"
        "文章として判定するには--textを付けてください。\n"
    )
    assert "ファイル" in run("check", "no-such.jsonl", "--lang", "ja", "--json").err


def test_programs_get_the_same_in_every_locale(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run("check", "[fraud 3]", "--guard", "obedient", "--json")
    monkeypatch.setenv("SEKISHO_LANG", "ja")
    assert run("check", "[fraud 3]", "--guard", "obedient", "--json").out == before.out
    assert "no such file" in run("check", "no-such.jsonl", "--json").err


def test_a_fault_in_words() -> None:
    fault = Fault("too_long", where="a:1", limit=5)
    assert fault.what == Words(Language.EN)("fault.too_long", limit=5)


def test_texts_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2J\x07b\u202ec\r") == "a\ufffd[2J\ufffdb\ufffdc\ufffd"
    assert short("あいうえお", 7) == "あいう…"
    assert short("a\nb", 10) == "a b"


def test_folding() -> None:
    assert folded("one two three", 7) == "one two\nthree"
    assert folded("読点は、行頭に来ない。", 8) == "読点\nは、行\n頭に来\nない。" or all(
        not line.startswith(("、", "。")) for line in folded("読点は、行頭に来ない。", 8).split("\n")
    )
    assert folded("日本語 and English", 12) == "日本語 and\nEnglish"
    assert folded("a\nb", 5) == "a\nb"
    assert folded("unbreakablyverylong", 5) == "unbreakablyverylong"
