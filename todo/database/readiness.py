"""Whether requests can be served. The only rule without a user: it reads no user's data."""

from todo.database import schema
from todo.database.transactions import read
from todo.problems import Problem


def check(needed: str) -> str:
    """Return the database's schema revision, which is ``needed``.

    Raises :class:`Problem`: ``schema_outdated`` when it is another, and what :func:`read` raises
    when the database does not answer.
    """
    rows = read(schema.VERSION, {})
    revision = rows[0].version_num if rows else None
    if revision != needed:
        raise Problem(
            "schema_outdated", f"The database is at revision {revision}; run 'todo migrate'."
        )
    return needed
