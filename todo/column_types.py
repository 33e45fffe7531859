"""The types of columns that the two databases write in different ways."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from todo.values.dates import format_instant

PRIORITIES = ("low", "medium", "high")
"""From the least important up."""


@lru_cache(maxsize=10_000)  # lists are read again and again
def _instant(text: str | None) -> str | None:
    """PostgreSQL's text, in the zone of the session and with few decimals or none, as the API's."""
    if text is None:
        return None
    if text.endswith("+00"):
        return f"{text[:10]}T{text[11:19]}.{text[20:-3]:0<3.3}Z"
    return format_instant(datetime.fromisoformat(text))


class Instant(sa.TypeDecorator[str]):
    """A moment, as the API writes it: RFC 3339 in UTC with ``Z`` and exactly three decimals.

    In Python it is that string; in PostgreSQL a ``timestamptz``, in SQLite a ``DATETIME``. It never
    becomes a ``datetime`` on the way, which cost a list more than all else that Python does for it:
    both databases read and write text.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[str | None], str | None] | None:
        """Write what SQLAlchemy's own ``DATETIME`` would, for SQLite."""
        if dialect.name == "postgresql":
            return None
        return lambda value: value and f"{value[:10]} {value[11:23]}000"

    def result_processor(
        self, dialect: sa.Dialect, coltype: object
    ) -> Callable[[str | None], str | None] | None:
        """Read PostgreSQL's text (see ``todo.database.connection``), or SQLite's."""
        if dialect.name == "postgresql":
            return _instant
        return lambda value: value and f"{value[:10]}T{value[11:19]}.{value[20:23]:0<3}Z"


class Priority(sa.TypeDecorator[str]):
    """``low``, ``medium`` or ``high``; in the databases 1, 2 and 3, which sort by importance."""

    impl = sa.SmallInteger
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> int | None:
        """Number the name."""
        return None if value is None else PRIORITIES.index(value) + 1

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> str | None:
        """Name the number."""
        return None if value is None else PRIORITIES[value - 1]


def collated_text() -> sa.Text:
    """Text that both databases compare by code point; no locale decides what a client sees."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
