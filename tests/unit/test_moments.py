"""Times as the API writes them: `todo.values.clock` and `todo.column_types.Instant`."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from todo.column_types import Instant
from todo.values import clock

WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
POSTGRESQL, SQLITE = postgresql.dialect(), sqlite.dialect()
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 30))  # noqa: DTZ001
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_now_has_three_decimals_and_a_z():
    assert WRITTEN.fullmatch(clock.now())


def as_postgresql_prints(moment: datetime) -> str:
    """A ``timestamptz`` as text: no more decimals than it needs, minutes of the zone if any."""
    decimals = f"{moment.microsecond:06}".rstrip("0")
    offset = f"{moment:%z}".removesuffix("00")
    offset = offset if len(offset) == 3 else f"{offset[:3]}:{offset[3:]}"
    return f"{moment.isoformat(sep=' ')[:19]}{'.' * bool(decimals)}{decimals}{offset}"


@given(MOMENTS)
def test_a_moment_of_the_api_survives_sqlite_in_the_form_of_its_own_type(moment):
    written = f"{moment.isoformat(timespec='milliseconds')}Z"
    stored = Instant().bind_processor(SQLITE)(written)

    assert Instant().result_processor(SQLITE, None)(stored) == written
    assert sqlite.DATETIME().result_processor(SQLITE, None)(stored) == datetime.fromisoformat(
        written
    ).replace(tzinfo=None)


@given(MOMENTS, ZONES)
def test_a_moment_of_postgresql_is_written_alike_whatever_the_zone_of_the_session(moment, zone):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    printed = as_postgresql_prints(moment.astimezone(zone))

    written = Instant().result_processor(POSTGRESQL, None)(printed)
    assert WRITTEN.fullmatch(written)
    assert written == f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@pytest.mark.parametrize("offset", [0, 345, -210])
def test_every_millisecond_of_postgresql_is_written_with_three_decimals(offset):
    zone = timezone(timedelta(minutes=offset))
    read = Instant().result_processor(POSTGRESQL, None)
    for millisecond in range(1000):
        moment = datetime(2026, 11, 22, 16, 51, 0, millisecond * 1000, tzinfo=UTC)
        printed = as_postgresql_prints(moment.astimezone(zone))
        assert read(printed) == f"2026-11-22T16:51:00.{millisecond:03}Z", printed


def test_postgresql_takes_the_text_as_it_is():
    assert Instant().bind_processor(POSTGRESQL) is None


def test_no_moment_is_none_both_ways():
    assert Instant().result_processor(POSTGRESQL, None)(None) is None
    assert Instant().bind_processor(SQLITE)(None) is None
    assert Instant().result_processor(SQLITE, None)(None) is None
