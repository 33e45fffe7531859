"""The parts of a rule (RFC 5545, section 3.3.10): how the value of each is read and written.

Readers take capitals of ASCII. They take what the RFC's grammar takes, within the bounds of this
API: leading zeros (``BYMONTH=03``), plus signs where the RFC has signs (``BYDAY=+1MO``). A list is
a set to the RFC, so it is kept sorted, and each value once.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from todo.values.dates import DATE_LENGTH, date_or_instant

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""By the number that :meth:`datetime.date.weekday` gives."""
MOST: Final = 999
"""The largest INTERVAL and COUNT."""
MOST_ORDINAL: Final = 5
"""A month has a weekday five times at most."""
MOST_POSITIONS: Final = 10
"""How many values BYSETPOS has at most."""

_DAYS_OF_MONTH: Final = 31
_DAYS_OF_YEAR: Final = 366
_MONTHS: Final = 12

_WEEKDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})Z)?",
)


class ByDay(NamedTuple):
    """A value of BYDAY."""

    ordinal: int
    """Which one of the month, from its end where negative; 0 is every one."""
    weekday: int
    """0 is Monday."""


class Part(NamedTuple):
    """A part of a rule: the field of :class:`Rule` that holds its value, and the value's form."""

    field: str
    read: Callable[[str], Any]
    """From the text of a value to the value; raises :class:`ValueError` for another form."""
    write: Callable[[Any], str]
    form: str
    """The form in words."""


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        return names[names.index(text)]

    return read


def _number(text: str, pattern: str, most: int) -> int:
    number = int(text) if re.fullmatch(pattern, text) else 0
    if not 1 <= abs(number) <= most:
        raise ValueError(text)
    return number


def _amount(text: str) -> int:
    return _number(text, "[0-9]+", MOST)


def _numbers(pattern: str, most: int) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        numbers = {_number(value, pattern, most) for value in text.split(",")}
        return tuple(sorted(numbers, key=_place))

    return read


def _positions(text: str) -> tuple[int, ...]:
    positions = _numbers("[+-]?[0-9]{1,3}", _DAYS_OF_YEAR)(text)
    if len(positions) > MOST_POSITIONS:
        raise ValueError(text)
    return positions


def _place(number: int) -> tuple[bool, int]:
    """What counts from the start comes before what counts from the end."""
    return number < 0, number


def _weekdays(text: str) -> tuple[ByDay, ...]:
    days = {_weekday(value) for value in text.split(",")}
    return tuple(sorted(days, key=lambda day: (_place(day.ordinal), day.weekday)))


def _weekday(text: str) -> ByDay:
    found = _WEEKDAY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    ordinal = _number(found[1], "[+-]?[0-9]+", MOST_ORDINAL) if found[1] else 0
    return ByDay(ordinal, WEEKDAYS.index(found[2]))


def _until(text: str) -> str:
    """The due date (as the API writes it) that ``text`` is."""
    found = _UNTIL.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, time = "-".join(found.groups()[:3]), ":".join(filter(None, found.groups()[3:]))
    return date_or_instant(f"{day}T{time}Z" if time else day)


def _written_until(until: str) -> str:
    plain = until.replace("-", "").replace(":", "")
    return plain if len(until) == DATE_LENGTH else plain.replace(".000", "")


def _list(values: Iterable[int]) -> str:
    return ",".join(map(str, values))


def _written_weekdays(days: Iterable[ByDay]) -> str:
    return ",".join(f"{day.ordinal or ''}{WEEKDAYS[day.weekday]}" for day in days)


_SIGNED: Final = "[+-]?[0-9]{1,2}"

PARTS: Final = {
    "FREQ": Part("freq", _one_of(FREQUENCIES), str, "DAILY, WEEKLY, MONTHLY or YEARLY"),
    "UNTIL": Part(
        "until",
        _until,
        _written_until,
        "a date (20261231) or an instant in UTC (20261231T170000Z)",
    ),
    "COUNT": Part("count", _amount, str, f"1 to {MOST}"),
    "INTERVAL": Part("interval", _amount, str, f"1 to {MOST}"),
    "BYDAY": Part(
        "by_day",
        _weekdays,
        _written_weekdays,
        "a list of MO, TU, WE, TH, FR, SA and SU, each with an ordinal (1 to 5, -5 to -1) or none",
    ),
    "BYMONTHDAY": Part(
        "by_month_day",
        _numbers(_SIGNED, _DAYS_OF_MONTH),
        _list,
        "a list of numbers from 1 to 31 and from -31 to -1",
    ),
    "BYMONTH": Part(
        "by_month", _numbers("[0-9]{1,2}", _MONTHS), _list, "a list of numbers from 1 to 12"
    ),
    "BYSETPOS": Part(
        "by_set_pos",
        _positions,
        _list,
        f"a list of at most {MOST_POSITIONS} numbers from 1 to 366 and from -366 to -1",
    ),
    "WKST": Part("wkst", WEEKDAYS.index, WEEKDAYS.__getitem__, "MO, TU, WE, TH, FR, SA or SU"),
}
"""By name, in the order of the RFC's grammar."""
