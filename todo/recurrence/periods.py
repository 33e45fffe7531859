"""The periods of a rule (days, weeks, months or years), and the days that it has in each.

Periods are numbered from the one that the series starts in, which is 0; numbers count only the
periods that INTERVAL does not skip. Days are ordinals, as :meth:`datetime.date.toordinal` counts
them: 1 is a Monday. The calendar repeats after 400 years (4,800 months, 20,871 weeks). So the days
of a rule repeat after a number of periods that is known: its ``cycle``.
"""

import calendar
from collections.abc import Sequence
from datetime import MAXYEAR, date
from functools import cache, partial
from math import gcd
from typing import Final, Protocol

from todo.recurrence.parts import ByDay
from todo.recurrence.rules import Rule

LAST_DAY: Final = date.max.toordinal()

_WEEK: Final = 7
_YEAR: Final = 12
_FEBRUARY: Final = 2
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_YEARS: Final = 400
"""The Gregorian calendar repeats after them."""


class Periods(Protocol):
    """What :func:`todo.recurrence.days.walk` walks over."""

    @property
    def cycle(self) -> int:
        """After so many periods their days repeat. If those have none, no period has any."""

    @property
    def last(self) -> int:
        """The last period that begins by the end of the year 9999."""

    def number(self, day: int) -> int:
        """Return the period that has ``day``, or the next one where that is skipped."""

    def days(self, number: int) -> Sequence[int]:
        """Return the days of a period, ascending; those before the start are not left out."""


def periods(rule: Rule, start: date) -> Periods:
    """Return the periods of a rule that starts on a day (the year 1970 or later)."""
    kinds: dict[str, type[_Days | _Weeks | _Months | _Years]]
    kinds = {"DAILY": _Days, "WEEKLY": _Weeks, "MONTHLY": _Months, "YEARLY": _Years}
    return kinds[rule.freq](rule, start)


class _Days:
    def __init__(self, rule: Rule, start: date) -> None:
        self._start = start.toordinal()
        self._step = rule.interval
        self._weekdays = {day.weekday for day in rule.by_day} or set(range(_WEEK))
        self.cycle = _WEEK // gcd(_WEEK, self._step)
        self.last = (LAST_DAY - self._start) // self._step

    def number(self, day: int) -> int:
        return _quotient_up(day - self._start, self._step)

    def days(self, number: int) -> Sequence[int]:
        day = self._start + number * self._step
        return [day] if _weekday(day) in self._weekdays else []


class _Weeks:
    cycle = 1

    def __init__(self, rule: Rule, start: date) -> None:
        first = rule.wkst or 0
        weekdays = {day.weekday for day in rule.by_day} or {start.weekday()}
        self._offsets = sorted((weekday - first) % _WEEK for weekday in weekdays)
        self._start = start.toordinal() - (start.weekday() - first) % _WEEK
        self._step = _WEEK * rule.interval
        self.last = (LAST_DAY - self._start) // self._step

    def number(self, day: int) -> int:
        week = (day - self._start) // _WEEK * _WEEK
        return _quotient_up(week, self._step)

    def days(self, number: int) -> Sequence[int]:
        begins = self._start + number * self._step
        return [begins + offset for offset in self._offsets if begins + offset <= LAST_DAY]


class _Months:
    """A month's days depend on its length and the weekday it begins on: 28 kinds of months."""

    def __init__(self, rule: Rule, start: date) -> None:
        self._start = _month(start)
        self._step = rule.interval
        self._months = set(rule.by_month) or set(range(1, _YEAR + 1))
        self._offsets = cache(partial(_chosen_of_month, rule, start.day))
        self.cycle = _YEAR * _YEARS // gcd(_YEAR * _YEARS, self._step)
        self.last = (_month(date.max) - self._start) // self._step

    def number(self, day: int) -> int:
        return _quotient_up(_month(date.fromordinal(day)) - self._start, self._step)

    def days(self, number: int) -> Sequence[int]:
        year, before = divmod(self._start + number * self._step, _YEAR)
        month = before + 1
        if month not in self._months:
            return []
        begins = date(year, month, 1).toordinal()
        offsets = self._offsets(_length(month, calendar.isleap(year)), _weekday(begins))
        return [begins + offset for offset in offsets]


class _Years:
    """A year's days depend on its length and the weekday it begins on: 14 kinds of years."""

    def __init__(self, rule: Rule, start: date) -> None:
        self._start = start.year
        self._step = rule.interval
        self._offsets = cache(partial(_chosen_of_year, rule, start))
        self.cycle = _YEARS // gcd(_YEARS, self._step)
        self.last = (MAXYEAR - self._start) // self._step

    def number(self, day: int) -> int:
        return _quotient_up(date.fromordinal(day).year - self._start, self._step)

    def days(self, number: int) -> Sequence[int]:
        year = self._start + number * self._step
        begins = date(year, 1, 1).toordinal()
        offsets = self._offsets(calendar.isleap(year), _weekday(begins))
        return [begins + offset for offset in offsets]


def _chosen_of_month(rule: Rule, own: int, length: int, first: int) -> Sequence[int]:
    return _at_positions(_of_month(rule, own, length, first), rule.by_set_pos)


def _chosen_of_year(rule: Rule, start: date, leap: bool, first: int) -> Sequence[int]:
    """The offsets in a year that begins on the weekday ``first``; BYSETPOS chooses from all."""
    offsets: list[int] = []
    for month in rule.by_month or (start.month,):
        before = sum(_length(earlier, leap) for earlier in range(1, month))
        days = _of_month(rule, start.day, _length(month, leap), (first + before) % _WEEK)
        offsets += [before + day for day in days]
    return _at_positions(offsets, rule.by_set_pos)


def _of_month(rule: Rule, own: int, length: int, first: int) -> Sequence[int]:
    """The offsets in a month of a length that begins on the weekday ``first``.

    Without BYDAY and BYMONTHDAY that is the day ``own``, or the last one where there is no such.
    With both, a day has to be of both (RFC 5545, section 3.3.10: the one limits the other).
    """
    if not rule.has_days:
        return [min(own, length) - 1]
    days = set(range(length))
    if rule.by_month_day:
        days &= {number - 1 if number > 0 else number + length for number in rule.by_month_day}
    if rule.by_day:
        days &= {offset for day in rule.by_day for offset in _weekdays(day, length, first)}
    return sorted(days)


def _weekdays(day: ByDay, length: int, first: int) -> Sequence[int]:
    every = range((day.weekday - first) % _WEEK, length, _WEEK)
    return _at_positions(every, (day.ordinal,)) if day.ordinal else every


def _at_positions(offsets: Sequence[int], positions: Sequence[int]) -> Sequence[int]:
    """The offsets at these places, from 1, or from -1 at the end; without places, all of them."""
    if not positions:
        return offsets
    places = {place - 1 if place > 0 else place + len(offsets) for place in positions}
    return [offset for place, offset in enumerate(offsets) if place in places]


def _month(day: date) -> int:
    return day.year * _YEAR + day.month - 1


def _length(month: int, leap: bool) -> int:
    return _LENGTHS[month - 1] + (month == _FEBRUARY and leap)


def _weekday(day: int) -> int:
    return (day - 1) % _WEEK


def _quotient_up(number: int, divisor: int) -> int:
    return -(-number // divisor)
