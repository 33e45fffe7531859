"""The index of the trash."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TRASHED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    """Add the index that lists the trash, and that a purge finds it by."""
    op.create_index(
        "ix_tasks_trash",
        "tasks",
        ["user_id", "revision"],
        postgresql_where=_TRASHED,
        sqlite_where=_TRASHED,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_tasks_trash", "tasks")
