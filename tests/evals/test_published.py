from __future__ import annotations

from sekisho.evals import KNOWN_SETS, published_figures
from sekisho.evals.published import ENGLISH_PROMPTS, comparable_average, peers


def test_every_figure_has_a_source_and_a_grade() -> None:
    figures = published_figures()
    assert len(figures) > 400
    assert all(0 <= one.value <= 1 and one.source for one in figures)
    assert len({(p.set, p.metric, p.system, p.mode, p.protocol, p.source) for p in figures}) == len(figures)
    # Secondary figures say so in words too.
    assert all("notes" in one.source and one.note for one in figures if one.grade == "S")
    assert all(one.note for one in figures if one.mode == "oracle" or one.protocol)


def test_figures_as_printed() -> None:
    def value(set_name: str, system: str, mode: str = "", metric: str = "f1") -> float:
        [found] = [
            p.value
            for p in published_figures()
            if (p.set, p.system, p.mode, p.metric) == (set_name, system, mode, metric) and not p.protocol
        ]
        return found

    assert value("toxicchat_test", "Qwen3Guard Gen 8B", "strict") == 0.689
    assert value("toxicchat_test", "Qwen3Guard Gen 8B", "loose") == 0.828
    assert value("openai_moderation", "Llama Guard 4 12B") == 0.735
    assert value("harmbench_response", "WildGuard 7B") == 0.863
    assert value("beavertails_test", "NemoGuard 8B") == 0.785
    assert value("rtp_lx/language=ja", "Qwen3Guard Gen 8B", "strict") == 0.913
    assert value("openai_moderation", "gpt-oss-safeguard 20B") == 0.829
    assert (
        value("prompt_guard_in_house/english", "Llama Prompt Guard 2 86M", metric="recall_at_1pct_fpr")
        == 0.975
    )


def test_sets_that_we_hold_are_named_as_ours() -> None:
    held = {one.set for one in published_figures()} & set(KNOWN_SETS)
    assert held == {*ENGLISH_PROMPTS, "beavertails_test", "harmbench_response", "jailbreakbench", "xstest"}
    assert peers("xstest", "fpr")[0].value <= peers("xstest", "fpr")[-1].value
    assert peers("toxicchat_test", "f1")[0].value >= peers("toxicchat_test", "f1")[-1].value


def test_comparable_averages_keep_one_setting() -> None:
    found = {one.label: one.value for one in comparable_average(ENGLISH_PROMPTS, "f1")}
    assert round(found["Qwen3Guard Gen 8B (strict)"], 4) == round((0.689 + 0.688 + 0.995 + 1) / 4, 4)
    assert round(found["Llama Guard 4 12B"], 4) == round((0.513 + 0.735 + 0.98 + 0.972) / 4, 4)
    assert not any("oracle" in label for label in found)
    assert "gpt-oss-safeguard 20B" not in found  # published on two of the four alone
