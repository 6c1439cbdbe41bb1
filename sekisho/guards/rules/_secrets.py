"""Keys, tokens, passwords: the formats that vendors publish, and entropy where there is no format."""

from __future__ import annotations

import base64
import re

from ._matching import Around, Check, DetectorSpec, Part, Shape, entropy, sure

_LISTED = (
    "example changeme change_me your placeholder password passwort passwd secret dummy redacted none null nil true "
    "false test todo insert sample here hidden masked undefined required string mypassword yourpassword pass "
    "xxx"
)
_WORDS = frozenset(_LISTED.split())
_MASK = re.compile(
    r"\$\{?\w+\}?|\$\(.*|\$?\{\{.*\}\}|\$\{.*\}|\{\w*\}|%\w+%|%[sdr]|<.*>|\[.*\]|\*+|[xX]+|[._•●＊…?#-]+"
    r"|(?i:(?:your|my|insert|enter|example|dummy|sample|some|the|change)[-_ ]?(?:\w+[-_ ])*?"
    r"(?:pass(?:word|wd)?|pwd|secret|token|key|me|value|here|this)s?(?:[-_ ]?here)?)"
)
"""What stands in a value's place, by its whole form: a `$` or a word inside a password is part of it."""
_CALL = re.compile(
    r"[A-Za-z_]\w*(?:\.\w+)*[(\[].*[)\]][)\];,:.]*|[A-Za-z_]\w*(?:(?:\.\w+)+[(\[]|[(\[][\"']|[(\[]$).*"
)
_PATH = re.compile(
    r"(?:~|\.{1,2})?(?:/[\w.\-]+){2,}/?|(?:~|\.{1,2})?/[a-z.\-]+/?|[A-Za-z]:\\.*|[a-z]+://[^@]*"
)
_NAMES = re.compile(
    r"[a-z]+(?:[-'’][a-z]+)+|[A-Za-z]+(?:[._|/][A-Za-z]+)+|[x*!]?:\d+:.*|[=>~].*|\d{4}[-/.]\d\d?[-/.]\d\d?.*"
    r"|(?:self|this|args|config|cfg|os|env|settings|process|request|req|user|data|options|opts|params|form|ctx"
    r"|props|state|body|app|conf|input|creds|credentials|secrets|var|local|module)\.\w[\w.]*"
)


def _placeholder(candidate: str) -> bool:
    return candidate.lower() in _WORDS or _MASK.fullmatch(candidate) is not None


def _token(prefix: str) -> Check:
    """Vendor format and enough randomness after the literal prefix: `AKIAXXXXXXXXXXXXXXXX` is not a key."""
    literal = re.compile(prefix)

    def check(candidate: str, around: Around) -> float:
        found = literal.match(candidate)
        return 0.97 if entropy(candidate[found.end() if found else 0 :]) >= 2.4 else 0.0

    return check


def _sk(candidate: str, around: Around) -> float:
    """`sk-` begins names in style sheets and packages too: a key mixes digits and letters of both cases, or
    is a long row of hexadecimal digits."""
    body = re.sub(r"^sk-(?:ant-(?:api\d\d-)?|proj-|svcacct-|or-(?:v1-)?)?", "", candidate)
    if entropy(body) < 2.8:
        return 0.0
    upper = sum(c.isupper() for c in body)
    if any(c.isdigit() for c in body):
        return 0.97 if upper or re.search(r"[0-9a-f]{28}", body) else 0.0
    lower = sum(c.islower() for c in body)
    return 0.9 if upper * 10 >= 3 * len(body) and lower * 5 >= len(body) else 0.0


def _random(candidate: str, around: Around) -> float:
    """No format: at least 3.4 bits a character, letters and digits mixed, not a placeholder."""
    if _WORDS & set(re.split(r"[^a-z]+", candidate.lower())) or _MASK.fullmatch(candidate):
        return 0.0
    mixed = any(c.isdigit() for c in candidate) and any(c.isalpha() for c in candidate)
    return 0.85 if mixed and entropy(candidate) >= 3.4 else 0.0


