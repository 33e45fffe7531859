"""Dates, instants and zones: how they are written, and when a day begins where.

A date (``2026-12-31``) is a day wherever its reader is; an instant (``2026-12-31T17:00:00.000Z``)
is one moment everywhere. Neither is ever made the other. Only comparing the two needs a zone, in
which the date begins at midnight. Both are kept as text, in the one form that sorts by time.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

DATE_LENGTH: Final = 10
"""Characters of a date; an instant has 24."""

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The ranges are here, not left to `fromisoformat`: it takes an offset's minutes up to 99, and newer
# Pythons take 24:00:00.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_BEFORE_ALL: Final = ""
_AFTER_ALL: Final = "~"
"""They sort around every date and instant, for what lies outside of the years 1 to 9999."""
_DAY: Final = timedelta(days=1)
_NO_ZONES: Final = {"Factory", "localtime"}
"""They are in the database, but where they are is another thing on every machine."""


class Bound(NamedTuple):
    """A place between the due dates: what is at or after it, as a date and as an instant."""

    date: str
    instant: str


def format_instant(moment: datetime) -> str:
    """Return an aware ``moment`` as the API writes it: in UTC with ``Z``, cut to milliseconds.

    Raises :class:`OverflowError` when that is outside of the years 1 to 9999.
    """
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def instant(text: str) -> str:
    """Return an instant (RFC 3339, section 5.6, in capitals, any offset) as the API writes it.

    An offset has hours to 23 and minutes to 59; ``-00:00`` is UTC. Raises :class:`ValueError` for
    anything else, a time without a zone and a leap second included.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    try:
        return format_instant(datetime.fromisoformat(text))
    except OverflowError:
        raise ValueError(text) from None


def date_or_instant(text: str) -> str:
    """Return a date as it is, an instant as the API writes it; raises :class:`ValueError`."""
    if _DATE.fullmatch(text):
        return date.fromisoformat(text).isoformat()
    return instant(text)


@cache
def zone(name: str) -> ZoneInfo:
    """Return the zone with this IANA name, in its exact spelling; raises :class:`ValueError`."""
    if name not in _zone_names():
        raise ValueError(name)
    return ZoneInfo(name)


def today(moment: str, where: ZoneInfo) -> date:
    """Return the date that it is in a zone at an instant."""
    return datetime.fromisoformat(moment).astimezone(where).date()


def start_of(day: date, where: ZoneInfo) -> str:
    """Return the instant at which ``day`` begins in a zone.

    Where the clocks skip midnight that is the first moment after the gap (PEP 495: of a time in
    a gap, ``fold=0`` takes the offset before it; the gap begins at midnight everywhere but in
    Toronto in 1919), where there are two midnights the first.
    """
    try:
        return format_instant(datetime(day.year, day.month, day.day, tzinfo=where))
    except OverflowError:
        return _BEFORE_ALL if day.year == 1 else _AFTER_ALL


def bound(text: str, where: ZoneInfo) -> Bound:
    """Return the place of a canonical date or instant among the due dates, seen from a zone."""
    if len(text) == DATE_LENGTH:
        return day_bound(date.fromisoformat(text), where)
    return Bound(_first_day_from(text, where), text)


def day_bound(day: date, where: ZoneInfo, later: int = 0) -> Bound:
    """Return the beginning of the day that is ``later`` days after ``day``."""
    try:
        begins = day + later * _DAY
    except OverflowError:
        return Bound(_AFTER_ALL, _AFTER_ALL)
    return Bound(begins.isoformat(), start_of(begins, where))


def _first_day_from(moment: str, where: ZoneInfo) -> str:
    """The first date that begins at ``moment`` or later."""
    try:
        day = today(moment, where)
        while start_of(day, where) < moment:
            day += _DAY
    except OverflowError:
        return _BEFORE_ALL if moment.startswith("0001") else _AFTER_ALL
    return day.isoformat()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)
