"""Why a token is refused: one sentence per cause, safe in a ``WWW-Authenticate`` (RFC 6750)."""

import re
from typing import Any, Final

NOT_A_JWT: Final = "This is not a JWT (an opaque session token, perhaps?)."
MAX_SHOWN: Final = 80
"""Characters of a claim that a sentence shows."""

_NO_TOKEN: Final = frozenset({"undefined", "null", "nan", "false", "true", "[object object]"})
"""What JavaScript writes for a token that is not there, in lower case."""
_UNSAFE: Final = re.compile(r"[^ !#-\[\]-~]")
"""What an ``error_description`` may not have (RFC 6750, section 3)."""


class TokenRefused(Exception):  # noqa: N818 - it is a verdict
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
        return "The word Bearer is there twice: the token itself begins with it."
    if token.startswith(('"', "'")):
        return "The token stands in quotes; send it without them."
    return NOT_A_JWT


def mismatch(claim: str, value: Any, expected: str) -> str:
    """Return the sentence about a verified ``claim`` whose ``value`` is not the ``expected``."""
    return f"The token's '{claim}' is {shown(value)}, not {shown(expected)}."


def shown(value: Any) -> str:
    """Return a claim's ``value`` between quotes: printable ASCII, cut to :data:`MAX_SHOWN`."""
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        return "no text"
    text = _UNSAFE.sub("?", ", ".join(values))
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}...'"
