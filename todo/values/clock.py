"""The time, as the API writes it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from todo.values.dates import format_instant

_LAST: Final = 253_402_300_799
"""The last second that RFC 3339 can write, in Unix time."""


def now() -> str:
    """Return this moment: RFC 3339, UTC with ``Z``, exactly three decimals.

    It is cut to milliseconds *before* it is stored, so that what a client sent back as a bound
    compares equal to what is in the table.
    """
    return format_instant(datetime.now(UTC))


def earlier(span: timedelta) -> str:
    """Return the moment that is ``span`` before now, written like :func:`now`."""
    return format_instant(datetime.now(UTC) - span)


def instant(seconds: float) -> str:
    """Return a Unix time as the API writes it; what lies beyond the year 9999 ends there."""
    return format_instant(datetime.fromtimestamp(min(max(seconds, 0), _LAST), UTC))
