"""Lists, and counters of lists and of subtasks in the row of their user.

The columns are constants, so PostgreSQL adds them without a rewrite. An earlier release, which
knows none of them, still writes: ``users.counted`` stays behind then, and the next writer of this
release counts again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OF_USERS = (
    ("top_open", sa.Integer()),
    ("top_done", sa.Integer()),
    ("all_lists", sa.Integer()),
    ("counted", sa.BigInteger()),
)


def upgrade() -> None:
    """Add the columns and the table."""
    for name, kind in _OF_USERS:
        op.add_column("users", sa.Column(name, kind, nullable=False, server_default="0"))
    _create_lists()


def downgrade() -> None:
    """Drop them: lists are gone, and their tasks are in the inbox."""
    op.drop_table("lists")
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
    trashed = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "ix_lists_trash",
        "lists",
        ["user_id", "revision"],
        postgresql_where=trashed,
        sqlite_where=trashed,
    )
