"""The only statements that write entities, counters and kept responses.

One change, the counters and a kept response go to PostgreSQL as one statement, which the user's
lock makes as safe as several. Several changes are one statement more. Very many entities are
changed by their ids, a batch at a time: the statement finds them by the primary key and joins
nothing, so it costs the same whatever the database believes about the table. (A join of 5,000 new
tasks with themselves, of which PostgreSQL had no statistics yet, compared each with each.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy import BigInteger, Connection, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from todo.auth.user import User
from todo.models import idempotency_keys as keys
from todo.models import users
from todo.sync.counters import Counters
from todo.sync.stored import STAYING, Entity, Stored
from todo.values.clock import now

_DIALECTS: Final[Mapping[str, Any]] = {"postgresql": postgresql, "sqlite": sqlite}
_STATEMENTS: Final = 256
"""Statements kept: which columns change together."""

MOST_BLOCKS: Final = 10_000
"""Blocks of responses that are kept for one user; beyond them the oldest responses go."""
BLOCK_BYTES: Final = 4096
"""A response takes a block for each of so many bytes, or part of them."""

Statement = sa.UpdateBase
Values = dict[str, Any]

_ADD_USER: Final = {
    name: dialect.insert(users).on_conflict_do_nothing() for name, dialect in _DIALECTS.items()
}
_UPDATE_USER: Final = (
    sa.update(users)
    .where(users.c.id == bindparam("owner"))
    .values(
        revision=bindparam("last_revision"),
        open_tasks=bindparam("open"),
        done_tasks=bindparam("done"),
        trashed_tasks=bindparam("trashed"),
        updated_at=bindparam("moment"),
        # What the token says of its user; what it does not say stays.
        email=func.coalesce(bindparam("owner_email"), users.c.email),
        name=func.coalesce(bindparam("owner_name"), users.c.name),
    )
)

_IDS: Final = bindparam("ids", type_=ARRAY(BigInteger))

_OWN_KEYS: Final = keys.c.user_id == bindparam("owner")
_LAST: Final = sa.select(func.coalesce(func.max(keys.c.last_block), 0)).where(_OWN_KEYS)
_NEXT: Final = _LAST.scalar_subquery() + bindparam("size", type_=BigInteger)


def _keep(dialect: Any) -> Any:
    """Write a response; an expired one of the same key gives way."""
    statement = dialect.insert(keys).values(
        user_id=bindparam("owner"),
        key=bindparam("of_key"),
        fingerprint=bindparam("new_fingerprint"),
        answer=bindparam("new_answer"),
        last_block=_NEXT,
        created_at=bindparam("kept_at"),
    )
    renewed = ("fingerprint", "answer", "last_block", "created_at")
    return statement.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={name: statement.excluded[name] for name in renewed},
    )


_KEEP: Final = {name: _keep(dialect) for name, dialect in _DIALECTS.items()}
# Before the response is written, or in the same statement, which does not see it.
_FORGET: Final = sa.delete(keys).where(
    _OWN_KEYS, keys.c.last_block <= _NEXT - MOST_BLOCKS, keys.c.key != bindparam("of_key")
)
_FORGET_OLD: Final = sa.delete(keys).where(_OWN_KEYS, keys.c.created_at < bindparam("before"))


@dataclass(frozen=True)
class Change:
    """One entity before and after: ``None`` is what is not there yet, or any more."""

    stored: Stored[Any]
    old: Entity | None
    new: Entity | None
    derived: Entity | None = None
    """The computed columns of ``old``, where they were read."""

    def row(self) -> Values:
        """Return every column of what is new."""
        assert self.new is not None  # noqa: S101 - what is deleted for good goes in batches
        derived = self.stored.derived_of(self.new, self.old, self.derived)
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
        "revision": 0,
        "open_tasks": 0,
        "done_tasks": 0,
        "trashed_tasks": 0,
        "created_at": moment,
        "updated_at": moment,
        "email": user.email,
        "name": user.name,
    }
    connection.execute(_ADD_USER[connection.dialect.name], first)


def of_user(user: User, counters: Counters, moment: str) -> Values:
    """Return the values of the user's row: its ``counters`` after a change at ``moment``."""
    return {
        "owner": user.id,
        "owner_email": user.email,
        "owner_name": user.name,
        "last_revision": counters.revision,
        "open": counters.open_tasks,
        "done": counters.done_tasks,
        "trashed": counters.trashed_tasks,
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
        together.append(_one(changes[0]))
    else:
        _write_many(connection, changes)
    if user is not None:
        together.append((_UPDATE_USER, user))
    if kept is not None:
        together += _kept(connection.dialect.name, kept)
    _execute(connection, together)


def change_batch(
    connection: Connection,
    stored: Stored[Any],
    owner: str,
    ids: Sequence[int],
    revision: int,
    same: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]],
) -> None:
    """Change the entities with the ascending ``ids``; the first is at the one after ``revision``.

    ``same`` has the columns that get one value in all of them, ``each`` those that get a value in
    each, in the order of ``ids``.
    """
    dialect = connection.dialect.name
    statement = _update_batch(stored.table, dialect, tuple(same), tuple(each))
    values = {"owner": owner, **_bound(same)}
    if dialect == "postgresql":
        values |= {**_of_batch(ids), "revision_before": revision, **_bound(each)}
        connection.execute(statement, values)
        return
    revisions = range(revision + 1, revision + 1 + len(ids))
    columns = {"entity_id": ids, "new_revision": revisions, **_bound(each)}
    rows = zip(*columns.values(), strict=True)
    own = [{**values, **dict(zip(columns, row, strict=True))} for row in rows]
    connection.execute(statement, own)


