"""The issuer's public keys, which all processes share and which outlive them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, which is empty: the first process that fetches the keys fills it."""
    op.create_table(
        "issuer_keys",
        sa.Column(
            "url", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("key_set", sa.JSON(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("attempted_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_issuer_keys")),
    )


def downgrade() -> None:
    """Drop it: each process has its own keys again."""
    op.drop_table("issuer_keys")
