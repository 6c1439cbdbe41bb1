"""Personal data with checksums: a wrong check digit is not a number.

Checksums come from python-stdnum, phone rules from phonenumbers; the patterns only propose.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module

from ._matching import DIGIT, Around, DetectorSpec, Groups, Part, Shape, digits_of, sure

# Boundaries that consume nothing: two numbers may share the one space between them.
_EDGE = _END = r"\b"
_DASH = r"\-\x{2010}-\x{2015}\x{2212}\x{FF0D}\x{30FC}\x{FF70}"
_BLANK = r" \x{3000}"
_RUN = rf"({DIGIT}(?:[{_BLANK}{_DASH}./_\t\r\n]{{0,3}}{DIGIT})*)"
"""A whole run of digit groups: which of them make a number is for the check to say. It has no boundaries,
since it takes in every digit there is."""
_SHORT_RUN = rf"\b([0-9](?:[{_BLANK}{_DASH}]?[0-9])*)\b"

_LAYOUTS = {
    (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (6, 13), (8, 8),
    (4, 3, 3, 3), (4, 4, 4, 1), (4, 4, 4, 2), (4, 4, 4, 3),
}  # fmt: skip
"""The groups in which cards are printed and typed."""
_STARTS = {layout[:2] for layout in _LAYOUTS}
_COLUMN = frozenset("\n\t/_")
_WORD_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9_\-])[A-Za-z_]{1,40}$")
_WORD_AFTER = re.compile(r"^[A-Za-z_]{1,40}(?:$|[^A-Za-z0-9_\-])")
_BARCODE = re.compile(r"(?i)\b(?:jan|ean|isbn|gtin|upc|barcode)|バーコード|商品コード")


def _cards(candidate: str, around: Around) -> list[Part]:
    """Every part of the run that is a card: parts may overlap, then all of them go."""
    groups = Groups.of(candidate)
    count = len(groups.digits)
    sizes = [len(group) for group in groups.digits]
    found: list[Part] = []
    for first in range(count):
        row = groups.digits[first]
        last = first
        # Other groups than the usual are believed when the run is exactly one number.
        whole = first == 0 and count <= 19 and sum(sizes) <= 19
        while True:
            if len(row) > 12 and _readable_card(groups, sizes, first, last, around) and _card(row, around):
                found.append((groups.spans[first][0], groups.spans[last][1], 0.99))
            if last + 1 == count or len(row) > 19:
                break
            if not whole and last == first and (sizes[first], sizes[first + 1]) not in _STARTS:
                break
            last += 1
            row += groups.digits[last]
    return found


def _readable_card(groups: Groups, sizes: list[int], first: int, last: int, around: Around) -> bool:
    """These groups are written as one number, not as figures that happen to follow each other."""
    end = len(sizes) - 1
    before = groups.kinds[first - 1] if first else ""
    after = groups.kinds[last] if last < end else ""
    kinds = set(groups.kinds[first:last])
    if kinds != {"."} and "." in (before, after):
        return False  # the fraction of a number, or what stands before it
    if not first and around.before[-1:] == "." and not around.before[-2:-1].isalpha():
        return False
    if last > first:
        if "." in kinds and (len(kinds) > 1 or "." in (before, after) or min(sizes[first : last + 1]) < 2):
            return False
        if tuple(sizes[first : last + 1]) not in _LAYOUTS:
            if (
                first
                or last < end
                or len(kinds) > 1
                or "." in kinds
                or sum(sizes) < 14
                or around.before[-1:] == "+"
            ):
                return False
        elif kinds & _COLUMN:
            # A column of four-digit numbers goes on.
            kind = next(iter(kinds))
            if len(kinds) > 1 or (before == kind and sizes[first - 1] == 4):
                return False
            if after == kind and sizes[last + 1] == 4:
                return False
    glued = (not first and _glued(around.before[-1:]), last == end and _glued(around.after[:1]))
    if not any(glued):
        return True
    # Beside letters it is a number only if all of it is, and they are a word: no piece of a hash.
    return (
        first == 0
        and last == end
        and (not glued[0] or _WORD_BEFORE.search(around.before) is not None)
        and (not glued[1] or _WORD_AFTER.search(around.after) is not None)
    )


def _glued(character: str) -> bool:
    return character == "_" or (character.isascii() and character.isalpha())


_ODD_DIGITS = {d: sum(divmod(2 * int(d), 10)) for d in "0123456789"}


def _card(digits: str, around: Around) -> bool:
    """Issuer prefix, length and Luhn check digit."""
    if len(digits) > 19 or len(set(digits)) < 2 or not _issuer(digits):
        return False
    if len(digits) == 13 and _BARCODE.search(around.before):
        return False
    return (sum(map(int, digits[-1::-2])) + sum(_ODD_DIGITS[d] for d in digits[-2::-2])) % 10 == 0


_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}")
_COUNTRIES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 "
    "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 "
    "PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
    "VA22 VG24 XK20 YE30"
)
_IBAN_LENGTHS = {pair[:2]: int(pair[2:]) for pair in _COUNTRIES.split()}


def _ibans(candidate: str, around: Around) -> list[Part]:
    """At each place where a country's number may begin: so many characters, to a group's end, mod 97."""
    found: list[Part] = []
    reach = 0
    for start in _IBAN_START.finditer(candidate):
        at = start.start()
        length = _IBAN_LENGTHS.get(candidate[at : at + 2].upper())
        if length is None or at < reach:
            continue
        signs, end = "", at
        while len(signs) < length and end < len(candidate):
            signs += candidate[end] if candidate[end].isalnum() else ""
            end += 1
        if len(signs) < length or (end < len(candidate) and candidate[end].isalnum()):
            continue
        if int("".join(str(int(c, 36)) for c in (signs[4:] + signs[:4]))) % 97 == 1:
            found.append((at, end, 0.99))
            reach = end
    return found


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


_FRACTION = re.compile(r"[0-9]\.$")


def _valid(module: str, candidate: str, around: Around, *, score: float = 0.99) -> float:
    """python-stdnum's word on the candidate, unless it is a piece of a decimal fraction."""
    if _FRACTION.search(around.before) or re.match(r"\.[0-9]{5}", around.after):
        return 0.0
    digits = "".join(c for c in candidate if c.isalnum())
    return score if import_module(f"stdnum.{module}").is_valid(digits) else 0.0


