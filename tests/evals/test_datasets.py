from __future__ import annotations

import gzip
import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from sekisho.core import InputError, Role, Surface
from sekisho.evals import EvalSet, SetCount, datasets, eval_sets

from .scripted import rows_of, small_sets, write_set

SECRET = "a text that no message may repeat"


def test_roles_follow_from_the_kind(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "q"}, {"role": "tool", "content": "page"}]
    write_set(
        tmp_path,
        "s",
        [
            {"id": "1", "text": "t", "kind": "prompt", "label": 1},
            {"id": "2", "text": "t", "kind": "injection", "label": 0},
            {"id": "3", "text": "t", "kind": "response", "label": 0},
            {"id": "4", "text": "t", "label": True},
            {"id": "5", "messages": talk, "kind": "injection", "label": 1},
            {
                "id": "6",
                "messages": [*talk, {"role": "assistant", "content": "a"}],
                "kind": "response",
                "label": 1,
            },
        ],
    )
    found = list(eval_sets(tmp_path)[0])
    assert [e.exchange.last.role for e in found] == [
        Role.USER,
        Role.USER,
        Role.ASSISTANT,
        Role.USER,
        Role.TOOL,
        Role.ASSISTANT,
    ]
    assert found[2].exchange.context == ()
    assert found[4].exchange.surface is Surface.TOOL_RESULT
    assert [e.violates for e in found] == [True, False, False, True, True, True]
    assert {e.origin for e in found} == {"s"}
    assert {e.split for e in found} == {"eval"}


def test_unlabelled_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    write_set(tmp_path, "s", rows_of([("a", 1), ("b", None), ("c", 0), ("d", None)]))
    [one] = eval_sets(tmp_path)
    assert [e.exchange.text for e in one] == ["a", "c"]
    assert one.count() == SetCount(positives=1, negatives=1, unlabelled=2)
    assert len(list(one)) == 2  # iterating reads anew


def test_facts_of_a_row(tmp_path: Path) -> None:
    row = {"id": "r", "text": "t", "label": 1, "severity": 3, "category": "c", "license": "MIT"}
    write_set(tmp_path, "s", [{**row, "lang": "Filipino/Tagalog"}, {**row, "severity": 0.6}])
    first, second = eval_sets(tmp_path)[0]
    assert (first.id, first.severity, first.subject, first.license) == ("r", 3, "c", "MIT")
    assert first.language == "tl"
    assert (second.severity, second.language) == (None, "und")


def test_known_and_unknown_sets(tmp_path: Path) -> None:
    small_sets(tmp_path)
    sets = {one.name: one.info for one in eval_sets(tmp_path)}
    assert sets["toxicchat_test"].reporting_only
    assert sets["toxicchat_test"].measures == "prompts"
    assert sets["notinject"].measures == "benign"
    assert sets["of_our_own"].measures == "unknown"
    assert not sets["of_our_own"].reporting_only


def test_sets_by_name(tmp_path: Path) -> None:
    small_sets(tmp_path)
    assert [one.name for one in eval_sets(tmp_path, names=["notinject"])] == ["notinject"]
    with pytest.raises(InputError, match="there is no set 'nothing'"):
        eval_sets(tmp_path, names=["nothing"])


def test_no_sets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no evaluation set"):
        eval_sets(tmp_path)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{not json " + SECRET, "not JSON"),
        ('["' + SECRET + '"]', "not a JSON object"),
        ({"text": SECRET, "label": 2}, "`label`"),
        ({"text": SECRET, "label": "1"}, "`label`"),
        ({"text": SECRET, "label": 1, "kind": SECRET}, "`kind`"),
        ({"label": 1}, "neither `text` nor `messages`"),
        ({"messages": [], "label": 1}, "`messages`"),
        ({"messages": {"role": SECRET}, "label": 1}, "`messages`"),
        ({"messages": [{"role": SECRET, "content": "x"}], "label": 1}, "no known role"),
        ({"messages": [SECRET], "label": 1}, "a message has to be an object"),
    ],
)
def test_bad_lines_name_file_and_line_and_no_text(tmp_path: Path, row: object, what: str) -> None:
    path = write_set(tmp_path, "s", [{"text": "fine", "label": 0}, row])
    with pytest.raises(InputError) as caught:
        list(eval_sets(tmp_path)[0])
    assert what in str(caught.value)
    assert f"{path}:2" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value, limit=0))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-12])


def _not_gzip(path: Path) -> None:
    path.write_bytes(b"plain")


def _garbled(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:14] + b"\xff" * 40 + path.read_bytes()[54:])


@pytest.mark.parametrize("damage", [_cut, _not_gzip, _garbled])
def test_damaged_files(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    damage(write_set(tmp_path, "s", rows_of([(f"{SECRET} {n}", 1) for n in range(50)])))
    with pytest.raises(InputError, match="damaged or cut off"):
        list(eval_sets(tmp_path)[0])


def test_octets_that_are_no_utf8(tmp_path: Path) -> None:
    path = write_set(tmp_path, "s", [])
    with gzip.open(path, "wb") as stream:
        stream.write(b'{"text": "\xff", "label": 1}\n')
    with pytest.raises(InputError, match="not JSON"):
        list(eval_sets(tmp_path)[0])


def test_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "LONGEST_LINE", 100)
    write_set(tmp_path, "s", [{"text": "x" * 200, "label": 1}])
    with pytest.raises(InputError, match="longer than 100"):
        list(eval_sets(tmp_path)[0])


def test_a_set_of_examples_at_hand(tmp_path: Path) -> None:
    write_set(tmp_path, "s", rows_of([("a", 1), ("b", None)]))
    examples = list(datasets.read_examples(tmp_path / "eval" / "s.jsonl.gz"))
    one = EvalSet.of("mine", examples, measures="prompts")
    assert one.count().unlabelled == 1
    assert [e.exchange.text for e in one] == ["a"]


def test_rows_are_read_as_they_are_needed(tmp_path: Path) -> None:
    """The first example comes before a damaged end is noticed: nothing is read ahead."""
    path = write_set(tmp_path, "s", rows_of([(f"text {n}", n % 2) for n in range(20_000)]))
    _cut(path)
    rows = iter(eval_sets(tmp_path)[0])
    assert json.loads(next(rows).model_dump_json())["id"] == "row-0000"
    with pytest.raises(InputError):
        list(rows)
