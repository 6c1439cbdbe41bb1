"""What the command says, in the languages that it speaks. One JSON file a language, the same keys."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files


class Language(StrEnum):
    """Languages of what a person reads; JSON output is the same in all of them."""

    EN = "en"
    JA = "ja"


def language_of(environment: Mapping[str, str] | None = None) -> Language:
    """What the environment asks for: SEKISHO_LANG, else what the locale says."""
    found = os.environ if environment is None else environment
    for name in ("SEKISHO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = found.get(name)
        if value:
            return Language.JA if value.lower().startswith("ja") else Language.EN
    return Language.EN


class Words:
    """The catalogue of one language. `words("check.totals", n=3)` fills the placeholders in."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._entries = catalogue(language)

    def __call__(self, key: str, /, **values: object) -> str:
        return self._entries[key].format(**values)

    def has(self, key: str) -> bool:
        return key in self._entries


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Key to text, with `str.format` placeholders."""
    text = (files("sekisho.cli") / "words" / f"{language.value}.json").read_text(encoding="utf-8")
    entries: dict[str, str] = json.loads(text)
    return entries
