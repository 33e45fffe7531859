"""The two dialects of SQL, where SQLAlchemy has no common word: ``INSERT ... ON CONFLICT``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite

INSERT: Final[Mapping[str, Callable[..., Any]]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}
"""The ``insert`` of each dialect, by the name that a connection has for it."""
