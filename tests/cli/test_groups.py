"""`sekisho policy`, `guards`, `eval` and `demo`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

POLICY = """---
id: p
version: 1.2.0
languages: [en]
---

# Section {#s}

## Discounts {#discounts authority=developer surfaces=output}

No discounts.

**Violates**

- promises a discount

**Allows**

- quotes the catalogue

**Severity**

- 2 flag: vague
- 3 block: an amount

**Example**: one

~~~xml
<user>
Any?
</user>
<comparison>
<assistant> <!-- BAD severity=3: invents -->
Ten percent.
</assistant>
<assistant> <!-- GOOD: refers -->
See the catalogue.
</assistant>
</comparison>
~~~
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "p.md"
    path.write_text(POLICY)
    return path


def test_show_as_json(run: Run, policy: Path) -> None:
    facts = json.loads(run("policy", "show", str(policy), "--json").out)
    assert [heading["id"] for heading in facts["headings"]] == ["s", "discounts"]
    assert [rule["id"] for rule in facts["rules"]] == ["discounts"]
    assert len(facts["rules"][0]["examples"][0]["turns"]) == 3
    assert facts["headings"][1]["examples"]
    rule = json.loads(run("policy", "show", str(policy), "--rule", "discounts", "--json").out)
    assert rule["authority"] == "developer"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_show_to_read(run: Run, policy: Path, language: str) -> None:
    out = run("policy", "show", str(policy), "--rule", "discounts", "--lang", language).out
    assert "promises a discount" in out
    assert "Ten percent." in out
    assert "··FBB" in run("policy", "show", str(policy), "--lang", language).out
    assert "詐欺" in run("policy", "show", "base", "--rule", "fraud", "--language", "ja").out
    title = {"en": "Fraud", "ja": "詐欺"}[language]
    assert title in run("policy", "show", "base", "--lang", language).out


def test_lint(run: Run, policy: Path, tmp_path: Path) -> None:
    ran = run("policy", "lint", str(policy), "base")
    assert (ran.code, ran.out) == (0, "")
    bad = tmp_path / "bad.md"
    bad.write_text("---\nid: p\ncolour: red\n---\n\n## A {#a authority=pope}\n\nText.\n")
    ran = run("policy", "lint", str(policy), str(bad))
    assert ran.code == 1
    for line in ran.out.splitlines():
        assert re.match(rf"{re.escape(str(bad))}:\d+:\d+: (error|warning) [a-z-]+: .+\. .+", line)
    codes = {line.split()[2].rstrip(":") for line in ran.out.splitlines()}
    assert {"unknown-key", "unknown-authority"} <= codes
    facts = json.loads(run("policy", "lint", str(policy), str(bad), "--json").out)
    assert (facts["files"], facts["errors"] + facts["warnings"]) == (2, len(ran.out.splitlines()))
    assert {"code", "file", "line", "column", "message", "remedy", "severity"} <= facts["problems"][0].keys()
    warned = tmp_path / "warned.md"
    warned.write_text("---\nid: p\non_error: allow\n---\n\n## A {#a authority=user}\n\nText.\n")
    ran = run("policy", "lint", str(warned))
    assert ran.code == 0
    assert "warning" in ran.out


def test_a_broken_policy_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text("---\nid: p\n---\n\n## A {#a authority=pope}\n\nText.\n")
    ran = run("check", "x", "--guard", "obedient", "--policy", str(bad))
    assert ran.code == 2
    assert f"{bad}:5:" in ran.err


def test_diff(run: Run, policy: Path, tmp_path: Path) -> None:
    assert run("policy", "diff", str(policy), str(policy)).code == 0
    assert json.loads(run("policy", "diff", str(policy), str(policy), "--json").out)["same"] is True
    new = tmp_path / "new.md"
    new.write_text(POLICY.replace("3 block: an amount", "3 flag: an amount").replace("1.2.0", "1.3.0"))
    ran = run("policy", "diff", str(policy), str(new))
    assert ran.code == 1
    assert "discounts" in ran.out
    facts = json.loads(run("policy", "diff", str(policy), str(new), "--json").out)
    assert facts["same"] is False
    assert facts["changed"][0]["rule"] == "discounts"
    assert [flip["kind"] for flip in facts["flips"]] == ["action"]
    assert facts["old"]["version"] == "1.2.0"
    assert run("policy", "diff", str(policy), str(new), "--guard", "obedient", "--lang", "ja").code == 1


def test_digest_and_list(run: Run, policy: Path) -> None:
    digest = run("policy", "digest", str(policy)).out
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", digest)
    facts = json.loads(run("policy", "digest", str(policy), "--rules", "--json").out)
    assert facts["digest"] + "\n" == digest
    assert facts["rules"].keys() == {"discounts"}
    assert "base" in run("policy", "list").out
    assert json.loads(run("policy", "list", "--json").out)[0]["rules"] == 25


def test_guards(run: Run, policy: Path) -> None:
    facts = json.loads(run("guards", "list", "--json").out)
    by_name = {entry["name"]: entry for entry in facts["guards"]}
    assert by_name["rules"]["coverage"] == {"uncovered": 23, "stale": 0, "covered": 2}
    assert by_name["obedient"]["ready"] is True
    assert "obedient" in run("guards", "list", "--policy", str(policy), "--lang", "ja").out
    shown = json.loads(run("guards", "show", "rules", "--json").out)
    assert len(shown["rules"]) == 25
    assert "rules" in run("guards", "show", "rules").out
    names = {entry["name"] for entry in json.loads(run("guards", "detectors", "--json").out)}
    assert {"card", "iban"} <= names
    assert "card" in run("guards", "detectors").out


def test_a_guard_that_cannot_be_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho import guards
    from sekisho.core import ArtefactError
    from sekisho.guards import load

    class Missing:
        def load(self) -> Any:
            raise ArtefactError("not found", where="weights", remedy="Train them")

    names = {"fast": Missing()}
    monkeypatch.setattr(load, "guard_names", lambda: names)
    monkeypatch.setattr(guards, "guard_names", lambda: names)
    entry = json.loads(run("guards", "list", "--json").out)["guards"][0]
    assert (entry["ready"], entry["needs"]) == (False, "not found. Train them")
    assert "Train them" in run("guards", "list").out
    ran = run("check", "x")
    assert ran.code == 2
    assert "--guard rules" in ran.err


def test_eval_and_demo(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    out = tmp_path / "report"
    facts = json.loads(run("eval", "guard", "--guard", "obedient", "--shipped", "--json").out)
    report = facts["reports"][0]
    assert report["guard"]["name"] == "obedient"
    assert report["shipped"]["measurements"]
    del out
    for language, said in (("en", "What to try next"), ("ja", "次に試すこと")):
        ran = run("demo", "--guard", "obedient", "--lang", language)
        assert ran.code == 0
        assert said in ran.out
        assert "3" in ran.out


def test_the_page_is_up_to_date() -> None:
    import importlib.util

    path = Path(__file__).parents[2] / "docs" / "make_cli.py"
    if not path.exists():
        pytest.skip("not in this distribution")
    spec = importlib.util.spec_from_file_location("make_cli", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (path.parent / "cli.md").read_text(encoding="utf-8")
    assert module.page(written) == written, "run `python docs/make_cli.py`"
