"""Parts of what a unit of work writes: statements, and what they bind."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from todo.database.prepared import execute
from todo.sync.recorded import Ids

_KEPT: Final = 256
"""Statements that are combined once: one for each set of parts."""

Statement = sa.UpdateBase
Values = dict[str, Any]
"""What a statement binds."""
Part = tuple[Statement, Any]
"""A statement and what it binds, several times over in a list (SQLite)."""


def execute_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Execute all ``parts``, with PostgreSQL as one statement; none changes a row of another."""
    if connection.dialect.name == "postgresql":
        values: Values = {}
        for _, given in parts:
            values |= given
        execute(connection, combined(tuple(part for part, _ in parts)), values)
    else:
        for statement, given in parts:
            if isinstance(given, list):
                connection.execute(statement, given)
            else:
                execute(connection, statement, given)


@lru_cache(maxsize=_KEPT)
def combined(statements: tuple[Statement, ...]) -> Statement:
    """Return one statement that makes all changes of several (PostgreSQL)."""
    first, *others = statements
    return first.add_cte(*(one.cte(f"part_{number}") for number, one in enumerate(others)))


def batch_part(
    statement: Statement,
    dialect: str,
    user_id: str,
    ids: Ids,
    same: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]],
    revision: int | None = None,
) -> Part:
    """Return a ``statement`` about the rows of a batch, and what it binds.

    ``same`` has the columns that get one value, ``each`` those that get a value in each row, in the
    order of ``ids``. The first row gets the revision after ``revision``, if there is one.
    """
    values = {"of_user": user_id, **bound(same)}
    if dialect == "postgresql":
        before = {} if revision is None else {"revision_before": revision}
        return statement, {**values, **of_batch(ids), **before, **bound(each)}
    columns: dict[str, Sequence[Any]] = {"entity_id": ids, **bound(each)}
    if revision is not None:
        columns["new_revision"] = range(revision + 1, revision + 1 + len(ids))
    rows = zip(*columns.values(), strict=True)
    return statement, [{**values, **dict(zip(columns, row, strict=True))} for row in rows]


def of_batch(ids: Ids) -> Values:
    """Return what the rows with the ascending ``ids`` are found by."""
    return {"ids": ids, "first_id": ids[0], "last_id": ids[-1]}


def bound(row: Mapping[str, Any]) -> Values:
    """Return what binds the new values of a row."""
    return {f"new_{name}": value for name, value in row.items()}
