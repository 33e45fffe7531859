"""The days by a rule: `todo.recurrence.days`, by facts and by python-dateutil."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import islice, pairwise, takewhile

import pytest
from dateutil import rrule
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.depth import examples
from tests.unit.generated_rules import endless
from tests.unit.rfc_examples import EXAMPLES, days
from todo.recurrence.days import days_after, next_day, walk
from todo.recurrence.periods import Periods, periods
from todo.recurrence.rules import Rule

DAY = timedelta(days=1)
starts = st.dates(date(1970, 1, 1), date(2100, 12, 31))
late_starts = st.dates(date(9900, 1, 1), date(9999, 12, 31))
"""From here on python-dateutil is fast whatever the rule: it ends with the year 9999."""


def days_from(rule: str, start: date) -> Iterator[date]:
    return days_after(Rule.parse(rule), start, start - DAY)


@pytest.mark.parametrize(("rule", "start"), EXAMPLES)
def test_days_are_those_of_the_rfc(rule: str, start: str):
    expected = days(EXAMPLES[rule, start])
    assert list(islice(days_from(rule, days(start)[0]), len(expected))) == expected


THREE_YEARS = (
    "2027-01 31, 2027-02 28, 2027-03 31, 2027-04 30, 2027-05 31, 2027-06 30, 2027-07 31, "
    "2027-08 31, 2027-09 30, 2027-10 31, 2027-11 30, 2027-12 31, 2028-01 31, 2028-02 29, "
    "2028-03 31, 2028-04 30, 2028-05 31, 2028-06 30, 2028-07 31, 2028-08 31, 2028-09 30, "
    "2028-10 31, 2028-11 30, 2028-12 31, 2029-01 31, 2029-02 28, 2029-03 31, 2029-04 30, "
    "2029-05 31, 2029-06 30, 2029-07 31, 2029-08 31, 2029-09 30, 2029-10 31, 2029-11 30"
)
LEAP_DAYS = "2024-02 29, 2025-02 28, 2026-02 28, 2027-02 28, 2028-02 29"


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        (
            "FREQ=MONTHLY",
            "2027-01 31",
            THREE_YEARS,
        ),
        ("FREQ=MONTHLY", "2027-12 30", "2027-12 30, 2028-01 30, 2028-02 29, 2028-03 30"),
        ("FREQ=MONTHLY", "2026-12 29", "2026-12 29, 2027-01 29, 2027-02 28, 2027-03 29"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01 31", "2027-01 31, 2027-03 31, 2027-05 31"),
        ("FREQ=MONTHLY;BYMONTH=2,4", "2027-01 31", "2027-02 28, 2027-04 30, 2028-02 29"),
        ("FREQ=MONTHLY;BYMONTH=2;BYSETPOS=1", "2027-01 31", "2027-02 28, 2028-02 29"),
        ("FREQ=MONTHLY;INTERVAL=13", "2027-01 31", "2027-01 31, 2028-02 29, 2029-03 31"),
        ("FREQ=YEARLY", "2024-02 29", LEAP_DAYS),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2024-02 29", LEAP_DAYS),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02 29", "2024-02 29, 2028-02 29"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02 29", "2096-02 29, 2104-02 29"),
        ("FREQ=YEARLY;BYMONTH=2,6", "2027-01 31", "2027-02 28, 2027-06 30, 2028-02 29"),
        ("FREQ=YEARLY;BYMONTH=2,6;BYSETPOS=-1", "2027-01 31", "2027-06 30, 2028-06 30"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=1", "2027-03 10", "2029-01 10, 2031-01 10"),
        ("FREQ=MONTHLY;BYDAY=MO,2TU", "2027-01 1", "2027-01 4 11 12 18 25, 2027-02 1 8 9 15"),
        ("FREQ=MONTHLY;BYDAY=5MO", "2027-01 1", "2027-03 29, 2027-05 31, 2027-08 30"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "2027-01 20", "2027-02 1, 2027-03 1"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "2027-01 1", "2027-01 11 25"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2027-01 3", "2027-01 11 25"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", "2027-01 3", "2027-01 4 18"),
        ("FREQ=WEEKLY", "2027-01 3", "2027-01 3 10 17"),
    ],
)
def test_what_the_rule_does_not_say_comes_from_its_start(rule: str, start: str, expected: str):
    begins, those = days(start)[0], days(expected)
    assert list(islice(days_from(rule, begins), len(those))) == those


@given(endless, starts, starts)
def test_days_behind_another_are_the_rest_of_all_days(text, start, after):
    rule = Rule.parse(text)
    upcoming = list(islice(days_after(rule, start, after), 3))

    assert upcoming == sorted(set(upcoming))
    assert all(day > after and day >= start for day in upcoming)
    for before, day in pairwise(upcoming):
        assert next_day(rule, start, before) == day
        assert next_day(rule, start, day - DAY) == day


@given(st.sampled_from(["MONTHLY", "YEARLY"]), st.integers(1, 30), starts, st.integers(0, 200))
def test_a_plain_rule_never_drifts(freq, interval, start, ahead):
    rule = Rule.parse(f"FREQ={freq};INTERVAL={interval}")
    day = next(islice(days_from(str(rule), start), ahead, None))
    months = interval * ahead * (12 if freq == "YEARLY" else 1)

    assert (day.year * 12 + day.month) - (start.year * 12 + start.month) == months
    assert day.day == start.day or (day.day < start.day and (day + DAY).day == 1)


# --- python-dateutil as the oracle ---------------------------------------------------------------


def oracle(rule: Rule, start: date) -> Iterator[date]:
    """The days by python-dateutil, with what it does otherwise said in other words."""
    if rule.freq == "YEARLY" and not rule.has_days:
        moments = rrule.rruleset()
        for month in rule.by_month or (start.month,):
            moments.rrule(_rrule(rule, start, bymonth=month, **_own_day(start)))
    else:
        own = {} if rule.has_days or rule.freq != "MONTHLY" else _own_day(start)
        moments = _rrule(rule, start, **own)
    with suppress(ValueError):  # it raises "year 10000 is out of range" in the last week
        yield from (moment.date() for moment in moments)


def _own_day(start: date) -> dict[str, object]:
    """The start's day of the month, or the last one of a month that is shorter."""
    if start.day < 29:
        return {"bymonthday": start.day}
    return {"bymonthday": range(28, start.day + 1), "bysetpos": -1}