def _password(candidate: str, around: Around) -> float | list[Part]:
    """What stands after `password:` unless it is a placeholder, an expression, a path or plain words."""
    if around.before[-1:] in _QUOTES and around.after[:1] in _QUOTES:
        # Sentences stand between quotes too; a password with blanks has a part that looks like one.
        likely = candidate.split()
        good = any(_mixture(part) > 1 for part in likely) if len(likely) == 1 else any(
            any(c.isdigit() for c in part) and any(c.isalpha() for c in part) for part in likely
        )  # fmt: skip
        return 0.9 if good and not _placeholder(candidate) and not _plain(candidate) else 0.0
    value = candidate.rstrip("\"'`")
    if value[-1:] in ",;." or (value[-1:] == ")" and "(" not in value):
        value = value[:-1]
    value = value.rstrip("\"'`")
    if (
        len(value) < 6
        or _mixture(value) < 2
        or _placeholder(value)
        or _plain(value)
        or _CALL.fullmatch(value)
    ):
        return 0.0
    return [(0, len(value), 0.9)]


_QUOTES = ('"', "'", "`", "「", "』", "『", "」", "“", "”")


def _plain(value: str) -> bool:
    return len(set(value)) < 4 or bool(_PATH.fullmatch(value) or _NAMES.fullmatch(value))


def _mixture(value: str) -> int:
    """How many of digits, letters and signs it has."""
    return (
        any(c.isdigit() for c in value)
        + any(c.isalpha() for c in value)
        + any(not c.isalnum() for c in value)
    )


_HEADER = 1368
"""Characters of a token's header that are decoded: a kilobyte."""


def _jwt(candidate: str, around: Around) -> float:
    """The header decodes to an object with an algorithm (RFC 7519, section 5). It is not parsed: hostile
    JSON can be nested deeper than a parser goes."""
    head = candidate.split(".", 1)[0]
    short = head[:_HEADER]
    try:
        header = base64.urlsafe_b64decode(short + "=" * (-len(short) % 4)).decode("utf-8", "replace")
    except ValueError:
        return 0.0
    if not header.lstrip().startswith("{"):
        return 0.0
    if re.search(r'"alg"\s*:', header):
        return 0.98
    return (
        0.9 if len(head) > _HEADER and re.match(r'\s*\{\s*"(?:typ|kid|x5c|jwk|jku|cty|enc)"', header) else 0.0
    )


def _connection(candidate: str, around: Around) -> float:
    """A URL that carries a password."""
    password = candidate.split("://", 1)[1].rsplit("@", 1)[0].partition(":")[2]
    if not password or _placeholder(password) or re.match(r"\d{1,5}(?:[?#]|$)", password):
        return 0.0
    return 0.95


_B = _E = r"\b"
_KEY_END = r"(?:[^A-Za-z0-9_\-]|$)"
"""The end of a key whose last character may be a dash, where a word has no boundary."""
_KEY_WORD = r"(?i)(?:api[ _\-]?key|apikey|secret[ _\-]?key|client[ _\-]?secret|access[ _\-]?key|auth[ _\-]?key|APIキー|密钥|密鑰|API ?키)"
_TOKEN_WORD = r"(?i)(?:access[ _\-]?token|auth[ _\-]?token|bearer|refresh[ _\-]?token|session[ _\-]?token|アクセストークン|令牌|토큰)"
_PASSWORD_WORD = (
    r"(?i:password|passwd|pwd|passphrase|passcode|パスワード|暗証番号|密码|密碼|口令|비밀번호|비번|암호)"
)
_IS = r"\s*(?:は|是|为|為|은|는|is)?\s*[\"'`]?\s*[:=：＝はー→]?\s*[\"'`「『]?"
_MEANS = r"(?:\\?[\"'`」』]|\*\*)?(?:\s{0,8}(?:は|是|为|為|은|는|이|is)?\s{0,8}(?:=>|:=|[:=：＝→])(?:\*\*)?\s{0,8}|\s{0,8}(?:は|是|为|為|은|는)\s{0,8}|\s{1,8}is\s{1,8})"
_VALUE = (
    r"(?:\\\"([^\"\\\n]{6,256})\\\"|\"((?:[^\"\\\n]|\\.){6,256})\"|'((?:[^'\\\n]|\\.){6,256})'|`([^`\n]{6,256})`"
    r"|「([^」\n]{6,256})」|『([^』\n]{6,256})』|[\"'`「『]?([!-~]{6,}))"
)
"""Between quotes to the closing one, else to white space or the first character that is not ASCII."""

