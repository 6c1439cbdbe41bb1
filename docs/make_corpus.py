"""Write the counts in corpus/README.md from the files themselves: `python docs/make_corpus.py`.

What stands outside the marks is written by hand. A test compares, so the card cannot fall behind.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from typing import Any

from sekisho.data.corpus import CORPUS, KINDS, LANGUAGES, as_example, corpus_files, read_cases
from sekisho.data.examples import RULES

PAGE = CORPUS / "README.md"
START = "<!-- counts: made by docs/make_corpus.py -->\n"
END = "<!-- end of counts -->\n"


def page(before: str) -> str:
    """The whole page, its counts made anew."""
    head, _, rest = before.partition(START)
    return head + START + counts() + END + rest.partition(END)[2]


def counts() -> str:
    """The tables in Markdown."""
    cases = list(read_cases())
    by = Counter((case["language"], case["surface"], case["kind"]) for case in cases)
    held = sum(as_example(case).development for case in cases)
    lines = [
        f"\n{len(cases):,} cases on {len({(c['language'], c['subject']) for c in cases}):,} subjects, in "
        f"{len(corpus_files())} files; {held:,} of them are the development part.\n",
        "| language | surface | " + " | ".join(k.replace("_", " ") for k in KINDS) + " | median characters |",
        "|---|---|" + "---|" * (len(KINDS) + 1),
    ]
    for language in LANGUAGES:
        for surface in ("input", "output", "tool_result"):
            lengths = [
                str(round(statistics.median(_lengths(cases, language, surface, kind) or [0])))
                for kind in KINDS
            ]
            numbers = [f"{by[language, surface, kind]:,}" for kind in KINDS]
            lines.append(
                f"| {language} | {surface} | " + " | ".join(numbers) + " | " + " / ".join(lengths) + " |"
            )
    lines += ["", "| rule | violating | near miss | levels 2 / 3 / 4 |", "|---|---|---|---|"]
    for rule in RULES:
        mine = [case for case in cases if case["rule"] == rule]
        violating = [case for case in mine if case["kind"] == "violating"]
        levels = Counter(case["severity"] for case in violating)
        shown = " / ".join(str(levels[level]) for level in (2, 3, 4))
        lines.append(f"| `{rule}` | {len(violating)} | {len(mine) - len(violating)} | {shown} |")
    lines += [
        "",
        "| labels of ours for texts of others | prompts | answers | violating |",
        "|---|---|---|---|",
    ]
    for path in sorted((CORPUS / "labels").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        judged = Counter(row["judged"] for row in rows)
        bad = sum(bool(row["rules"]) for row in rows)
        lines.append(f"| `{path.stem}` | {judged['prompt']} | {judged['answer']} | {bad} |")
    return "\n".join(lines) + "\n\n"


def _lengths(cases: list[dict[str, Any]], language: str, surface: str, kind: str) -> list[int]:
    return [
        len(case["messages"][-1]["content"])
        for case in cases
        if (case["language"], case["surface"], case["kind"]) == (language, surface, kind)
    ]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
