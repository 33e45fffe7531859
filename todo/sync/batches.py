"""Changes of very many tasks: by their ids, in batches, each task at its own revision.

The ids are read once, under the owner's lock, and no statement changes more than :data:`BATCH`
tasks. A statement finds its tasks by the primary key and joins nothing, so it costs the same
whatever the database believes about the table: a join of 5,000 new tasks with themselves, of which
PostgreSQL had no statistics yet, compared each with each.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, Connection, Select, any_, bindparam, cast, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from todo.database.transactions import go_on
from todo.models import tasks
from todo.sync.ledger import Ledger

BATCH: Final = 2000
"""Tasks that one statement changes."""

Ids = Sequence[int]
"""Ids of one owner's tasks, ascending."""

_IDS: Final = bindparam("ids", type_=ARRAY(BigInteger))
BETWEEN: Final = tasks.c.id.between(bindparam("first_id"), bindparam("last_id"))
"""Whether a task's id lies within the bounds of a batch, those that :func:`bounds` gives."""

_OWNED: Final = tasks.c.user_id == bindparam("owner")
_OF_BATCH: Final = {
    # No index but the primary key's can serve this: the others are of live or of deleted tasks.
    "postgresql": (_OWNED, BETWEEN, tasks.c.id == any_(_IDS)),
    "sqlite": (_OWNED, tasks.c.id == bindparam("task_id")),
}
_DELETE: Final = {
    dialect: sa.delete(tasks).where(*conditions) for dialect, conditions in _OF_BATCH.items()
}


def found(tx: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Ids:
    """Return the ids that ``statement``, which selects nothing else and binds ``values``, finds."""
    return tx.execute(statement.order_by(tasks.c.id), values).scalars().all()


def in_batches(tx: Connection, ids: Ids) -> Iterator[Ids]:
    """Give ``ids`` in batches, each of which may take what is left of the unit's time.

    Raises :class:`Problem` ``change_too_large`` when nothing is left.
    """
    for start in range(0, len(ids), BATCH):
        go_on(tx)
        yield ids[start : start + BATCH]


def bounds(ids: Ids) -> dict[str, int]:
    """Return the values that :data:`BETWEEN` binds for a batch."""
    return {"first_id": ids[0], "last_id": ids[-1]}


def update(
    tx: Connection,
    before: Ledger,
    ids: Ids,
    same: Mapping[str, Any],
    each: Mapping[str, Sequence[Any]] | None = None,
) -> Ledger:
    """Change the tasks of a batch; return the ledger with a revision for each, totals unchanged.

    ``same`` has the columns that get one value in all of them, ``each`` those that get a value in
    each, in the order of ``ids``. The caller holds the owner's lock and writes the ledger.
    """
    each = each or {}
    statement = _update(tx.dialect.name, tuple(same), tuple(each))
    values = {"owner": before.owner.id, **_bound(same)}
    if tx.dialect.name == "postgresql":
        values |= {"ids": ids, "revision_before": before.revision, **bounds(ids), **_bound(each)}
        tx.execute(statement, values)
    else:
        columns = {
            "task_id": ids,
            "new_revision": range(before.revision + 1, before.revision + 1 + len(ids)),
            **_bound(each),
        }
        rows = zip(*columns.values(), strict=True)
        tx.execute(statement, [{**values, **dict(zip(columns, row, strict=True))} for row in rows])
    return before.changed(len(ids))


def delete(tx: Connection, owner: str, ids: Ids) -> None:
    """Delete the tasks of a batch for good; the caller holds the lock and writes the ledger."""
    statement = _DELETE[tx.dialect.name]
    if tx.dialect.name == "postgresql":
        tx.execute(statement, {"owner": owner, "ids": ids, **bounds(ids)})
    else:
        tx.execute(statement, [{"owner": owner, "task_id": task_id} for task_id in ids])


@cache
def _update(dialect: str, same: tuple[str, ...], each: tuple[str, ...]) -> sa.Update:
    """SQLite runs the statement for every task; PostgreSQL once, with the place of each."""
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in same}
    if dialect == "postgresql":
        # A binary search in the array, which is sorted: 1 for the first.
        place = func.width_bucket(tasks.c.id, cast(_IDS, ARRAY(BigInteger)))
        new["revision"] = bindparam("revision_before", type_=BigInteger) + place
        new |= {name: _placed(name, place) for name in each}
    else:
        new |= {name: bindparam(f"new_{name}") for name in ("revision", *each)}
    return sa.update(tasks).where(*_OF_BATCH[dialect]).values(new)


def _placed(name: str, place: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """The value at ``place`` in a JSON array: PostgreSQL finds it there without walking."""
    values = cast(bindparam(f"new_{name}", type_=JSONB), JSONB)
    json = isinstance(tasks.c[name].type, sa.JSON)
    return values.op("->" if json else "->>")(place - 1)


def _bound(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in columns.items()}
