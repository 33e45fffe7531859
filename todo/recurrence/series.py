"""The due dates of a series: a rule, when it started, and the zone that it is kept in."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from todo.recurrence.clocks import moment_of
from todo.recurrence.days import days_after, next_day
from todo.recurrence.rules import Origin, Rule
from todo.values.dates import DATE_LENGTH, Bound, bound, day_bound, format_instant, today

_DAY: Final = timedelta(days=1)
_SHORTEST: Final = timedelta(milliseconds=1)
"""Instants are whole milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series of due dates, of the kind (dates or instants) that ``start`` is of.

    ``start``, and each ``occurrence`` that is given to a method, is a due date as the API writes
    it, of one kind, from 1970 on. ``where`` is the zone in which the series has its days and the
    time of day. That is the time of ``start``; where clocks skip it, it is the first moment after
    the gap, and where they show it twice, the first of the two.

    No due date is past the year 9999, in UTC or in the zone; no method raises anything about that.
    """

    rule: Rule
    start: str
    where: ZoneInfo
    origin: Origin = "due"

    def next_due(self, occurrence: str, now: str, made: int) -> str | None:
        """Return when the next task is due, after the one due by the rule at ``occurrence``.

        It is later than ``now`` (an instant). From ``due``, it is also later than ``occurrence``,
        and the rhythm is that of ``start``. From ``completion``, the rule begins anew on the day
        that it is now, and the next due date is on a later day. ``made`` is how many tasks the
        series has had, the first and the present one included (RFC 5545, section 3.3.10: the start
        counts as the first). ``None`` when COUNT or UNTIL is used up, or no date is left.
        """
        if self._left(made) == 0:
            return None
        with suppress(OverflowError):
            if self.origin == "completion":
                return next(self._anew(now), None)
            return next(self._in_rhythm(occurrence, now), None)
        return None

    def occurrences(self, occurrence: str, made: int) -> Iterator[str]:
        """Yield the due dates that come after ``occurrence``, in order, as far as COUNT and UNTIL.

        ``made`` is as for :meth:`next_due`. From ``completion`` they are those of a user who
        completes each task on the day that it is due.
        """
        return islice(self._after(occurrence), self._left(made))

    def first(self, now: str) -> str | None:
        """Return the first due date on the day that it is ``now``, or on a later one.

        For a task without a due date: ``start`` may be that day, or what the client gave. ``None``
        if the rule has no date then, UNTIL included.
        """
        with suppress(OverflowError):
            yesterday = today(now, self.where) - _DAY
            return next(self._due_dates(self._day(self.start), after=yesterday, least=""), None)
        return None

    def never_occurs(self) -> bool:
        """Whether the rule has no day from ``start`` to the end of 9999, whatever its UNTIL."""
        with suppress(OverflowError):
            day = self._day(self.start)
            return next_day(self.rule, day, day - _DAY) is None
        return True

    def _left(self, made: int) -> int | None:
        """How many tasks COUNT lets the series have yet; ``None`` if it does not say."""
        return None if self.rule.count is None else max(self.rule.count - made, 0)

    def _after(self, occurrence: str) -> Iterator[str]:
        with suppress(OverflowError):
            if self.origin == "completion" and not self.rule.has_days:
                yield from self._each_anew(occurrence)
            elif self.origin == "completion":
                yield from self._anew(occurrence)  # with INTERVAL=1 all beginnings are alike
            else:
                yield from self._in_rhythm(occurrence)

    def _each_anew(self, occurrence: str) -> Iterator[str]:
        while due := next(self._anew(occurrence), None):
            yield (occurrence := due)

    def _anew(self, completion: str) -> Iterator[str]:
        """The due dates of the rule that begins on the day of a date or an instant."""
        day = self._day(completion)
        return self._due_dates(day, after=day, least=self._behind(completion))

    def _in_rhythm(self, *behind: str) -> Iterator[str]:
        """The due dates of the rule from its start that are later than all these."""
        day_before = max(map(self._day, behind)) - _DAY
        least = max(map(self._behind, behind))
        return self._due_dates(self._day(self.start), after=day_before, least=least)

    def _due_dates(self, start: date, *, after: date, least: str) -> Iterator[str]:
        """The due dates of a rule that starts on a day: those on the days ``after`` another one,
        and not before ``least``. Each is there once: two days have the same moment where the clocks
        of a zone skip one.
        """
        with suppress(OverflowError):
            days = days_after(self.rule, start, after)
            each = (due for due, _ in groupby(map(self._due_on, days)))
            late_enough = (due for due in each if due >= least)
            yield from takewhile(self._until(), late_enough)

    def _until(self) -> Callable[[str], bool]:
        end = self._behind(self.rule.until) if self.rule.until else None
        return lambda due: end is None or due < end

    def _due_on(self, day: date) -> str:
        if self._has_dates:
            return day.isoformat()
        clock = datetime.fromisoformat(self.start).astimezone(self.where).time()
        return format_instant(moment_of(datetime.combine(day, clock), self.where))

    @property
    def _has_dates(self) -> bool:
        return _is_date(self.start)

    def _day(self, text: str) -> date:
        """The day of a date or an instant; raises :class:`OverflowError` past 9999."""
        return date.fromisoformat(text) if _is_date(text) else today(text, self.where)

    def _behind(self, text: str) -> str:
        """The least due date of this series' kind that is later than a date or an instant."""
        place = _bound_behind(text, self.where)
        return place.date if self._has_dates else place.instant


def _is_date(text: str) -> bool:
    return len(text) == DATE_LENGTH


def _bound_behind(text: str, where: ZoneInfo) -> Bound:
    """The place behind all of a day, or behind an instant; raises :class:`OverflowError`."""
    if _is_date(text):
        return day_bound(date.fromisoformat(text), where, later=1)
    return bound(format_instant(datetime.fromisoformat(text) + _SHORTEST), where)
