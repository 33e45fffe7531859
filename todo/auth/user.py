"""The user: who is calling, as the verified claims tell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

MAX_EMAIL: Final = 320
"""Characters of an e-mail address (RFC 3696, erratum 1690)."""
MAX_NAME: Final = 200
"""Characters of a name."""

_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class User:
    """A user: ``id`` is the token's ``sub``; ``email`` and ``name`` are ``None`` if not known."""

    id: str
    email: str | None = None
    name: str | None = None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Self:
        """Read verified ``claims``; an e-mail or name that cannot be kept counts as absent."""
        return cls(
            claims["sub"],
            text_claim(claims.get("email"), MAX_EMAIL),
            text_claim(claims.get("name"), MAX_NAME),
        )


def text_claim(value: Any, longest: int) -> str | None:
    """Return ``value`` if it is text of 1 to ``longest`` characters that can be kept."""
    return value if isinstance(value, str) and is_text(value, longest) else None


def is_text(text: str, longest: int) -> bool:
    """Return whether ``text`` has 1 to ``longest`` characters that are no controls or surrogates.

    The Unicode categories are Cc and Cs; spaces, joiners and marks of direction belong to names.
    """
    return 0 < len(text) <= longest and not _UNFIT.search(text)
