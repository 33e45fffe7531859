"""Positions: the text that siblings in an order by hand are sorted by, by code point.

A position is an integer, alone or with a fraction and a revision behind it:

- The integer is a revision, or its negative: one letter for its width and sign, then its base-62
  digits. Positions compare as their integers do, where those differ.
- The fraction has at least one base-62 digit.
- The revision behind it has nine, so no two positions of one user are ever the same.

What is at the end or the start of a place has the integer alone, and needs no neighbour: every
other position in the place has an integer of an earlier revision.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from todo.values.revisions import MAX_REVISION

MAX_LENGTH: Final = 100
"""Characters of a position."""
ROOM_LENGTH: Final = 80
"""Positions that were rewritten are shorter than this, so that the next rewrite is far away."""
SIBLINGS_PER_SIDE: Final = 500
"""How many siblings on each side of a gap :func:`window` is given at most."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
_COMPLEMENT: Final = str.maketrans(_DIGITS, _DIGITS[::-1])
_POSITIVE: Final = "abcdefghi"
_NEGATIVE: Final = "ZYXWVUTSR"
_WIDTHS: Final = {
    letter: width for letters in (_POSITIVE, _NEGATIVE) for width, letter in enumerate(letters, 1)
}
_REVISION_WIDTH: Final = 9
"""Base-62 digits of any revision: 2^53 is below 62^9."""
_FEWEST_PER_SIDE: Final = 4
"""Siblings on each side of a gap in the smallest window."""


class Window(NamedTuple):
    """The siblings around a gap that get new positions, and the position of what enters the gap."""

    before: int
    """How many siblings before the gap are rewritten."""
    after: int
    """How many siblings after the gap are rewritten."""
    positions: list[str]
    """Their new positions, in the order of the siblings: ``before + after`` of them."""
    moved: str
    """The position in the gap."""


def last(revision: int) -> str:
    """Return the position at the end of a place (2-10 characters).

    ``revision`` is from 1 to 2^53 - 1 and new: larger than any that a position of the place has.
    Raises :class:`ValueError` for a revision out of bounds.
    """
    digits = _minimal_digits(revision)
    return _POSITIVE[len(digits) - 1] + digits


def first(revision: int) -> str:
    """Return the position at the start of a place; takes and raises what :func:`last` does."""
    digits = _minimal_digits(revision)
    return _NEGATIVE[len(digits) - 1] + digits.translate(_COMPLEMENT)


def between(left: str | None, right: str | None, revision: int) -> str | None:
    """Return a position between two neighbours; ``None`` when it would pass 100 characters.

    ``left`` is below ``right``; without one of them the place is open on that side. ``revision`` is
    as in :func:`last`. A position between two is about one character longer for every six splits of
    the same gap. Two neighbours with the same position have none between them.
    """
    positions = spread(left, right, [revision])
    return positions[0] if positions else None


def spread(left: str | None, right: str | None, revisions: Sequence[int]) -> list[str] | None:
    """Return ascending positions between two neighbours, evenly spread; one for each revision.

    ``left`` and ``right`` are as in :func:`between`; ``revisions`` ascend, and each is as in
    :func:`last`. Returns ``None`` when a position would pass 100 characters.
    """
    if right is None:
        return [last(revision) for revision in revisions]
    if left is None:
        return [first(revision) for revision in reversed(revisions)]
    integer, low = _parts(left)
    other, high = _parts(right)
    longest = MAX_LENGTH - len(integer) - _REVISION_WIDTH
    fractions = _fractions(low, high if other == integer else None, len(revisions), longest)
    if fractions is None:
        return None
    ends = [_digits(_checked(revision), _REVISION_WIDTH) for revision in revisions]
    return [integer + fraction + end for fraction, end in zip(fractions, ends, strict=True)]


def window(before: Sequence[str], after: Sequence[str], revision: int) -> Window | None:
    """Return the smallest window of siblings to rewrite so that a gap has room again.

    ``before`` and ``after`` are the positions on both sides of the gap, nearest first, without the
    one that moves. Each has the nearest 500 siblings; fewer mean that the place ends there. Four
    siblings on each side are tried, then twice as many, up to 998 or all. Returns ``None`` when
    even those leave a position of 80 characters or more.

    The rewritten siblings take ``revision`` and those after it, ascending in their order; what
    enters the gap takes the next one, ``revision + len(positions)``.
    """
    size = _FEWEST_PER_SIDE
    while size < 2 * SIBLINGS_PER_SIDE:
        found = _rewritten(_side(before, size), _side(after, size), revision)
        if found is not None:
            return found
        size *= 2
    return None


