"""Obstacles: relations of others that have a name which this API needs for its own.

A database may be shared with Better Auth, or with the back end that was there before. This API
never changes a relation of others. Where one is in its way, an error tells the operator which it
is and what to do.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from todo.models import VERSION_TABLE, Base

BETTER_AUTH_TABLES: Final = frozenset({"user", "session", "account", "verification", "jwks"})
"""The tables of Better Auth; this API never creates, alters or drops them."""

MARKS: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset({"revision", "open_tasks"}),
    "tasks": frozenset({"revision", "title_key"}),
    "lists": frozenset({"revision", "open_tasks"}),
    "accounts": frozenset({"email_key", "generation"}),
    "changes": frozenset({"unit", "nonce"}),
    "idempotency_keys": frozenset({"fingerprint", "answer"}),
    "imported_tasks": frozenset({"source_id", "task_id"}),
    "issuer_keys": frozenset({"confirmed_at", "attempted_at"}),
    "advances": frozenset({"revision", "at"}),
}
"""Columns that each table has had since it was first made; no other system's table has them."""

_IMPORTABLE: Final = frozenset({"id", "user_id", "title"})
_MOST_NAMED: Final = 3
_MOST_COLUMNS: Final = 8

_POSTGRESQL: Final = sa.text(
    "SELECT relname AS name, CAST(relkind AS text) AS kind FROM pg_catalog.pg_class"
    " WHERE relnamespace = (SELECT oid FROM pg_catalog.pg_namespace"
    " WHERE nspname = current_schema()) AND relname IN :names ORDER BY relname"
).bindparams(sa.bindparam("names", expanding=True))
_SQLITE: Final = sa.text(
    "SELECT name, type AS kind FROM sqlite_master WHERE lower(name) IN :names ORDER BY name"
).bindparams(sa.bindparam("names", expanding=True))
_KINDS: Final = {
    "r": "table",
    "p": "table",
    "f": "foreign table",
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "i": "index",
    "I": "index",
    "c": "type",
}
"""PostgreSQL's letters for the kinds of relations (``pg_class.relkind``); SQLite writes words."""


class ObstacleError(Exception):
    """A relation of others has a name that this API needs; the text says what to do."""


def relations(connection: sa.Connection) -> dict[str, str]:
    """Return the relations with a name that this API needs, in the connection's schema.

    The keys are their names, the values their kinds: table, view, index...
    """
    statement = _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE
    rows = connection.execute(statement, {"names": sorted(_names())})
    return {row.name: _KINDS.get(row.kind, row.kind) for row in rows}


def check(connection: sa.Connection, found: Mapping[str, str], *, migrated: bool) -> None:
    """Raise :class:`ObstacleError` when a relation that was ``found`` is not this API's.

    Before the first migration none is, whatever it looks like.
    """
    foreign = [
        name
        for name, kind in found.items()
        if name != VERSION_TABLE
        and (not migrated or (name in MARKS and not _has_marks(connection, name, kind)))
    ]
    if foreign:
        tables = [name for name in foreign if name.lower() in MARKS]
        raise ObstacleError(_described(connection, tables or foreign, found))


def check_version_table(connection: sa.Connection) -> None:
    """Raise :class:`ObstacleError` when a relation of others has the version table's name."""
    if _columns(connection, VERSION_TABLE) != ["version_num"]:
        raise ObstacleError(_described(connection, [VERSION_TABLE], {VERSION_TABLE: "relation"}))


def check_users(connection: sa.Connection, namespace: str | None = None) -> None:
    """Raise :class:`ObstacleError` when the table ``users`` has a column of Better Auth's."""
    inspector = sa.inspect(connection)
    if inspector.has_table("users", schema=namespace) and "emailVerified" in {
        column["name"] for column in inspector.get_columns("users", schema=namespace)
    }:
        raise ObstacleError(
            "Better Auth keeps its users in the table 'users' of this database (modelName), and "
            f"this API needs that name; {_advice(connection)}"
        )


def is_ours(connection: sa.Connection) -> bool:
    """Return whether both tables of the first revision exist and are this API's."""
    return all(_has_marks(connection, name, "table") for name in ("users", "tasks"))


def better_auth_tables(connection: sa.Connection) -> list[str]:
    """Return those of Better Auth's tables that are in the database, sorted."""
    return sorted(BETTER_AUTH_TABLES & set(sa.inspect(connection).get_table_names()))


def _names() -> Iterator[str]:
    """Yield the names of all that the migrations make; PostgreSQL's keys are relations, too."""
    yield VERSION_TABLE
    for table in Base.metadata.sorted_tables:
        yield table.name
        yield from (str(index.name) for index in table.indexes)
        for constraint in table.constraints:
            if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint):
                yield str(constraint.name)


def _has_marks(connection: sa.Connection, name: str, kind: str) -> bool:
    return kind == "table" and MARKS[name] <= set(_columns(connection, name))


def _columns(connection: sa.Connection, name: str) -> list[str]:
    try:
        return [column["name"] for column in sa.inspect(connection).get_columns(name)]
    except sa.exc.NoSuchTableError:
        return []


def _described(connection: sa.Connection, names: list[str], found: Mapping[str, str]) -> str:
    things = ", ".join(
        f"the {found[name]} {name!r}{_shape(connection, name)}" for name in names[:_MOST_NAMED]
    )
    text = (
        f"{things} {'is' if len(names) == 1 else 'are'} not this API's and in the way of its "
        f"own; {_advice(connection)}"
    )
    if "tasks" in names and set(_columns(connection, "tasks")) >= _IMPORTABLE:
        text += f"; then 'todo import-tasks --from {_source(connection)}' copies its tasks"
    return text


def _shape(connection: sa.Connection, name: str) -> str:
    columns = _columns(connection, name)
    more = ", ..." if len(columns) > _MOST_COLUMNS else ""
    return f" ({', '.join(columns[:_MOST_COLUMNS])}{more})" if columns else ""


def _advice(connection: sa.Connection) -> str:
    if connection.dialect.name == "sqlite":
        return "set DATABASE_URL to another file, or rename the table"
    if _schema(connection) != "public":
        return "set DATABASE_SCHEMA to the name of another schema, and run 'todo migrate' again"
    return "set DATABASE_SCHEMA=todo for a schema of the API's own, and run 'todo migrate' again"


def _source(connection: sa.Connection) -> str:
    if connection.dialect.name == "sqlite":
        return "old_tasks"
    return f"{_schema(connection)}.tasks"


def _schema(connection: sa.Connection) -> str | None:
    name: str | None = connection.execute(sa.text("SELECT current_schema()")).scalar()
    return name
