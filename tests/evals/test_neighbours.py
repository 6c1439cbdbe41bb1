"""Training neighbours, with a classifier that counts words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sekisho
from sekisho.cli import main
from sekisho.core import Exchange, InputError
from sekisho.data.corpus import in_development
from sekisho.evals import GuardReport, TrainingCorpus, eval_sets, measure_guard
from sekisho.evals.neighbours import classifier_of, nearest
from sekisho.evals.report import render
from sekisho.guards import BoundGuard, Pipeline
from sekisho.guards.cascade import Band, Cascade

from .scripted import WORDS, KeywordGuard, rows_of, write_set

VOCABULARY = ("well", "bread", "scam", "kyoto")


class Counting:
    """A vector is how often each word occurs."""

    def __init__(self, *, fails: bool = False, learned: bool = True) -> None:
        self.artefact = SimpleNamespace(
            name="counting",
            version="7",
            files={"words": "abc"},
            windows="one",
            surfaces=("input", "output"),
            data=[SimpleNamespace(name="corpus")] if learned else [],
        )
        self.fails = fails
        self.asked: list[Any] = []

    def embed(self, items: Sequence[Any], *, batch_size: int = 256) -> Any:
        if self.fails:
            raise LookupError("no output of that name")
        assert all(item.surface in self.artefact.surfaces for item in items)
        self.asked += items
        rows = [[item.text.count(word) + 0.01 for word in VOCABULARY] for item in items]
        found = np.array(rows, np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


class Embedded(KeywordGuard):
    def __init__(self, classifier: Any) -> None:
        super().__init__(WORDS, name="embedded")
        self.classifier = classifier


def case(number: int, text: str, *, kind: str = "violating", rule: str | None = "fraud") -> dict[str, Any]:
    subject = next(f"s{number}-{n}" for n in range(99) if not in_development(f"en/s{number}-{n}"))
    return {
        "id": f"en-t-{number}",
        "language": "en",
        "rule": rule,
        "surface": "tool_result",
        "kind": kind,
        "severity": 3 if kind == "violating" else 0,
        "subject": subject,
        "messages": [{"role": "user", "content": "?"}, {"role": "tool", "content": text}],
    }


def write_corpus(folder: Path, cases: Sequence[object]) -> Path:
    (folder / "en").mkdir(parents=True, exist_ok=True)
    lines = [(one if isinstance(one, str) else json.dumps(one)) + "\n" for one in cases]
    (folder / "en" / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    held_out = next(f"h{n}" for n in range(999) if in_development(f"en/h{n}"))
    return write_corpus(
        tmp_path / "corpus",
        [
            case(1, "well well well"),
            case(2, "well bread", kind="near_miss"),
            case(3, "bread", kind="ordinary", rule=None),
            case(4, "kyoto"),
            case(5, "scam"),
            {**case(6, "well well"), "subject": held_out},
        ],
    )


def quiet(name: str, done: int, total: int) -> None:
    pass


def test_the_corpus_without_what_training_holds_out(folder: Path) -> None:
    corpus = TrainingCorpus.read(folder)
    assert [text.id for text in corpus.texts] == [f"en-t-{n}" for n in range(1, 6)]
    assert corpus.texts[1].rule == "fraud"  # a near miss keeps the rule that it looks like
    assert corpus.places[0].context == "?"
    write_corpus(folder, [case(1, "well well well")])
    assert TrainingCorpus.read(folder).digest != corpus.digest


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no training corpus here"),
        (['{"id": "zebra'], r"cannot be read \(JSONDecodeError\)"),
        (['["zebra"]'], r"cannot be read \(AttributeError\)"),
        ([{**case(1, "zebra"), "severity": 9}], r"a\.jsonl:1: severity"),
    ],
)
def test_a_corpus_that_cannot_be_read(tmp_path: Path, lines: list[object], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        TrainingCorpus.read(write_corpus(tmp_path, lines))
    assert "zebra" not in str(raised.value)
    assert "corpus/ of a checkout" in str(raised.value)


def test_the_nearest_three_nearest_first(folder: Path) -> None:
    classifier = Counting()
    facts, found = nearest(
        Embedded(classifier),
        [Exchange.of("a well"), Exchange.of("scam")],
        TrainingCorpus.read(folder),
        progress=quiet,
    )
    assert [n.id for n in found[0]][:2] == ["en-t-1", "en-t-2"]
    assert found[1][0].id == "en-t-5"
    assert all(len(some) == 3 for some in found)
    assert 1 >= found[0][0].similarity > found[0][1].similarity > 0.6
    assert (facts.status, facts.searched, facts.vectors, facts.learned) == ("found", 5, "counting 7", True)
    assert facts.typical is not None
    assert all(item.surface == "input" for item in classifier.asked)  # it does not know tool results


def test_vectors_are_computed_once_for_a_classifier_and_a_corpus(folder: Path, tmp_path: Path) -> None:
    corpus, query = TrainingCorpus.read(folder), [Exchange.of("a well")]
    told: list[tuple[str, int, int]] = []
    first = nearest(Embedded(Counting()), query, corpus, progress=lambda *at: told.append(at))
    assert told == [("corpus", 5, 5)]
    [file] = (tmp_path / "cache" / "sekisho" / "vectors").iterdir()
    second = Counting()
    assert nearest(Embedded(second), query, corpus, progress=quiet) == first
    assert len(second.asked) == 1
    file.write_bytes(b"damaged")
    third = Counting()
    assert nearest(Embedded(third), query, corpus, progress=quiet) == first
    assert len(third.asked) == 6
    fourth = Counting()
    fourth.artefact.files["words"] = "other"
    nearest(Embedded(fourth), query, corpus, progress=quiet)
    assert len(fourth.asked) == 6
    for n in range(9):
        fourth.artefact.files["words"] = str(n)
        nearest(Embedded(fourth), query, corpus, progress=quiet)
    assert len(list(file.parent.iterdir())) == 6  # old ones go


def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    facts, _ = nearest(
        Embedded(Counting()),
        [Exchange.of("a")],
        TrainingCorpus.read(folder),
        progress=quiet,
        cache=tmp_path / "file",
    )
    assert facts.status == "found"


def test_where_a_classifier_is() -> None:
    classifier = Counting()
    plain, embedded = KeywordGuard(WORDS), Embedded(classifier)
    assert classifier_of(embedded) is classifier
    assert classifier_of(Pipeline([plain, Pipeline([plain, embedded])])) is classifier
    assert classifier_of(Pipeline([plain])) is None
    assert classifier_of(Embedded(object())) is None
    assert classifier_of(Cascade([embedded, embedded], bands=[Band(low=0.2)])) is None


def measured(tmp_path: Path, corpus: Path, guard: Any) -> GuardReport:
    write_set(tmp_path, "of_others", rows_of([("a poison well", 0), ("a quiet well", 1)]))
    bound = BoundGuard(guard, sekisho.load_policy("base"))
    return measure_guard(
        bound,
        eval_sets(tmp_path),
        shipped=False,
        latency_sample=0,
        resamples=10,
        neighbours=TrainingCorpus.read(corpus),
    )


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_shows_them(tmp_path: Path, folder: Path, language: str) -> None:
    report = measured(tmp_path, folder, Pipeline([KeywordGuard(WORDS), Embedded(Counting(learned=False))]))
    cases = [case for group in report.errors.groups for case in group.cases]
    assert len(cases) == 2
    assert all(case.neighbours[0].id == "en-t-1" for case in cases)
    named = {n.id for case in cases for n in case.neighbours}
    assert {text.id for text in report.errors.training} == named
    page = render([report], language=language)
    assert "well well well" in page
    assert "a quiet well" not in page
    assert {"en": "violating fraud", "ja": "違反 fraud"}[language] in page
    assert {"en": "does not name this corpus", "ja": "このコーパスの名がありません"}[language] in page
    assert "--neighbours" not in page


@pytest.mark.parametrize(
    ("guard", "status", "said"),
    [
        (KeywordGuard(WORDS), "no_vectors", "no classifier whose vectors"),
        (Embedded(Counting(fails=True)), "failed", "do not give out their hidden layer (LookupError)"),
    ],
)
def test_without_vectors_the_errors_are_there_all_the_same(
    tmp_path: Path, folder: Path, guard: Any, status: str, said: str
) -> None:
    report = measured(tmp_path, folder, guard)
    assert report.errors.neighbours.status == status
    assert sum(group.made for group in report.errors.groups) == 2
    page = render([report])
    assert said in page
    assert "does not name this corpus" not in page


def test_the_shipped_classifier_has_vectors(folder: Path) -> None:
    facts, found = nearest(
        sekisho.load_guard("fast").guard, [Exchange.of("a well")], TrainingCorpus.read(folder), progress=quiet
    )
    assert facts.status == "found"
    assert len(found[0]) == 3


def test_the_command(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sekisho.guards import load

    point = SimpleNamespace(load=lambda: lambda reference: Embedded(Counting()))
    monkeypatch.setattr(load, "guard_names", lambda: {"embedded": point})
    monkeypatch.setenv("SEKISHO_LANG", "en")
    write_set(tmp_path, "of_others", rows_of([("a poison well", 0), ("a quiet well", 1)]))
    out = tmp_path / "out"
    base = ["eval", "guard", "--guard", "embedded", "--data", str(tmp_path), "--json"]
    assert main([*base, "--neighbours", str(folder), "--with-texts", "--out", str(out)]) == 0
    said = capsys.readouterr()
    [report] = json.loads(said.out)["reports"]
    assert report["errors"]["neighbours"]["status"] == "found"
    assert "a quiet well" in (out / "index.html").read_text(encoding="utf-8")
    assert "a quiet well" not in said.out + (out / "report.json").read_text(encoding="utf-8")
    assert "keep it to yourself" in said.err
    assert main([*base, "--with-texts"]) == 0
    assert "give --data and --out" in capsys.readouterr().err
    assert main([*base, "--neighbours", str(tmp_path / "nowhere")]) == 2
    assert "no training corpus here" in capsys.readouterr().err
