"""The times of a token: ``exp``, ``nbf`` and ``iat`` (RFC 7519, section 4.1)."""

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from todo.auth.invalid_token import InvalidTokenError

LATEST: Final = 253_402_300_799
"""The last second of the year 9999. A larger time counts milliseconds, as a rule."""


def check_times(claims: Mapping[str, Any], *, leeway: int) -> None:
    """Check the times that ``claims`` have, with a ``leeway`` in seconds.

    A time is a NumericDate: a JSON number of seconds, at most :data:`LATEST`. Raises
    :class:`InvalidTokenError`: ``token_malformed``, ``token_not_yet_valid``, ``token_expired``.
    """
    for name in ("iat", "nbf", "exp"):
        if name in claims:
            _check_number(name, claims[name])
    now = time.time()
    if max(claims.get("iat", 0), claims.get("nbf", 0)) > now + leeway:
        raise InvalidTokenError(
            "token_not_yet_valid", "The token's 'nbf' or 'iat' lies in the future."
        )
    if claims["exp"] <= now - leeway:
        raise InvalidTokenError("token_expired", "The token's 'exp' has passed.")


def _check_number(name: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value != value or value in (math.inf, -math.inf):  # noqa: PLR0124 - NaN
        detail = f"The token's '{name}' is not a number of seconds."
        raise InvalidTokenError("token_malformed", detail)
    if value > LATEST:
        detail = f"The token's '{name}' is after the year 9999 in seconds; milliseconds, perhaps?"
        raise InvalidTokenError("token_malformed", detail)