def _checked(module: str, *, score: float = 0.99) -> partial[float]:
    return partial(_valid, module, score=score)


def _my_number(digits: str) -> bool:
    from stdnum.jp import in_

    return bool(in_.is_valid(digits))


def _my_numbers(candidate: str, around: Around) -> list[Part]:
    groups = Groups.of(candidate)
    return [
        (groups.spans[first][0], groups.spans[last][1], 0.99)
        for first, last, digits in groups.windows(range(12, 13))
        if _my_number(digits)
    ]


_OTHER_NUMBER = re.compile(
    r"(?i)伝票|荷物|追跡|送り状|問い?合わ?せ番号|注文|受注|発注|管理番号|予約|会員|シリアル|製造番号|请求|快递|运单|单号|订单|訂單|"
    r"송장|주문|운송장|tracking|order|invoice|ticket|serial|parcel|waybill|shipment|booking|slip|sku"
)


def _grouped_my_number(candidate: str, around: Around) -> float:
    """Three groups of four that are not part of a longer row of groups, nor called by another name: slips
    of parcels are written the same way."""
    groups = Groups.of(candidate)
    if [len(group) for group in groups.digits] != [4, 4, 4] or not set(groups.kinds) <= {" ", "-"}:
        return 0.0
    if _glued(around.before[-1:]) or _glued(around.after[:1]) or _OTHER_NUMBER.search(around.before):
        return 0.0
    return 0.9 if _my_number("".join(groups.digits)) else 0.0


_DATE = re.compile(r"(?:19|20)[0-9]{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])")
_AMOUNT = re.compile(r"^(?:[.,][0-9]|\s*[円人件個名年月日台回本枚万億%％元块원명건])")


def _japanese_account(candidate: str, around: Around) -> float:
    """All digits that follow the kind of account: an amount or a date is none."""
    if not 6 <= len(candidate) <= 14 or _DATE.fullmatch(candidate) or _AMOUNT.search(around.after):
        return 0.0
    return 0.95


def _accounts(candidate: str, around: Around) -> list[Part]:
    if _DATE.fullmatch(candidate) or around.before[-1:] == "." or re.match(r"\.[0-9]", around.after):
        return []
    groups = Groups.of(candidate)
    return [
        (groups.spans[first][0], groups.spans[last][1], 0.85)
        for first, last, digits in groups.windows(range(6, 18))
        if len(set(digits)) > 1
    ]


