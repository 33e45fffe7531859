"""Positions: text that sorts siblings in an order by hand, compared by code point.

A position is an integer, and behind it a fraction where it was made between two others. The integer
is a letter for its width and so many digits; the letters of negative integers are before those of
positive ones, and their digits are complements, so text sorts like the numbers. A fraction is
digits that were chosen between those of the neighbours, and the revision of whoever has the
position in nine digits. So no two positions of a user are ever the same, and an undo or a restore
never meets its own place taken.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_LENGTH: Final = 100
"""Characters of a position, at most."""
ROOM_LENGTH: Final = 80
"""Positions that are made anew are shorter than this."""
MOST_REWRITTEN: Final = 500
"""Siblings on each side of a gap that may get a new position."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_WIDEST: Final = 9
"""Digits of the largest revision, 2^53-1."""
_POSITIVE: Final = {chr(ord("a") + width - 1): width for width in range(1, _WIDEST + 1)}
_NEGATIVE: Final = {chr(ord("Z") - width + 1): width for width in range(1, _WIDEST + 1)}
_WIDTHS: Final = {**_POSITIVE, **_NEGATIVE}
_LETTERS: Final = {width: letter for letter, width in _POSITIVE.items()}
_MIRRORED: Final = {width: letter for letter, width in _NEGATIVE.items()}


def last(revision: int) -> str:
    """Return the position behind all that were made before ``revision``, from 1 to 2^53-1."""
    digits = _digits(revision)
    return _LETTERS[len(digits)] + digits


def first(revision: int) -> str:
    """Return the position before all that were made before ``revision``, from 1 to 2^53-1."""
    width = len(_digits(revision))
    return _MIRRORED[width] + _digits(_BASE**width - 1 - revision, width)


def between(left: str, right: str, revision: int) -> str | None:
    """Return the position of ``revision`` between ``left`` and ``right``, which sort in that order.

    Returns ``None`` when it would be longer than :data:`MAX_LENGTH`.
    """
    integer = _integer(left)
    bound = right[len(integer) :] if right.startswith(integer) else None
    fraction = _midpoint(left[len(integer) :], bound)
    found = integer + fraction + _digits(revision, _WIDEST)
    return found if len(found) <= MAX_LENGTH else None


class Window(NamedTuple):
    """The siblings on each side of a gap that get new positions, and what is in the gap then."""

    before: list[str]
    """The new positions of the nearest siblings before the gap, ascending."""
    after: list[str]
    """The new positions of the nearest siblings behind the gap, ascending."""
    gap: str
    """The position of what comes into the gap; its revision is behind all of theirs."""


def window(before: Sequence[str], after: Sequence[str], revision: int) -> Window | None:
    """Return the smallest window around a gap in which all positions are short again.

    ``before`` and ``after`` are the positions on the two sides, the nearest first: all that there
    are, or one more than :data:`MOST_REWRITTEN`. ``revision`` is the first one of those to take.
    Returns ``None`` when no window is large enough.
    """
    size = 1
    while True:
        nearest = [side[: min(size, MOST_REWRITTEN)] for side in (before, after)]
        low, high = (_beyond(*pair) for pair in zip((before, after), nearest, strict=True))
        found = _window(low, high, len(nearest[0]), len(nearest[1]), revision)
        if found is not None and max(map(len, [*found.before, *found.after])) < ROOM_LENGTH:
            return found
        if size >= MOST_REWRITTEN:
            return None
        size *= 2


def _beyond(side: Sequence[str], taken: Sequence[str]) -> str | None:
    return side[len(taken)] if len(side) > len(taken) else None


def _window(
    low: str | None, high: str | None, before: int, after: int, revision: int
) -> Window | None:
    """So many siblings on each side of a gap, all of them between ``low`` and ``high``."""
    gap = revision + before + after
    if high is None:  # the end of all: new integers are behind whatever there is
        made: Sequence[str] | None = [last(number) for number in range(revision, gap)]
    else:
        made = _spread(low or first(gap), high, range(revision, gap))
    if made is None:
        return None
    in_gap = between(made[before - 1] if before else low or first(gap), made[before], gap)
    return None if in_gap is None else Window([*made[:before]], [*made[before:]], in_gap)


def _spread(low: str, high: str, revisions: Sequence[int]) -> list[str] | None:
    """Ascending positions between ``low`` and ``high``, one for each of ``revisions``."""
    if not revisions:
        return []
    middle = len(revisions) // 2
    found = between(low, high, revisions[middle])
    if found is None:
        return None
    before = _spread(low, found, revisions[:middle])
    after = _spread(found, high, revisions[middle + 1 :])
    return None if before is None or after is None else [*before, found, *after]


def is_position(value: object) -> bool:
    """Whether ``value``, which came from outside, could be a position."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return False
    rest = len(value) - 1 - _WIDTHS.get(value[:1], MAX_LENGTH)
    digits = all(digit in _VALUES for digit in value[1:])
    return digits and (rest == 0 or rest > _WIDEST)


def _digits(number: int, width: int = 1) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, _BASE)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, _DIGITS[0])


def _integer(position: str) -> str:
    return position[: 1 + _WIDTHS[position[0]]]


def _midpoint(low: str, high: str | None) -> str:
    """Return the fewest digits behind which anything may follow between ``low`` and ``high``."""
    found = ""
    while True:
        place = len(found)
        # Where `low` has ended, whatever is longer is behind it.
        least = -1 if place >= len(low) else _VALUES[low[place]]
        most = _BASE if high is None else _VALUES[high[place]]
        if most - least > 1:
            return found + _DIGITS[(least + most) // 2]
        if most > least >= 0:  # `found` stays at `low`, so it is below `high` from here on
            high = None
        found += _DIGITS[max(least, 0)]
