"""From a time on the clocks of a zone to a moment: `todo.recurrence.clocks`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo.recurrence.clocks import moment_of

CHANGES = {
    "Europe/Berlin": ["2026-03-29T02", "2026-10-25T02"],
    "Australia/Lord_Howe": ["2026-10-04T02", "2026-04-05T01"],  # by half an hour
    "America/Sao_Paulo": ["2018-11-04T00", "2018-02-17T23"],  # at midnight
    "America/St_Johns": ["2010-03-14T00", "2010-11-06T23"],  # a minute after midnight
    "Pacific/Apia": ["2011-12-30T12", "2012-04-01T03"],  # had no 30th of December 2011
    "Pacific/Kiritimati": ["1994-12-31T12"],  # had no 31st; the 1st of January in newer data
    "America/New_York": ["2026-03-08T02", "2026-11-01T01"],
}
near_changes = st.sampled_from([(z, at) for z, those in CHANGES.items() for at in those])
minutes = st.integers(-2_000, 2_000)


def shown(moment: datetime, where: ZoneInfo) -> datetime:
    return moment.astimezone(where).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("zone", "wall", "moment"),
    [
        ("UTC", "2026-12-31T17:00", "2026-12-31T17:00"),
        ("Europe/Berlin", "2026-03-28T02:30", "2026-03-28T01:30"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),  # 03:00 in summer time
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # and again an hour later
        ("America/New_York", "2026-03-08T02:59:59.999", "2026-03-08T07:00"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),  # 02:30
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"),
        ("Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00"),
        ("Pacific/Apia", "2011-12-29T17:00", "2011-12-30T03:00"),
        ("Pacific/Apia", "2011-12-30T17:00", "2011-12-30T10:00"),  # midnight of the 31st
        ("Pacific/Apia", "2011-12-31T17:00", "2011-12-31T03:00"),
        ("America/Sao_Paulo", "2018-11-04T00:30", "2018-11-04T03:00"),
    ],
)
def test_a_time_is_the_first_moment_at_which_clocks_show_it_or_are_past_it(zone, wall, moment):
    expected = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert moment_of(datetime.fromisoformat(wall), ZoneInfo(zone)) == expected


@given(near_changes, minutes, st.integers(0, 59_999))
def test_no_clock_showed_it_before(change, later, milliseconds):
    where = ZoneInfo(change[0])
    wall = datetime.fromisoformat(f"{change[1]}:00")
    wall += timedelta(minutes=later, milliseconds=milliseconds)
    moment = moment_of(wall, where)

    assert shown(moment, where) >= wall
    earlier = [timedelta(milliseconds=1), *(timedelta(minutes=10 * n) for n in range(1, 300))]
    assert all(shown(moment - some, where) < wall for some in earlier)


def test_a_time_outside_of_the_calendar_is_refused():
    with pytest.raises(OverflowError):
        moment_of(datetime.fromisoformat("9999-12-31T23:00"), ZoneInfo("America/New_York"))
