"""The connections that serve requests: psycopg2's, with two changes that make them cheaper.

A connection returns instants as PostgreSQL's text, which ``todo.models.Instant`` understands, and
builds no ``datetime``. A connection sends BEGIN in the message of a transaction's first statement,
which saves a round trip for every write.

psycopg2 sends its argument as one simple query, so several statements can go together; the result
is that of the last statement. (An event of SQLAlchemy could do the same, but an engine with events
runs them for every statement.)
"""

from typing import Any, Final

from psycopg2 import extensions


class PrefixingCursor(extensions.cursor):
    """A cursor whose first statement carries the statements that open the transaction."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Execute ``query``, behind the connection's ``opening`` if there is one."""
        connection: Any = self.connection
        if connection.opening:
            query, connection.opening = f"{connection.opening}; {query}", None
        super().execute(query, vars)


_TIMESTAMPTZ: Final = 1184


class PrefixingConnection(extensions.connection):
    """A connection with an ``opening``: set it, and the next statement carries it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opening: str | None = None
        self.cursor_factory = PrefixingCursor
        types: Any = self.string_types  # what a column's type is read as
        types[_TIMESTAMPTZ] = extensions.UNICODE
