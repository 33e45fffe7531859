"""The position of a kept response has the name of what it is: its last block."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLE = "idempotency_keys"


def _rename(old: str, new: str) -> None:
    op.execute(f"ALTER TABLE {_TABLE} RENAME COLUMN {old} TO {new}")
    op.drop_index(f"ix_{_TABLE}_{old}", _TABLE)
    op.create_index(f"ix_{_TABLE}_{new}", _TABLE, ["user_id", new])


def upgrade() -> None:
    """Rename the column and its index."""
    _rename("place", "last_block")


def downgrade() -> None:
    """Take the old names again."""
    _rename("last_block", "place")
