"""Counts of one user's tasks (tag ``stats``)."""

from typing import Any

from todo.auth.user import User
from todo.tasks import stats


def show_stats(user: User, tz: str) -> dict[str, Any]:
    """Respond with the present counts of the user's tasks."""
    return stats.show(user.id, tz)
