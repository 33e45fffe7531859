"""Who owns what a request touches: the caller, as the verified claims tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

MAX_EMAIL: Final = 320
"""Characters of an e-mail address (RFC 3696, erratum 1690)."""
MAX_NAME: Final = 200
"""Characters of a name."""


@dataclass(frozen=True)
class Owner:
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
    """``value`` if it is text of 1 to ``longest`` printable characters (so none is NUL)."""
    usable = isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
    return value if usable else None