def is_position(value: object) -> bool:
    """Whether a value from outside is a position: its form, its bounds and its length."""
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return False
    if value[:1] not in _WIDTHS or not _VALUES.keys() >= set(value):
        return False
    integer, tail = _parts(value)
    return _is_integer(integer) and (not tail or _is_tail(tail))


def _is_integer(text: str) -> bool:
    """Whether the text is what :func:`first` or :func:`last` makes of a revision."""
    make, digits = last, text[1:]
    if text[0] in _NEGATIVE:
        make, digits = first, digits.translate(_COMPLEMENT)
    number = _number(digits)
    return 1 <= number <= MAX_REVISION and make(number) == text


def _is_tail(text: str) -> bool:
    """Whether digits are a fraction and a revision."""
    return len(text) > _REVISION_WIDTH and 1 <= _number(text[-_REVISION_WIDTH:]) <= MAX_REVISION


def _side(positions: Sequence[str], size: int) -> tuple[Sequence[str], str | None]:
    """Return the positions of one side to rewrite, and the one behind them, which stays."""
    if len(positions) >= SIBLINGS_PER_SIDE:
        size = min(size, SIBLINGS_PER_SIDE - 1)
    return positions[:size], positions[size] if size < len(positions) else None


def _rewritten(
    before: tuple[Sequence[str], str | None], after: tuple[Sequence[str], str | None], revision: int
) -> Window | None:
    """Return the window of two sides, as :func:`_side` makes them, if it leaves enough room."""
    (old_before, left), (old_after, right) = before, after
    count = len(old_before) + len(old_after)
    # Where a side is open, they stay inside of whatever comes to that end later.
    low, high = left or first(revision), right or last(revision)
    positions = spread(low, high, range(revision, revision + count))
    if positions is None:
        return None
    around = [low, *positions, high]
    gap = len(old_before)
    moved = between(around[gap], around[gap + 1], revision + count)
    if moved is None or max(map(len, [*positions, moved])) >= ROOM_LENGTH:
        return None
    return Window(gap, len(old_after), positions, moved)


def _fractions(left: str, right: str | None, count: int, longest: int) -> list[str] | None:
    """Return the shortest ``count`` fractions that lie evenly between two tails, if any do.

    A tail is what stands behind an integer; ``None`` on the right is the next integer. A fraction
    is above the left tail's digits and at least one below the right tail's: so it stays in between
    whatever revision follows, and leaves room on both sides that takes one more digit.
    """
    low, high = 0, int(right is None)
    for place in range(longest):
        low = low * _BASE + _digit(left, place)
        high = high * _BASE + _digit(right or "", place)
        if high - low > count:
            steps = [(high - low) * step // (count + 1) for step in range(1, count + 1)]
            return [_digits(low + step, place + 1) for step in steps]
    return None


def _digit(tail: str, place: int) -> int:
    """Return the value of a digit; 0 behind the last one."""
    return _VALUES[tail[place]] if place < len(tail) else 0


def _parts(position: str) -> tuple[str, str]:
    """Return the integer of a position, and the digits behind it."""
    end = 1 + _WIDTHS[position[0]]
    return position[:end], position[end:]


def _checked(revision: int) -> int:
    """Return a revision that is in bounds; raises :class:`ValueError`."""
    if not 1 <= revision <= MAX_REVISION:
        raise ValueError(revision)
    return revision


def _minimal_digits(revision: int) -> str:
    """Return a revision's base-62 digits without zeros before them; raises ``ValueError``."""
    return _digits(_checked(revision), _REVISION_WIDTH).lstrip("0")


def _digits(number: int, width: int) -> str:
    """Return a number as ``width`` base-62 digits."""
    digits = []
    for _ in range(width):
        number, value = divmod(number, _BASE)
        digits.append(_DIGITS[value])
    return "".join(reversed(digits))


def _number(digits: str) -> int:
    """Return the number that base-62 digits write."""
    number = 0
    for digit in digits:
        number = number * _BASE + _VALUES[digit]
    return number
