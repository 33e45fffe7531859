"""What a unit of work reads and writes of its user's row: counters, and the state of the log."""

from collections.abc import Sequence
from typing import Any, Final

from todo.models import users
from todo.sync.counters import Counters
from todo.sync.log import LogState

FIELDS: Final = (*Counters._fields, *LogState._fields, "counted")
LABELS: Final = tuple(f"user_{name}" for name in FIELDS)
"""What each field is called beside an entity, which has a ``revision`` of its own."""
COLUMNS: Final = tuple(
    users.c[name].label(label) for name, label in zip(FIELDS, LABELS, strict=True)
)
"""The columns of :data:`FIELDS`, in their order."""
REVISION: Final = users.c.revision.label("user_revision")
NONCE: Final = users.c.nonce.label("user_nonce")


def parsed(row: Sequence[Any]) -> tuple[Counters, LogState, int]:
    """Return what a row of :data:`COLUMNS` says; the last is the revision up to which all counters
    are right."""
    first, behind = len(Counters._fields), len(FIELDS) - 1
    return Counters(*row[:first]), LogState(*row[first:behind]), row[behind]
