"""The time, as the API writes it."""

from datetime import UTC, datetime


def now() -> str:
    """Return this moment: RFC 3339, UTC with ``Z``, exactly three decimals.

    It is cut to milliseconds *before* it is stored, so that what a client sent back as a bound
    compares equal to what is in the table.
    """
    moment = datetime.now(UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
