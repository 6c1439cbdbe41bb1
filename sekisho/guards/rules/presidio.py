"""Microsoft Presidio's pattern recognisers beside our own (extra `pii`).

Its language models are not on the package index, so a blank pipeline tokenises and only recognisers that
need no model run. Importing it takes over a second: load once, keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sekisho.core import MissingExtra

from ._matching import Match
from .guard import Finder

ENTITIES = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_BANK_NUMBER": "bank_account",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip_address",
    "US_SSN": "national_id",
    "US_ITIN": "national_id",
    "US_PASSPORT": "national_id",
    "UK_NHS": "national_id",
    "UK_NINO": "national_id",
    "ES_NIF": "national_id",
    "ES_NIE": "national_id",
    "IT_FISCAL_CODE": "national_id",
    "PL_PESEL": "national_id",
    "SG_NRIC_FIN": "national_id",
    "AU_TFN": "national_id",
    "AU_MEDICARE": "national_id",
    "IN_PAN": "national_id",
    "IN_AADHAAR": "national_id",
    "FI_PERSONAL_IDENTITY_CODE": "national_id",
    "KR_RRN": "national_id",
    "TH_TNIN": "national_id",
}
LEAST = 0.5
"""Presidio's confidence below which a finding is a shape without checksum or context."""
PIECE = 100_000
OVERLAP = 500


def presidio_finder() -> Finder:
    """A finder over Presidio's recognisers. Raises `MissingExtra` without the package."""
    try:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    except ImportError:
        raise MissingExtra(
            "presidio is not installed", where="rules?pii=presidio", remedy="Run: pip install 'sekisho[pii]'"
        ) from None
    engine = _blank()
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    for recogniser in list(registry.recognizers):
        if not set(recogniser.supported_entities) & ENTITIES.keys():
            registry.remove_recognizer(recogniser.name)
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    entities = sorted({e for r in registry.recognizers for e in r.supported_entities} & ENTITIES.keys())

    def find(text: str) -> Iterator[tuple[str, Match]]:
        for at in range(0, max(1, len(text)), PIECE - OVERLAP):
            piece = text[at : at + PIECE]
            for found in analyzer.analyze(piece, language="en", entities=entities, score_threshold=LEAST):
                yield ENTITIES[found.entity_type], Match(at + found.start, at + found.end, float(found.score))
            if at + PIECE >= len(text):
                break

    return find


def _blank() -> Any:
    """A spaCy pipeline that only tokenises."""
    import spacy
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    nlp = spacy.blank("en")
    nlp.max_length = 10_000_000
    engine.nlp = {"en": nlp}
    return engine
