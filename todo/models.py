"""The schema. ``user_id`` leads every key and index, so it shards and no query crosses users.

``specs/database/schema.md`` says which query each index serves.
"""

from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from todo.column_types import Instant, Priority, collated_text
from todo.values.text_keys import TITLE_KEY_LENGTH

MAX_TAGS = 20  # of one task
VERSION_TABLE = "todo_api_version"
"""Holds the revision that the tables are at. Alembic's own name for it may be somebody else's."""


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can, too."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def _in_dialect(dialect: str, condition: str, name: str) -> sa.CheckConstraint:
    """A constraint that the two databases have under one name and write in two ways."""
    return sa.CheckConstraint(condition, name).ddl_if(dialect=dialect)


class User(Model):
    """One row for each user who ever wrote: the counter behind every revision, and the totals."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    open_tasks: Mapped[int] = mapped_column(sa.Integer)
    done_tasks: Mapped[int] = mapped_column(sa.Integer)
    trashed_tasks: Mapped[int] = mapped_column(sa.Integer)
    top_open: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    top_done: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    all_lists: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    counted: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    created_at: Mapped[str] = mapped_column(Instant)
    updated_at: Mapped[str] = mapped_column(Instant)
    email: Mapped[str | None] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    nonce: Mapped[str] = mapped_column(sa.Text, server_default="")
    logged: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    log_floor: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    floor_nonce: Mapped[str] = mapped_column(sa.Text, server_default="")

    __table_args__ = (
        sa.CheckConstraint("revision >= 0", "revision"),
        sa.CheckConstraint("open_tasks >= 0 AND done_tasks >= 0 AND trashed_tasks >= 0", "counts"),
    )


class Task(Model):
    """One task. A deleted one stays, out of every live index, until it is purged."""

    __tablename__ = "tasks"

    user_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("users.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    title: Mapped[str] = mapped_column(sa.Text)
    title_key: Mapped[str] = mapped_column(collated_text())
    description: Mapped[str | None] = mapped_column(sa.Text)
    completed: Mapped[bool] = mapped_column(sa.Boolean)
    completed_at: Mapped[str | None] = mapped_column(Instant)
    created_at: Mapped[str] = mapped_column(Instant)
    updated_at: Mapped[str] = mapped_column(Instant)
    deleted_at: Mapped[str | None] = mapped_column(Instant)
    search_key: Mapped[str] = mapped_column(collated_text())
    priority: Mapped[str] = mapped_column(Priority)
    due_date: Mapped[str | None] = mapped_column(collated_text())
    tags: Mapped[list[str]] = mapped_column(sa.JSON().with_variant(JSONB, "postgresql"))
    tags_key: Mapped[str] = mapped_column(collated_text())
    list_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    parent_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    position: Mapped[str | None] = mapped_column(collated_text())
    time_zone: Mapped[str | None] = mapped_column(sa.Text)
    recurrence: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    recurrence_text: Mapped[str | None] = mapped_column(sa.Text)
    occurrence: Mapped[str | None] = mapped_column(sa.Text)
    occurrence_number: Mapped[int | None] = mapped_column(sa.Integer)
    series_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    previous_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    next_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    children: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    children_done: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    deleted_unit: Mapped[int | None] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("id >= 1 AND revision >= id", "revision"),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 200", "title"),
        sa.CheckConstraint(f"length(title_key) <= {TITLE_KEY_LENGTH}", "title_key"),
        sa.CheckConstraint("length(description) <= 1000", "description"),
        sa.CheckConstraint("completed = (completed_at IS NOT NULL)", "completed_at"),
        sa.CheckConstraint("priority BETWEEN 1 AND 3", "priority"),
        sa.CheckConstraint(
            "due_date LIKE '____-__-__' OR due_date LIKE '____-__-__T__:__:__.___Z'", "due_date"
        ),
        _in_dialect(
            "postgresql",
            "CASE jsonb_typeof(tags) WHEN 'array'"
            f" THEN jsonb_array_length(tags) <= {MAX_TAGS} ELSE false END",
            "tags",
        ),
        _in_dialect(
            "sqlite",
            f"json_type(tags) = 'array' AND json_array_length(tags) <= {MAX_TAGS}",
            "tags",
        ),
        sa.CheckConstraint("(tags_key = '') = (CAST(tags AS text) = '[]')", "tags_key"),
    )


class List(Model):
    """A list of tasks, and how many it has. A deleted one stays until it is purged."""

    __tablename__ = "lists"

    user_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("users.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(sa.BigInteger)
    name: Mapped[str] = mapped_column(sa.Text)
    color: Mapped[str | None] = mapped_column(sa.Text)
    position: Mapped[str] = mapped_column(collated_text())
    open_tasks: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    done_tasks: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    top_open: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    top_done: Mapped[int] = mapped_column(sa.Integer, server_default="0")
    created_at: Mapped[str] = mapped_column(Instant)
    updated_at: Mapped[str] = mapped_column(Instant)
    deleted_at: Mapped[str | None] = mapped_column(Instant)
    deleted_unit: Mapped[int | None] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("id >= 1 AND revision >= id", "revision"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", "name"),
        sa.CheckConstraint("length(color) = 7", "color"),
        sa.CheckConstraint("length(position) BETWEEN 2 AND 100", "position"),
    )


class LoggedChange(Model):
    """One entry of a user's log of changes: what one revision changed."""

    __tablename__ = "changes"

    user_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("users.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[int] = mapped_column(sa.BigInteger)
    nonce: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.Text)
    id: Mapped[int] = mapped_column(sa.BigInteger)
    op: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[str] = mapped_column(Instant)
    by: Mapped[str] = mapped_column(sa.Text)
    via: Mapped[str | None] = mapped_column(sa.Text)
    before: Mapped[dict[str, object] | None] = mapped_column(sa.JSON(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(sa.JSON(none_as_null=True))

    __table_args__ = (
        sa.CheckConstraint("unit BETWEEN 1 AND revision", "unit"),
        sa.Index("ix_changes_entity", "user_id", "kind", "id", "revision"),
    )


class IdempotencyKey(Model):
    """The response to a request that a client may repeat."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(collated_text(), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(sa.LargeBinary)
    answer: Mapped[bytes] = mapped_column(sa.LargeBinary)
    last_block: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[str] = mapped_column(Instant)
    shows: Mapped[str | None] = mapped_column(sa.Text)

    __table_args__ = (sa.Index("ix_idempotency_keys_last_block", "user_id", "last_block"),)


class Account(Model):
    """A local account. It is found before its user is known, so no ``user_id`` leads."""

    __tablename__ = "accounts"

    email_key: Mapped[str] = mapped_column(collated_text(), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    email: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    password_hash: Mapped[str] = mapped_column(sa.Text)
    generation: Mapped[int] = mapped_column(sa.Integer)
    created_at: Mapped[str] = mapped_column(Instant)
    updated_at: Mapped[str] = mapped_column(Instant)

    __table_args__ = (sa.CheckConstraint("generation >= 1", "generation"),)


class ImportedTask(Model):
    """What was copied from another back end's table, so that nothing is copied twice."""

    __tablename__ = "imported_tasks"

    user_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("users.id"), primary_key=True)
    source: Mapped[str] = mapped_column(collated_text(), primary_key=True)
    source_id: Mapped[str] = mapped_column(collated_text(), primary_key=True)
    task_id: Mapped[int] = mapped_column(sa.BigInteger)


class IssuerKeys(Model):
    """The public keys of an issuer, as any process has last confirmed them. They are of no user."""

    __tablename__ = "issuer_keys"

    url: Mapped[str] = mapped_column(collated_text(), primary_key=True)
    key_set: Mapped[list[dict[str, object]]] = mapped_column(sa.JSON)
    confirmed_at: Mapped[str | None] = mapped_column(Instant)
    attempted_at: Mapped[str | None] = mapped_column(Instant)
    ended_at: Mapped[str | None] = mapped_column(Instant)


class Advance(Model):
    """One move of all revisions ahead, to ``revision``: new users begin there, too."""

    __tablename__ = "advances"

    revision: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(Instant)


users = cast("sa.Table", User.__table__)
tasks = cast("sa.Table", Task.__table__)
lists = cast("sa.Table", List.__table__)
accounts = cast("sa.Table", Account.__table__)
changes = cast("sa.Table", LoggedChange.__table__)
idempotency_keys = cast("sa.Table", IdempotencyKey.__table__)
imported_tasks = cast("sa.Table", ImportedTask.__table__)
issuer_keys = cast("sa.Table", IssuerKeys.__table__)
advances = cast("sa.Table", Advance.__table__)


def _index(table: sa.Table, name: str, *columns: str, where: sa.ColumnElement[bool]) -> None:
    sa.Index(
        f"ix_{table.name}_{name}",
        *(table.c[column] for column in columns),
        postgresql_where=where,
        sqlite_where=where,
    )


_LIVE = tasks.c.deleted_at.is_(None)
for _sort, _key in {
    "created": ["id"],
    "updated": ["revision"],
    "title": ["title_key", "id"],
    "due_date": ["due_date", "id"],
    "priority": ["priority", "id"],
}.items():
    _index(tasks, f"live_{_sort}", "user_id", *_key, where=_LIVE)
    _index(tasks, f"state_{_sort}", "user_id", "completed", *_key, where=_LIVE)

_TRASHED = tasks.c.deleted_at.is_not(None)
_CHILD = tasks.c.parent_id.is_not(None)
_index(tasks, "trash", "user_id", "revision", where=_TRASHED)
_index(tasks, "top", "user_id", "list_id", "position", "id", where=_LIVE & ~_CHILD)
_index(tasks, "child", "user_id", "parent_id", "position", "id", where=_LIVE & _CHILD)
_index(tasks, "trashed_child", "user_id", "parent_id", where=_TRASHED & _CHILD)
_index(lists, "trash", "user_id", "revision", where=lists.c.deleted_at.is_not(None))
