"""What a review found in the rules guard: each case exactly, and property tests of misses and false positives."""

from __future__ import annotations

import base64
import json
import random
import string
import time
from itertools import pairwise

import pytest

from sekisho.core import Cover, Policy, Status, redact
from sekisho.guards import BoundGuard
from sekisho.guards.rules import RulesGuard
from sekisho.policy import load_policy

BASE = load_policy("base").policy.only(["personal_data", "secrets"])
GUARD = BoundGuard(RulesGuard(), BASE)


def masked(text: str) -> str:
    return redact(text, GUARD.check_one(text).redactions)


def custom(**rule: object) -> BoundGuard:
    base = {"id": "r", "title": "R", "authority": "developer", "check": "patterns"}
    levels = [{"level": 2, "decision": "flag"}, {"level": 3, "decision": "redact"}]
    rules = [{"levels": levels, **base, **rule}]
    return BoundGuard(RulesGuard(), Policy.model_validate({"id": "p", "rules": rules}))


TOKEN = "ghp_abcdefghij0123456789ABCDEFGHIJ012345"
EXACT = {
    # A lighter finding around it, or an exception meant for something else, hides nothing.
    "4111111111111111@shop.co": "[card]@shop.co",
    "123-45-6789@evil.co": "[national_id]@evil.co",
    "4111111111111111@example.com": "[card]@example.com",
    f"postgres://user:password@prod.db/{TOKEN}": "postgres://user:password@prod.db/[access_token]",
    "a://user:pass@AKIAQ3ZT7W5MNB2XKD4R": "a://user:pass@[api_key]",
    # Passwords are taken out whole.
    "password: Tr0ub4d;or&3x": "password: [password]",
    'password="abc123,XYZ987"': 'password="[password]"',
    "密码: Qwe123,asd456": "密码: [password]",
    "密码：Qwe123,asd456。": "密码：[password]。",
    "password: Abc(12345)xyz": "password: [password]",
    "password: Sup3r$ecret!9": "password: [password]",
    "password: hunter2*Blue,": "password: [password],",
    "password: P@ss{w}0rd9": "password: [password]",
    "password is latest#2024x.": "password is [password].",
    "パスワードはQwe123asdです": "パスワードは[password]です",
    "password: " + "aB3$" * 20: "password: [password]",
    '{"password": "x1 y2;z3", "user": "anna"}': '{"password": "[password]", "user": "anna"}',
    "postgres://admin:pa$$w0rd@db.internal/shop": "[connection_string]",
    "postgres://admin:p@ss9w0rd@db.internal/shop": "[connection_string]",
    # Wide writing.
    "４１１１－１１１１－１１１１－１１１１です": "[card]です",
    "カードは４１１１　１１１１　１１１１　１１１１　です": "カードは[card]　です",
    "番号４１１１ー１１１１ー１１１１ー１１１１です": "番号[card]です",
    "マイナンバー：１２３４－５６７８－９０１８": "マイナンバー：[my_number]",
    # Neighbours.
    "DE89 3704 0044 0532 0130 00 GB29 NWBK 6016 1331 9268 19": "[iban] [iban]",
    "AB12 GB29 NWBK 6016 1331 9268 19": "AB12 [iban]",
    "gb29 nwbk 6016 1331 9268 19": "[iban]",
    "普通 12345678901": "普通 [bank_account]",
    "普通 1234567": "普通 [bank_account]",
    "4502 5105 2510 0973 6267": "[card]",
    "Visa4111111111111111": "Visa[card]",
    "cc_4111111111111111": "cc_[card]",
    "4111_1111_1111_1111": "[card]",
    "4111111111111111USD": "[card]USD",
    "4111\t1111\t1111\t1111": "[card]",
    "4111\n1111\n1111\n1111": "[card]",
    "4111/1111/1111/1111": "[card]",
    "4111 - 1111 - 1111 - 1111": "[card]",
    "٤١١١١١١١١١١١١١١١": "[card]",
    "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹": "[card]",
    "4111.1111.1111.1111": "[card]",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1": "[card]",
}


@pytest.mark.parametrize("text", EXACT)
def test_exact_redaction(text: str) -> None:
    assert masked(text) == EXACT[text]


