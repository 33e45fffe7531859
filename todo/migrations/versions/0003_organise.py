"""Priorities, due dates, tags, and what searches look into.

The search keys of the tasks that are there are computed here, with the folding of this revision:
what a migration does must not change with the code around it.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BATCH = 2000
_INSTANT = sa.DateTime(timezone=True)
_CODE_POINTS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_LIVE = sa.text("deleted_at IS NULL")
_INDEXES_BEFORE = {
    "ix_tasks_live_created": ["user_id", "id"],
    "ix_tasks_live_updated": ["user_id", "revision"],
    "ix_tasks_live_title": ["user_id", "title_key", "id"],
    "ix_tasks_state_created": ["user_id", "completed", "id"],
    "ix_tasks_state_updated": ["user_id", "completed", "revision"],
    "ix_tasks_state_title": ["user_id", "completed", "title_key", "id"],
}
_INDEXES = {
    "ix_tasks_live_due_date": ["user_id", "due_date", "id"],
    "ix_tasks_live_priority": ["user_id", "priority", "id"],
    "ix_tasks_state_due_date": ["user_id", "completed", "due_date", "id"],
    "ix_tasks_state_priority": ["user_id", "completed", "priority", "id"],
}
_TAGS = {
    "postgresql": (
        "CASE jsonb_typeof(tags) WHEN 'array' THEN jsonb_array_length(tags) <= 20 ELSE false END"
    ),
    "sqlite": "json_type(tags) = 'array' AND json_array_length(tags) <= 20",
}
_COLUMNS_BEFORE: tuple[sa.Column[Any], ...] = (
    sa.Column("user_id", sa.Text(), nullable=False),
    sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column("revision", sa.BigInteger(), nullable=False),
    sa.Column("title", sa.Text(), nullable=False),
    sa.Column("title_key", _CODE_POINTS, nullable=False),
    sa.Column("description", sa.Text(), nullable=True),
    sa.Column("completed", sa.Boolean(), nullable=False),
    sa.Column("completed_at", _INSTANT, nullable=True),
    sa.Column("created_at", _INSTANT, nullable=False),
    sa.Column("updated_at", _INSTANT, nullable=False),
    sa.Column("deleted_at", _INSTANT, nullable=True),
)
_CHECKS_BEFORE = {
    "ck_tasks_revision": "id >= 1 AND revision >= id",
    "ck_tasks_title": "length(title) BETWEEN 1 AND 200",
    "ck_tasks_title_key": "length(title_key) <= 200",
    "ck_tasks_description": "length(description) <= 1000",
    "ck_tasks_completed_at": "completed = (completed_at IS NOT NULL)",
}


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("search_key", _CODE_POINTS, nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_date", _CODE_POINTS, nullable=True),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("tags_key", _CODE_POINTS, nullable=False),
    ]


def _checks(dialect: str) -> dict[str, str]:
    return {
        "ck_tasks_priority": "priority BETWEEN 1 AND 3",
        "ck_tasks_due_date": (
            "due_date LIKE '____-__-__' OR due_date LIKE '____-__-__T__:__:__.___Z'"
        ),
        "ck_tasks_tags": _TAGS[dialect],
        "ck_tasks_tags_key": "(tags_key = '') = (CAST(tags AS text) = '[]')",
    }


def upgrade() -> None:
    """Add the columns with what they have where nothing was given, and their indexes."""
    dialect = op.get_bind().dialect.name
    given = {"priority": "2", "tags": "'[]'", "tags_key": "''", "search_key": "''"}
    for column in _columns():
        column.nullable = True
        if default := given.get(column.name):
            column.server_default = sa.DefaultClause(sa.text(default))
        op.add_column("tasks", column)
    for batch in _batches():
        _write_search_keys([(row.user_id, row.id, _search_key(row)) for row in batch])
    with op.batch_alter_table("tasks", copy_from=_table()) as tasks:
        for name in given:
            tasks.alter_column(name, nullable=False, server_default=None)
        for name, condition in _checks(dialect).items():
            tasks.create_check_constraint(op.f(name), condition)
    _create({**(_INDEXES_BEFORE if dialect == "sqlite" else {}), **_INDEXES})


def downgrade() -> None:
    """Drop the columns with all that is in them."""
    dialect = op.get_bind().dialect.name
    for name in _INDEXES:
        op.drop_index(name, "tasks")
    if dialect == "sqlite":
        for name in _INDEXES_BEFORE:
            op.drop_index(name, "tasks")
    with op.batch_alter_table("tasks", copy_from=_table()) as tasks:
        if dialect != "sqlite":  # there the copy, made anew, never had them
            for name in _checks(dialect):
                tasks.drop_constraint(op.f(name), type_="check")
        for column in _columns():
            tasks.drop_column(column.name)
    if dialect == "sqlite":
        _create(_INDEXES_BEFORE)


def _create(indexes: dict[str, list[str]]) -> None:
    for name, columns in indexes.items():
        op.create_index(name, "tasks", columns, postgresql_where=_LIVE, sqlite_where=_LIVE)


def _table() -> sa.Table:
    """The table that SQLite, which cannot alter one so far, makes its copy from."""
    return sa.Table(
        "tasks",
        sa.MetaData(),
        *(column._copy() for column in _COLUMNS_BEFORE),
        *_columns(),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_tasks")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tasks_users")),
        *(sa.CheckConstraint(text, name=op.f(name)) for name, text in _CHECKS_BEFORE.items()),
    )


def _batches() -> Iterator[Sequence[sa.Row[Any]]]:
    """Every task, the trash included, by its key."""
    tasks = sa.table("tasks", *map(sa.column, ("user_id", "id", "title", "description")))
    key = sa.tuple_(tasks.c.user_id, tasks.c.id)
    every = sa.select(tasks).order_by(tasks.c.user_id, tasks.c.id).limit(_BATCH)
    rows = op.get_bind().execute(every).all()
    while rows:
        yield rows
        rows = op.get_bind().execute(every.where(key > (rows[-1].user_id, rows[-1].id))).all()


def _write_search_keys(keys: list[tuple[str, int, str]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        update = "UPDATE tasks SET search_key = :key WHERE user_id = :user AND id = :id"
        rows = [{"user": user, "id": number, "key": key} for user, number, key in keys]
        op.get_bind().execute(sa.text(update), rows)
        return
    users, numbers, texts = map(list, zip(*keys, strict=True))
    op.get_bind().exec_driver_sql(
        "UPDATE tasks SET search_key = new.key"
        "  FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS new (user_id, id, key)"
        " WHERE tasks.user_id = new.user_id AND tasks.id = new.id",
        (users, numbers, texts),
    )


def _search_key(row: sa.Row[Any]) -> str:
    return f"{_fold(row.title)}\n{_fold(row.description or '')}"


def _fold(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", normal.casefold())
