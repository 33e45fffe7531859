"""Local accounts, and what tokens say of their users."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_CODE_POINTS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table of accounts, and two columns that may stay empty."""
    op.add_column("users", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("name", sa.Text(), nullable=True))
    op.create_table(
        "accounts",
        sa.Column("email_key", _CODE_POINTS, nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("email_key", name=op.f("pk_accounts")),
        sa.UniqueConstraint("user_id", name=op.f("uq_accounts_user_id")),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_accounts_generation")),
    )


def downgrade() -> None:
    """Drop the accounts and what tokens said; tasks stay."""
    op.drop_table("accounts")
    op.drop_column("users", "name")
    op.drop_column("users", "email")
