from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sekisho
from sekisho.core import InputError, MissingExtra
from sekisho.evals import (
    GuardErrors,
    GuardReport,
    ReportFile,
    eval_sets,
    measure_evasion,
    measure_guard,
    report_schema,
    write_report,
)
from sekisho.evals.report import read_reports, render
from sekisho.guards import BoundGuard

from .scripted import WORDS, KeywordGuard, small_sets

SECTIONS = {
    "glance",
    "compare",
    "sets",
    "over",
    "shipped",
    "errors",
    "languages",
    "evasion",
    "time",
    "details",
    "method",
    "record",
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[GuardReport]:
    sets = eval_sets(small_sets(tmp_path_factory.mktemp("data")))
    policy = sekisho.load_policy("base")
    found = []
    for name, threshold in (("fast", 0.5), ('<b>./my guard\'s & "own"</b>', 0.65)):
        guard = BoundGuard(KeywordGuard(WORDS, name=name, threshold=threshold, broken="kyoto 1"), policy)
        report = measure_guard(
            guard, sets, latency_sample=10, resamples=50, limit=150, command="sekisho <eval>"
        )
        examples = [e for one in sets for e in one]
        evasion = measure_evasion(guard, examples, {"reversed": lambda t: t[::-1], "dots": ".".join})
        found.append(report.model_copy(update={"evasion": tuple(evasion)}))
    return found


@pytest.fixture(scope="module")
def english(reports: list[GuardReport]) -> str:
    return render(reports)


@pytest.fixture(scope="module")
def japanese(reports: list[GuardReport]) -> str:
    return render(reports, language="ja")


class Page(HTMLParser):
    """What the checks need of a page."""

    VOID = ("meta", "link", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.tables = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if facts.get("id"):
            self.ids.append(facts["id"] or "")
        self.links += [facts[name] or "" for name in ("href", "src", "xlink:href") if name in facts]
        if facts.get("role") == "img":
            self.images.append(facts.get("aria-label") or "")
        self.tables += tag == "table"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_is_whole(english: str, japanese: str, language: str) -> None:
    text = {"en": english, "ja": japanese}[language]
    page = Page(text)
    assert page.open == []
    assert set(page.ids) >= SECTIONS
    assert len(page.ids) == len(set(page.ids))
    assert f'<html lang="{language}">' in text
    assert all(len(alt) > 20 for alt in page.images)
    assert len(page.images) >= 10
    assert page.tables >= 7
    assert all(link == "data:," or (link.startswith("#") and link[1:] in page.ids) for link in page.links)
    assert not re.search(r"<script[^>]|@import|url\(\s*['\"]?https?:|javascript:", text)
    assert len(text.encode()) < 1_500_000
    assert "NaN" not in text
    assert "Undefined" not in text


def test_names_are_escaped(english: str) -> None:
    assert "<b>./my" not in english
    assert "&lt;b&gt;./my guard" in english
    assert "sekisho &lt;eval&gt;" in english


def test_no_text_of_any_public_set(english: str, reports: list[GuardReport]) -> None:
    text = english + ReportFile(reports=tuple(reports)).model_dump_json()
    for phrase in ("poison a well", "bake bread", "the scam I fell for", "ignore previous orders"):
        assert phrase not in text
    assert "en-fraud-input-violating" in text


@pytest.mark.parametrize(
    "words",
    [
        "could not be decided",
        "sample of",
        "NC: reporting only",
        "not measured by us",
        "Qwen3Guard Gen 8B",
        "secondary source",
    ],
)
def test_what_a_reader_has_to_know_is_said(english: str, words: str) -> None:
    assert words in english


def test_one_guard_without_sets() -> None:
    guard = BoundGuard(KeywordGuard(WORDS), sekisho.load_policy("base"))
    report = measure_guard(guard, latency_sample=5, resamples=20)
    page = Page(render([report]))
    assert {"glance", "shipped", "time", "method"} <= set(page.ids)
    assert not {"sets", "compare", "details", "evasion", "over"} & set(page.ids)
    bare = report.model_copy(update={"shipped": None, "latency": (), "errors": GuardErrors()})
    assert "errors" not in Page(render([bare])).ids
    assert Page(render([bare])).open == []


def test_both_files(reports: list[GuardReport], tmp_path: Path) -> None:
    page, data = write_report(reports, tmp_path / "deep" / "out", language="ja")
    assert page.name == "index.html"
    assert read_reports(data) == tuple(reports)
    document = json.loads(data.read_text(encoding="utf-8"))
    assert document["schema_version"] == "sekisho.guard-reports/2"
    assert document["reports"][0]["errors"]["groups"]
    assert document["reports"][0]["run"]["command"] == "sekisho <eval>"


def test_the_schema_describes_the_file(reports: list[GuardReport]) -> None:
    schema = report_schema()
    assert set(schema["properties"]) == {"schema_version", "reports"}
    fields = schema["$defs"]["GuardReport"]["properties"]
    assert set(fields) == set(json.loads(reports[0].model_dump_json()))
    assert all(
        schema["$defs"][name].get("description") for name in schema["$defs"] if name not in ("Surface",)
    )


def test_what_cannot_be_written_or_read(reports: list[GuardReport], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    nothing = {"sets": (), "averages": (), "shipped": None, "evasion": (), "errors": GuardErrors()}
    plain = reports[0].model_copy(update=nothing)
    with pytest.raises(InputError, match="cannot be written"):
        write_report(plain, tmp_path / "file")
    with pytest.raises(InputError, match="Use en or ja"):
        render(reports, language="xx")
    with pytest.raises(InputError, match="nothing to report"):
        render([])
    with pytest.raises(InputError, match="not a guard report"):
        read_reports(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be opened"):
        read_reports(tmp_path / "missing")


def test_words_are_there_in_both_languages() -> None:
    from importlib.resources import files

    words = json.loads((files("sekisho.evals") / "templates" / "words.json").read_text(encoding="utf-8"))
    assert set(words["en"]) == set(words["ja"])
    assert len(words["en"]["method.items"]) == len(words["ja"]["method.items"])


@pytest.mark.parametrize("module", ["altair", "jinja2"])
def test_without_the_extra(reports: list[GuardReport], monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match="pip install"):
        render(reports)
