"""From a time on the clocks of a zone to the moment that it is."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def moment_of(wall: datetime, where: ZoneInfo) -> datetime:
    """Return the first moment (in UTC) at which clocks in a zone show ``wall``, or later.

    So of a time that clocks show twice it is the first, and for a time that they skip the moment
    after the gap. ``wall`` has no zone. Raises :class:`OverflowError` outside of the years 1 to
    9999.
    """
    moment = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    if _shown(moment, where) == wall:
        return moment
    return _end_of_gap(wall, where, moment)


def _shown(moment: datetime, where: ZoneInfo) -> datetime:
    return moment.astimezone(where).replace(tzinfo=None, fold=0)


def _end_of_gap(wall: datetime, where: ZoneInfo, behind: datetime) -> datetime:
    """The moment, on a whole second, from which on the clocks show more than ``wall``.

    With the offset behind the gap (PEP 495: ``fold=1``) ``wall`` is a moment before its end, with
    the offset before the gap (``fold=0``) it is ``behind`` it.
    """
    before = wall.replace(tzinfo=where, fold=1).astimezone(UTC).replace(microsecond=0)

    def after(seconds: int) -> datetime:
        return before + timedelta(seconds=seconds)

    most = range(int((behind - before).total_seconds()) + 1)
    return after(bisect_left(most, True, key=lambda s: _shown(after(s), where) >= wall))