def _rrule(rule: Rule, start: date, **instead: object) -> rrule.rrule:
    is_by_month = rule.freq in ("MONTHLY", "YEARLY")
    parts = {
        "bymonth": rule.by_month or None,
        "bymonthday": rule.by_month_day or None,
        "bysetpos": rule.by_set_pos or None,
        # A list with and without ordinals has no days there: "every Monday" is "the first", ...
        "byweekday": [
            rrule.weekday(day.weekday, ordinal or None)
            for day in rule.by_day
            for ordinal in ([day.ordinal] if day.ordinal or not is_by_month else range(1, 6))
        ]
        or None,
        "wkst": rule.wkst or 0,
        "interval": rule.interval,
        "dtstart": datetime(start.year, start.month, start.day),  # noqa: DTZ001 - it has no zone
    }
    return rrule.rrule(getattr(rrule, rule.freq), **{**parts, **instead})


def comparable(text: str) -> Rule:
    """The rule, unless BYSETPOS is to choose from days that only its start says."""
    rule = Rule.parse(text)
    assume(rule.has_days or not rule.by_set_pos)
    return rule


@settings(max_examples=examples(150, in_ci=1_000))
@given(endless, late_starts)
@example("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", date(9900, 1, 31))
@example("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", date(9900, 1, 31))
@example("FREQ=YEARLY", date(9996, 2, 29))
@example("FREQ=WEEKLY;BYDAY=SU;WKST=WE", date(9999, 12, 31))
def test_all_days_to_the_end_of_time_are_those_of_dateutil(text, start):
    assert list(days_from(text, start)) == list(oracle(comparable(text), start))


