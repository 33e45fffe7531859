"""Changes of all of a user's tasks at once; each takes its own revision, in the order of ids."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from todo.sync.unit_of_work import Changed, UnitOfWork
from todo.tasks.resource import TASKS
from todo.tasks.task import Fields

_tasks = TASKS.table.c
_IN_STATE: Final = (
    select(
        _tasks.id,
        _tasks.completed,
        _tasks.completed_at,
        _tasks.list_id,
        _tasks.parent_id,
        _tasks.children,
        _tasks.children_done,
        _tasks.deleted_at,
    )
    .where(*TASKS.live, _tasks.completed == bindparam("completed"))
    .order_by(_tasks.id)
)


def clear_completed(unit: UnitOfWork) -> Changed:
    """Move every completed task to the trash; return how many ``changed``, and the ``revision``.

    A completed task that has open descendants stays.
    """
    rows = unit.read(_IN_STATE, {"completed": True})
    staying = _with_open_descendants(rows)
    return _change(unit, [row for row in rows if row.id not in staying], unit.deleted())


def complete_all(unit: UnitOfWork, completed: bool) -> Changed:
    """Complete every task, or take that back; returns like :func:`clear_completed`."""
    rows = unit.read(_IN_STATE, {"completed": not completed})
    state = {"completed": completed, "completed_at": unit.now if completed else None}
    return _change(unit, rows, state)


def _with_open_descendants(rows: Sequence[Row[Any]]) -> set[int]:
    """The ids of completed tasks with an open child, and of what those are children of."""
    parents = {row.id: row.parent_id for row in rows}
    found: set[int] = set()
    for row in rows:
        task = row.id if row.children > row.children_done else None
        while task is not None and task not in found:
            found.add(task)
            task = parents.get(task)
    return found


def _change(unit: UnitOfWork, rows: Sequence[Row[Any]], values: Fields) -> Changed:
    """Give the tasks of ``rows`` the ``values``."""
    for batch in unit.batches(rows):
        before = [row._asdict() for row in batch]
        unit.change_batch(
            TASKS,
            [row.id for row in batch],
            values,
            was=[_was(old, values) for old in before],
            counted=[(old, {**old, **values}) for old in before],
        )
    return unit.changed(len(rows))


def _was(old: Fields, values: Fields) -> Fields:
    """Those members of a task that ``values`` change, but for what only the trash has."""
    return {name: old[name] for name in values if name != "deleted_unit"}
