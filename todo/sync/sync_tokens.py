"""Sync tokens: a place in a user's log, as opaque text.

Revisions repeat when a database is restored and nobody moves them ahead. So a place is a revision
and the random text of its unit. A token is no secret and gives no right: the user is in every
WHERE.
"""

import base64
import binascii
import re
from typing import Final, NamedTuple, Self

from todo.values.revisions import MAX_REVISION

_TEXT: Final = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9a-f]{0,16})", re.ASCII)


class Place(NamedTuple):
    """A place in a user's log: behind the entry of ``revision``, whose unit has the ``nonce``."""

    revision: int
    nonce: str

    @property
    def token(self) -> str:
        """The place as text: at most 64 unreserved characters."""
        text = f"{self.revision}.{self.nonce}"
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    @classmethod
    def of(cls, token: str) -> Self:
        """Return the place that ``token`` means; raises :class:`ValueError` for any other text."""
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        except (UnicodeError, binascii.Error):
            raise ValueError(token) from None
        match = _TEXT.fullmatch(text)
        if match is None or int(match[1]) > MAX_REVISION:
            raise ValueError(token)
        place = cls(int(match[1]), match[2])
        if place.token != token:
            raise ValueError(token)
        return place


BEGINNING: Final = Place(0, "")
"""The place of a user who never wrote."""
