"""The due dates of a series: `todo.recurrence.series`."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.generated_rules import rules
from tests.unit.rfc_examples import EXAMPLES, days
from todo.recurrence.rules import Rule
from todo.recurrence.series import Series
from todo.values.dates import format_instant, start_of

LONG_AGO = "1970-01-01T00:00:00.000Z"
SUNDAY = "2026-11-29T09:00:00.000Z"


def series(rule: str, start: str, zone: str = "UTC", origin: str = "due") -> Series:
    return Series(rule=Rule.parse(rule), start=start, where=ZoneInfo(zone), origin=origin)


def following(one: Series, number: int = 8, made: int = 1) -> list[str]:
    """The due dates behind the start."""
    return list(islice(one.occurrences(one.start, made), number))


def at(clock: str, those: Iterable[str]) -> list[str]:
    return [f"{day}T{clock}.000Z" for day in those]


@pytest.mark.parametrize(("rule", "start"), EXAMPLES)
def test_due_dates_are_those_of_the_rfc_at_nine_in_new_york(rule: str, start: str):
    expected = days(EXAMPLES[rule, start])
    where = ZoneInfo("America/New_York")
    moments = [datetime(day.year, day.month, day.day, 9, tzinfo=where) for day in expected]
    first, *others = map(format_instant, moments)
    ends = "COUNT" in rule or "UNTIL" in rule

    assert following(series(rule, first, "America/New_York"), None if ends else len(others)) == (
        others
    )


def test_every_day_until_christmas_is_113_days():
    """RFC 5545, section 3.8.5.3: daily until December 24, 1997."""
    one = series(
        "FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02T13:00:00.000Z", "America/New_York"
    )
    assert len(following(one, 200)) == 112
    assert following(one, 200)[-1] == "1997-12-23T14:00:00.000Z"


# --- From due ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "occurrence", "now", "expected"),
    [
        ("FREQ=DAILY", "2026-11-29", SUNDAY, "2026-11-30"),
        # Five days late: tomorrow, not four days ago, and not today, which has begun.
        ("FREQ=DAILY", "2026-11-24", SUNDAY, "2026-11-30"),
        # Early: behind the one that is completed.
        ("FREQ=DAILY", "2026-12-24", SUNDAY, "2026-12-25"),
        ("FREQ=WEEKLY", "2026-11-22", SUNDAY, "2026-12-06"),
        ("FREQ=WEEKLY", "2026-11-15", "2026-11-28T23:59:59.999Z", "2026-11-29"),
        ("FREQ=WEEKLY", "2026-11-15", "2026-11-29T00:00:00.000Z", "2026-12-06"),
        # The rhythm is the start's, however late the task was.
        ("FREQ=DAILY;INTERVAL=3", "2026-11-22", SUNDAY, "2026-12-01"),
    ],
)
def test_from_due_the_next_is_behind_the_occurrence_and_now(rule, occurrence, now, expected):
    assert series(rule, "2026-11-01").next_due(occurrence, now, 1) == expected


def test_an_instant_of_today_that_is_ahead_is_next():
    one = series("FREQ=DAILY", "2026-11-01T17:00:00.000Z")

    assert one.next_due("2026-11-24T17:00:00.000Z", SUNDAY, 9) == "2026-11-29T17:00:00.000Z"
    late = "2026-11-29T17:00:00.000Z"
    assert one.next_due("2026-11-24T17:00:00.000Z", late, 9) == "2026-11-30T17:00:00.000Z"


def test_what_day_it_is_depends_on_the_zone():
    def next_in(zone: str) -> str | None:
        return series("FREQ=DAILY", "2026-11-01", zone).next_due("2026-11-20", at_ten, 1)

    at_ten = "2026-11-29T10:30:00.000Z"
    assert next_in("Pacific/Kiritimati") == "2026-12-01"  # there it is the 30th
    assert next_in("UTC") == "2026-11-30"
    assert next_in("Pacific/Pago_Pago") == "2026-11-29"  # there it is the 28th


# --- From completion -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "now", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", SUNDAY, "2026-12-02"),
        ("FREQ=WEEKLY;INTERVAL=2", SUNDAY, "2026-12-13"),
        ("FREQ=MONTHLY", "2027-01-31T12:00:00.000Z", "2027-02-28"),
        ("FREQ=MONTHLY", "2027-03-02T12:00:00.000Z", "2027-04-02"),
        ("FREQ=YEARLY", "2028-02-29T12:00:00.000Z", "2029-02-28"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "2026-11-27T12:00:00.000Z", "2026-11-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", SUNDAY, "2026-11-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=29", SUNDAY, "2026-12-29"),
    ],
)
@pytest.mark.parametrize("occurrence", ["2026-11-01", "2027-12-24"])
def test_from_completion_the_rule_begins_anew_today(rule, now, expected, occurrence):
    one = series(rule, "2026-11-01", origin="completion")
    assert one.next_due(occurrence, now, 1) == expected


def test_from_completion_an_instant_keeps_its_time_of_day():
    one = series("FREQ=DAILY;INTERVAL=2", "2026-07-01T07:30:00.000Z", "Europe/Berlin", "completion")
    assert one.next_due(one.start, "2026-11-29T23:30:00.000Z", 1) == "2026-12-02T08:30:00.000Z"


def test_from_completion_days_to_come_are_those_of_a_user_who_is_on_time():
    monthly = series("FREQ=MONTHLY", "2027-01-31", origin="completion")
    weekdays = series("FREQ=WEEKLY;BYDAY=FR,MO;COUNT=4", "2026-11-29", origin="completion")

    assert following(monthly, 3) == ["2027-02-28", "2027-03-28", "2027-04-28"]
    assert following(weekdays) == ["2026-11-30", "2026-12-04", "2026-12-07"]


# --- COUNT, UNTIL, 9999 --------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["due", "completion"])
def test_count_is_the_tasks_that_were_made_the_first_included(origin: str):
    one = series("FREQ=DAILY;COUNT=3", "2026-11-29", origin=origin)

    assert following(one) == ["2026-11-30", "2026-12-01"]
    assert following(one, made=3) == following(one, made=4) == []
    assert one.next_due("2026-11-29", SUNDAY, 2) == "2026-11-30"
    assert one.next_due("2026-11-29", SUNDAY, 3) is None


@pytest.mark.parametrize(
    ("until", "start", "zone", "last"),
    [
        ("20261201", "2026-11-29", "UTC", "2026-12-01"),
        ("20261201", "2026-11-29", "Pacific/Kiritimati", "2026-12-01"),
        # A date includes its whole day in the zone: in Auckland it ends at 11:00 in UTC.
        ("20261201", "2026-11-29T10:59:00.000Z", "Pacific/Auckland", "2026-12-01T10:59:00.000Z"),
        ("20261201", "2026-11-29T11:00:00.000Z", "Pacific/Auckland", "2026-11-30T11:00:00.000Z"),
        # An instant includes itself, and a date begins at its midnight.
        ("20261201T090000Z", "2026-11-29T09:00:00.000Z", "UTC", "2026-12-01T09:00:00.000Z"),
        ("20261201T085959Z", "2026-11-29T09:00:00.000Z", "UTC", "2026-11-30T09:00:00.000Z"),
        ("20261201T000000Z", "2026-11-29", "UTC", "2026-12-01"),
        ("20261130T235959Z", "2026-11-29", "UTC", "2026-11-30"),
        ("20261201T000000Z", "2026-11-29", "America/New_York", "2026-11-30"),
    ],
)
@pytest.mark.parametrize("origin", ["due", "completion"])
def test_until_is_the_last_due_date(until, start, zone, last, origin):
    one = series(f"FREQ=DAILY;UNTIL={until}", start, zone, origin)
    assert following(one)[-1] == last
    assert one.next_due(last, f"{last[:10]}T11:00:00.000Z", 2) is None


@pytest.mark.parametrize("origin", ["due", "completion"])
@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("9999-12-31", "UTC"),
        ("9999-12-31", "Pacific/Kiritimati"),
        ("9999-12-31T23:30:00.000Z", "UTC"),
        ("9999-12-31T23:59:59.999Z", "UTC"),
        ("9999-12-31T23:30:00.000Z", "Pacific/Kiritimati"),  # there it is the year 10000
        ("9999-12-31T04:30:00.000Z", "America/New_York"),  # the next one is, in UTC
    ],
)
def test_nothing_comes_after_the_year_9999(origin, start, zone):
    one = series("FREQ=DAILY", start, zone, origin)

    assert following(one) == []
    assert one.next_due(start, "9999-12-31T23:59:59.999Z", 1) is None


# --- Clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        (
            "Europe/Berlin",  # 02:30, which the 29th has not: 03:00 in summer time
            "2026-03-28T01:30:00.000Z",
            ["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"],
        ),
        (
            "Europe/Berlin",  # 02:30, which the 25th has twice
            "2026-10-24T00:30:00.000Z",
            ["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"],
        ),
        (
            "Europe/Berlin",  # the second 02:30 of the 25th
            "2026-10-25T01:30:00.000Z",
            ["2026-10-26T01:30:00.000Z", "2026-10-27T01:30:00.000Z"],
        ),
        (
            "Australia/Lord_Howe",  # 02:15, which the 4th has not: 02:30
            "2026-10-02T15:45:00.000Z",
            ["2026-10-03T15:30:00.000Z", "2026-10-04T15:15:00.000Z"],
        ),
        (
            "America/New_York",  # 17:00 in summer and in winter
            "2026-10-31T21:00:00.000Z",
            ["2026-11-01T22:00:00.000Z", "2026-11-02T22:00:00.000Z"],
        ),
        (
            "Pacific/Kiritimati",
            "2025-12-31T09:59:59.999Z",
            ["2026-01-01T09:59:59.999Z", "2026-01-02T09:59:59.999Z"],
        ),
        (
            "Pacific/Apia",  # 17:00; the 30th was not, so its task is due when the 31st begins
            "2011-12-30T03:00:00.000Z",
            ["2011-12-30T10:00:00.000Z", "2011-12-31T03:00:00.000Z", "2012-01-01T03:00:00.000Z"],
        ),
        (
            "Pacific/Apia",  # 00:00; that of the 30th is that of the 31st, and is there once
            "2011-12-29T10:00:00.000Z",
            ["2011-12-30T10:00:00.000Z", "2011-12-31T10:00:00.000Z"],
        ),
        ("Pacific/Apia", "2011-12-29", ["2011-12-30", "2011-12-31", "2012-01-01"]),
    ],
)
def test_a_daily_task_keeps_its_time_of_day(zone: str, start: str, expected: list[str]):
    one = series("FREQ=DAILY", start, zone)

    assert following(one, len(expected)) == expected
    for before, due in zip([start, *expected], expected, strict=False):
        assert one.next_due(before, LONG_AGO, 1) == due


def test_a_monthly_task_keeps_its_day_in_its_zone():
    """The 31st at 08:00 in Auckland is the 30th in UTC."""
    one = series("FREQ=MONTHLY", "2027-01-30T19:00:00.000Z", "Pacific/Auckland")
    expected = ["2027-02-27T19:00:00.000Z", "2027-03-30T19:00:00.000Z", "2027-04-29T20:00:00.000Z"]
    assert following(one, 3) == expected


# --- A rule that is set --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "start", "zone", "expected"),
    [
        ("FREQ=DAILY", "2026-11-29", "UTC", "2026-11-29"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-29", "UTC", "2026-11-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=29", "2026-11-29", "UTC", "2026-11-29"),
        ("FREQ=MONTHLY;BYMONTHDAY=28", "2026-11-29", "UTC", "2026-12-28"),
        ("FREQ=DAILY;INTERVAL=5", "2026-11-20", "UTC", "2026-11-30"),
        ("FREQ=DAILY", "2026-12-24", "UTC", "2026-12-24"),
        ("FREQ=DAILY", "2026-11-01", "Pacific/Pago_Pago", "2026-11-28"),
        ("FREQ=DAILY", "2026-11-01T08:00:00.000Z", "UTC", "2026-11-29T08:00:00.000Z"),
        ("FREQ=DAILY;UNTIL=20261128", "2026-11-29", "UTC", None),
        ("FREQ=DAILY;UNTIL=20261129", "2026-11-29", "UTC", "2026-11-29"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-29", "UTC", None),
    ],
)
def test_the_first_due_date_is_on_the_first_day_by_the_rule_from_today_on(
    rule, start, zone, expected
):
    assert series(rule, start, zone).first(SUNDAY) == expected


@pytest.mark.parametrize(
    ("rule", "start", "never"),
    [
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "2026-11-29", True),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2027-01-01", True),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29", "2028-01-01", False),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-11-29", True),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=SU", "2026-11-29", False),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1", "9999-11-29", True),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1", "9999-10-29T12:00:00.000Z", False),
        ("FREQ=DAILY", "9999-12-31T23:30:00.000Z", True),
        # What is used up could come true once.
        ("FREQ=DAILY;UNTIL=20200101", "2026-11-29", False),
        ("FREQ=DAILY;COUNT=1", "2026-11-29", False),
    ],
)
def test_a_rule_without_any_day_from_its_start_on_never_occurs(rule, start, never):
    assert series(rule, start, "Pacific/Auckland").never_occurs() is never


# --- Laws ----------------------------------------------------------------------------------------

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "America/St_Johns",
]
dates = st.dates(date(2009, 1, 1), date(2013, 1, 1))
moments = st.integers(1_230_768_000_000, 1_356_998_400_000).map(  # the same, to milliseconds
    lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC)
)
dues = dates.map(date.isoformat) | moments.map(format_instant)
all_series = st.builds(series, rules, dues, st.sampled_from(ZONES), st.just("due"))
hours = st.integers(0, 30_000)


def moment(due: str, where: ZoneInfo) -> str:
    if len(due) > 10:
        return due
    return start_of(datetime.fromisoformat(due).date(), where)


@given(all_series, hours, hours)
def test_the_next_is_the_first_of_all_that_is_behind_both(one, late, early):
    """Against all due dates from the start, in order."""
    start = datetime.fromisoformat(moment(one.start, one.where))
    now = format_instant(start + timedelta(hours=late))
    behind = format_instant(start + timedelta(hours=early))
    occurrence = behind if len(one.start) > 10 else behind[:10]
    due = one.next_due(occurrence, now, 0)

    every = islice(one.occurrences(one.start, -10_000), 3_000)
    expected = (
        due
        for due in every
        if due > occurrence and moment(due, one.where) > now and due > one.start
    )
    if occurrence >= one.start:
        assert due == next(expected, None)


@given(all_series, st.integers(1, 900))
def test_due_dates_ascend_and_each_is_next_of_the_one_before(one, made):
    upcoming = following(one, 4, made)

    assert upcoming == sorted(set(upcoming))
    for before, due in zip([one.start, *upcoming], upcoming, strict=False):
        assert one.next_due(before, LONG_AGO, made) == due


@given(st.builds(series, rules, dues, st.sampled_from(ZONES), st.just("completion")), hours)
def test_from_completion_the_next_is_on_a_later_day(one, later):
    now = datetime.fromisoformat(moment(one.start, one.where)) + timedelta(hours=later)
    due = one.next_due(one.start, format_instant(now), 1)

    if due is not None:
        at_due = datetime.fromisoformat(moment(due, one.where))
        assert at_due > now
        assert at_due.astimezone(one.where).date() > now.astimezone(one.where).date()
