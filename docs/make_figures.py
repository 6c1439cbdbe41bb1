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
    commands = " and ".join(dict.fromkeys(f"`{one['run']['command']}`" for one in report))
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
        "The weights were trained in 42 minutes on two cores, on public sets, the [corpus](corpus/README.md) "
        "that was written for it and on labels of ours; the model cards ([base](docs/models/base.md), "
        "[fast](docs/models/fast.md)) say the rest. Where they fall short of the big models, the table says so.",
        "",
        *_shipped(report),
        *_peers(),
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


def _measurements(name: str) -> list[dict[str, Any]]:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["measurements"] if path.is_file() else []


def _one(found: list[dict[str, Any]], name: str, subject: str, slice_: str) -> dict[str, Any] | None:
    return next((m for m in found if (m["name"], m["subject"], m["slice"]) == (name, subject, slice_)), None)


def _peers() -> list[str]:
    found = _measurements("peers")
    sets = (
        "openai_moderation",
        "toxicchat_test",
        "xstest",
        "harmbench_response",
        "beavertails_test",
        "shipped",
    )
    rows = []
    for subject in dict.fromkeys(m["subject"] for m in found):
        cells = [subject]
        for part in sets:
            one = _one(found, "auroc", subject, part)
            cells.append("–" if one is None or one["value"] is None else f"{one['value']:.2f}")
        speed = _one(found, "times_minilm", subject, "in batches of 64")
        times = 1.0 if speed is None else speed["value"]
        rows.append([*cells, f"{times:.1f} ×" if times < 10 else f"{times:.0f} ×"])
    if not rows:
        return []
    said = "Beside what people would otherwise put there, AUROC on whole sets (n and intervals in "
    said += "[`peers.json`](bench/results/peers.json)) and throughput on one thread over MiniLM's. "
    said += "TF-IDF and MiniLM learned from 20,000 of the same rows; Presidio looks for personal data alone:"
    return [said, "", *_table(["", *sets, "throughput"], rows), ""]


def _speed() -> list[str]:
    rows = []
    for subject in ("rules", "fast", "base"):
        latency = _measurements("latency")
        cells = [f"`{subject}`"]
        for name, slice_ in (
            ("latency_ms_p50", "one at a time"),
            ("latency_ms_p99", "one at a time"),
            ("ms_per_thousand_estimated_tokens", "256 tokens"),
            ("ms_per_thousand_estimated_tokens", "16384 tokens"),
            ("overhead_percent", "short texts"),
        ):
            found = _one(latency, name, subject, slice_)
            cells.append("–" if found is None else f"{found['value']:.3g}")
        rows.append(cells)
    if all(cell == "–" for row in rows for cell in row[1:]):
        return []
    start = _one(_measurements("startup"), "process_seconds", "sekisho", "check --guard fast")
    head = ["", "p50, ms", "p99, ms", "ms per 1,000 tokens, 256", "… 16,384", "around the model, %"]
    said = "Speed on one thread of the machine named in [`latency.json`](bench/results/latency.json)"
    said += ", shipped cases one at a time"
    if start is not None:
        said += f'; `sekisho check "x" --guard fast` takes {start["value"]:.2f} s in all (n = {start["n"]})'
    return [said + ":", "", *_table(head, rows), ""]


def _evasion() -> list[str]:
    found = _measurements("evasion")
    rows = []
    for subject in dict.fromkeys(m["subject"] for m in found):
        plain = _one(found, "recall", subject, "plain")
        changes = [m for m in found if m["subject"] == subject and m["name"] == "recall_change" and m["n"]]
        within = sum(m["value"] >= -0.05 for m in changes)
        worst = min(changes, key=lambda m: m["value"])
        rows.append(
            [
                f"`{subject}`",
                f"{plain['value']:.2f} (n = {plain['n']})" if plain else "–",
                f"{within} of {len(changes)}",
                f"{worst['slice'].removeprefix('disguise=')} {100 * worst['value']:+.1f}",
            ]
        )
    if not rows:
        return []
    head = ["", "recall, plain", "disguises within 5 points", "worst, points"]
    said = "Disguised requests of SimpleSafetyTests and HarmBench "
    said += "([`evasion.json`](bench/results/evasion.json)):"
    return [said, "", *_table(head, rows), ""]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


if __name__ == "__main__":
    main()
