"""Users and tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_CODE_POINTS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LIVE = sa.text("deleted_at IS NULL")
_INDEXES = {
    "ix_tasks_live_created": ["user_id", "id"],
    "ix_tasks_live_updated": ["user_id", "revision"],
    "ix_tasks_live_title": ["user_id", "title_key", "id"],
    "ix_tasks_state_created": ["user_id", "completed", "id"],
    "ix_tasks_state_updated": ["user_id", "completed", "revision"],
    "ix_tasks_state_title": ["user_id", "completed", "title_key", "id"],
}


def upgrade() -> None:
    """Create both tables and the indexes of the live tasks."""
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("open_tasks", sa.Integer(), nullable=False),
        sa.Column("done_tasks", sa.Integer(), nullable=False),
        sa.Column("trashed_tasks", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_users_revision")),
        sa.CheckConstraint(
            "open_tasks >= 0 AND done_tasks >= 0 AND trashed_tasks >= 0",
            name=op.f("ck_users_counts"),
        ),
    )
    op.create_table(
        "tasks",
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
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_tasks")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tasks_users")),
        sa.CheckConstraint("id >= 1 AND revision >= id", name=op.f("ck_tasks_revision")),
        sa.CheckConstraint("length(title) BETWEEN 1 AND 200", name=op.f("ck_tasks_title")),
        sa.CheckConstraint("length(title_key) <= 200", name=op.f("ck_tasks_title_key")),
        sa.CheckConstraint("length(description) <= 1000", name=op.f("ck_tasks_description")),
        sa.CheckConstraint(
            "completed = (completed_at IS NOT NULL)", name=op.f("ck_tasks_completed_at")
        ),
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "tasks", columns, postgresql_where=_LIVE, sqlite_where=_LIVE)


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("tasks")
    op.drop_table("users")
