"""Why a token is invalid: one sentence per cause, safe in a ``WWW-Authenticate`` (RFC 6750)."""

import json
import re
from typing import Any, Final

NOT_A_JWT: Final = "The token is not a JWT; it may be an opaque session token."
MAX_SHOWN: Final = 80
"""Characters of a claim that a sentence shows."""

_NO_TOKEN: Final = frozenset({"undefined", "null", "nan", "false", "true", "[object object]"})
"""What JavaScript writes for a token that is not there, in lower case."""
_SEND: Final = "send 'Bearer <JWT>'"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,19}")
"""What may be a scheme's name; the longest of IANA's is SCRAM-SHA-256. Most tokens are longer."""
_UNSAFE: Final = re.compile(r"[^ !#-\[\]-~]")
"""What an ``error_description`` may not have (RFC 6750, section 3)."""


class InvalidTokenError(Exception):
    """A token that does not identify anybody.

    ``code`` is a problem code, ``detail`` one sentence that tells a front-end developer what is
    wrong and an attacker nothing that the token did not say.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def why_no_jwt(token: str) -> str:
    """Return the sentence about a ``token`` that does not have the form of a JWT."""
    if token.lower() in _NO_TOKEN:
        return f"The token is the text '{token}': the front end has no token to send."
    if token.lower().startswith("bearer"):
        return "The word Bearer is sent twice: the token itself begins with Bearer."
    if token.startswith(('"', "'")):
        return "The token is in quotes; send the token without quotes."
    return NOT_A_JWT


def why_not_bearer(scheme: str, credentials: str) -> str:
    """Return the sentence about an ``Authorization`` header that is not of the scheme Bearer.

    A scheme is named where it has the form of one and ``credentials`` follow. Any other word may be
    a token itself, and is not repeated.
    """
    if not scheme:
        return f"The Authorization header is empty; {_SEND}."
    if scheme.count(".") == 2:  # noqa: PLR2004 - the dots of a JWT
        return "The Authorization header has a token without the word Bearer before it."
    if credentials and _SCHEME.fullmatch(scheme):
        return f"The Authorization header has the scheme {scheme}; {_SEND}."
    return f"The Authorization header does not have the scheme Bearer; {_SEND}."


def mismatch(claim: str, value: Any, expected: str) -> str:
    """Return the sentence about a verified ``claim`` whose ``value`` is not the ``expected``."""
    return f"The token's '{claim}' is {shown(value)}, not {shown(expected)}."


def shown(value: Any) -> str:
    """Return a claim's ``value`` in printable ASCII, cut to :data:`MAX_SHOWN` characters.

    Text stands between quotes. Anything else is JSON, with single quotes for double ones, which no
    ``error_description`` can have.
    """
    if isinstance(value, str):
        return f"'{_cut(value)}'"
    try:
        return _cut(json.dumps(value, ensure_ascii=False).replace('"', "'"))
    except RecursionError:
        return "nested too deeply"


def _cut(text: str) -> str:
    return _UNSAFE.sub("?", text[:MAX_SHOWN]) + ("..." if len(text) > MAX_SHOWN else "")
