"""The connections that serve requests: psycopg2's, with two changes that make them cheaper.

A connection returns instants as PostgreSQL's text, which ``todo.column_types.Instant`` understands,
and builds no ``datetime``. A connection sends what begins or ends a transaction in the message of
the transaction's first or last statement, which saves two round trips for every write.

psycopg2 sends its argument as one simple query, so several statements can go together; the result
is that of the last statement. (An event of SQLAlchemy could do the same, but an engine with events
runs them for every statement.)
"""

from typing import Any, Final

from psycopg2 import extensions


class CombiningCursor(extensions.cursor):
    """A cursor that sends a statement with what goes before it and behind it."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Execute ``query``, between the connection's ``before`` and ``behind``."""
        connection: Any = self.connection
        super().execute(connection.combined(query), vars)


_TIMESTAMPTZ: Final = 1184


class CombiningConnection(extensions.connection):
    """A connection whose next statement carries others.

    ``before`` goes in front of the next statement. ``behind`` follows it, unless it fails; its rows
    are lost then. ``sent_behind`` says whether ``behind`` was sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.carry(None)
        self.cursor_factory = CombiningCursor
        types: Any = self.string_types  # what a column's type is read as
        types[_TIMESTAMPTZ] = extensions.UNICODE

    def carry(self, before: str | None) -> None:
        """Forget what was to be carried; let the next statement carry ``before``."""
        self.before = before
        self.behind: str | None = None
        self.sent_behind = False

    def combined(self, query: str) -> str:
        """Return ``query`` with what it carries, which it carries once."""
        if self.before:
            query, self.before = f"{self.before}; {query}", None
        if self.behind:
            query, self.behind, self.sent_behind = f"{query}; {self.behind}", None, True
        return query
