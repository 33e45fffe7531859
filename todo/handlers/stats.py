"""Counts of one user's tasks (tag ``stats``)."""

from typing import Any

from todo.identity.owner import Owner
from todo.services import stats


def show_stats(user: Owner, tz: str) -> dict[str, Any]:
    """Counts of the user's tasks, now."""
    return stats.show(user.id, tz)
