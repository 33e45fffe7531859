"""Whether a URL leads to PostgreSQL itself, or to a pooler before it."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import to_list

from todo.database.engine import engine_url, is_postgresql, maintenance_engine

_PROBE: Final = "-c todo.probe=seen"
_SEEN: Final = sa.text("SELECT current_setting('todo.probe', true)")
_REJECTED: Final = "unsupported startup parameter"
"""PgBouncer's words: https://www.pgbouncer.org/config.html, ``ignore_startup_parameters``."""


def is_pooled(url: str, variable: str = "DATABASE_URL") -> bool:
    """Return whether a pooler answers at ``url``; SQLite has none.

    PostgreSQL takes settings at the start of a connection. A pooler shares connections that have
    started already: it rejects such settings, or loses them. Raises :class:`ConfigurationError`,
    naming ``variable``, for what is no URL, and SQLAlchemy's errors when nobody answers.
    """
    parsed = engine_url(url, variable)
    if not is_postgresql(parsed):
        return False
    options = " ".join((*to_list(parsed.query.get("options", ())), _PROBE))
    probing = parsed.update_query_dict({"options": options})
    engine = maintenance_engine(probing.render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            return connection.execute(_SEEN).scalar() is None
    except OperationalError as error:
        if _REJECTED in str(error.orig):
            return True
        raise