SECRETS = (
    DetectorSpec(
        "api_key",
        "API key (vendor formats; random text beside the words)",
        (
            Shape(rf"{_B}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}){_E}", _token(r"[A-Z]{4}")),
            Shape(rf"{_B}(AIza[A-Za-z0-9_\-]{{35}}){_KEY_END}", _token(r"AIza")),
            Shape(rf"{_B}(sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_\-]{{20,}})", _sk),
            Shape(rf"{_B}((?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{{16,}})", _token(r".._(?:live|test)_")),
            Shape(rf"{_B}(hf_[A-Za-z0-9]{{30,}})", _token(r"hf_")),
            Shape(rf"{_B}(SG\.[A-Za-z0-9_\-]{{16,32}}\.[A-Za-z0-9_\-]{{30,}})", _token(r"SG.")),
            Shape(rf"{_B}(key-[0-9a-f]{{32}}){_E}", _token(r"key-")),
            Shape(rf"{_B}(dop_v1_[0-9a-f]{{64}}){_E}", _token(r"dop_v1_")),
            Shape(rf"{_B}(npm_[A-Za-z0-9]{{36}}){_E}", _token(r"npm_")),
            Shape(rf"{_B}(pypi-[A-Za-z0-9_\-]{{50,}})", _token(r"pypi-")),
            Shape(rf"{_B}(gsk_[A-Za-z0-9]{{40,}})", _token(r"gsk_")),
            Shape(rf"{_KEY_WORD}{_IS}([A-Za-z0-9+/_\-]{{16,}}={{0,2}})", _random),
            Shape(
                r"(?i)aws.{0,20}(?:secret|key).{0,20}[\"'=: ]([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+])",
                _random,
            ),
        ),
    ),
    DetectorSpec(
        "access_token",
        "access token (GitHub, GitLab, Slack, Telegram, JWT, bearer)",
        (
            Shape(rf"{_B}(gh[pousr]_[A-Za-z0-9]{{36,}})", _token(r"gh._")),
            Shape(rf"{_B}(github_pat_[A-Za-z0-9_]{{40,}})", _token(r"github_pat_")),
            Shape(rf"{_B}(glpat-[A-Za-z0-9_\-]{{20,}})", _token(r"glpat-")),
            Shape(rf"{_B}(xox[abeoprs]-[A-Za-z0-9\-]{{10,}})", _token(r"xox.-")),
            Shape(rf"{_B}([0-9]{{8,10}}:AA[A-Za-z0-9_\-]{{33}}){_KEY_END}", _token(r"[0-9]+:AA")),
            Shape(rf"{_B}(ya29\.[A-Za-z0-9_\-]{{20,}})", _token(r"ya29.")),
            Shape(r"(eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*)", _jwt),
            Shape(r"(https://hooks\.slack\.com/services/[A-Za-z0-9/]{20,80})", sure(0.97)),
            Shape(rf"{_TOKEN_WORD}{_IS}([A-Za-z0-9._~+/\-]{{20,}}={{0,2}})", _random),
        ),
    ),
    DetectorSpec(
        "private_key",
        "private key in PEM, or a seed of it",
        (
            Shape(
                r"(?s)(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)",
                sure(0.99),
            ),
            # An unfinished block is a leak too: everything after its first line.
            Shape(
                r"(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:,\-]*)",
                sure(0.97),
            ),
        ),
    ),
    DetectorSpec(
        "password",
        "password that is written beside the word",
        (Shape(_PASSWORD_WORD + _MEANS + _VALUE, _password, reach=1),),
    ),
    DetectorSpec(
        "connection_string",
        "connection URL with a password",
        (
            Shape(
                r"((?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|ftp|sftp|smtp|ldaps?|https?)://[^\s:/@\"'<>]{0,64}:[^\s/\"'<>]{3,128}@[A-Za-z0-9._~:/?#!$&*+=%,\-]*[A-Za-z0-9/=])",
                _connection,
            ),
        ),
    ),
)
