"""The reference grammar reads what it writes, and its errors never repeat the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import Endpoint, Reference, ReferenceError_, parse_reference, parse_references

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True)
words = st.text(alphabet="abcXYZ019 /&=?#@%+日本,", max_size=8)
endpoints = st.one_of(
    st.just(Endpoint(kind="embedded")),
    st.builds(
        Endpoint,
        kind=st.just("http"),
        location=st.just("http://localhost:8000/v1"),
        model=st.none() | st.just("Qwen/Qwen3Guard-Gen-4B"),
    ),
    st.builds(Endpoint, kind=st.sampled_from(["hf", "gguf"]), location=st.just("some/where.gguf")),
)


@given(
    st.builds(
        Reference,
        name=names,
        params=st.lists(st.tuples(names, words), max_size=3, unique_by=lambda p: p[0]).map(tuple),
        endpoint=st.none() | endpoints,
    )
)
def test_a_reference_reads_back(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference


def test_examples_of_the_design() -> None:
    assert parse_reference("base") == Reference(name="base")
    assert parse_reference("./my-guard").path == "./my-guard"
    full = parse_reference("qwen3guard-gen?mode=strict@http://localhost:8000/v1#Qwen/Qwen3Guard-Gen-4B")
    assert full.options == {"mode": "strict"}
    assert full.endpoint == Endpoint(
        kind="http", location="http://localhost:8000/v1", model="Qwen/Qwen3Guard-Gen-4B"
    )
    assert [r.name for r in parse_references("rules,fast")] == ["rules", "fast"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "Fast",
        "fast?",
        "fast?a",
        "fast?a=1&a=2",
        "fast@",
        "fast@ftp://x",
        "fast@http://",
        "a b",
        "fast,,",
    ],
)
def test_what_is_not_well_formed_is_said(text: str) -> None:
    with pytest.raises(ReferenceError_) as caught:
        parse_references(text)
    assert caught.value.remedy


@given(st.text(max_size=40))
def test_no_text_crashes_the_parser(text: str) -> None:
    try:
        parse_reference(text)
    except ReferenceError_ as error:
        assert error.remedy
