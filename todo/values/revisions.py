"""Revisions: the numbers that a user's changes take, one after the other."""

from typing import Final

from todo.values import dates

MAX_REVISION: Final = 2**53 - 1
"""The largest whole number that JavaScript has exactly (RFC 8259, section 6)."""


def instant_or_revision(text: str) -> int | str:
    """Return a revision as a number, an instant as the API writes it; raises ``ValueError``."""
    if text.isdecimal() and text.isascii():
        revision = int(text)
        if str(revision) != text or revision > MAX_REVISION:
            raise ValueError(text)
        return revision
    return dates.instant(text)
