"""The rules guard's stream: what the whole text redacts, however it is split, and never a part of it before."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from sekisho.core import Policy, Step, Verdict, redact
from sekisho.guards import BoundGuard
from sekisho.guards.rules import RulesGuard
from sekisho.policy import load_policy

BASE = load_policy("base").policy.only(["personal_data", "secrets"])
WHOLE = BoundGuard(RulesGuard(), BASE)
PROSE = "The parcel leaves on Monday and nobody has to sign for it. "
rng = random.Random(5)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def noise(length: int) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(length))


def lines(length: int) -> str:
    return "\n".join(noise(64) for _ in range(length // 65))


def pgp(length: int) -> str:
    body = "Version: GnuPG v2\n\n" + lines(length)
    return f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{body}\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----"


JWT = f"eyJhbGciOiJIUzI1NiJ9{'.'}{noise(3600)}.{noise(43)}"
LONG_HEADER = f"eyJhbGciOiJSUzI1NiIsIng1YyI6WyJ{noise(3600)}.{noise(40)}.{noise(43)}"
CASES = {
    "a long PGP key": PROSE * 4 + pgp(6_600) + "\n" + PROSE * 4,
    "two keys": PROSE + pgp(900) + "\n" + PROSE * 3 + pgp(5_000) + "\n" + PROSE,
    "a long token": PROSE * 3 + JWT + " " + PROSE * 9,
    "a long header": PROSE * 3 + LONG_HEADER + " " + PROSE * 9,
    "entities": PROSE * 3 + "".join(f"&#x3{d};" for d in "4111111111111111") + " " + PROSE * 9,
    "escapes": PROSE * 3 + "".join(f"\\u003{d}" for d in "4111111111111111") + " " + PROSE * 9,
    "invisible": PROSE * 3 + ("\u200b" * 9).join("4111111111111111") + " " + PROSE * 9,
    "passwords": PROSE * 5 + 'password="' + "aB3$ " * 20 + 'x1", password: ' + "aB3$" * 30 + " " + PROSE * 5,
    "many": "\n".join(f"{PROSE}4111 1111 1111 1111, DE89 3704 0044 0532 0130 00\n" for _ in range(30)),
    "wide": "これは４１１１－１１１１－１１１１－１１１１です。" * 30,
}


def streamed(text: str, size: int, policy: Policy = BASE) -> tuple[list[Step], Verdict]:
    stream = RulesGuard().open((), policy)
    steps = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return steps, stream.finish()


@pytest.mark.parametrize("name", CASES)
def test_a_stream_redacts_what_the_whole_text_would(name: str) -> None:
    text = CASES[name]
    expected = WHOLE.check_one(text, role="assistant")
    assert expected.redactions
    cleared = set()
    for size in (1 if len(text) < 3000 else 13, 97, 4096, len(text)):
        steps, verdict = streamed(text, size)
        assert redact(text, verdict.redactions) == redact(text, expected.redactions)
        for step in steps:
            assert not any(r.start < step.cleared < r.end for r in expected.redactions), "never half a secret"
        for before, step in pairwise([Step(cleared=0), *steps]):
            assert all(before.cleared <= r.start and r.end <= step.cleared for r in step.redactions)
        cleared.add(steps[-1].cleared)
    assert len(cleared) == 1


def test_a_key_without_end_is_decided_against() -> None:
    text = PROSE * 3 + pgp(90_000)
    steps, verdict = streamed(text, 512)
    assert verdict.decision == "escalate"
    assert steps[-1].verdict is not None
    assert steps[-1].cleared <= len(PROSE) * 3


@pytest.mark.parametrize(
    "line",
    [
        "a" * 47 + "\n",
        "a" * 500,
        "1 2\n",
        "1234 " * 9 + "\n",
        "-----BEGIN PRIVATE KEY-----",
        "password: ",
        PROSE,
        "{};",
    ],
)
def test_streams_take_linear_time(line: str) -> None:
    text = line * (200_000 // len(line))
    started = time.perf_counter()
    streamed(text, 64)
    assert time.perf_counter() - started < 8


def test_an_expression_that_never_ends_takes_linear_time() -> None:
    rule = {
        "id": "r",
        "title": "R",
        "authority": "user",
        "check": "patterns",
        "patterns": [{"expression": "(?s)ab.*"}],
    }
    levels = [{"level": 3, "decision": "redact"}]
    policy = Policy.model_validate({"id": "p", "rules": [{**rule, "levels": levels}]})
    started = time.perf_counter()
    steps, verdict = streamed("x" * 500 + "ab" + PROSE * 3000, 64, policy)
    assert time.perf_counter() - started < 8
    assert max(step.cleared for step in steps) <= 500
    assert [r.start for r in verdict.redactions] == [500]
