"""Keys, tokens, passwords: the formats that vendors publish, and entropy where there is no format."""

from __future__ import annotations

import base64
import json

from ._matching import DetectorSpec, Shape, entropy, sure

_PLACEHOLDER = (
    "example", "changeme", "change_me", "your", "xxxx", "placeholder", "password", "passwort", "secret", "dummy",
    "redacted", "none", "null", "test", "todo", "insert", "sample", "<", "$", "{", "*", "...", "____",
)  # fmt: skip


def _token(candidate: str, around: str) -> float:
    """Vendor format and enough randomness: `AKIAXXXXXXXXXXXXXXXX` is not a key."""
    body = candidate.split("_", 1)[-1] if "_" in candidate else candidate
    return 0.97 if entropy(body) >= 2.8 else 0.0


def _random(candidate: str, around: str) -> float:
    """No format: at least 3.4 bits a character, letters and digits mixed, not a placeholder."""
    lowered = candidate.lower()
    if any(word in lowered for word in _PLACEHOLDER):
        return 0.0
    mixed = any(c.isdigit() for c in candidate) and any(c.isalpha() for c in candidate)
    return 0.85 if mixed and entropy(candidate) >= 3.4 else 0.0


def _password(candidate: str, around: str) -> float:
    """What stands after `password:` unless it is a placeholder, a type or a plain word."""
    lowered = candidate.lower()
    if any(word in lowered for word in _PLACEHOLDER) or len(set(candidate)) < 4:
        return 0.0
    kinds = sum((any(c.isdigit() for c in candidate), any(c.isalpha() for c in candidate),
                 any(not c.isalnum() for c in candidate)))  # fmt: skip
    return 0.9 if kinds >= 2 else 0.0


def _jwt(candidate: str, around: str) -> float:
    """The header decodes to JSON with an algorithm (RFC 7519, section 5)."""
    head = candidate.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, UnicodeDecodeError):
        return 0.0
    return 0.98 if isinstance(header, dict) and "alg" in header else 0.0


def _connection(candidate: str, around: str) -> float:
    """A URL that carries a password."""
    password = candidate.split("://", 1)[1].rsplit("@", 1)[0].partition(":")[2]
    return 0.0 if not password or any(word in password.lower() for word in _PLACEHOLDER) else 0.95


_B = _E = r"\b"
_KEY_WORD = r"(?i)(?:api[ _\-]?key|apikey|secret[ _\-]?key|client[ _\-]?secret|access[ _\-]?key|auth[ _\-]?key|APIキー|密钥|密鑰|API ?키)"
_TOKEN_WORD = r"(?i)(?:access[ _\-]?token|auth[ _\-]?token|bearer|refresh[ _\-]?token|session[ _\-]?token|アクセストークン|令牌|토큰)"
_PASSWORD_WORD = (
    r"(?i:password|passwd|pwd|passphrase|passcode|パスワード|暗証番号|密码|密碼|口令|비밀번호|비번|암호)"
)
_IS = r"\s*(?:は|是|为|為|은|는|is)?\s*[\"'`]?\s*[:=：＝はー→]?\s*[\"'`「『]?"

SECRETS = (
    DetectorSpec(
        "api_key",
        "API key (vendor formats; random text beside the words)",
        (
            Shape(rf"{_B}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}){_E}", _token),
            Shape(rf"{_B}(AIza[A-Za-z0-9_\-]{{35}}){_E}", _token),
            Shape(rf"{_B}(sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_\-]{{20,}})", _token),
            Shape(rf"{_B}((?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{{16,}})", _token),
            Shape(rf"{_B}(hf_[A-Za-z0-9]{{30,}})", _token),
            Shape(rf"{_B}(SG\.[A-Za-z0-9_\-]{{16,32}}\.[A-Za-z0-9_\-]{{30,}})", _token),
            Shape(rf"{_B}(key-[0-9a-f]{{32}}){_E}", _token),
            Shape(rf"{_B}(dop_v1_[0-9a-f]{{64}}){_E}", _token),
            Shape(rf"{_B}(npm_[A-Za-z0-9]{{36}}){_E}", _token),
            Shape(rf"{_B}(pypi-[A-Za-z0-9_\-]{{50,}})", _token),
            Shape(rf"{_B}(gsk_[A-Za-z0-9]{{40,}})", _token),
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
            Shape(rf"{_B}(gh[pousr]_[A-Za-z0-9]{{36,}})", _token),
            Shape(rf"{_B}(github_pat_[A-Za-z0-9_]{{40,}})", _token),
            Shape(rf"{_B}(glpat-[A-Za-z0-9_\-]{{20,}})", _token),
            Shape(rf"{_B}(xox[abeoprs]-[A-Za-z0-9\-]{{10,}})", _token),
            Shape(rf"{_B}([0-9]{{8,10}}:AA[A-Za-z0-9_\-]{{33}}){_E}", _token),
            Shape(rf"{_B}(ya29\.[A-Za-z0-9_\-]{{20,}})", _token),
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
        (
            Shape(
                _PASSWORD_WORD
                + r"[\"'`」』]?\s*(?:は|是|为|為|은|는|이|is)?\s*[:=：＝→]\s*[\"'`「『]?([!-~]{6,64}?)(?:[\"'`」』\s,;。、)]|$)",
                _password,
            ),
            Shape(
                _PASSWORD_WORD
                + r"\s*(?:is|は|是|为|為|은|는)\s*[\"'`「『]?([!-~]{6,64}?)(?:[\"'`」』\s,;。、)]|です|$)",
                _password,
            ),
        ),
    ),
    DetectorSpec(
        "connection_string",
        "connection URL with a password",
        (
            Shape(
                r"((?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|ftp|sftp|smtp|ldaps?|https?)://[^\s:/@\"'<>]{0,64}:[^\s/@\"'<>]{3,128}@[A-Za-z0-9._~:/?#!$&*+=%,\-]*[A-Za-z0-9/=])",
                _connection,
            ),
        ),
    ),
)
