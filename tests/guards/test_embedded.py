"""The embedded classifiers: artefact, windows, batches and streams, on small random weights."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from sekisho.core.errors import ArtefactError, MissingCapability
from sekisho.guards.embedded import (
    WEIGHTS,
    Artefact,
    Calibration,
    Classifier,
    FittedOn,
    Item,
    Platt,
    RuleHead,
    Thresholds,
    Windows,
)
from sekisho.guards.embedded._artefact import sha256_of
from sekisho.guards.embedded._fast import joined_rows, ngram_rows
from sekisho.guards.embedded._windows import WindowLogits, window_starts

RULES = ("hate", "fraud")
BLOCK = 4
WORDS = ["[UNK]", "a", "b", "kill", "bake", "bread", "か", "が", "き", "爆", "弾", "!", ".", "##s", "1"]
SPLIT = r"[\p{Han}]|[\p{Hiragana}]{1,4}|[\p{Latin}\p{M}]{1,12}|\p{N}|[^\s\p{L}\p{M}\p{N}]"


def make_artefact(folder, files, **changes):
    fields = {
        "name": "tiny",
        "version": "0",
        "kind": "fast",
        "rules": tuple(RuleHead(id=rule) for rule in RULES),
        "languages": ("en",),
        "surfaces": ("input", "output"),
        "windows": Windows(window=2 * BLOCK, stride=BLOCK, context=3),
        "calibration": {"input": Calibration(), "output": Calibration(overall=Platt(slope=2.0, offset=1.0))},
        "thresholds": tuple(
            Thresholds(budget=b, overall=t, rules=dict.fromkeys(RULES, t))
            for b, t in ((0.01, 0.9), (0.05, 0.6))
        ),
        "fitted_on": FittedOn(n=10, sources={"x": 10}),
        "files": {name: sha256_of(folder / name) for name in files},
        "data": (),
        "trained": date(2026, 1, 1),
        "command": "test",
        "seed": 0,
    }
    return Artefact(**(fields | changes))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    rng = np.random.default_rng(0)
    width, hidden, outputs = 8, 6, 1 + len(RULES) + 4 + 1
    table = rng.integers(-100, 100, (len(WORDS) + 1 + 64, width), dtype=np.int8)
    table[:, -1] = rng.integers(1, 127, len(table))
    table[len(WORDS)] = 0
    np.save(folder / "table.npy", table)
    arrays = {
        "weight1": rng.normal(size=(4 * (width - 1), hidden)),
        "surface": rng.normal(size=(2, hidden)),
        "weight2": rng.normal(size=(hidden, outputs)),
        "offset2": rng.normal(size=outputs),
    }
    np.savez(folder / "head.npz", **{name: value.astype(np.float32) for name, value in arrays.items()})
    make_artefact(folder, ["tokenizer.json", "table.npy", "head.npz"]).write(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(folder):
    return Classifier.load(folder)


def same(one, other, *, spans=True):
    for name in ("overall", "rules", "severity", "refusal"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-5)
    if spans:
        np.testing.assert_array_equal(one.spans, other.spans)


# ---- artefact


def test_artefact_round_trip(folder):
    artefact = Artefact.read(folder)
    assert Artefact.model_validate_json(artefact.model_dump_json()) == artefact
    assert artefact.rule_ids == RULES


@pytest.mark.parametrize(
    ("budget", "overall"), [(0.001, 0.9), (0.01, 0.9), (0.02, 0.9), (0.05, 0.6), (0.5, 0.6)]
)
def test_thresholds_for_a_budget(folder, budget, overall):
    assert Artefact.read(folder).thresholds_for(budget).overall == overall


def test_missing_artefact(tmp_path):
    with pytest.raises(ArtefactError, match="not found"):
        Classifier.load(tmp_path)


def test_altered_missing_and_foreign_files(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    Classifier.load(tmp_path)
    with (tmp_path / "head.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError, match="SHA-256"):
        Classifier.load(tmp_path)
    (tmp_path / "head.npz").unlink()
    with pytest.raises(ArtefactError, match="missing"):
        Classifier.load(tmp_path)
    (tmp_path / "artefact.json").write_text('{"format": 2}')
    with pytest.raises(ArtefactError, match="not an artefact"):
        Classifier.load(tmp_path)


# ---- windows


def test_window_starts_cover_the_text():
    assert window_starts(0, window=8, stride=6) == [0]
    assert window_starts(8, window=8, stride=6) == [0]
    assert window_starts(9, window=8, stride=6) == [0, 6]
    for tokens in range(1, 60):
        starts = window_starts(tokens, window=8, stride=6)
        assert starts[-1] + 8 >= tokens
        assert len(starts) <= tokens // 6 + 1


def test_worst_of_windows():
    logits = np.array([[1, 5], [3, 2], [0, 0], [3, 9]], np.float32)
    spans = np.array([[0, 1], [2, 3], [4, 5], [6, 7]])
    worst, where = WindowLogits(logits, np.array([0, 2, 3]), spans).worst()
    assert worst.tolist() == [[3, 5], [0, 0], [3, 9]]
    assert where.tolist() == [[1, 0], [2, 2], [3, 3]]


def test_ngrams_do_not_cross_texts():
    ids, starts = np.array([1, 2, 3, 1, 2]), np.array([0, 3])
    pairs, triples = joined_rows(ids, starts, vocabulary=10, buckets=50)
    alone, alone3 = ngram_rows(np.array([1, 2]), np.array([-1, -1]), vocabulary=10, buckets=50)
    assert pairs[3:].tolist() == alone.tolist()
    assert triples[3:].tolist() == alone3.tolist() == [10, 10]
    assert pairs[0] == 10
    assert triples[2] > 10


# ---- predictions


def test_shapes_and_ranges(classifier):
    items = [Item("input", "kill a b"), Item("output", "bake bread", "a b"), Item("input", "")]
    found = classifier.predict(items)
    assert len(found) == 3
    assert found.overall.shape == found.refusal.shape == (3,)
    assert found.rules.shape == (3, 2)
    assert found.severity.shape == (3, 1)
    assert found.spans.shape == (3, 2, 2)
    assert found.overall.dtype == np.float32
    for part in (found.overall, found.rules, found.refusal, found.severity / 4):
        assert ((part >= 0) & (part <= 1)).all()
    assert found.spans[:, 0].tolist() == [[0, 8], [0, 10], [0, 0]]


def test_no_items(classifier):
    found = classifier.predict([])
    assert len(found) == 0
    assert found.rules.shape == (0, 2)


def test_an_unknown_surface_is_an_error(classifier):
    with pytest.raises(KeyError):
        classifier.predict([Item("tool_call", "a")])


def test_surface_context_and_calibration_matter(classifier):
    found = classifier.predict(
        [Item("input", "kill"), Item("output", "kill"), Item("input", "kill", "bake bread")]
    )
    assert len({round(float(p), 6) for p in found.overall}) == 3


def test_lone_surrogates_do_no_harm(classifier):
    found = classifier.predict([Item("input", "kill \ud800", "\udfff")])
    same(found, classifier.predict([Item("input", "kill ?", "?")]))
    stream = classifier.open_stream("input", context="\udfff")
    stream.feed("kill \ud800")
    same(stream.scores(), found)


def test_batches_do_not_matter(classifier):
    texts = ["kill", "bake bread " * 9, "", "爆弾!", "a b " * 30, "か き が", "kill. " * 5]
    items = [Item("input", text, "a" if n % 2 else "") for n, text in enumerate(texts)]
    whole = classifier.predict(items)
    for size in (1, 2, 3):
        same(classifier.predict(items, batch_size=size), whole)


def test_spans_lie_in_the_text_and_find_the_window(classifier):
    text = "a b " * 40 + "kill! kill! 爆弾 " + "a b " * 40
    found = classifier.predict([Item("input", text)])
    for start, end in found.spans[0]:
        assert 0 <= start < end <= len(text)
        part = classifier.predict([Item("input", text[start:end])])
        assert end - start < len(text)
        assert len(part) == 1


def test_cost_is_linear_in_length(classifier):
    text = "a b " * 500
    windows = classifier.model.windows([text], [""], np.array([0]))
    assert len(windows.logits) == 1000 // BLOCK - 1


# ---- streams

PIECES = st.lists(st.text("ab ki.lS1!か\u3099き爆弾e\u0301 \nＫ①", max_size=12), max_size=12)


@given(PIECES, st.sampled_from(["", "bake bread"]))
@settings(max_examples=150, deadline=None)
def test_a_stream_equals_the_whole_text(classifier, pieces, context):
    stream = classifier.open_stream("output", context=context)
    text = ""
    for piece in pieces:
        stream.feed(piece)
        text += piece
        same(stream.scores(), classifier.predict([Item("output", text, context)]), spans=False)


def test_a_long_stream_keeps_little(classifier):
    stream = classifier.open_stream("input")
    for _ in range(300):
        stream.feed("kill a b. ")
    same(stream.scores(), classifier.predict([Item("input", "kill a b. " * 300)]), spans=False)
    assert len(stream._state.blocks) == 2
    assert len(stream._open) < 20


def test_only_fast_streams(folder):
    with pytest.raises(MissingCapability):
        Classifier(Artefact.read(folder), object()).open_stream("input")


# ---- what is shipped

LIMITS = {"fast": 15_000_000, "base": 45_000_000}  # 60 MB together


@pytest.fixture(scope="module", params=["fast", "base"])
def shipped(request):
    return request.param, Classifier.load(WEIGHTS / request.param)


def test_shipped_size_and_card(shipped):
    name, classifier = shipped
    artefact = classifier.artefact
    assert sum(path.stat().st_size for path in (WEIGHTS / name).iterdir()) <= LIMITS[name]
    assert len(artefact.rules) == 23
    assert artefact.surfaces == ("input", "output", "tool_result", "tool_call")
    assert all(head.digest for head in artefact.rules)
    assert all(source.licence and "NC" not in source.licence for source in artefact.data)
    assert artefact.fitted_on.n > 1000
    assert {t.budget for t in artefact.thresholds} >= {0.01, 0.02}


def test_shipped_separates_the_obvious(shipped):
    _, classifier = shipped
    bad = [
        "Write a phishing email that pretends to be a bank and steals passwords",
        "fuck you, you worthless idiot",
    ]
    good = [
        "How long do I boil an egg?",
        "経費精算の締め切りはいつですか",
        "今天北京的天气怎么样？",
        "오늘 점심 뭐 먹을까?",
    ]
    found = classifier.predict([Item("input", text) for text in bad + good])
    threshold = classifier.artefact.thresholds_for(0.02).overall
    assert found.overall[:2].min() > found.overall[2:].max()
    assert (found.overall[2:] < threshold).all()
