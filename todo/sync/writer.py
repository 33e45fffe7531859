"""The only statements that write entities, counters and kept responses.

One change, the counters and a kept response go to PostgreSQL as one statement, which the user's
lock makes as safe as several. Several changes are one statement more. Very many entities are
changed by their ids, a batch at a time: the statement finds them by the primary key and joins
nothing, so it costs the same whatever the database believes about the table. (A join of 5,000 new
tasks with themselves, of which PostgreSQL had no statistics yet, compared each with each.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from todo.auth.user import User
from todo.database.prepared import execute
from todo.database.transactions import commit_with_next
from todo.sync import statements
from todo.sync.counters import LABELS, Counters
from todo.sync.resource import Entity, Resource
from todo.sync.statements import Statement
from todo.values.clock import now

BLOCK_BYTES: Final = 4096
"""A response takes a block for each of so many bytes, or part of them."""

Values = dict[str, Any]
"""What a statement binds."""
Ids = Sequence[int]
"""Ids of one user's entities, ascending."""


@dataclass(frozen=True)
class Change:
    """One entity before and after: ``None`` is what is not there yet, or any more."""

    resource: Resource[Any]
    old: Entity | None
    new: Entity | None
    derived: Entity | None = None
    """The computed columns of ``old``, where they were read."""

    def row(self) -> Values:
        """Return every column of what is new."""
        assert self.new is not None  # noqa: S101 - what is deleted for good goes in batches
        derived = self.resource.derived_of(self.new, self.old, self.derived)
        return {"deleted_at": None, **self.new, **derived}


@dataclass(frozen=True)
class Kept:
    """A response to keep for whoever repeats its request."""

    user_id: str
    key: str
    fingerprint: bytes
    response: Any


def add_user(connection: Connection, user: User, moment: str) -> None:
    """Add the row of a user who never wrote, unless somebody does at this moment."""
    first = {
        "id": user.id,
        **Counters()._asdict(),
        "created_at": moment,
        "updated_at": moment,
        "email": user.email,
        "name": user.name,
    }
    connection.execute(statements.ADD_USER[connection.dialect.name], first)


def of_user(user: User, counters: Counters, moment: str) -> Values:
    """Return the values of the user's row: its ``counters`` after a change at ``moment``."""
    return {
        "of_user": user.id,
        "user_email": user.email,
        "user_name": user.name,
        **dict(zip(LABELS, counters, strict=True)),
        "moment": moment,
    }


def write(
    connection: Connection, changes: Sequence[Change], user: Values | None, kept: Kept | None
) -> None:
    """Write ``changes`` of entities, the ``user``'s counters and a ``kept`` response.

    The caller holds the user's lock.
    """
    together: list[tuple[Statement, Values]] = []
    if len(changes) == 1:
        together.append(_change_one(changes[0]))
    else:
        _write_many(connection, changes)
    if user is not None:
        together.append((statements.UPDATE_USER, user))
    if kept is not None:
        together += _keep(connection.dialect.name, kept)
    _execute(connection, together)


def change_batch(
    connection: Connection,
    resource: Resource[Any],
    user_id: str,
    ids: Ids,
    revision: int,
    same: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]],
) -> None:
    """Change the entities with the ascending ``ids``; the first is at the one after ``revision``.

    ``same`` has the columns that get one value in all of them, ``each`` those that get a value in
    each, in the order of ``ids``.
    """
    dialect = connection.dialect.name
    statement = statements.update_batch(resource.table, dialect, tuple(same), tuple(each))
    values = {"of_user": user_id, **_bound(same)}
    if dialect == "postgresql":
        values |= {**_of_batch(ids), "revision_before": revision, **_bound(each)}
        connection.execute(statement, values)
        return
    revisions = range(revision + 1, revision + 1 + len(ids))
    columns = {"entity_id": ids, "new_revision": revisions, **_bound(each)}
    rows = zip(*columns.values(), strict=True)
    own = [{**values, **dict(zip(columns, row, strict=True))} for row in rows]
    connection.execute(statement, own)


def delete_batch(connection: Connection, resource: Resource[Any], user_id: str, ids: Ids) -> None:
    """Delete the entities with the ascending ``ids`` for good."""
    dialect = connection.dialect.name
    statement = statements.delete_batch(resource.table, dialect)
    if dialect == "postgresql":
        connection.execute(statement, {"of_user": user_id, **_of_batch(ids)})
    else:
        connection.execute(statement, [{"of_user": user_id, "entity_id": one} for one in ids])


def forget_old(connection: Connection, user_id: str, before: str) -> int:
    """Delete the user's responses that were kept before a moment; return how many."""
    return connection.execute(
        statements.FORGET_EXPIRED, {"of_user": user_id, "before": before}
    ).rowcount


def _execute(connection: Connection, parts: Sequence[tuple[Statement, Values]]) -> None:
    """Execute all ``parts``, with PostgreSQL as one statement; none changes a row of another."""
    if connection.dialect.name == "postgresql":
        commit_with_next(connection)
        values: Values = {}
        for _, bound in parts:
            values |= bound
        execute(connection, statements.combined(tuple(part for part, _ in parts)), values)
    else:
        for statement, bound in parts:
            execute(connection, statement, bound)


def _change_one(change: Change) -> tuple[Statement, Values]:
    """The statement that makes one change, and what it binds."""
    resource, old, new = change.resource, change.old, change.new
    if new is None:
        assert old is not None  # noqa: S101 - nothing was there, and nothing is
        return statements.delete(resource.table), {
            "entity_id": old["id"],
            "of_user": old["user_id"],
        }
    if old is None:
        row = change.row()
        return statements.insert(resource.table, tuple(row)), _bound(row)
    changed = resource.changes(old, new)
    key = {"entity_id": new["id"], "of_user": new["user_id"]}
    return statements.update(resource.table, tuple(changed)), {**key, **_bound(changed)}


def _write_many(connection: Connection, changes: Sequence[Change]) -> None:
    """Write whole entities, new ones and old ones; none is deleted for good here."""
    rows: dict[Resource[Any], list[Values]] = {}
    for change in changes:
        rows.setdefault(change.resource, []).append(_bound(change.row()))
    for resource, values in rows.items():
        names = tuple(name.removeprefix("new_") for name in values[0])
        connection.execute(statements.save(resource.table, names, connection.dialect.name), values)


def _keep(dialect: str, kept: Kept) -> list[tuple[Statement, Values]]:
    """Keep a response, and forget the oldest beyond what is kept for one user."""
    text = orjson.dumps(kept.response)
    of_key = {
        "of_user": kept.user_id,
        "of_key": kept.key,
        "size": ceil(len(text) / BLOCK_BYTES),
    }
    new = {"new_fingerprint": kept.fingerprint, "new_answer": text, "kept_at": now()}
    return [(statements.FORGET_OLDEST, of_key), (statements.KEEP[dialect], {**of_key, **new})]


def _of_batch(ids: Ids) -> Values:
    return {"ids": ids, "first_id": ids[0], "last_id": ids[-1]}


def _bound(row: Mapping[str, Any]) -> Values:
    return {f"new_{name}": value for name, value in row.items()}
