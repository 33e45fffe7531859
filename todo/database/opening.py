"""The connections that serve requests: psycopg2's, with two things that make them cheaper.

They read instants as the text that the API writes, without a ``datetime`` in between. And they send
BEGIN in the message of a transaction's first statement: a round trip less for every write.

psycopg2 sends what it is given as one simple query, so several statements can go together; the
answer is that of the last one. (An event of SQLAlchemy could do the same, but an engine with events
pays for them on every statement.)
"""

from datetime import UTC, datetime
from typing import Any, Final

from psycopg2 import extensions


class OpeningCursor(extensions.cursor):
    """A cursor whose first statement carries what opens the transaction."""

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2's name
        """Execute ``query``, behind the connection's ``opening`` if there is one."""
        connection: Any = self.connection
        if connection.opening:
            query, connection.opening = f"{connection.opening}; {query}", None
        super().execute(query, vars)


def instant(text: Any, cursor: object = None) -> str | None:  # noqa: ARG001 - psycopg2's
    """Return PostgreSQL's ``text`` of a ``timestamptz`` as the API writes it.

    PostgreSQL answers in the session's zone, with as many decimals as it needs.
    """
    if text is None:
        return None
    if text.endswith("+00"):
        return f"{text[:10]}T{text[11:19]}.{text[20:23].removesuffix('+00'):0<3}Z"
    utc = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


_TIMESTAMPTZ: Final = (1184,)
_INSTANT: Final = extensions.new_type(_TIMESTAMPTZ, "INSTANT", instant)


class OpeningConnection(extensions.connection):
    """A connection with an ``opening``: set it, and the next statement carries it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opening: str | None = None
        self.cursor_factory = OpeningCursor
        extensions.register_type(_INSTANT, self)
