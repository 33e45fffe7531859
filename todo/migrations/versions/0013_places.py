"""Where a task is: in a list, under a parent, at a position; and how many subtasks it has.

The columns are null or constants, so PostgreSQL adds them without a rewrite, and an earlier
release, which knows none of them, still writes. They are added in a transaction of their own: it
keeps everybody from the table, for a moment.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any], str | None], ...] = (
    ("list_id", sa.BigInteger(), None),
    ("parent_id", sa.BigInteger(), None),
    ("position", _TEXT, None),
    ("children", sa.Integer(), "0"),
    ("children_done", sa.Integer(), "0"),
    ("deleted_unit", sa.BigInteger(), None),
)


def upgrade() -> None:
    """Add the columns."""
    for name, column, constant in _COLUMNS:
        nullable = constant is None
        op.add_column("tasks", sa.Column(name, column, nullable=nullable, server_default=constant))


def downgrade() -> None:
    """Drop them: subtasks are tasks like all others."""
    for name, _, _ in reversed(_COLUMNS):
        op.drop_column("tasks", name)
