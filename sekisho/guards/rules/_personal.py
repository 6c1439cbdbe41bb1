"""Personal data with checksums: a wrong check digit is not a number.

Checksums come from python-stdnum, phone rules from phonenumbers; the patterns only propose.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module

from ._matching import DetectorSpec, Part, Shape, digits_of, numbers_in, sure

# Boundaries that consume nothing: two numbers may share the one space between them.
_EDGE = _END = r"\b"
_DASH = r"\-\x{2010}-\x{2015}\x{2212}"
_RUN = rf"\b([0-9](?:[ {_DASH}.]{{0,2}}[0-9])*)\b"
"""A whole run of digit groups: which of them make a number is for `numbers_in` to say."""


def _cards(candidate: str, around: str) -> list[Part]:
    return numbers_in(candidate, _card, lengths=range(13, 20))


def _card(digits: str) -> float:
    """Issuer prefix, length and Luhn check digit."""
    if len(set(digits)) < 2 or not _issuer(digits):
        return 0.0
    from stdnum import luhn

    return 0.99 if luhn.is_valid(digits) else 0.0


def _ibans(candidate: str, around: str) -> list[Part]:
    """The longest beginning of the candidate, at a group's end, that is an IBAN: words may follow it."""
    from stdnum import iban

    ends = [i for i in range(15, len(candidate) + 1) if i == len(candidate) or not candidate[i].isalnum()]
    for end in reversed(ends):
        if 15 <= sum(c.isalnum() for c in candidate[:end]) <= 34 and iban.is_valid(candidate[:end]):
            return [(0, end, 0.99)]
    return []


def _issuer(digits: str) -> bool:
    n, two, four = len(digits), int(digits[:2]), int(digits[:4])
    return (
        (digits[0] == "4" and n in (13, 16, 19))  # Visa
        or (n == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))  # Mastercard
        or (n == 15 and two in (34, 37))  # American Express
        or (n == 16 and (four == 6011 or two in (64, 65)))  # Discover
        or (n == 16 and 3528 <= four <= 3589)  # JCB
        or (n == 14 and two in (30, 36, 38, 39))  # Diners
        or (16 <= n <= 19 and two == 62)  # UnionPay
    )


def _valid(module: str, candidate: str, around: str, *, score: float = 0.99) -> float:
    """python-stdnum's word on the candidate."""
    digits = "".join(c for c in candidate if c.isalnum())
    return score if import_module(f"stdnum.{module}").is_valid(digits) else 0.0


def _checked(module: str, *, score: float = 0.99) -> partial[float]:
    return partial(_valid, module, score=score)


def _my_numbers(candidate: str, around: str) -> list[Part]:
    return numbers_in(candidate, lambda digits: _valid("jp.in_", digits, ""), lengths=range(12, 13))


def _grouped_my_number(candidate: str, around: str) -> float | list[Part]:
    """Three groups of four that are not part of a longer row of groups (a card, an IBAN)."""
    if sum(c.isdecimal() for c in candidate) != 12 or [len(g) for g in re.split(r"\D+", candidate)] != [
        4,
        4,
        4,
    ]:
        return 0.0
    return _valid("jp.in_", candidate, around, score=0.9)


def _accounts(candidate: str, around: str) -> list[Part]:
    return numbers_in(candidate, lambda digits: 0.85 if len(set(digits)) > 1 else 0.0, lengths=range(6, 18))


_LIKELY_REGIONS = (
    "JP",
    "US",
    "CN",
    "KR",
    "GB",
    "DE",
    "FR",
    "IN",
    "AU",
    "TW",
    "HK",
    "SG",
    "CA",
    "BR",
    "ES",
    "IT",
)


def _phone(candidate: str, around: str) -> float:
    """A number that exists in some numbering plan and is written as people write phone numbers."""
    import phonenumbers

    after = around[around.find(candidate) + len(candidate) :]
    if len(after) > 1 and after[0] in "-/." and after[1].isdigit():
        return 0.0  # a date, a version, a longer number
    digits = digits_of(candidate)
    if not 9 <= len(digits) <= 15 or len(set(digits)) < 3:
        return 0.0
    international = candidate.lstrip().startswith("+")
    for region in (None,) if international else _LIKELY_REGIONS:
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return 0.95 if international else 0.8
    return 0.0


