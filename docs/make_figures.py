"""Write the README's figures from the committed results: `python docs/make_figures.py`.

Every figure in the README between the two marks comes from `bench/results`, so none is typed by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "bench" / "results"
BEGIN, END = "<!-- figures: made by docs/make_figures.py -->\n", "<!-- end of figures -->\n"

COLUMNS = (
    ("OpenAI Moderation F1", "openai_moderation", "f1"),
    ("ToxicChat F1", "toxicchat_test", "f1"),
    ("HarmBench prompts F1", "harmbench_prompt", "f1"),
    ("SimpleSafetyTests F1", "simplesafetytests", "f1"),
    ("HarmBench answers F1", "harmbench_response", "f1"),
    ("BeaverTails F1", "beavertails_test", "f1"),
    ("XSTest recall", "xstest", "recall"),
    ("XSTest false positives", "xstest", "fpr"),
    ("Arena-Hard false positives", "arena_hard", "fpr"),
    ("MT-Bench ja false positives", "ja_mtbench", "fpr"),
    ("NotInject false positives", "notinject", "fpr"),
    ("deepset injections AUROC", "deepset_prompt_injections", "auroc"),
)
PEERS = ("Llama Guard 4 12B", "Qwen3Guard Gen 0.6B", "Qwen3Guard Gen 8B")


def main() -> None:
    """Replace what stands between the marks."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    README.write_text(before + BEGIN + figures() + END + after, encoding="utf-8")


def figures() -> str:
    """The tables."""
    report = json.loads((RESULTS / "guards" / "report.json").read_text(encoding="utf-8"))["reports"]
    published = json.loads((ROOT / "sekisho/evals/published.json").read_text(encoding="utf-8"))["figures"]
    names = [one["guard"]["name"] for one in report]
    head = ["set", "n", *(f"`{name}`" for name in names), *(f"{peer}, published" for peer in PEERS)]
    rows = [_row(title, one_set, metric, report, published) for title, one_set, metric in COLUMNS]
    commands = " and ".join(f"`{one['run']['command']}`" for one in report)
    lines = [
        "## Figures",
        "",
        f"Measured {report[0]['run']['started'][:10]} with {commands}, one threshold for all sets, fitted on "
        "none of them; 95 % intervals in brackets. "
        "Columns marked *published* are figures of others, not measured by us; "
        "Qwen3Guard strict/loose. They come from models of 0.6 to 12 billion parameters. Where n is given twice, "
        "the second is the sample that `base` was measured on.",
        "",
        *_table(head, rows),
        "",
        "The first weights are weak: trained mostly on public sets that lack harmful answers and varied requests. "
        "Making them good is the next piece of work; what they do is not hidden here.",
        "",
        *_shipped(report),
        *_speed(),
        *_evasion(),
    ]
    return "\n".join(lines)


def _row(
    title: str, one_set: str, metric: str, report: list[dict[str, Any]], published: list[dict[str, Any]]
) -> list[str]:
    cells, counts = [], []
    for one in report:
        measured = next(s for s in one["sets"] if s["info"]["name"] == one_set)
        counts.append(measured["n"])  # a guard may have been measured on a sample
        found = next(m for m in measured["measurements"] if m["name"] == metric and m["slice"] == one_set)
        cells.append(_with_interval(found))
    peers = [
        "/".join(
            f"{p['value']:.2f}"
            for p in published
            if (p["set"], p["metric"], p["system"]) == (one_set, metric, peer)
        )
        for peer in PEERS
    ]
    shown = " / ".join(dict.fromkeys(map(str, counts)))
    return [title, shown, *cells, *(peer or "–" for peer in peers)]


def _with_interval(measurement: dict[str, Any]) -> str:
    if measurement["value"] is None:
        return "–"
    return f"{measurement['value']:.2f} [{measurement['low']:.2f}, {measurement['high']:.2f}]"


def _shipped(report: list[dict[str, Any]]) -> list[str]:
    rows = []
    for name, slice_, title in (
        ("recall_any", "shipped", "violations found, any rule"),
        ("recall", "shipped", "violations found, the right rule"),
        ("fpr", "shipped", "near misses flagged"),
    ):
        cells = []
        for one in report:
            found = next(
                m for m in one["shipped"]["measurements"] if (m["name"], m["slice"]) == (name, slice_)
            )
            cells.append(_with_interval(found))
        rows.append([title, *cells])
    names = [f"`{one['guard']['name']}`" for one in report]
    return [
        "On the shipped set (600 cases in four languages, half of them near misses):",
        "",
        *_table(["", *names], rows),
        "",
    ]


def _speed() -> list[str]:
    lines: list[str] = []
    for name in ("startup", "latency"):
        path = RESULTS / f"{name}.json"
        if path.is_file():
            lines.append(f"Speed: [`bench/results/{name}.json`](bench/results/{name}.json).")
    return [" ".join(lines), ""] if lines else []


def _evasion() -> list[str]:
    path = RESULTS / "evasion.json"
    if not path.is_file():
        return []
    return ["Disguises: [`bench/results/evasion.json`](bench/results/evasion.json).", ""]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


if __name__ == "__main__":
    main()
