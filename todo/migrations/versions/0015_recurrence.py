"""How a task repeats, and which tasks were before and after it in its series.

All columns are null, so both databases add them without a rewrite, and an earlier release, which
knows none of them, still writes: what it completes has no next one.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("time_zone", sa.Text()),
    ("recurrence", sa.JSON()),
    ("recurrence_text", sa.Text()),
    ("occurrence", sa.Text()),
    ("occurrence_number", sa.Integer()),
    ("series_id", sa.BigInteger()),
    ("previous_id", sa.BigInteger()),
    ("next_id", sa.BigInteger()),
)


def upgrade() -> None:
    """Add the columns."""
    for name, column in _COLUMNS:
        op.add_column("tasks", sa.Column(name, column, nullable=True))


def downgrade() -> None:
    """Drop them: occurrences are tasks like all others."""
    for name, _ in reversed(_COLUMNS):
        op.drop_column("tasks", name)
