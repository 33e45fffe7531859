"""The statements that write entities, counters and kept responses: :mod:`todo.sync.writer` has them
alone, and gives them what they bind.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from todo.database.dialects import INSERT
from todo.models import advances, changes, users
from todo.models import idempotency_keys as keys
from todo.sync.counters import Counters
from todo.sync.parts import Statement

MOST_BLOCKS: Final = 10_000
"""Blocks of responses that are kept for one user; beyond them the oldest responses go."""
STAYING: Final = frozenset({"id", "user_id", "created_at"})
"""Columns that no change of an entity changes."""

_KEPT_STATEMENTS: Final = 256
"""Statements that are built once: one for each set of columns that change together."""

Names = tuple[str, ...]
"""Names of columns."""

_BEGINNING: Final = select(func.coalesce(func.max(advances.c.revision), 0)).scalar_subquery()
"""The revision that a new user's first change comes after."""
OF_BEGINNING: Final = ("revision", "logged", "log_floor", "counted")
"""The columns that have this revision in a new user's row."""
ADD_USER: Final = {
    dialect: insert_into(users)
    .values(dict.fromkeys(OF_BEGINNING, _BEGINNING))
    .on_conflict_do_nothing()
    for dialect, insert_into in INSERT.items()
}
UPDATE_USER: Final = (
    sa.update(users)
    .where(users.c.id == bindparam("of_user"))
    .values(
        **{name: bindparam(f"user_{name}") for name in (*Counters._fields, "nonce")},
        **dict.fromkeys(("logged", "counted"), bindparam("user_revision")),
        updated_at=bindparam("moment"),
        # What the token says of its user; what it does not say stays.
        email=func.coalesce(bindparam("user_email"), users.c.email),
        name=func.coalesce(bindparam("user_name"), users.c.name),
    )
)
UPDATE_USER_AND_FLOOR: Final = UPDATE_USER.values(
    {name: bindparam(f"user_{name}") for name in ("log_floor", "floor_nonce")}
)

ADVANCE_USERS: Final = sa.update(users).values(
    {
        **dict.fromkeys(OF_BEGINNING, bindparam("ahead")),
        **dict.fromkeys(("nonce", "floor_nonce"), bindparam("new_nonce")),
        # Who has to be counted again still has.
        "counted": sa.case(
            (users.c.counted == users.c.revision, bindparam("ahead")), else_=users.c.counted
        ),
    }
)
ADVANCE_NEW_USERS: Final = sa.insert(advances).values(
    revision=bindparam("ahead"), at=bindparam("moment")
)
FORGET_LOGS: Final = sa.delete(changes)

_OWN_KEYS: Final = keys.c.user_id == bindparam("of_user")
_LAST: Final = select(func.coalesce(func.max(keys.c.last_block), 0)).where(_OWN_KEYS)
_NEXT: Final = _LAST.scalar_subquery() + bindparam("size", type_=BigInteger)


def _keep(insert_into: Callable[..., Any]) -> Any:
    """Write a response; an expired one of the same key gives way."""
    statement = insert_into(keys).values(
        user_id=bindparam("of_user"),
        key=bindparam("of_key"),
        fingerprint=bindparam("new_fingerprint"),
        answer=bindparam("new_answer"),
        last_block=_NEXT,
        created_at=bindparam("kept_at"),
        shows=bindparam("new_shows"),
    )
    renewed = ("fingerprint", "answer", "last_block", "created_at", "shows")
    return statement.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={name: statement.excluded[name] for name in renewed},
    )


KEEP: Final = {dialect: _keep(insert_into) for dialect, insert_into in INSERT.items()}
# Before the response is written, or in the same statement, which does not see it.
FORGET_OLDEST: Final = sa.delete(keys).where(
    _OWN_KEYS, keys.c.last_block <= _NEXT - MOST_BLOCKS, keys.c.key != bindparam("of_key")
)
FORGET_EXPIRED: Final = sa.delete(keys).where(_OWN_KEYS, keys.c.created_at < bindparam("before"))
CHANGE_KEPT: Final = (
    sa.update(keys)
    .where(_OWN_KEYS, keys.c.key == bindparam("of_key"))
    .values(answer=bindparam("new_answer"), shows=bindparam("new_shows"))
)

