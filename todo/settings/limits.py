"""Settings of what one user may have, and of how long it is kept."""

from dataclasses import dataclass

from todo.settings.readers import Integer
from todo.settings.variable import setting


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """Bounds of what is stored."""

    tasks_per_user: int = setting(
        200_000,
        "The number of tasks that one user may have. Deleted tasks count, too.",
        Integer(1, 10_000_000),
    )
    trash_days: int = setting(
        30,
        "The days for which a deleted task can be restored. `todo purge` deletes older ones for "
        "good.",
        Integer(1, 3650),
    )
    idempotency_hours: int = setting(
        24,
        "The hours for which a repeated `Idempotency-Key` is answered with the first response.",
        Integer(1, 720),
    )
    changes_days: int = setting(
        90,
        "The days for which the log of changes is kept: for `changes`, `history` and `undo`. "
        "`todo purge` deletes older entries.",
        Integer(1, 3650),
    )
    changes_per_user: int = setting(
        200_000,
        "The entries that the log of changes keeps of one user.",
        Integer(1000, 10_000_000),
    )