KEPT = [
    "伝票番号：1234-5678-9018",
    "お荷物の追跡番号は 1234-5678-9018 です",
    "tracking 1234 5678 9018",
    "routing table: 192.168.100.200",
    "当座 1000000円",
    "普通:100000人",
    "普通 20240115",
    'password = os.environ["PW"]',
    "password=hashlib.sha256(x)",
    "pwd=/home/user/x",
    "passwd:x:1000:1000",
    "The password is case-sensitive, as ever",
    "password: ${DB_PASSWORD}",
    "password: <your-password>",
    "password=getpass.getpass()",
    "password: str | None = None",
    "password: Optional[str]",
    "if password == stored_hash2:",
    "password: self.password2",
    "password: your-password-here",
    '"password": "Please enter at least 8 characters"',
    "password: 2024-01-15",
    "class sk-toggleable__label-arrow",
    "pip install sk-learn-contrib-imbalanced-ensemble",
    "0.4111111111111111 and 3.4111111111111111e-05",
    r"\alpha = 4.1111\,11\,11, \beta_{4111} = 0.5555555555554444",
    "2023-01-02 10:00:00,123 INFO 4001 4002 4003 4004 done",
    "|4000|4001|\n4000\n4001\n4002\n4003\n4004\n",
    "JAN 4901234567894",
    "https://localhost:8080?mail=a@b.co",
    "ご注文番号 250-1234567-1234567 の商品は1月15日に発送予定です。",
    "订单号 20240115123456，金额 1,280.00 元，请于 2024-01-20 前付款。",
    "주문번호 2024011512345 상품은 1월 20일에 배송됩니다. 금액 35,000원",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_floats_are_no_cards() -> None:
    rng = random.Random(3)
    for _ in range(20):
        text = json.dumps([rng.random() * 10 ** rng.randint(-3, 3) for _ in range(768)])
        assert masked(text) == text


@pytest.mark.parametrize("detectors", [[{"name": "credit_card"}], [{"name": "card"}, {"name": "nope"}], []])
def test_what_cannot_be_run_is_not_covered(detectors: list[dict[str, str]]) -> None:
    guard = custom(detectors=detectors)
    entry = guard.coverage()[0]
    assert entry.cover is Cover.UNCOVERED
    assert entry.reason
    assert guard.check_one("nothing").status is Status.ABSTAINED


def test_a_heavier_finding_inside_a_lighter_pattern() -> None:
    guard = custom(patterns=[{"expression": "card: [0-9 ]+", "severity": 2}], detectors=[{"name": "card"}])
    text = "card: 4111 1111 1111 1111"
    verdict = guard.check_one(text)
    assert (verdict.decision, redact(text, verdict.redactions)) == ("redact", "card: [card]")


def test_what_an_exception_excepts() -> None:
    guard = custom(
        detectors=[{"name": "card"}, {"name": "email", "severity": 2}],
        patterns=[{"expression": "kingfisher", "severity": 3}],
        exemptions=[
            {"kind": "pattern", "value": r"order (?P<value>[0-9]{16})"},
            {"kind": "pattern", "value": r"[a-z0-9]+@example\.com"},
            {"kind": "exact", "value": "test card 5555555555554444"},
        ],
    )
    assert guard.check_one("order 4111111111111111.").decision == "allow"
    assert guard.check_one("test card 5555555555554444").decision == "allow"
    assert guard.check_one("anna@example.com").decision == "allow"
    assert guard.check_one("kingfisher@example.com").decision == "redact"
    assert guard.check_one("pay 4111111111111111").decision == "redact"


def test_a_deeply_nested_header_breaks_nothing() -> None:
    bad = base64.urlsafe_b64encode(b'{"a":' + b"[" * 3000).decode().rstrip("=")
    verdict = GUARD.check_one(f"{bad}.abcdefghij.klm and 4111111111111111")
    assert verdict.status is Status.OK
    assert [r.label for r in verdict.redactions] == ["card"]


def test_a_broken_detector_fails_the_rules_that_use_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.guards.rules import _personal

    def broken(candidate: str, around: object) -> float:
        raise RuntimeError

    monkeypatch.setattr(_personal, "_card", broken)
    verdict = GUARD.check_one(f"4111111111111111 {TOKEN}")
    personal, secrets = verdict.rule("personal_data"), verdict.rule("secrets")
    assert personal is not None
    assert secrets is not None
    assert personal.status is Status.ERROR
    assert secrets.status is Status.OK
    assert [r.label for r in verdict.redactions] == ["access_token"]


ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
KEYS = {
    "AKIA{}": (string.ascii_uppercase + "234567", 16),
    "AIza{}": (URL, 35),
    "sk-proj-{}": (URL, 48),
    "sk-{}": (ALNUM, 48),
    "sk-ant-api03-{}": (URL, 93),
    "sk-or-v1-{}": ("0123456789abcdef", 64),
    "sk_live_{}": (ALNUM, 24),
    "glpat-{}": (URL, 20),
    "ghp_{}": (ALNUM, 36),
    "hf_{}": (ALNUM, 34),
    "npm_{}": (ALNUM, 36),
    "xoxb-123456789012-{}": (ALNUM, 24),
    "gsk_{}": (ALNUM, 52),
}


@pytest.mark.parametrize("form", KEYS)
def test_random_keys_in_vendors_formats(form: str) -> None:
    rng = random.Random(form)
    alphabet, length = KEYS[form]
    keys = [form.format("".join(rng.choice(alphabet) for _ in range(length))) for _ in range(300)]
    missed = [key for key in keys if key[:12] in masked(f"The key is {key} , keep it")]
    assert len(missed) <= 1, missed


def luhn(rng: random.Random, prefix: str, length: int) -> str:
    body = prefix + "".join(rng.choice("0123456789") for _ in range(length - len(prefix) - 1))
    total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


ISSUERS = [("4", 16), ("52", 16), ("34", 15), ("6011", 16), ("3530", 16), ("36", 14)]


def test_cards_in_all_usual_spellings() -> None:
    rng = random.Random(11)
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for _ in range(300):
        prefix, length = rng.choice(ISSUERS)
        card = luhn(rng, prefix, length)
        layout = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
        cuts = [sum(layout[:i]) for i in range(len(layout) + 1)]
        groups = [card[a:b] for a, b in pairwise(cuts)]
        text = rng.choice(["", " ", "-", " - ", "　", "－", ".", "_", "\n", "\t", "/"]).join(groups)
        text = text.translate(wide) if rng.random() < 0.3 else text
        assert masked(f"番号は {text} です") == "番号は [card] です", text
        assert masked(f"pay {text}, please") == "pay [card], please", text


PHONES = [
    "(03)1234-5678", "03(1234)5678", "02)312-4567", "010-12345678", "138 1234 5678", "138-1234-5678", "07700 900123",  # noqa: E501
    "06 12 34 56 78", "030 1234567", "1-415-555-2671", "(415)555-2671", "03-1234-5678", "+81 3-1234-5678",
]  # fmt: skip


@pytest.mark.parametrize("phone", PHONES)
def test_national_forms_of_phone_numbers(phone: str) -> None:
    guard = custom(detectors=[{"name": "phone"}])
    text = f"x: {phone} ok"
    assert redact(text, guard.check_one(text).redactions) == "x: [phone] ok"


@pytest.mark.parametrize(
    "text", ["order 0123456789", "id 13912345678", "2024-01-15 10:00:00", "0.123 0.4567 0.89"]
)
def test_what_is_no_phone_number(text: str) -> None:
    assert custom(detectors=[{"name": "phone"}]).check_one(text).decision == "allow"


def test_bare_phone_numbers_beside_the_word() -> None:
    guard = custom(detectors=[{"name": "phone"}])
    text = "tel 09012345678, 手机13912345678"
    assert redact(text, guard.check_one(text).redactions) == "tel [phone], 手机[phone]"


def test_many_phone_numbers_take_bounded_time() -> None:
    rng = random.Random(2)
    text = "\n".join(
        f"0{rng.randint(10, 99)}-{rng.randint(100, 999)}-{rng.randint(1000, 9999)}" for _ in range(20_000)
    )
    started = time.perf_counter()
    custom(detectors=[{"name": "phone"}]).check_one(text)
    assert time.perf_counter() - started < 5


EXAMPLES = (
    "AT611904300234573201 BE68539007547034 CH9300762011623852957 DE89370400440532013000 ES9121000418450200051332 "
    "FI2112345600000785 FR1420041010050500013M02606 GB29NWBK60161331926819 IT60X0542811101000000123456 "
    "NL91ABNA0417164300 NO9386011117947 PL61109010140000071219812874 SE4550000000058398257466 "
    "TR330006100519786457841326"
)


def test_iban_examples() -> None:
    from stdnum import iban

    for number in EXAMPLES.split():
        for written in (
            number,
            iban.format(number),
            number.lower(),
            iban.format(number).lower(),
            iban.format(number, "-"),
        ):
            assert masked(f"Pay to {written}, please") == "Pay to [iban], please"
            assert masked(f"口座は{written}です") == "口座は[iban]です"


def test_my_numbers_beside_the_word() -> None:
    from stdnum.jp import in_

    rng = random.Random(4)
    for _ in range(100):
        body = "".join(rng.choice("0123456789") for _ in range(11))
        number = body + in_.calc_check_digit(body)
        for written in (
            number,
            f"{number[:4]}-{number[4:8]}-{number[8:]}",
            f"{number[:4]} {number[4:8]} {number[8:]}",
        ):
            text = f"マイナンバーは{written}です"
            assert masked(text) == "マイナンバーは[my_number]です"


def test_ordinary_text_is_quick() -> None:
    text = (
        "Thank you for the order. It leaves on Monday, and the driver will ring twice before he goes away. "
        * 2
    )
    started = time.perf_counter()
    for _ in range(200):
        GUARD.check_one(text)
    assert (time.perf_counter() - started) / 200 < 0.002
