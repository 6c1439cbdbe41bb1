"""Corrections: reading them, fitting them, keeping what nobody corrected."""

import json

import numpy as np
import pytest

from sekisho.core import InputError
from sekisho.data.examples import RULES
from sekisho.data.feedback import read_feedback
from sekisho.guards.embedded import Adapter, Replay
from sekisho.train.feedback import fit_adapter, is_right

OUTPUTS = 1 + len(RULES) + 5


def lines(tmp_path, *rows):
    path = tmp_path / "corrections.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return path


def test_both_kinds_are_read(tmp_path):
    path = lines(
        tmp_path,
        {"text": "kill the stuck job", "correction": "false_positive", "id": "a"},
        "",
        {"text": "steal it", "correction": "missed", "rule": "nonviolent_crime", "severity": 2},
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "no"}],
         "correction": "false_positive", "rule": "fraud"},
    )  # fmt: skip
    innocent, missed, answer = read_feedback(path)
    assert innocent.example.overall == 0.0
    assert innocent.example.hard
    assert missed.example.rules["nonviolent_crime"] == 1.0
    assert missed.severity == 2
    assert (answer.example.surface, answer.example.context) == ("output", "q")
    from sekisho.data.corpus import faults

    assert [faults(c.case()) for c in (innocent, missed, answer)] == [[], [], []]


@pytest.mark.parametrize(
    "row",
    [
        "{not json",
        "[1]",
        {"text": "SECRET-TEXT"},
        {"text": "SECRET-TEXT", "correction": "maybe"},
        {"text": "SECRET-TEXT", "correction": "missed"},
        {"text": "SECRET-TEXT", "correction": "missed", "rule": "no_such_rule"},
        {"text": "SECRET-TEXT", "correction": "missed", "rule": "fraud", "severity": 1},
        {"text": "SECRET-TEXT", "correction": "missed", "rule": "fraud", "severity": "high"},
        {"text": "", "correction": "false_positive"},
        {"text": 7, "correction": "false_positive"},
        {"messages": [], "correction": "false_positive"},
        {"messages": ["SECRET-TEXT"], "correction": "false_positive"},
        {"messages": [{"role": "wizard", "content": "SECRET-TEXT"}], "correction": "false_positive"},
        {"text": "x" * 200_000, "correction": "false_positive"},
        "[" * 100_000,
    ],
)
def test_bad_lines_say_where_and_never_what(tmp_path, row):
    path = lines(tmp_path, {"text": "fine", "correction": "false_positive"}, row)
    with pytest.raises(InputError) as found:
        list(read_feedback(path))
    assert ":2" in str(found.value.where)
    assert found.value.remedy
    assert "SECRET-TEXT" not in f"{found.value.what} {found.value.where} {found.value.remedy}"


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(InputError):
        list(read_feedback(tmp_path / "nowhere.jsonl"))
    path = tmp_path / "binary.jsonl"
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError):
        list(read_feedback(path))


@pytest.fixture
def toy():
    """Hidden vectors in which the first coordinate is what the corrections are about."""
    rng = np.random.default_rng(0)
    replay_hidden = rng.normal(size=(400, 8)).astype(np.float32)
    replay_hidden[:, 0] = 0.0
    logits = np.zeros((400, OUTPUTS), np.float32)
    logits[:, 0] = 3 * replay_hidden[:, 1]
    hidden = rng.normal(size=(20, 8)).astype(np.float32)
    hidden[:, 0] = 4.0
    before = np.zeros((20, OUTPUTS), np.float32)
    before[:, 0] = 3 * hidden[:, 1]
    return Replay(replay_hidden, logits), hidden, before


def test_corrections_are_learned_and_the_rest_stays(toy):
    replay, hidden, before = toy
    values, masks = np.zeros_like(before), np.zeros_like(before)
    values[:, 0] = masks[:, 0] = 1.0
    adapter = fit_adapter(hidden, before, values, masks, replay)
    assert (adapter(before, hidden)[:, 0] > 0).mean() > 0.9
    assert (before[:, 0] > 0).mean() < 0.9
    moved = np.abs(adapter(replay.logits, replay.hidden)[:, 0] - replay.logits[:, 0])
    assert moved.mean() < 0.3
    assert not adapter.delta[:, 1:].any()


def test_the_order_of_corrections_does_not_matter(toy):
    replay, hidden, before = toy
    values, masks = np.zeros_like(before), np.zeros_like(before)
    values[::2, 0], masks[:, 0] = 1.0, 1.0
    once = fit_adapter(hidden, before, values, masks, replay)
    again = fit_adapter(hidden[::-1], before[::-1], values[::-1], masks[::-1], replay)
    assert np.allclose(once.delta, again.delta, atol=1e-3)


def test_adapter_and_replay_survive_the_disk(tmp_path, toy):
    replay, *_ = toy
    adapter = Adapter(np.ones((8, OUTPUTS), np.float32), np.zeros(OUTPUTS, np.float32))
    adapter.save(tmp_path)
    replay.save(tmp_path)
    assert np.array_equal(Adapter.load(tmp_path).delta, adapter.delta)
    assert np.allclose(Replay.load(tmp_path).hidden, replay.hidden, atol=1e-2)


def test_is_right_takes_no_failure_for_an_answer(tmp_path):
    from sekisho.core import Status, Verdict, unjudged
    from sekisho.policy import load_policy

    policy = load_policy("base").policy
    (innocent,) = read_feedback(lines(tmp_path, {"text": "a", "correction": "false_positive"}))
    failed = Verdict.of(
        unjudged(policy.rules, policy, status=Status.ERROR, reason="broke"), policy=policy.ref, guard="g"
    )
    assert not is_right(failed, innocent)
