"""The log of changes, and which entities a kept response shows."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Constants: PostgreSQL adds the columns without a rewrite, and an earlier release, which
# knows none of them, still writes.
_OF_USERS = (
    ("nonce", sa.Text(), ""),
    ("logged", sa.BigInteger(), "0"),
    ("log_floor", sa.BigInteger(), "0"),
    ("floor_nonce", sa.Text(), ""),
)


def upgrade() -> None:
    """Add the log, which is empty: it begins with the next change of each user."""
    for name, kind, constant in _OF_USERS:
        op.add_column("users", sa.Column(name, kind, nullable=False, server_default=constant))
    op.add_column("idempotency_keys", sa.Column("shows", sa.Text()))
    op.create_table(
        "changes",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text()),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        sa.PrimaryKeyConstraint("user_id", "revision", name=op.f("pk_changes")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_changes_users")),
        sa.CheckConstraint("unit BETWEEN 1 AND revision", name=op.f("ck_changes_unit")),
    )
    op.create_index("ix_changes_entity", "changes", ["user_id", "kind", "id", "revision"])


def downgrade() -> None:
    """Drop them: what was changed until then cannot be undone any more."""
    op.drop_table("changes")
    op.drop_column("idempotency_keys", "shows")
    for name, _, _ in reversed(_OF_USERS):
        op.drop_column("users", name)