_OWN_ENTRIES: Final = changes.c.user_id == bindparam("of_user")
_SHARED: Final = {"unit": "log_unit", "nonce": "user_nonce", "at": "moment", "by": "log_by"}
"""The columns that all entries of a unit have in common, and what binds them. What the user's row
binds, too, has one name there: psycopg2 writes each into the statement once."""
_OWN: Final = ("revision", "kind", "id", "op", "before", "after")
"""The columns that each entry has for itself, one array for each (PostgreSQL)."""


def _log_many() -> Any:
    """Add the entries of a unit: one statement, however many there are (PostgreSQL)."""
    kinds = {"revision": BigInteger, "id": BigInteger}
    types = {name: kinds.get(name, sa.Text)() for name in _OWN}
    arrays = (
        sa.cast(bindparam(f"log_{name}", type_=ARRAY(types[name])), ARRAY(types[name]))
        for name in _OWN
    )
    rows = func.unnest(*arrays).table_valued(*(sa.column(n, types[n]) for n in _OWN))
    rows = rows.render_derived("entries")
    shared = (
        sa.cast(bindparam(bound, type_=changes.c[name].type), changes.c[name].type)
        for name, bound in _SHARED.items()
    )
    own = (
        sa.cast(rows.c[name], sa.JSON) if name in ("before", "after") else rows.c[name]
        for name in _OWN
    )
    entries = sa.select(sa.cast(bindparam("of_user"), sa.Text), *shared, *own)
    return sa.insert(changes).from_select(("user_id", *_SHARED, *_OWN), entries)


LOG_ONE: Final = sa.insert(changes).values(
    user_id=bindparam("of_user"),
    **{name: bindparam(bound) for name, bound in _SHARED.items()},
    **{name: bindparam(f"log_{name}") for name in _OWN[:4]},
    **{name: bindparam(f"log_{name}", type_=sa.Text) for name in _OWN[4:]},
)
LOG_MANY: Final = _log_many()


def _empty_entries(*entities: sa.ColumnElement[bool]) -> Statement:
    """Leave of the entries of entities that they were, and nothing of what they said."""
    of_kind = changes.c.kind == bindparam("of_kind")
    rows = sa.update(changes).where(_OWN_ENTRIES, of_kind, *entities)
    return rows.values(before=sa.null(), after=sa.null())


_FLOOR: Final = changes.c.revision <= bindparam("floor")
_OLDEST: Final = (
    sa.select(changes.c.revision)
    .where(_OWN_ENTRIES, _FLOOR)
    .order_by(changes.c.revision)
    .limit(bindparam("most"))
)
FORGET_ENTRIES: Final = sa.delete(changes).where(
    _OWN_ENTRIES, _FLOOR, changes.c.revision.in_(_OLDEST)
)


@lru_cache(maxsize=_KEPT_STATEMENTS)
def insert(table: sa.Table, names: Names) -> Statement:
    """Add a row; binds ``new_`` and its name for each column."""
    return sa.insert(table).values(_new(names))


@lru_cache(maxsize=_KEPT_STATEMENTS)
def update(table: sa.Table, names: Names) -> Statement:
    """Change columns of the row ``entity_id``; binds ``new_`` and its name for each column."""
    return sa.update(table).where(*_this(table)).values(_new(names))


@cache
def delete(table: sa.Table) -> Statement:
    """Delete the row ``entity_id``."""
    return sa.delete(table).where(*_this(table))


@lru_cache(maxsize=_KEPT_STATEMENTS)
def save(table: sa.Table, names: Names, dialect: str) -> Any:
    """Add a row, or change the one that has its id; binds like :func:`insert`."""
    statement = INSERT[dialect](table).values(_new(names))
    changing = {name: statement.excluded[name] for name in names if name not in STAYING}
    return statement.on_conflict_do_update(index_elements=["user_id", "id"], set_=changing)


