"""Where users begin who first write after a backup was restored."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, which stays empty until revisions move ahead."""
    op.create_table(
        "advances",
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_advances")),
    )


def downgrade() -> None:
    """Drop it: new users begin at 1 again."""
    op.drop_table("advances")
