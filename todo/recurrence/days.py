"""The days by a rule, from its start on, in bounded work.

The walk begins at the period that is asked about, which arithmetic finds, and ends after one whole
cycle of periods without any day. Decision 0030 says why it is our own.
"""

from collections.abc import Iterator
from datetime import date

from todo.recurrence.periods import LAST_DAY, Periods, periods
from todo.recurrence.rules import Rule


def days_after(rule: Rule, start: date, after: date) -> Iterator[date]:
    """Yield the days by a rule that are later than ``after``, in order, to the end of 9999.

    None is before ``start`` (1970 or later), which INTERVAL counts from and from which a rule
    takes what it does not say: the weekday, the day of the month (or the last, in a month that is
    shorter), the month. ``start`` itself is only a day by the rule if the rule has it. COUNT and
    UNTIL are not looked at.
    """
    first = max(start.toordinal(), after.toordinal() + 1)
    return map(date.fromordinal, walk(periods(rule, start), first))


def next_day(rule: Rule, start: date, after: date) -> date | None:
    """Return the first of :func:`days_after`; ``None`` if there is none by the end of 9999."""
    return next(days_after(rule, start, after), None)


def walk(over: Periods, first: int) -> Iterator[int]:
    """Yield the days of periods from the day ``first`` on.

    Between two days it looks at one cycle of periods at most, and one period more for the first:
    that may have its days before ``first``.
    """
    number = over.number(first) if first <= LAST_DAY else over.last + 1
    empty = 0
    while number <= over.last and empty <= over.cycle:
        days = [day for day in over.days(number) if day >= first]
        yield from days
        empty = 0 if days else empty + 1
        number += 1
