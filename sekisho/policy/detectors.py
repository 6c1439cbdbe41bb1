"""Names of the built-in detectors that a `**Detects**` list may ask for.

The policy room knows the names alone; what they detect is the business of `sekisho.guards.rules`.
"""

from __future__ import annotations

DETECTORS: tuple[str, ...] = (
    "card",
    "iban",
    "bank_account",
    "national_id",
    "my_number",
    "phone",
    "email",
    "postal_code",
    "ip_address",
    "api_key",
    "access_token",
    "private_key",
    "password",
    "connection_string",
    "injection_signature",
)
