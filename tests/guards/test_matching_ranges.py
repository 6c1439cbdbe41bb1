"""Long texts are searched in pieces; what is found must not depend on where the pieces meet."""

import pytest

from sekisho.guards.rules import DETECTORS
from sekisho.guards.rules._matching import SET_LIMIT, Matcher

CARD = "4111 1111 1111 1111"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA7v" * 600 + "\n-----END RSA PRIVATE KEY-----"
FILL = "the weather is fine and we go for a walk. "


@pytest.fixture(scope="module")
def matcher():
    return Matcher(list(DETECTORS.values()))


def found(matcher, text):
    return sorted((name, m.start, m.end) for name, m in matcher.find(text) if name in ("card", "private_key"))


@pytest.mark.parametrize("secret", [CARD, KEY], ids=["card", "key"])
@pytest.mark.parametrize("around", [-12_000, -4_100, -4_096, -4_090, -20, -10, -1, 0, 1, 10])
@pytest.mark.parametrize("piece", [1, 2])
def test_the_seams_hide_nothing(matcher, secret, around, piece):
    seam = SET_LIMIT + (piece - 1) * (SET_LIMIT - 4_096)
    before = (FILL * 2_000)[: seam + around - 1] + " "
    alone = found(matcher, secret)
    assert alone
    text = before + secret + " " + FILL * 1_500
    there = found(matcher, text)
    at = len(before)
    for name, start, end in alone:
        assert any(n == name and a <= start + at and end + at <= b for n, a, b in there)


def test_many_pieces_give_each_finding_once(matcher):
    text = (FILL * 20 + CARD + " ") * 200
    spans = [(start, end) for name, start, end in found(matcher, text) if name == "card"]
    assert len(spans) == len(set(spans)) == 200
