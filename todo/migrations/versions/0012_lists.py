"""Lists, an order by hand, and subtasks.

Every task of before is in the inbox, on top, in the order of the ids: its position is the integer
of its id, computed here in batches. What a position looks like is here, too: what a migration does
must not change with the code around it.

On PostgreSQL the row of each user is locked first, batch by batch, as every writer does. A process
of the release before that writes afterwards leaves the position of a new task null, and counts
neither lists nor subtasks; ``users.counted`` stays behind then, and the next writer of this release
makes up for it.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BATCH = 2000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TASKS = sa.table("tasks", *map(sa.column, ("user_id", "id", "position")))
_USERS = sa.table("users", sa.column("id"))
# Constants: PostgreSQL adds the columns without a rewrite, and an earlier release, which
# knows none of them, still writes.
_OF_USERS = (
    ("top_open", sa.Integer()),
    ("top_done", sa.Integer()),
    ("all_lists", sa.Integer()),
    ("counted", sa.BigInteger()),
)
_OF_TASKS: tuple[tuple[str, sa.types.TypeEngine[Any], str | None], ...] = (
    ("list_id", sa.BigInteger(), None),
    ("parent_id", sa.BigInteger(), None),
    ("position", _TEXT, None),
    ("children", sa.Integer(), "0"),
    ("children_done", sa.Integer(), "0"),
    ("deleted_unit", sa.BigInteger(), None),
)
_INDEXES = {
    "ix_tasks_top": (
        ["user_id", "list_id", "position", "id"],
        "deleted_at IS NULL AND parent_id IS NULL",
    ),
    "ix_tasks_child": (
        ["user_id", "parent_id", "position", "id"],
        "deleted_at IS NULL AND parent_id IS NOT NULL",
    ),
    "ix_tasks_trashed_child": (
        ["user_id", "parent_id"],
        "deleted_at IS NOT NULL AND parent_id IS NOT NULL",
    ),
}


def upgrade() -> None:
    """Add the table, the columns and the indexes; give every task its position."""
    for name, kind in _OF_USERS:
        op.add_column("users", sa.Column(name, kind, nullable=False, server_default="0"))
    for name, column, constant in _OF_TASKS:
        nullable = constant is None
        op.add_column("tasks", sa.Column(name, column, nullable=nullable, server_default=constant))
    _create_lists()
    _give_positions()
    op.execute("UPDATE users SET top_open = open_tasks, top_done = done_tasks, counted = revision")
    for name, (columns, where) in _INDEXES.items():
        _create_index(name, "tasks", columns, where)


def downgrade() -> None:
    """Drop them: lists are gone, and subtasks are tasks like all others."""
    for name in _INDEXES:
        op.drop_index(name, "tasks")
    op.drop_table("lists")
    for name, _, _ in reversed(_OF_TASKS):
        op.drop_column("tasks", name)
    for name, _ in reversed(_OF_USERS):
        op.drop_column("users", name)


def _create_lists() -> None:
    counts = ("open_tasks", "done_tasks", "top_open", "top_done")
    op.create_table(
        "lists",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text()),
        sa.Column("position", _TEXT, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in counts),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_unit", sa.BigInteger()),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_lists")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lists_users")),
        sa.CheckConstraint("id >= 1 AND revision >= id", name=op.f("ck_lists_revision")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_lists_name")),
        sa.CheckConstraint("length(color) = 7", name=op.f("ck_lists_color")),
        sa.CheckConstraint("length(position) BETWEEN 2 AND 100", name=op.f("ck_lists_position")),
    )
    _create_index("ix_lists_trash", "lists", ["user_id", "revision"], "deleted_at IS NOT NULL")


def _create_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)


def _give_positions() -> None:
    """Give every task, the trash included, the integer of its id; by its key, owners locked."""
    key = sa.tuple_(_TASKS.c.user_id, _TASKS.c.id)
    every = sa.select(_TASKS.c.user_id, _TASKS.c.id)
    every = every.order_by(_TASKS.c.user_id, _TASKS.c.id).limit(_BATCH)
    rows = _locked(every)
    while rows:
        _write([{"user": row.user_id, "number": row.id, "key": _integer(row.id)} for row in rows])
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


def _integer(number: int) -> str:
    """A letter that says how many digits there are, and the digits in base 62."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return chr(ord("a") + len(digits) - 1) + digits
