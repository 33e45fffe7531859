"""Positions of the tasks that are there, and the indexes of places.

Every task of before is in the inbox, on top, in the order of the ids: its position is the integer
of its id, computed here in batches. What a position looks like is here, too: what a migration does
must not change with the code around it.

On PostgreSQL each batch is a transaction, in which the rows of its users are locked first, as every
writer does; the indexes are made beside readers and writers. So nobody waits for longer than a
batch. What was done stays when the migration fails, and its next run goes on from there.

A process of an earlier release that writes meanwhile, or later, leaves ``users.counted`` behind.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from todo.migrations.steps import between_transactions, commit

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BATCH = 2000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TASKS = sa.table("tasks", *map(sa.column, ("user_id", "id", "position")))
_USERS = sa.table(
    "users",
    *map(sa.column, ("id", "revision", "open_tasks", "done_tasks")),
    *map(sa.column, ("top_open", "top_done", "counted")),
)
_INDEXES = {
    "ix_tasks_top": (["list_id", "position", "id"], "deleted_at IS NULL AND parent_id IS NULL"),
    "ix_tasks_child": (
        ["parent_id", "position", "id"],
        "deleted_at IS NULL AND parent_id IS NOT NULL",
    ),
    "ix_tasks_trashed_child": (["parent_id"], "deleted_at IS NOT NULL AND parent_id IS NOT NULL"),
}


def upgrade() -> None:
    """Count, give every task its position, and make the indexes."""
    _count()
    _give_positions()
    with between_transactions(op.get_bind()) as schema:
        for name, (columns, where) in _INDEXES.items():
            _create_index(name, columns, where, schema)


def downgrade() -> None:
    """Drop the indexes."""
    for name in _INDEXES:
        op.drop_index(name, "tasks")


def _count() -> None:
    """Count the tasks of every user as tasks on top: no task of before has a parent."""
    uncounted = sa.select(_USERS.c.id).where(_USERS.c.counted == 0, _USERS.c.revision > 0)
    uncounted = uncounted.order_by(_USERS.c.id).limit(_BATCH)
    counted = {"top_open": "open_tasks", "top_done": "done_tasks", "counted": "revision"}
    users = op.get_bind().execute(uncounted).scalars().all()
    while users:
        update = sa.update(_USERS).where(_USERS.c.id.in_(users))
        op.get_bind().execute(update.values({new: _USERS.c[old] for new, old in counted.items()}))
        commit(op.get_bind())
        users = op.get_bind().execute(uncounted.where(_USERS.c.id > users[-1])).scalars().all()


def _give_positions() -> None:
    """Give every task, the trash included, the integer of its id; by its key, owners locked."""
    key = sa.tuple_(_TASKS.c.user_id, _TASKS.c.id)
    every = sa.select(_TASKS.c.user_id, _TASKS.c.id).where(_TASKS.c.position.is_(None))
    every = every.order_by(_TASKS.c.user_id, _TASKS.c.id).limit(_BATCH)
    rows = _locked(every)
    while rows:
        _write([{"user": row.user_id, "number": row.id, "key": _integer(row.id)} for row in rows])
        commit(op.get_bind())
        rows = _locked(every.where(key > (rows[-1].user_id, rows[-1].id)))


def _locked(batch: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    """Lock the users of a ``batch`` and read it then; SQLite's migrations are alone anyway."""
    owners = sa.select(batch.subquery().c.user_id)
    users = sa.select(_USERS.c.id).where(_USERS.c.id.in_(owners)).order_by(_USERS.c.id)
    op.get_bind().execute(users.with_for_update(key_share=True)).all()
    return op.get_bind().execute(batch).all()


def _write(rows: list[dict[str, Any]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        update = "UPDATE tasks SET position = :key WHERE user_id = :user AND id = :number"
        op.get_bind().execute(sa.text(update), rows)
        return
    op.get_bind().exec_driver_sql(
        "UPDATE tasks SET position = new.key"
        "  FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS new (user_id, id, key)"
        " WHERE tasks.user_id = new.user_id AND tasks.id = new.id",
        tuple([row[name] for row in rows] for name in rows[0]),
    )


def _create_index(name: str, columns: list[str], where: str, schema: str | None) -> None:
    """Make an index; one that a run before has left unfinished is made anew."""
    condition = sa.text(where)
    beside: dict[str, Any] = {"schema": schema, "postgresql_concurrently": True} if schema else {}
    op.drop_index(name, "tasks", if_exists=True, **beside)
    op.create_index(
        name,
        "tasks",
        ["user_id", *columns],
        postgresql_where=condition,
        sqlite_where=condition,
        **beside,
    )


def _integer(number: int) -> str:
    """A letter that says how many digits there are, and the digits in base 62."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return chr(ord("a") + len(digits) - 1) + digits
