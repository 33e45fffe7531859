"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, select

from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.task import DONE, OPEN, TRASHED, Fields

_tasks = TASKS.table.c
_IN_STATE: Final = (
    select(_tasks.id, _tasks.completed_at)
    .where(*TASKS.live, _tasks.completed == bindparam("completed"))
    .order_by(_tasks.id)
)


def clear_completed(unit: UnitOfWork) -> Changed:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``."""
    return _change(unit, True, {"deleted_at": unit.now}, DONE, TRASHED)


def complete_all(unit: UnitOfWork, completed: bool) -> Changed:
    """Complete every task, or take that back; returns like :func:`clear_completed`."""
    state = {"completed": completed, "completed_at": unit.now if completed else None}
    before, after = (OPEN, DONE) if completed else (DONE, OPEN)
    return _change(unit, not completed, state, before, after)


def _change(
    unit: UnitOfWork,
    completed: bool,
    values: Fields,
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> Changed:
    """Give all tasks that are ``completed``, or all others, the ``values``."""
    rows = unit.read(_IN_STATE, {"completed": completed})
    was = {"completed": completed, "deleted_at": None}
    for batch in unit.batches(rows):
        unit.change_batch(
            TASKS,
            [row.id for row in batch],
            values,
            was=[_was({**was, "completed_at": row.completed_at}, values) for row in batch],
            before=before,
            after=after,
        )
    return unit.changed(len(rows))


def _was(state: Fields, values: Fields) -> Fields:
    """Those members of a task's ``state`` that ``values`` change."""
    return {name: state[name] for name in values}