def delete_batch(
    connection: Connection, stored: Stored[Any], owner: str, ids: Sequence[int]
) -> None:
    """Delete the entities with the ascending ``ids`` for good."""
    dialect = connection.dialect.name
    statement = sa.delete(stored.table).where(*_batch(stored.table, dialect))
    if dialect == "postgresql":
        connection.execute(statement, {"owner": owner, **_of_batch(ids)})
    else:
        connection.execute(statement, [{"owner": owner, "entity_id": one} for one in ids])


def forget_old(connection: Connection, owner: str, before: str) -> int:
    """Delete the user's responses that were kept before a moment; return how many."""
    return connection.execute(_FORGET_OLD, {"owner": owner, "before": before}).rowcount


def _execute(connection: Connection, parts: Sequence[tuple[Statement, Values]]) -> None:
    """Execute all ``parts``, with PostgreSQL as one statement; none changes a row of another."""
    if connection.dialect.name == "postgresql":
        values: Values = {}
        for _, some in parts:
            values |= some
        connection.execute(_combined(tuple(statement for statement, _ in parts)), values)
    else:
        for statement, some in parts:
            connection.execute(statement, some)


@lru_cache(maxsize=_STATEMENTS)
def _combined(statements: tuple[Statement, ...]) -> Statement:
    first, *others = statements
    return first.add_cte(*(one.cte(f"part_{number}") for number, one in enumerate(others)))


def _one(change: Change) -> tuple[Statement, Values]:
    """The statement that makes one change, and what it binds."""
    stored, old, new = change.stored, change.old, change.new
    if new is None:
        assert old is not None  # noqa: S101 - nothing was there, and nothing is
        return _delete(stored.table), {"entity_id": old["id"], "owner": old["user_id"]}
    if old is None:
        row = change.row()
        return _insert(stored.table, tuple(row)), _bound(row)
    changed = stored.changes(old, new)
    key = {"entity_id": new["id"], "owner": new["user_id"]}
    return _update(stored.table, tuple(changed)), {**key, **_bound(changed)}


def _write_many(connection: Connection, changes: Sequence[Change]) -> None:
    """Write whole entities, new ones and old ones; none is deleted for good here."""
    rows: dict[Stored[Any], list[Values]] = {}
    for change in changes:
        rows.setdefault(change.stored, []).append(_bound(change.row()))
    for stored, some in rows.items():
        names = tuple(name.removeprefix("new_") for name in some[0])
        connection.execute(_save(stored.table, names, connection.dialect.name), some)


def _kept(dialect: str, kept: Kept) -> list[tuple[Statement, Values]]:
    """Keep a response, and forget the oldest beyond what is kept for one user."""
    text = orjson.dumps(kept.response)
    of_key = {
        "owner": kept.user_id,
        "of_key": kept.key,
        "size": ceil(len(text) / BLOCK_BYTES),
    }
    new = {"new_fingerprint": kept.fingerprint, "new_answer": text, "kept_at": now()}
    return [(_FORGET, of_key), (_KEEP[dialect], {**of_key, **new})]


@cache
def _delete(table: sa.Table) -> Statement:
    return sa.delete(table).where(*_this(table))


@lru_cache(maxsize=_STATEMENTS)
def _insert(table: sa.Table, names: tuple[str, ...]) -> Statement:
    return sa.insert(table).values({name: bindparam(f"new_{name}") for name in names})


@lru_cache(maxsize=_STATEMENTS)
def _update(table: sa.Table, names: tuple[str, ...]) -> Statement:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return sa.update(table).where(*_this(table)).values(new)


@lru_cache(maxsize=_STATEMENTS)
def _save(table: sa.Table, names: tuple[str, ...], dialect: str) -> Any:
    statement = _DIALECTS[dialect].insert(table)
    statement = statement.values({name: bindparam(f"new_{name}") for name in names})
    changing = {name: statement.excluded[name] for name in names if name not in STAYING}
    return statement.on_conflict_do_update(index_elements=["user_id", "id"], set_=changing)


@lru_cache(maxsize=_STATEMENTS)
def _update_batch(
    table: sa.Table, dialect: str, same: tuple[str, ...], each: tuple[str, ...]
) -> Statement:
    """SQLite runs the statement for every entity; PostgreSQL once, with the position of each."""
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in same}
    if dialect == "postgresql":
        # A binary search in the array, which is sorted: 1 for the first.
        position = func.width_bucket(table.c.id, sa.cast(_IDS, ARRAY(BigInteger)))
        new["revision"] = bindparam("revision_before", type_=BigInteger) + position
        new |= {name: _at(position, table.c[name]) for name in each}
    else:
        new |= {name: bindparam(f"new_{name}") for name in ("revision", *each)}
    return sa.update(table).where(*_batch(table, dialect)).values(new)


def _batch(table: sa.Table, dialect: str) -> tuple[sa.ColumnElement[bool], ...]:
    if dialect != "postgresql":
        return _this(table)
    # No index but the primary key's can serve this: the others are of live or of deleted rows.
    bounds = table.c.id.between(bindparam("first_id"), bindparam("last_id"))
    return table.c.user_id == bindparam("owner"), bounds, table.c.id == sa.any_(_IDS)


def _of_batch(ids: Sequence[int]) -> Values:
    return {"ids": ids, "first_id": ids[0], "last_id": ids[-1]}


def _at(position: sa.ColumnElement[int], column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The value at ``position`` in a JSON array: PostgreSQL finds it there without walking."""
    values = sa.cast(bindparam(f"new_{column.name}", type_=JSONB), JSONB)
    return values.op("->" if isinstance(column.type, sa.JSON) else "->>")(position - 1)


def _this(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.user_id == bindparam("owner"), table.c.id == bindparam("entity_id")


def _bound(row: Mapping[str, Any]) -> Values:
    return {f"new_{name}": value for name, value in row.items()}
