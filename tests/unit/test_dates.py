"""Dates, instants and zones: `todo.values.dates`."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from todo.values.dates import (
    Bound,
    bound,
    date_or_instant,
    day_bound,
    format_instant,
    instant,
    start_of,
    today,
    zone,
)

ZONES = [
    "UTC",
    "Pacific/Kiritimati",  # UTC+14
    "Pacific/Pago_Pago",  # UTC-11
    "Asia/Kolkata",  # half an hour
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Europe/Berlin",
    "America/Sao_Paulo",  # midnight was skipped, once a year
    "America/St_Johns",  # clocks changed a minute after midnight
    "Pacific/Apia",  # had no 30th of December 2011
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.integers(631_152_000_000, 2_082_758_400_000).map(  # 1990 to 2035, to milliseconds
    lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC)
)
dates = st.dates(date(1990, 1, 1), date(2035, 12, 31))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))


def is_refused(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return True
    return False


@given(st.dates())
def test_a_date_stays_as_it_is(day):
    assert date_or_instant(day.isoformat()) == day.isoformat()


@given(moments, offsets)
def test_an_instant_is_the_same_moment_whatever_its_offset(moment, offset):
    text = moment.astimezone(offset).isoformat()

    assert instant(text) == format_instant(moment)
    assert instant(format_instant(moment)) == format_instant(moment)


def moment_of(text: str) -> datetime | None:
    """The moment that RFC 3339, section 5.6, says ``text`` is; ``None`` for none. A small model."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(Z|([+-])(\d\d):(\d\d))", text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    hours, minutes = int(found[9] or 0), int(found[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    ahead = timedelta(hours=hours, minutes=minutes) * (-1 if found[8] == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC) - ahead
    except ValueError:
        return None


two_digits = st.integers(0, 99).map("{:02}".format)


@given(st.lists(two_digits, min_size=7, max_size=7), st.sampled_from("+-"))
@example(["12", "31", "17", "00", "00", "05", "99"], "+")
@example(["12", "31", "17", "00", "00", "05", "60"], "-")
@example(["12", "31", "24", "00", "00", "00", "00"], "+")
def test_an_instant_is_the_moment_that_rfc_3339_says_or_refused(fields, sign):
    month, day, hour, minute, second, hours, minutes = fields
    for zone_part in (f"{sign}{hours}:{minutes}", "Z"):
        text = f"2026-{month}-{day}T{hour}:{minute}:{second}{zone_part}"
        expected = moment_of(text)

        assert is_refused(instant, text) == (expected is None)
        if expected is not None:
            assert instant(text) == format_instant(expected)


@given(moments, moments)
def test_instants_sort_as_text(one, other):
    assert (format_instant(one) < format_instant(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-31T17:00:00Z", "2026-12-31T17:00:00.000Z"),
        ("2026-12-31T17:00:00.9999Z", "2026-12-31T17:00:00.999Z"),
        ("2026-12-31T17:00:00.123456789Z", "2026-12-31T17:00:00.123Z"),
        ("2026-12-31T17:00:00-08:00", "2027-01-01T01:00:00.000Z"),
        ("2027-01-01T00:30:00+05:45", "2026-12-31T18:45:00.000Z"),
        ("2026-12-31T17:00:00-00:00", "2026-12-31T17:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_in_one_form(text, expected):
    assert instant(text) == date_or_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-12-31T17:00:00",
        "2026-12-31 17:00:00Z",
        "2026-12-31t17:00:00z",
        "2026-12-31T17:00Z",
        "2026-12-31T17:00:00+0200",
        "2026-12-31T17:00:00+02",
        "2026-12-31T17:00:00.Z",
        "2026-12-31T17:00:00,5Z",
        "2026-12-31T24:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-12-31T17:00:00+24:00",
        "2026-12-31T17:00:00+05:60",
        "2026-12-31T17:00:00+05:99",
        "2026-12-31T17:00:00-23:99",
        "2026-12-31T17:60:00Z",
        "2026-02-30T00:00:00Z",
        "20261231T170000Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "+012026-12-31T17:00:00Z",
        "2026-12-31T17:00:00Z\n",
        "٢٠٢٦-12-31T17:00:00Z",
    ],
)
def test_another_form_is_no_instant(text):
    assert is_refused(instant, text)


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "2026-13-01", "2026-1-1", "20260101", "2026-W01-1", "0000-01-01", "2026-02-29"],
)
def test_a_day_that_is_not_in_the_calendar_is_no_date(text):
    assert is_refused(date_or_instant, text)


@pytest.mark.parametrize("name", ["", "europe/berlin", "+02:00", "CEST", "Mars/Phobos", "../UTC",
                                  "Factory", "localtime", "Europe/Berlin\0", "Europe"])  # fmt: skip
def test_another_name_is_no_zone(name):
    assert is_refused(zone, name)


@pytest.mark.parametrize("name", [*ZONES, "Etc/GMT+12", "EST5EDT", "Asia/Kathmandu"])
def test_iana_names_are_zones(name):
    assert zone(name).key == name


@pytest.mark.parametrize(
    ("day", "where", "expected"),
    [
        ("2026-12-31", "UTC", "2026-12-31T00:00:00.000Z"),
        ("2026-12-31", "Pacific/Kiritimati", "2026-12-30T10:00:00.000Z"),
        ("2026-12-31", "Pacific/Pago_Pago", "2026-12-31T11:00:00.000Z"),
        ("2026-12-31", "Asia/Kolkata", "2026-12-30T18:30:00.000Z"),
        # Berlin's days of 23 and 25 hours.
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z"),
        ("2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z"),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00.000Z"),
        ("2026-10-26", "Europe/Berlin", "2026-10-25T23:00:00.000Z"),
        # Midnight was skipped: the day began at one.
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z"),
        # Midnight came twice in Havana: the first one counts.
        ("2026-11-01", "America/Havana", "2026-11-01T04:00:00.000Z"),
        # A day that was none is as long as that.
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00.000Z"),
        ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00.000Z"),
    ],
)
def test_a_day_begins_at_its_first_moment(day, where, expected):
    assert start_of(date.fromisoformat(day), ZoneInfo(where)) == expected


@given(dates, zones)
def test_days_follow_each_other(day, where):
    assert start_of(day, where) <= start_of(day + timedelta(days=1), where)


@given(moments, zones.filter(lambda where: where.key != "America/St_Johns"))
def test_today_is_the_day_that_has_begun_and_whose_successor_has_not(moment, where):
    text = format_instant(moment)
    day = today(text, where)

    assert start_of(day, where) <= text < start_of(day + timedelta(days=1), where)


@given(dates, zones)
def test_a_date_bounds_dates_as_a_date_and_instants_by_its_first_moment(day, where):
    assert bound(day.isoformat(), where) == Bound(day.isoformat(), start_of(day, where))


@given(moments, dates, zones)
def test_an_instant_bounds_exactly_the_dates_that_begin_then_or_later(moment, day, where):
    place = bound(format_instant(moment), where)

    assert place.instant == format_instant(moment)
    assert (day.isoformat() >= place.date) == (start_of(day, where) >= format_instant(moment))


@given(st.dates(), zones, st.sampled_from(["0001-01-01", "9999-12-31"]))
def test_bounds_at_the_ends_of_the_calendar_sort_around_all_that_is_between(day, where, end):
    first, second = sorted([day.isoformat(), end])

    assert bound(first, where) <= bound(second, where)
    assert bound("0001-01-01T00:00:00.000Z", where).date <= day.isoformat()


@pytest.mark.parametrize("where", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_nothing_lies_outside_of_the_calendars_ends(where):
    last = bound("9999-12-31T23:59:59.999Z", ZoneInfo(where)).date
    after = day_bound(date.max, ZoneInfo(where), 1)

    assert last > "9999-12-30"
    assert after == ("~", "~")
    assert day_bound(date.min, ZoneInfo(where)).instant < "0001-01-01T12:00:00.000Z"
