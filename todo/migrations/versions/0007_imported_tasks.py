"""What was copied from the table of another back end."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CODE_POINTS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "imported_tasks",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("source", _CODE_POINTS, nullable=False),
        sa.Column("source_id", _CODE_POINTS, nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "source", "source_id", name=op.f("pk_imported_tasks")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_imported_tasks_users")),
    )


def downgrade() -> None:
    """Drop it: an import that runs again copies everything again."""
    op.drop_table("imported_tasks")
