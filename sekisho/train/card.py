"""The model card of a classifier, written from its artefact and its development figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sekisho.guards.embedded import Artefact

_WHAT: Final[Mapping[str, str]] = {
    "fast": """\
Sums of int8 embeddings of tokens and hashed 2- and 3-grams, weighted, then one hidden layer. It runs on
numpy alone, costs tens of microseconds a text, and scores a stream at the cost of what is new. It knows
words and short phrases, not sentences: use it where every request passes, with `base` behind it for what it
finds doubtful.""",
    "base": """\
Eight layers of multilingual-e5-small with a trimmed vocabulary, fine-tuned on all tasks at once; matrices in
int8 on onnxruntime, embeddings in an int8 table that is mapped from disk. It costs milliseconds a text.""",
}

_LIMITS: Final = """\
- The labels are those of the sets below, brought to our rules by category, or ours (`corpus`, `hh_…`,
  `xsafety_…`). Where a set says only that a text violates something, the rules' heads learned nothing from it.
- Near misses of a violation on the same subject stay hard: see `corpus` and `hh_harmless_test_unlabelled`.
- Untrusted documents full of orders for people are over-flagged (`bipia_embedded`); tool calls are all made from
  frames, and so are most refusals outside of English.
- For several rules fewer than fifty violating texts exist in development; their figures say little.
- Probabilities are calibrated on the development mixture, where about a quarter of the texts violate. In
  traffic where hardly anything does, a given probability means less; thresholds are weighted to traffic.
- Spelling tricks, encodings and other disguises are not undone here; the guard does that before."""

_FIGURES: Final = """\
Whole sources and parts of sources that were held out of training. Calibration and thresholds were fitted on
one half of them for a false-positive budget of {budget:.0%} and are reported on the other; those in the
artefact are fitted on both halves ({n} innocent texts, overall threshold {threshold:.3f}). The budget speaks of
traffic, of which a tenth looks like a violation; development has more of those, so its plain share of false
positives is higher. No evaluation set was looked at. With n = 100, a rate of .5 has an interval of about ± .1."""


_FEWEST: Final = 5
"""Texts in a bin below which it is not drawn."""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join("" if cell is None else str(cell) for cell in line) + " |" for line in lines
    )


def _rates(name: str, figures: Mapping[str, Any]) -> list[object]:
    return [
        name,
        *(figures[key] for key in ("n_violating", "n_innocent", "auroc", "ece", "recall", "false_positives")),
    ]


_HEAD: Final = ("", "n violating", "n innocent", "AUROC", "ECE", "recall", "false positives")


def model_card(artefact: Artefact, figures: Mapping[str, Any]) -> str:
    """Markdown. `figures` as `development_figures` makes them."""
    overall: Mapping[str, Mapping[str, Any]] = figures["overall"]
    groups = [name for name in overall if not name.startswith("source ")]
    sources = [name for name in overall if name.startswith("source ")]
    any_rule: Mapping[str, Any] = figures["any_rule"]
    digest = (artefact.policy_digest or "not stamped").removeprefix("sha256:")[:12]
    refusal = figures["refusal_auroc"] or "not measured"
    at = artefact.thresholds_for(figures["budget"])
    parts = [
        f"# `{artefact.name}` {artefact.version}",
        _WHAT[artefact.kind],
        _table(
            ("", ""),
            [
                ("started from", artefact.started_from or "nothing"),
                ("trained", f"{artefact.trained}, seed {artefact.seed}: `{artefact.command}`"),
                ("languages", ", ".join(artefact.languages)),
                ("surfaces", ", ".join(artefact.surfaces)),
                ("heads", f"any violation, {len(artefact.rules)} rules, severity, refusal"),
                ("window", f"{artefact.windows.window} tokens, up to {artefact.windows.context} of context"),
                (
                    "policy",
                    f"{artefact.policy_id}, digest `{digest}`",
                ),
                ("licence of the weights", "Apache-2.0; the sets below keep theirs"),
            ],
        ),
        "## Figures on development data",
        _FIGURES.format(budget=figures["budget"], n=artefact.fitted_on.n, threshold=at.overall),
        _table(_HEAD, [_rates(name, overall[name]) for name in groups]),
        f"By the rules' own thresholds together: recall {any_rule['recall']}, false positives"
        f" {any_rule['false_positives']}. Refusal (AUROC on answers): {refusal}.",
        "### Reliability",
        "Probabilities against what was found, by surface and script, on the half that calibration has not seen. "
        "Points on the diagonal mean what they say; small ones rest on few texts.",
        f"![Reliability by surface and language]({artefact.name}-reliability.svg)",
        "### By source",
        "Sources that begin with `frames/` share their frames with the training data: optimistic.",
        _table(_HEAD, [_rates(name.removeprefix("source "), overall[name]) for name in sources]),
        "### By rule",
        "A rule's own threshold; violating texts are those whose source names the rule.",
        _table(_HEAD, [_rates(f"`{rule}`", figures["rules"][rule]) for rule in artefact.rule_ids]),
        "## Limits",
        _LIMITS,
        "## Training data",
        _table(
            ("set", "origin", "licence", "basis", "rows"),
            [(f"`{s.name}`", s.origin, s.licence, s.basis, s.rows) for s in artefact.data],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def reliability_plot(groups: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """SVG with one panel a surface and one colour a language. `groups` as `development_figures` makes them."""
    import altair as alt
    import vl_convert

    rows = [
        {"surface": name.split()[0].replace("_", " "), "language": name.split()[1], **point}
        for name, points in groups.items()
        for point in points
        if point["n"] >= _FEWEST
    ]
    base = alt.Chart(alt.Data(values=rows))
    x = alt.X("probability:Q", title="probability said", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("violating:Q", title="share that violates", scale=alt.Scale(domain=[0, 1]))
    colour = alt.Color("language:N", scale=alt.Scale(scheme="dark2"))
    lines = base.mark_line(opacity=0.6).encode(x=x, y=y, color=colour)
    points = base.mark_circle().encode(
        x=x, y=y, color=colour, size=alt.Size("n:Q", scale=alt.Scale(range=[20, 300]), legend=None)
    )
    ideal = (
        alt.Chart(alt.Data(values=[{"p": 0.0}, {"p": 1.0}]))
        .mark_line(color="#999", strokeDash=[4, 4])
        .encode(x="p:Q", y="p:Q")
    )
    panels = [
        alt.layer(
            ideal,
            lines.transform_filter(alt.datum.surface == surface),
            points.transform_filter(alt.datum.surface == surface),
            title=surface,
        ).properties(width=220, height=220)
        for surface in dict.fromkeys(row["surface"] for row in rows)
    ]
    chart = alt.concat(*panels, columns=2).configure(background="#ffffff")
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg + "\n"
