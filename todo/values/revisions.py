"""Revisions: the numbers that a user's changes take, one after the other. An id is one, too."""

from typing import Final

from todo.values import dates

NONE: Final = "none"
"""What stands for no id where one is asked for."""
MAX_REVISION: Final = 2**53 - 1
"""The largest whole number that JavaScript has exactly (RFC 8259, section 6)."""


def instant_or_revision(text: str) -> int | str:
    """Return a revision as a number, an instant as the API writes it; raises ``ValueError``."""
    if text.isdecimal() and text.isascii():
        return _number(text)
    return dates.instant(text)


def id_or_none(text: str) -> int | None:
    """Return an id as a number, ``None`` for :data:`NONE`; raises ``ValueError``."""
    if text == NONE:
        return None
    if not (number := _number(text)):
        raise ValueError(text)
    return number


def _number(text: str) -> int:
    number = int(text)
    if str(number) != text or not 0 <= number <= MAX_REVISION:
        raise ValueError(text)
    return number