@settings(max_examples=examples(150, in_ci=1_000))
@given(endless, starts)
def test_days_are_those_of_dateutil(text, start):
    """Only as many as there are in thirty years: where there are none, it looks until 9999."""
    end = start + timedelta(days=365 * 30)
    found = list(islice(takewhile(end.__ge__, days_from(text, start)), 40))

    assert list(islice(oracle(comparable(text), start), len(found))) == found


@settings(max_examples=examples(100, in_ci=1_000))
@given(endless, late_starts)
def test_days_repeat_every_400_years(text, start):
    """So what holds for the last years, where all days are compared, holds for all."""
    earlier = start.replace(year=start.year - 7_600)

    def first(begin: date) -> list[tuple[int, int, int]]:
        those = takewhile(lambda day: day.year < begin.year + 99, days_from(text, begin))
        return [(day.year - begin.year, day.month, day.day) for day in islice(those, 50)]

    late = first(start)
    assert first(earlier)[: len(late)] == late


# --- The work is bounded -------------------------------------------------------------------------


class Counted:
    """Periods that count how many of them are looked at."""

    def __init__(self, over: Periods) -> None:
        self._over = over
        self.cycle, self.last, self.number = over.cycle, over.last, over.number
        self.looked_at = 0

    def days(self, number: int) -> list[int]:
        self.looked_at += 1
        return list(self._over.days(number))


def work(text: str, start: date, after: date) -> tuple[date | None, int]:
    """The next day, and the periods that were looked at."""
    counted = Counted(periods(Rule.parse(text), start))
    first = max(start.toordinal(), after.toordinal() + 1)
    found = next(walk(counted, first), None)
    return (None if found is None else date.fromordinal(found)), counted.looked_at


MOST = {"DAILY": 7, "WEEKLY": 1, "MONTHLY": 4_800, "YEARLY": 400}
"""Periods until all days repeat."""


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30,31",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4,6,9,11",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=8",
        "FREQ=MONTHLY;BYDAY=5FR;BYMONTH=2;BYMONTHDAY=28",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366,-366,32,-32",
        "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366",
        "FREQ=YEARLY;BYMONTH=2;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=DAILY;INTERVAL=994;BYDAY=MO",
    ],
)
@pytest.mark.parametrize("start", [date(1970, 1, 30), date(2026, 11, 29), date(9600, 1, 1)])
def test_a_rule_without_any_day_is_known_after_one_cycle(text: str, start: date):
    found, looked_at = work(text, start, start)
    assert found is None
    assert looked_at <= MOST[Rule.parse(text).freq] + 1


@pytest.mark.parametrize(
    ("text", "expected", "periods_looked_at"),
    [
        ("FREQ=DAILY", date(9000, 1, 2), 1),
        ("FREQ=DAILY;INTERVAL=999", date(9002, 3, 16), 1),
        ("FREQ=WEEKLY;INTERVAL=999", date(9015, 11, 18), 1),
        ("FREQ=MONTHLY", date(9000, 1, 31), 1),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", date(9000, 1, 31), 1),
        ("FREQ=YEARLY;INTERVAL=999", date(9962, 1, 31), 1),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", date(9004, 2, 29), 5),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", date(9008, 2, 29), 9),
        ("FREQ=YEARLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", None, 1),
    ],
)
def test_days_long_after_the_start_are_as_near(text, expected, periods_looked_at):
    assert work(text, date(1970, 1, 31), date(9000, 1, 1)) == (expected, periods_looked_at)


@given(endless, starts | late_starts, starts | late_starts)
def test_the_next_day_of_any_rule_is_found_within_one_cycle(text, start, after):
    _, looked_at = work(text, start, after)
    assert looked_at <= MOST[Rule.parse(text).freq] + 1


@pytest.mark.parametrize("freq", MOST)
def test_after_the_last_day_of_9999_there_is_none(freq: str):
    assert next_day(Rule.parse(f"FREQ={freq}"), date(2026, 12, 31), date.max) is None
    assert next_day(Rule.parse(f"FREQ={freq}"), date.max, date.max - DAY) == date.max
