"""Times as the API writes them: `todo.services.clock` and `todo.models.Instant`."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from todo.models import Instant
from todo.services import clock

WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DIALECTS = [postgresql.dialect(), sqlite.dialect()]
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 30))  # noqa: DTZ001
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_now_has_three_decimals_and_a_z():
    assert WRITTEN.fullmatch(clock.now())


@given(MOMENTS)
def test_a_moment_of_the_api_survives_the_database(moment):
    written = f"{moment.isoformat(timespec='milliseconds')}Z"
    instant = Instant()

    for dialect in DIALECTS:
        stored = instant.process_bind_param(written, dialect)
        assert instant.process_result_value(stored, dialect) == written


@given(MOMENTS, ZONES)
def test_the_zone_of_the_session_does_not_show(moment, zone):
    # PostgreSQL answers in the zone of the session.
    moment = moment.replace(tzinfo=UTC)
    written = Instant().process_result_value(moment.astimezone(zone), DIALECTS[0])

    assert WRITTEN.fullmatch(written)
    assert written == f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_no_moment_is_none_both_ways(dialect):
    assert Instant().process_bind_param(None, dialect) is None
    assert Instant().process_result_value(None, dialect) is None