_REGIONS = ("JP", "US", "CN", "KR", "GB", "DE", "FR", "IN", "AU", "TW", "HK", "SG", "BR", "ES", "IT")
_PHONE_WORD = r"(?i)\b(tel|phone|call|mobile|cell|fax|whatsapp|contact)|☎|电话|電話|手机|手機|携帯|连絡|連絡先|전화|휴대|연락처"
_PHONES = 400
"""Candidates of a text that are looked up in the numbering plans: each costs a fraction of a millisecond."""


def _phone(candidate: str, around: Around) -> float:
    """A number that exists in some numbering plan and is written as people write phone numbers."""
    import phonenumbers

    if re.match(r"[-/.][0-9]", around.after) or re.search(r"[0-9][ -]$", around.before):
        return 0.0  # a date, a version, a longer number
    digits = digits_of(candidate)
    if not 9 <= len(digits) <= 15 or len(set(digits)) < 3:
        return 0.0
    international = candidate.lstrip().startswith("+")
    for region in (None,) if international else _REGIONS:
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return 0.95 if international else 0.8
    return 0.0


def _address(candidate: str, around: Around) -> float:
    """An IPv4 address that is not reserved, not a version number."""
    import ipaddress

    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return 0.0
    if "version" in (around.before + around.after).lower() or around.before[-1:].lower() == "v":
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
        (Shape(_RUN, _cards, least=13),),
    ),
    DetectorSpec(
        "iban",
        "international bank account number (country format, mod 97)",
        (Shape(rf"\b([A-Za-z]{{2}}[0-9]{{2}}(?:[{_BLANK}{_DASH}]?[0-9A-Za-z])*)", _ibans, least=15),),
    ),
    DetectorSpec(
        "bank_account",
        "bank account (Japanese branch and number, or a number beside the words)",
        (
            Shape(
                r"(?:普通|当座|貯蓄)(?:預金|口座)?\s*[:：]?\s*(?:口座番号)?\s*[:：]?\s*(?:No\.?)?\s*([0-9]{6,})",
                _japanese_account,
            ),
            Shape(
                _SHORT_RUN,
                _accounts,
                least=6,
                near=r"(?i)(account (?:no|number|#)|acct\b|routing (?:no|number|#|transit)|\baba (?:no|number|#)|sort code|口座番号|口座番號|银行账号|银行卡号|账号[:：]|帳號|帳戶號碼|계좌)",
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
            Shape(_RUN, _grouped_my_number, least=14, reach=24),
            Shape(
                _RUN,
                _my_numbers,
                least=12,
                near=r"(?i)(マイナンバ|個人番号|my ?number|individual number)",
            ),
        ),
    ),
    DetectorSpec(
        "phone",
        "telephone number (numbering plans of all countries)",
        (
            Shape(rf"(?:^|[^0-9A-Za-z+])(\+[0-9][0-9 ().{_DASH}]{{7,20}}[0-9])\b", _phone, most=_PHONES),
            # (03)1234-5678, 03(1234)5678, 02)312-4567, 06 12 34 56 78
            Shape(
                r"(?:^|[^0-9A-Za-z.\-/])(\(?0[0-9]{1,5}(?:[ \-.]|\) ?| ?\()[0-9]{1,4}(?:(?:[ \-.]|\) ?)[0-9]{2,4}){1,4})\b",
                _phone,
                most=_PHONES,
            ),
            # 010-12345678, 07700 900123, 030 1234567
            Shape(r"(?:^|[^0-9A-Za-z.\-/])(\(?0[0-9]{1,4}(?:[ \-]|\) ?)[0-9]{6,8})\b", _phone, most=_PHONES),
            # (415)555-2671, 1-415-555-2671
            Shape(
                r"(?:^|[^0-9A-Za-z.\-/])((?:1[ \-.])?\(?[2-9][0-9]{2}(?:\) ?|[ \-.])[0-9]{3}[ \-.][0-9]{4})\b",
                _phone,
                most=_PHONES,
            ),
            Shape(r"(?:^|[^0-9A-Za-z.\-/])(1[3-9][0-9][ \-][0-9]{4}[ \-][0-9]{4})\b", _phone, most=_PHONES),
            # Digits alone are an order number as well.
            Shape(
                r"(?:^|[^0-9A-Za-z.\-/])((?:0[0-9]{9,10}|1[3-9][0-9]{9}))\b",
                _phone,
                near=_PHONE_WORD,
                reach=24,
                most=_PHONES,
            ),
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