def _address(candidate: str, around: str) -> float:
    """An IPv4 address that is not reserved, not a version number."""
    import ipaddress

    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return 0.0
    lowered = around.lower()
    if "version" in lowered or f"v{candidate}" in lowered:
        return 0.0
    return 0.8 if address.is_global else 0.0


_ID_WORDS = (
    r"(?i)(passport|social security|ssn|national id|identity|id (?:no|number|card)|tax (?:id|number)|nino|nhs|"
    r"aadhaar|aadhar|cpf|dni|nie|codice fiscale|steuer|nir\b|bsn|personnummer|sin\b|tfn|pan\b|"
    r"身份证|身分證|주민|등록번호|番号|号码|號碼|证号|證號)"
)

PERSONAL = (
    DetectorSpec(
        "card",
        "payment card number (issuer prefix, length, Luhn)",
        (Shape(_RUN, _cards),),
    ),
    DetectorSpec(
        "iban",
        "international bank account number (country format, mod 97)",
        (
            Shape(rf"\b([A-Z]{{2}}[0-9]{{2}}(?:[ {_DASH}]?[0-9A-Z]{{1,4}}){{2,10}})\b", _ibans),
            Shape(r"(?i)\b([A-Z]{2}[0-9]{2}[0-9A-Z]{11,30})\b", _ibans),
        ),
    ),
    DetectorSpec(
        "bank_account",
        "bank account (Japanese branch and number, or a number beside the words)",
        (
            Shape(
                r"(?:普通|当座|貯蓄)(?:預金|口座)?\s*[:：]?\s*(?:口座番号)?\s*[:：]?\s*(?:No\.?)?\s*([0-9]{6,8})",
                sure(0.95),
            ),
            Shape(
                _RUN,
                _accounts,
                near=r"(?i)(account (?:no|number|#)|acct|routing|sort code|口座番号|口座番號|银行账号|银行卡号|账号[:：]|帳號|帳戶號碼|계좌)",
                reach=24,
            ),
        ),
    ),
    DetectorSpec(
        "national_id",
        "national identity number of a person (checksums where the country has one)",
        (
            Shape(rf"{_EDGE}([0-9]{{6}}[- ][1-8][0-9]{{6}}){_END}", _checked("kr.rrn")),
            Shape(rf"{_EDGE}([1-9][0-9]{{5}}(?:19|20)[0-9]{{9}}[0-9Xx]){_END}", _checked("cn.ric")),
            Shape(rf"{_EDGE}([0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}){_END}", _checked("us.ssn", score=0.9)),
            Shape(
                rf"{_EDGE}([0-9]{{9}}){_END}",
                _checked("us.ssn", score=0.85),
                near=r"(?i)\b(ssn|social security)\b",
            ),
            Shape(
                rf"{_EDGE}([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[A-D]){_END}",
                sure(0.9),
            ),
            Shape(rf"{_EDGE}([2-9][0-9]{{3}} [0-9]{{4}} [0-9]{{4}}){_END}", _checked("in_.aadhaar")),
            Shape(rf"{_EDGE}([2-9][0-9]{{11}}){_END}", _checked("in_.aadhaar"), near=r"(?i)aadha+r|आधार"),
            Shape(
                rf"{_EDGE}([A-Z]{{3}}[ABCFGHLJPT][A-Z][0-9]{{4}}[A-Z]){_END}", _checked("in_.pan", score=0.9)
            ),
            Shape(
                rf"{_EDGE}([12] ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9][0-9AB] ?[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{2}}){_END}",
                _checked("fr.nir"),
            ),
            Shape(rf"{_EDGE}([0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]{{2}}){_END}", _checked("br.cpf")),
            Shape(rf"{_EDGE}([0-9]{{8}}-?[A-Z]){_END}", _checked("es.dni")),
            Shape(rf"{_EDGE}([XYZ]-?[0-9]{{7}}-?[A-Z]){_END}", _checked("es.nie")),
            Shape(
                rf"{_EDGE}([A-Z]{{6}}[0-9]{{2}}[A-EHLMPRST][0-9]{{2}}[A-Z][0-9]{{3}}[A-Z]){_END}",
                _checked("it.codicefiscale"),
            ),
            Shape(rf"{_EDGE}([0-9]{{6}}[-+][0-9]{{4}}){_END}", _checked("se.personnummer", score=0.9)),
            Shape(rf"{_EDGE}([A-Z][12][0-9]{{8}}){_END}", lambda candidate, around: _taiwan(candidate)),
            Shape(rf"{_EDGE}([0-9](?:[ -]?[0-9]){{10}}){_END}", _checked("de.idnr"), near=r"(?i)steuer"),
            Shape(
                rf"{_EDGE}([0-9]{{9}}){_END}",
                _checked("nl.bsn", score=0.9),
                near=r"(?i)\b(bsn|burgerservicenummer)\b",
            ),
            Shape(
                rf"{_EDGE}([0-9]{{3}}[ -]?[0-9]{{3}}[ -]?[0-9]{{4}}){_END}",
                _checked("gb.nhs", score=0.9),
                near=r"(?i)\bnhs\b",
            ),
            Shape(
                rf"{_EDGE}([0-9]{{3}}[ -]?[0-9]{{3}}[ -]?[0-9]{{3}}){_END}",
                _checked("ca.sin", score=0.9),
                near=r"(?i)\b(sin|social insurance)\b",
            ),
            Shape(
                rf"{_EDGE}([0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{3}}){_END}",
                _checked("au.tfn", score=0.9),
                near=r"(?i)\b(tfn|tax file)\b",
            ),
            Shape(
                rf"{_EDGE}([A-Z]{{1,2}}[0-9]{{6,8}}){_END}",
                sure(0.85),
                near=r"(?i)(passport|旅券番号|パスポート番号|护照号|護照號|여권번호)",
                reach=20,
            ),
        ),
    ),
    DetectorSpec(
        "my_number",
        "Japanese Individual Number (12 digits, check digit)",
        (
            Shape(_RUN, _grouped_my_number),
            Shape(
                _RUN,
                _my_numbers,
                near=r"(?i)(マイナンバ|個人番号|my ?number|individual number)",
            ),
        ),
    ),
    DetectorSpec(
        "phone",
        "telephone number (numbering plans of all countries)",
        (
            Shape(r"(?:^|[^0-9A-Za-z+])(\+[0-9][0-9 ().\-]{7,20}[0-9])\b", _phone),
            Shape(r"(?:^|[^0-9A-Za-z.\-/])(\(?0[0-9]{1,4}\)?[ \-.][0-9]{1,4}[ \-.][0-9]{3,4})\b", _phone),
            Shape(r"(?:^|[^0-9A-Za-z.\-/])(\(?[2-9][0-9]{2}\)?[ \-.][0-9]{3}[ \-.][0-9]{4})\b", _phone),
            Shape(r"(?:^|[^0-9A-Za-z.\-/])((?:0[0-9]{9,10}|1[3-9][0-9]{9}))\b", _phone),
        ),
    ),
    DetectorSpec(
        "email",
        "e-mail address",
        (
            Shape(
                r"([A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62})\.){1,8}[A-Za-z]{2,24})",
                sure(0.95),
            ),
        ),
    ),
    DetectorSpec(
        "postal_code",
        "Japanese postal code",
        (
            Shape(r"(?:〒|郵便番号)\s*[:：]?\s*([0-9]{3}[-‐−–]?[0-9]{4})", sure(0.9)),
            Shape(r"(?:^|[^0-9\-])([0-9]{3}-[0-9]{4})\s*[\p{Han}]{2,4}[都道府県]", sure(0.9)),
        ),
    ),
    DetectorSpec(
        "ip_address",
        "public IPv4 address",
        (Shape(r"(?:^|[^0-9A-Za-z.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})\b", _address),),
    ),
)


def _taiwan(candidate: str) -> float:
    """Taiwan identity card: letter value and weighted sum modulo 10."""
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(candidate[0]) + 10
    digits = [letter // 10, letter % 10, *(int(c) for c in candidate[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return 0.95 if sum(d * w for d, w in zip(digits, weights, strict=True)) % 10 == 0 else 0.0