@lru_cache(maxsize=_KEPT_STATEMENTS)
def update_batch(table: sa.Table, dialect: str, same: Names, each: Names) -> Statement:
    """Change the rows of a batch: ``same`` columns to one value, ``each`` to a value for each.

    SQLite runs the statement for every row; PostgreSQL once, with the position of each.
    """
    if dialect != "postgresql":
        return update(table, (*same, "revision", *each))
    place = _place(table)
    revision = bindparam("revision_before", type_=BigInteger) + place
    values = {name: _at(place, table.c[name]) for name in each}
    rows = sa.update(table).where(*_batch(table))
    return rows.values({**_new(same), "revision": revision, **values})


@lru_cache(maxsize=_KEPT_STATEMENTS)
def set_batch(table: sa.Table, dialect: str, names: Names) -> Statement:
    """Give each row of a batch its values, as :func:`update_batch` does, and no revision."""
    if dialect != "postgresql":
        return update(table, names)
    values = {name: _at(_place(table), table.c[name]) for name in names}
    return sa.update(table).where(*_batch(table)).values(values)


@cache
def delete_batch(table: sa.Table, dialect: str) -> Statement:
    """Delete the rows of a batch."""
    return sa.delete(table).where(*_batch(table)) if dialect == "postgresql" else delete(table)


@lru_cache(maxsize=_KEPT_STATEMENTS)
def add_to(table: sa.Table, dialect: str, names: Names) -> Statement:
    """Add to counters of rows: binds ids, and what is added to each column, under names that begin
    with the table's; an array of each on PostgreSQL, and one row of them on SQLite.
    """
    own = table.c.user_id == bindparam("of_user")
    if dialect != "postgresql":
        this = table.c.id == bindparam(f"{table.name}_ids")
        added = {name: table.c[name] + bindparam(f"{table.name}_{name}") for name in names}
        return sa.update(table).where(own, this).values(added)
    numbers = ARRAY(BigInteger)
    bound = {n: sa.cast(bindparam(f"{table.name}_{n}", type_=numbers), numbers) for n in names}
    ids = sa.cast(bindparam(f"{table.name}_ids", type_=numbers), numbers)
    rows = func.unnest(ids, *bound.values()).table_valued("id", *names)
    rows = rows.render_derived(f"added_to_{table.name}")
    these = own, table.c.id == sa.any_(ids), table.c.id == rows.c.id
    return sa.update(table).where(*these).values({n: table.c[n] + rows.c[n] for n in names})


_IDS: Final = bindparam("ids", type_=ARRAY(BigInteger))


def _place(table: sa.Table) -> sa.ColumnElement[int]:
    """The place of a row in its batch, 1 for the first: a binary search in the array, which is
    sorted."""
    return func.width_bucket(table.c.id, sa.cast(_IDS, ARRAY(BigInteger)))


def _batch(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    # No index but the primary key's can serve this: the others are of live or of deleted rows.
    owned = table.c.user_id == bindparam("of_user")
    return owned, _within(table.c.id), table.c.id == sa.any_(_IDS)


def _within(column: sa.Column[int]) -> sa.ColumnElement[bool]:
    """What is true of all ids of a batch, and what an index finds them by."""
    return column.between(bindparam("first_id"), bindparam("last_id"))


EMPTY_ENTRIES: Final = {
    # A sum, which no index has: else PostgreSQL weighs a search for each id against a walk through
    # the whole log, and may walk.
    "postgresql": _empty_entries(
        _within(changes.c.id), changes.c.id + sa.literal_column("0") == sa.any_(_IDS)
    ),
    "sqlite": _empty_entries(changes.c.id == bindparam("entity_id")),
}


def _this(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.user_id == bindparam("of_user"), table.c.id == bindparam("entity_id")


def _at(position: sa.ColumnElement[int], column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The value at ``position`` in a JSON array: PostgreSQL finds it there without walking."""
    values = sa.cast(bindparam(f"new_{column.name}", type_=JSONB), JSONB)
    return values.op("->" if isinstance(column.type, sa.JSON) else "->>")(position - 1)


def _new(names: Names) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}") for name in names}
